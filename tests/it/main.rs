//! The integration tests: one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod api;
mod binary;
mod config;
mod confirm;
mod connector;
mod dns;
mod errors;
mod federation;
mod harness;
mod idp;
mod journal;
mod output;
mod readme;
mod sandbox;
mod setup;
