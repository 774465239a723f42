//! The integration tests: one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod api;
mod binary;
mod bypass;
mod config;
mod confirm;
mod connector;
mod credentials;
mod desired;
mod diagnose;
mod dns;
mod doctor;
mod drill;
mod dry_run;
mod errors;
mod federation;
mod fleet;
mod guided;
mod harness;
mod idp;
mod impact;
mod journal;
mod language;
mod logins;
mod odd;
mod output;
mod preflight;
mod readme;
mod recovery;
mod rename;
mod sandbox;
mod schema;
mod setup;
mod status;
#[cfg(unix)]
mod terminal;
mod token;
mod trial;
