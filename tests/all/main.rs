//! The integration tests: a real store, a real server, no network.

mod store;
