//! The integration tests: a real store, a real server, no network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod build;
mod cli;
mod dice;
mod documentation;
mod export;
mod few;
mod fixtures;
mod folder;
mod full_text;
mod history;
mod lane;
mod manners;
mod output;
mod rules;
mod search;
mod selection;
mod stitched;
mod store;
mod taxonomy;
mod upstream;
mod web;
mod websub;
