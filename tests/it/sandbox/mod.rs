//! Tests of `sandbox`, over real HTTP and real DNS packets.
#![allow(clippy::unwrap_used, reason = "the functions that tests share are tests, too")]

mod apps;
pub mod client;
mod connectors;
mod dns;
mod faults;
mod grants;
mod identity_providers;
mod issuer;
mod members;
mod organizations;
mod permissions;
mod shares;
mod state;
mod tokens;
mod zones;

use cfsso::clock::Clock;
use cfsso::sandbox::{self, Options, Sandbox};
use jiff::Timestamp;

/// A sandbox in memory, and the clock that it goes by: it moves only when it
/// is waited on.
async fn sandbox() -> (Sandbox, Clock) {
    let clock = Clock::fake(Timestamp::from_second(1_758_834_320).unwrap());
    let options = Options { clock: clock.clone(), ..Options::default() };
    (sandbox::start(options).await.unwrap(), clock)
}
