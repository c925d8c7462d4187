//! Where the bytes of published documents rest: each larger one in a map of its own. Among all else that is allocated they
//! would come and go by the thousand, and leave holes that are as much again.

use std::io;

use actix_web::web::Bytes;
use memmap2::MmapOptions;

/// Smaller ones are kept as all else: a map is made of whole pages.
const LARGE: usize = 4 << 10;

/// Bytes as they are kept: none more than there are.
pub(super) fn kept(bytes: Vec<u8>) -> Bytes {
    if bytes.len() < LARGE {
        return bytes.into_boxed_slice().into();
    }
    let copied = filled(bytes.len(), |room| {
        room.copy_from_slice(&bytes);
        Ok(())
    });
    copied.unwrap_or_else(|_: io::Error| bytes.into())
}

/// So many bytes, which `fill` writes.
///
/// # Errors
/// What `fill` says, or there is no memory.
pub(super) fn filled(length: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Bytes> {
    if length < LARGE {
        let mut bytes = vec![0; length];
        fill(&mut bytes)?;
        return Ok(bytes.into());
    }
    let mut room = MmapOptions::new().len(length).populate().map_anon()?;
    fill(&mut room)?;
    Ok(Bytes::from_owner(room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_as_they_are_whatever_their_number() {
        for length in [0, 1, LARGE - 1, LARGE, LARGE + 1, 1 << 20] {
            let bytes: Vec<u8> = (0..length).map(|place| place.to_le_bytes()[0]).collect();
            assert_eq!(kept(bytes.clone()), bytes);
            let fill = |room: &mut [u8]| {
                room.copy_from_slice(&bytes);
                Ok(())
            };
            assert_eq!(filled(length, fill).unwrap(), bytes);
        }
        assert!(filled(LARGE, |_| Err(io::ErrorKind::InvalidData.into())).is_err());
    }
}
