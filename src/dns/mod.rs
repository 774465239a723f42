//! The TXT verifier: what the name servers of a domain serve, and what that means.
//! Knows neither Cloudflare's API nor the command line, and prints nothing.
//!
//! `resolver` asks (over `wire` and `https`, along the delegation that `walk`
//! finds) and returns a `Survey`; `verdict` judges it without I/O; `report`
//! is the shape in which both are told; `wait` repeats it.

mod answer;
mod case;
mod config;
mod cut;
mod evidence;
mod expiry;
mod finding;
mod https;
mod look;
mod misplaced;
mod named;
mod near_miss;
mod question;
mod race;
mod rcode;
mod recursive;
mod report;
mod resolver;
mod standing;
mod survey;
mod txt;
mod verdict;
mod wait;
mod walk;
mod wire;

pub use config::{Config, HttpsServer, InvalidServer, ServerSpec};
pub use rcode::Rcode;
pub use report::{Report, short_lines};
pub use resolver::{Reach, Resolver};
pub use survey::{
    Delegation, Dnssec, Misplaced, Place, Role, Server, Survey, Transport, sso_codes,
};
pub use txt::{PREFIX, Txt, printable};
pub use verdict::{Judgement, Verdict, judge};
pub use wait::{Awaited, await_visible};
pub use wire::Failure;
