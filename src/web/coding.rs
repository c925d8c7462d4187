//! Content codings: which one a client gets, and the bytes in it.

use std::io::Write;

use actix_web::web::Bytes;

use super::memory::kept;

/// A content coding (RFC 9110 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Identity,
    /// Every reader takes it.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    const COMPRESSED: [Self; 3] = [Self::Gzip, Self::Zstd, Self::Brotli];

    /// Its name in `Content-Encoding`; the identity has none.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
        }
    }

    /// Its place among those that compress.
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Identity | Self::Gzip => 0,
            Self::Zstd => 1,
            Self::Brotli => 2,
        }
    }

    /// The compressed codings that an `Accept-Encoding` takes, the best liked first; equal ones in the order gzip, zstd,
    /// Brotli. None that is liked less than the document as it is, where that is named.
    pub(super) fn accepted(accept: &str) -> impl Iterator<Item = Self> {
        let least = if accept.contains("identity") { weight(accept, "identity") } else { 0.0 };
        let mut weighted = Self::COMPRESSED.map(|coding| (coding, coding.name().map_or(0.0, |name| weight(accept, name))));
        weighted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        weighted.into_iter().filter(move |(_, weight)| *weight > 0.0 && *weight >= least).map(|(coding, _)| coding)
    }

    /// Compresses a document, for many responses; `None` if that gains nothing.
    pub(super) fn encode(self, body: &[u8]) -> Option<Bytes> {
        let encoded = match self {
            Self::Identity => return None,
            Self::Gzip => gzip(body),
            Self::Zstd => zstd::bulk::compress(body, 6),
            Self::Brotli => brotli(body),
        };
        // Writing into memory fails only for want of it; the document then goes out as it is.
        encoded.ok().filter(|encoded| encoded.len() < body.len()).map(kept)
    }
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(body)?;
    encoder.finish()
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoded = Vec::new();
    // A window that holds the document: a larger one is memory alone. With one of 16 bits the library takes another way, which fills
    // 32 MiB for the smallest document.
    let window = body.len().next_power_of_two().ilog2() + 1;
    let lgwin = i32::try_from(window.clamp(17, 22)).unwrap_or(22);
    let parameters = brotli::enc::BrotliEncoderParams { quality: 5, lgwin, size_hint: body.len(), ..Default::default() };
    brotli::BrotliCompress(&mut &body[..], &mut encoded, &parameters)?;
    Ok(encoded)
}

/// The weight of a coding in an `Accept-Encoding` (RFC 9110 12.5.3): its own, else that of `*`, else none.
fn weight(accept: &str, name: &str) -> f32 {
    let mut any = 0.0;
    for item in accept.split(',') {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = quality(parts);
        if coding.eq_ignore_ascii_case(name) || (name == "gzip" && coding.eq_ignore_ascii_case("x-gzip")) {
            return weight;
        }
        if coding == "*" {
            any = weight;
        }
    }
    any
}

/// The quality that the parameters of an item state (RFC 9110 12.4.2).
pub(super) fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> f32 {
    let stated = parameters.find_map(|part| part.trim().strip_prefix(['q', 'Q'])?.strip_prefix('='));
    stated.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_client_gets_what_it_likes_best() {
        for (accept, expected) in [
            ("", &[][..]),
            ("gzip, deflate, br, zstd", &Coding::COMPRESSED),
            ("br;q=1.0, gzip;q=0.5", &[Coding::Brotli, Coding::Gzip]),
            ("zstd, gzip;q=0", &[Coding::Zstd]),
            ("identity", &[]),
            ("identity;q=0.5, gzip;q=0.4, br;q=0.6", &[Coding::Brotli]),
            ("gzip, identity", &[Coding::Gzip]),
            ("gzip;q=1.0, identity; q=0.5, *;q=0", &[Coding::Gzip]),
            ("identity;q=1, *;q=0.1", &[]),
            ("*", &Coding::COMPRESSED),
            ("gzip;q=0, *;q=0.1", &[Coding::Zstd, Coding::Brotli]),
            ("GZIP", &[Coding::Gzip]),
            ("gzip;Q=0, br", &[Coding::Brotli]),
        ] {
            assert_eq!(Coding::accepted(accept).collect::<Vec<_>>(), expected, "{accept:?}");
        }
    }

    #[test]
    fn every_coding_gives_the_document_back() {
        let document = "条目 entry ".repeat(500).into_bytes();
        for coding in Coding::COMPRESSED {
            let encoded = coding.encode(&document).unwrap();
            let mut decoded = Vec::new();
            match coding {
                Coding::Gzip => flate2::read::GzDecoder::new(&encoded[..]).read_to_end(&mut decoded).map(drop).unwrap(),
                Coding::Zstd => decoded = zstd::decode_all(&encoded[..]).unwrap(),
                _ => brotli::BrotliDecompress(&mut &encoded[..], &mut decoded).unwrap(),
            }
            assert_eq!(decoded, document, "{coding:?}");
        }
        assert_eq!(Coding::Gzip.encode(b"x"), None, "what does not shrink goes out as it is");
    }
}
