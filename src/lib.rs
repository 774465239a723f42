//! cfsso: set up, guard and recover Cloudflare dashboard SSO.
//!
//! How a command travels from argv to the wire to the screen:
//!
//! 1. `main` starts the runtime and hands [`Process`] to [`run()`].
//! 2. [`cli`] reads the arguments; [`settings`] adds environment and profile.
//! 3. A [`context::Context`] creates client, resolver and simulator on first use.
//! 4. A file under [`commands`] reads the current state, through [`api`] and [`dns`].
//! 5. [`flow`] decides what to do, without I/O, and then does it step by step.
//! 6. The command returns a report; [`output`] renders it, and nothing else prints.
//! 7. [`error_report`] converts an error chain to message, hint and exit code.
//!
//! Dependencies point down only: `cli → commands → flow → {api, dns} → input` and
//! `commands → output`; a command asks the user through [`interview`]. [`sandbox`] answers
//! `api` and `dns` over real HTTP and DNS.

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
mod mutex;
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
