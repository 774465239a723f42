//! `cfsso bypass disable`: one read, and one PATCH per connector.

use super::super::{Outcome, plan_output};
use super::report::Report;
use super::{JournalMode, again_label, command, show_changes, with_alternative_hint, with_journal};
use crate::api::connector::Connector;
use crate::api::ids::ConnectorId;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::bypass::disable::{self, Selection, is_enabled};
use crate::flow::connector::{self, Selector};
use crate::flow::journal::OpenTrial;
use crate::flow::trial::keep;
use crate::flow::{Env, Error, FlowError};

#[derive(clap::Args, Clone, Debug)]
#[command(
    after_help = "Asks for the domain, or `all` if there are several; `--confirm` takes the same.

Examples:
  cfsso bypass disable --all --yes
  cfsso bypass disable cool.cats --confirm cool.cats"
)]
pub struct Args {
    /// Domains or IDs of connectors (default: the enabled one)
    connectors: Vec<Selector>,

    /// Select every enabled connector
    #[arg(long, conflicts_with = "connectors")]
    pub all: bool,

    #[command(flatten)]
    pub(super) keeping: JournalMode,
}

const THEN: [&str; 2] = [
    "users sign in at https://dash.cloudflare.com with a password",
    "users without a password reset it by email",
];

impl Args {
    pub fn of(domain: Option<EmailDomain>) -> Self {
        let all = domain.is_none();
        let connectors = domain.map(Selector::Domain).into_iter().collect();
        Self { connectors, all, keeping: JournalMode::default() }
    }

    fn which(&self, context: &Context) -> anyhow::Result<Selection> {
        if self.all {
            return Ok(Selection::All);
        }
        if !self.connectors.is_empty() {
            return Ok(Selection::Selected(self.connectors.clone()));
        }
        let default = context.named_selector(None)?;
        Ok(default.map_or(Selection::OnlyEnabled, |default| Selection::Selected(vec![default])))
    }

    fn rerun_command(&self) -> String {
        let names: Vec<_> = self.connectors.iter().map(ToString::to_string).collect();
        match names.as_slice() {
            [] if self.all => "bypass disable --all".to_owned(),
            [] => "bypass disable".to_owned(),
            names => format!("bypass disable {}", names.join(" ")),
        }
    }
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selection = args.which(context)?;
    args.keeping.choose_file(context).await?;
    with_journal(context, &args.keeping, async |env| work(&args, &selection, context, env).await)
        .await
}

async fn work(
    args: &Args,
    selection: &Selection,
    context: &Context,
    env: &Env<'_>,
) -> anyhow::Result<Outcome> {
    let failed = |error: Error| {
        let this = args.rerun_command();
        with_alternative_hint(context, error, &args.keeping, &this, "bypass otp")
    };
    let found = match disable::read_connectors(env, selection).await {
        Err(Error::Flow(error)) => return Err(error.into()),
        found => found.map_err(failed)?,
    };
    let wanted: Vec<_> = found.iter().filter(|connector| is_enabled(connector)).collect();
    let changes: Vec<_> =
        wanted.iter().map(|connector| connector::disable_action(env, connector).change()).collect();

    let invalid_record_error = invalid_record_error(env, selection, context);
    if let Some(outcome) = plan_output::finish_dry_run(context, changes.clone(), "disabling")? {
        return Ok(outcome.failed(invalid_record_error.map(Into::into)));
    }
    let mut report = Report::new("disable");
    for connector in found.iter().filter(|connector| !is_enabled(connector)) {
        let title = format!("disable {}", connector.email_domain);
        report.already(title, "SSO is disabled");
        keep::end_obsolete(env, &[connector], false);
    }
    if wanted.is_empty() {
        if invalid_record_error.is_none() {
            report.notes = nothing_to_disable(&found, env).await;
            context.screen.note("no change");
        }
        report.ok = invalid_record_error.is_none();
        let outcome = args.keeping.unchanged(report, context);
        return Ok(outcome.failed(invalid_record_error.map(Into::into)));
    }
    let trials = keep::open_trials(env);
    show_changes(&changes, THEN.join("; ").as_str(), context);
    confirm(&wanted, context).await?;
    let (mut disabled, mut failures) = (Vec::new(), Vec::new());
    for connector in wanted.iter().copied() {
        match disable::apply(env, connector).await {
            Ok(_) => {
                report.done(format!("disable {}", connector.email_domain), "confirmed");
                disabled.push(connector);
            }
            // One connector that fails keeps no other enabled.
            Err(error) => {
                let ends_run = error.concerns_every_object();
                failures.push((connector, error));
                if ends_run {
                    break;
                }
            }
        }
    }
    if !failures.is_empty() {
        let untried = wanted.len() - disabled.len() - failures.len();
        let untried = &wanted[wanted.len() - untried..];
        if disabled.is_empty() {
            return Err(failed(first_failure(failures, untried)));
        }
        return Ok(half_done_outcome(args, context, report, &disabled, (&failures, untried)));
    }
    add_follow_ups(&mut report, &wanted, &trials, args, context);
    report.ok = invalid_record_error.is_none();
    Ok(Outcome::done(report).failed(invalid_record_error.map(Into::into)))
}

/// Notes for when no selected connector is enabled; others may be.
async fn nothing_to_disable(found: &[Connector], env: &Env<'_>) -> Vec<String> {
    let names = |all: &[&Connector]| {
        all.iter().map(|it| it.email_domain.as_str()).collect::<Vec<_>>().join(", ")
    };
    let off: Vec<_> = found.iter().collect();
    let mut notes = vec![match off.as_slice() {
        [] => "this account has no connector: nothing to disable here; if another account has \
               SSO enabled for a domain, `cfsso diagnose EMAIL` shows it"
            .to_owned(),
        off => format!("SSO is already off for {}: users sign in with a password", names(off)),
    }];
    let all = connector::list(env).await.unwrap_or_default();
    let on: Vec<_> = all.iter().filter(|it| is_enabled(it)).collect();
    if !on.is_empty() {
        notes.push(format!(
            "SSO is still enabled for {}: `cfsso bypass disable {}`",
            names(&on),
            on[0].email_domain
        ));
    }
    notes
}

/// The error for invalid connector records that may be enabled connectors.
fn invalid_record_error(
    env: &Env<'_>,
    selection: &Selection,
    context: &Context,
) -> Option<FlowError> {
    let odd = match selection {
        Selection::All | Selection::OnlyEnabled => env.client.odd_records(Some("connector")),
        Selection::Selected(_) => Vec::new(),
    };
    let odd: Vec<_> = odd.iter().filter(|odd| odd.may_have("enabled", &true.into())).collect();
    if odd.is_empty() {
        return None;
    }
    let message = "a connector with an invalid record was left out; it may be enabled";
    let ids = odd.iter().filter_map(|odd| odd.id.as_ref()?.parse::<ConnectorId>().ok());
    let disable = ids.map(|id| command(context, &format!("bypass disable {id}")));
    let other = || vec![command(context, "bypass otp")];
    let commands = Some(disable.collect::<Vec<_>>()).filter(|all| !all.is_empty());
    Some(
        FlowError::half_done(message)
            .causes(odd.iter().map(|odd| odd.describe()))
            .hint(commands.unwrap_or_else(other).join(", ")),
    )
}

async fn confirm(wanted: &[&Connector], context: &Context) -> anyhow::Result<()> {
    let (word, action) = match wanted {
        [only] => (only.email_domain.as_str(), "disable SSO".to_owned()),
        several => {
            let domains: Vec<_> = several.iter().map(|it| it.email_domain.as_str()).collect();
            ("all", format!("disable SSO for {}", domains.join(", ")))
        }
    };
    Ok(context.confirm(word, &action).await?)
}

type Failures<'c> = [(&'c Connector, Error)];

fn causes(failures: &Failures<'_>, untried: &[&Connector]) -> Vec<String> {
    let failed =
        failures.iter().map(|(it, error)| format!("{}: {}", it.email_domain, error.line()));
    failed.chain(untried.iter().map(|it| format!("{}: not tried", it.email_domain))).collect()
}

/// Nothing was disabled: the first error decides the exit code.
fn first_failure(mut failures: Vec<(&Connector, Error)>, untried: &[&Connector]) -> Error {
    let (first, error) = failures.remove(0);
    if failures.is_empty() && untried.is_empty() {
        return error;
    }
    let own = format!("SSO is still enabled for {}", first.email_domain);
    error.causes([own].into_iter().chain(causes(&failures, untried)))
}

fn half_done_outcome(
    args: &Args,
    context: &Context,
    mut report: Report,
    disabled: &[&Connector],
    (failures, untried): (&Failures<'_>, &[&Connector]),
) -> Outcome {
    report.ok = false;
    let (count, all) = (disabled.len(), disabled.len() + failures.len() + untried.len());
    let message = format!("SSO disabled for {count} of {all} domains");
    let failure = FlowError::half_done(message).causes(causes(failures, untried));
    let enable =
        |it: &&Connector| command(context, &format!("connector enable {}", it.email_domain));
    let undo = args
        .keeping
        .undo_command(context)
        .unwrap_or_else(|| disabled.iter().map(enable).collect::<Vec<_>>().join(", "));
    let flags = args.keeping.flags();
    let again = again_label(failures.iter().map(|(_, error)| error));
    let failure = failure.hint(format!(
        "alternative: {}; {again}: {}; undo: {undo}",
        command(context, &format!("bypass otp{flags}")),
        command(context, &format!("{}{flags}", args.rerun_command())),
    ));
    Outcome::done(report).failed(Some(failure.into()))
}

/// SSO that was on trial is enabled by another trial, not by undoing the bypass.
fn add_follow_ups(
    report: &mut Report,
    disabled: &[&Connector],
    trials: &[OpenTrial],
    args: &Args,
    context: &Context,
) {
    report.notes = THEN.map(str::to_owned).to_vec();
    report.notes.extend(args.keeping.ticket_note());
    report.status_command = vec!["sign in in a private window to confirm".to_owned()];
    let was_on_trial = |it: &&Connector| trials.iter().any(|trial| trial.connector == it.id);
    let undo = args.keeping.undo_command(context).filter(|_| !disabled.iter().any(was_on_trial));
    let enable = |it: &&Connector| {
        let trial = if was_on_trial(it) { " --trial" } else { "" };
        command(context, &format!("connector enable {}{trial}", it.email_domain))
    };
    report.undo_by(undo.map_or_else(|| disabled.iter().map(enable).collect(), |it| vec![it]));
}
