//! The integration tests: one binary.

mod api;
mod dns;
mod output;
mod sandbox;
