//! The integration tests: a real store, a real server, no network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod asking;
mod beside;
mod build;
mod cli;
mod crowd;
mod dice;
mod documentation;
mod export;
mod few;
mod fixtures;
mod folder;
mod full_text;
mod history;
mod hostile;
mod http;
mod lane;
mod manners;
mod moves;
mod namesakes;
mod output;
mod peers;
mod preview;
mod pushed;
mod rules;
mod search;
mod selection;
mod server;
mod stitched;
mod store;
mod taxonomy;
mod upstream;
mod web;
mod websub;
