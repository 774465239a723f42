//! cfsso: set up, guard and recover Cloudflare dashboard SSO.
//!
//! How a command travels from argv to the wire to the screen:
//!
//! 1. `main` starts the runtime and hands [`Process`] to [`run()`].
//! 2. [`cli`] reads the arguments; [`settings`] adds environment and profile.
//! 3. A [`context::Context`] makes client, name servers and simulator on first use.
//! 4. A file under [`commands`] reads what is there, through [`api`] and [`dns`].
//! 5. [`flow`] decides what is to do, without I/O, and then does it step by step.
//! 6. The command returns a report; [`output`] renders it, and nothing else prints.
//! 7. An error is told by one walk of its chain, in [`error_report`].
//!
//! Arrows point down only: `cli → commands → flow → {api, dns} → input`, and
//! `commands → output`; a command asks a user through [`interview`]. [`sandbox`] stands beside them: it answers what `api`
//! and `dns` ask, over real HTTP and real DNS.

pub mod api;
pub mod cli;
pub mod clock;
mod commands;
pub mod completion;
mod context;
pub mod dns;
pub mod domain;
mod error_report;
mod flow;
pub mod idp;
pub mod input;
mod interview;
pub mod output;
mod plural;
mod private_file;
pub mod process;
mod rfc3339;
pub mod run;
pub mod sandbox;
mod settings;
mod sha256;
mod shell;

pub use process::Process;
pub use run::run;
