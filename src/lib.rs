//! Feedmill: many feeds in; one feed per category, tag or question out.
//!
//! The modules in reading order; each may use only those named (`tests/` holds this table):
//! `model` nothing of ours; `config`, `source`, `store` and `output` use `model`; `poll` joins `source` to `store`;
//! `web` joins `store` to `output`; `push` tells subscribers of changes; `cli` joins them all. `crew` has the threads on
//! which `source` and `store` work.

pub mod cli;
pub mod config;
mod crew;
pub mod model;
pub mod output;
pub mod poll;
pub mod push;
pub mod source;
pub mod store;
pub mod web;
