mod bundle;
pub mod card;
pub mod check;
pub mod prepare;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;
use crate::flow::doctor::Finding;
use crate::output::Invocation;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Prepare an emergency token and a recovery card
    Prepare(prepare::Args),
    /// Check that both bypasses would work today
    Check(check::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Prepare(args) => prepare::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
    }
}

/// For findings of the emergency token in `--token-file`: it can fix nothing but a lockout, and a
/// command without `--token-file` would get that one.
fn need_administrator(findings: &mut [Finding]) {
    let administrator = Invocation::default().with("--token-file", Some("ADMIN-TOKEN".to_owned()));
    for fix in findings.iter_mut().filter_map(|finding| finding.fix.as_mut()) {
        *fix = administrator.add_global_flags(fix);
    }
}
