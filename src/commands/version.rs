use schemars::JsonSchema;
use serde::Serialize;

use super::Outcome;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso version
  cfsso version -o json | jq -r .commit")]
pub struct Args;

/// The version and build of cfsso.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    version: &'static str,
    /// The Git commit; `null` if `GITHUB_SHA` was not set at build time.
    commit: Option<&'static str>,
    os: &'static str,
    arch: &'static str,
    /// The build profile: `release` or `debug`.
    profile: &'static str,
}

pub fn run() -> Outcome {
    Outcome::done(Report {
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("GITHUB_SHA"),
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        profile: if cfg!(debug_assertions) { "debug" } else { "release" },
    })
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        page.fields(&[
            ("version", Text::strong(self.version)),
            ("commit", Text::plain(self.commit.unwrap_or("unknown"))),
            ("target", Text::plain(format!("{} {}", self.os, self.arch))),
            ("profile", Text::plain(self.profile)),
        ]);
    }

    fn names(&self) -> Vec<String> {
        vec![self.version.to_owned()]
    }
}
