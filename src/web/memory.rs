//! Where the bytes of published documents rest: each larger one in a map of its own, which is given back or to the next one.
//! Among all else that is allocated they would leave holes as large as themselves.

use std::io;
use std::sync::{Mutex, PoisonError};

use actix_web::web::Bytes;
use memmap2::{MmapMut, MmapOptions};

/// Smaller ones are kept as all else: rooms have whole steps.
const LARGE: usize = 32 << 10;
/// Rooms are larger by such steps, so that they fit others after their document.
const STEP: usize = 16 << 10;

/// Rooms whose documents went, for the next: a new one costs as much as to fill it.
static SPARE: Mutex<Vec<MmapMut>> = Mutex::new(Vec::new());
/// So many bytes of these wait at most.
const MOST_SPARE: usize = 2 << 20;

/// A map, of which a document takes the first bytes.
struct Room {
    map: Option<MmapMut>,
    length: usize,
}

impl Room {
    fn of(length: usize) -> io::Result<Self> {
        let fitting = length..=length + length / 4 + STEP;
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let found = spare.iter().position(|map| fitting.contains(&map.len())).map(|place| spare.swap_remove(place));
        drop(spare);
        let map = match found {
            Some(map) => map,
            None => MmapOptions::new().len(length.next_multiple_of(STEP)).populate().map_anon()?,
        };
        Ok(Self { map: Some(map), length })
    }

    fn bytes(&mut self) -> &mut [u8] {
        self.map.as_deref_mut().map_or_else(Default::default, |map| &mut map[..self.length])
    }
}

impl AsRef<[u8]> for Room {
    fn as_ref(&self) -> &[u8] {
        self.map.as_deref().map_or_else(Default::default, |map| &map[..self.length])
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting: usize = spare.iter().map(|map| map.len()).sum();
        spare.extend(self.map.take().filter(|map| waiting + map.len() <= MOST_SPARE));
    }
}

/// Bytes as they are kept.
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

/// So many bytes, all of which `fill` writes: there may be others' in them.
///
/// # Errors
/// What `fill` says, or there is no memory.
pub(super) fn filled(length: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Bytes> {
    if length < LARGE {
        let mut bytes = vec![0; length];
        fill(&mut bytes)?;
        return Ok(bytes.into());
    }
    let mut room = Room::of(length)?;
    fill(room.bytes())?;
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
