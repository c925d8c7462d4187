//! The integration tests: a real store, a real server, no network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod cli;
mod documentation;
mod fixtures;
mod folder;
mod output;
mod rules;
mod store;
mod taxonomy;
mod web;
