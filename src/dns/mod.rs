//! TXT verification: what a domain's name servers publish, and its diagnosis. Independent of the
//! API and of terminal output. `resolver` queries (through `wire` and `https`, along the delegation
//! that `walk` finds) and returns a `Lookup`; `diagnosis` evaluates it without I/O; `report` is the
//! JSON form of both; `wait` repeats it.

mod answer;
mod code;
mod code_status;
mod config;
mod custom_servers;
mod cut;
mod diagnoser;
mod diagnosis;
mod evidence;
mod expiry;
mod https;
mod lookup;
mod misplaced;
mod near_miss;
mod problem;
mod query;
mod question;
mod race;
mod rcode;
mod recursive;
mod reply;
mod report;
mod resolver;
mod time_limit;
mod txt;
mod verdict;
mod wait;
mod walk;
mod wire;

pub use code::parse_code;
pub use config::{Config, HttpsServer, ServerSpec};
pub use diagnosis::diagnose;
pub use lookup::{Delegation, Denial, Dnssec, Location, Lookup, Role, Server, sso_codes};
pub use rcode::Rcode;
pub use reply::{Failure, Transport};
pub use report::{Report, short_lines};
pub use resolver::{Resolver, Scope};
pub use txt::{PREFIX, printable};
pub use verdict::{Diagnosis, Verdict};
pub use wait::{LookupResult, wait_until_visible};
