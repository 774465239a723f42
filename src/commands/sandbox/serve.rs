//! `cfsso sandbox serve`: the simulator on fixed or free ports, until Ctrl-C.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Serialize;

use super::super::Outcome;
use crate::context::Context;
use crate::output::{Page, Render};
use crate::sandbox;

/// Arguments of `sandbox serve`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso sandbox serve
  cfsso sandbox serve --http 127.0.0.1:8080 --fault 500@POST

Then, in another terminal, paste the export lines and use curl, an SDK or cfsso.")]
pub struct Args {
    /// Address of the API
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    http: SocketAddr,

    /// Address of the name server
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    dns: SocketAddr,
}

/// What a client needs to know.
#[derive(Serialize)]
#[serde(transparent)]
struct Serving(BTreeMap<&'static str, String>);

/// Serves until interrupted.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let options = &context.settings.options;
    let state = context.settings.sandbox_state()?;
    let sandbox = sandbox::start(sandbox::Options {
        state: Some(state.clone()),
        command: sandbox::SERVICE.to_owned(),
        faults: options.faults.clone(),
        clock: context.clock.clone(),
        http: args.http,
        dns: args.dns,
        ..sandbox::Options::default()
    })
    .await?;
    let mut environment: BTreeMap<_, _> = sandbox.environment().into_iter().collect();
    // What is rehearsed stays out of the journal of what was really changed.
    let journal = crate::settings::journal_of_sandbox(&state);
    environment.insert("CFSSO_JOURNAL", journal.display().to_string());
    context.screen.report(&Serving(environment))?;
    context.screen.note(format!("state: {} (Ctrl-C to stop)", state.display()));
    std::future::pending::<()>().await;
    Ok(Outcome::silent())
}

impl Render for Serving {
    fn show(&self, page: &mut Page) {
        for (name, value) in &self.0 {
            page.literal(&format!("export {name}={value}"));
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }
}
