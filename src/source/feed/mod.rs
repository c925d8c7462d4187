//! Reading feeds: bytes of the network in, articles out. It owns decoding, recovery and the tolerant reader of RSS,
//! Atom and JSON Feed; it never fetches, but for [`read`] and [`find`], and no byte of it reaches a vendor's reader.

mod dates;
mod decode;
mod element;
mod names;
mod repair;
mod repairs;
pub(in crate::source) mod tag;
mod tree;

/// x
#[derive(Debug)]
pub enum FeedError { Encoding(String) }
