//! `cfsso bypass otp`: two parallel reads, at most one POST, one PUT and one read-back.

use super::super::{Outcome, plan_output};
use super::report::Report;
use super::{JournalMode, again_label, command, show_changes, with_alternative_hint, with_journal};
use crate::api::ids::IdpId;
use crate::context::Context;
use crate::flow::bypass::otp::{self, CurrentState, OtpScope, PinProvider};
use crate::flow::bypass::pin_delivery;
use crate::flow::{Env, Error, FlowError};
use crate::output::Text;

/// Whether SSO is enabled is not read: a lockout has no round trip to spare.
const THEN: &str = "if SSO is enabled for their domain, users allowed by the policies sign in at \
                    https://dash.cloudflare.com with their email address and the PIN sent to it";
const OTHER: &str = "bypass disable --all";

#[derive(clap::Args, Clone, Debug, Default)]
#[command(after_help = "Asks for `otp`; `--confirm otp` answers it.

Examples:
  cfsso bypass otp --yes
  cfsso bypass otp --all-idps --yes")]
pub struct Args {
    /// Allow all identity providers, not only the one-time PIN
    #[arg(long)]
    all_idps: bool,

    /// Ignore this failed check
    #[arg(long, value_name = "CHECK")]
    accept_risk: Option<Risk>,

    #[command(flatten)]
    pub(super) keeping: JournalMode,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Risk {
    /// No policy allows a user to sign in with a PIN.
    PinNotAllowed,
}

impl Args {
    fn rerun_command(&self) -> &'static str {
        if self.all_idps { "bypass otp --all-idps" } else { "bypass otp" }
    }
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    args.keeping.choose_file(context).await?;
    with_journal(context, &args.keeping, async |env| work(&args, context, env).await).await
}

async fn work(args: &Args, context: &Context, env: &Env<'_>) -> anyhow::Result<Outcome> {
    let failed = |error: Error| {
        with_alternative_hint(context, error, &args.keeping, args.rerun_command(), OTHER)
    };
    let scope = if args.all_idps { OtpScope::AllIdps } else { OtpScope::PinOnly };
    let found = otp::read_state(env).await.map_err(failed)?;
    let pin = found.pin.clone();
    let planned = pin.clone().map_or_else(|| otp::NEW_PIN.parse(), Ok)?;
    let edit = otp::edit(&found.app, &planned, scope)?;
    let changes = otp::changes(env, pin.as_ref(), &edit);
    let obstacles = pin_delivery::delivery_problems(found.app.text(), pin.as_ref());
    if obstacles.admits_nobody && args.accept_risk.is_none() {
        return Err(no_sign_in_error(obstacles.texts, context).into());
    }
    for obstacle in obstacles.texts {
        context.screen.warn(Text::prose(obstacle));
    }
    let invalid_record_error = invalid_record_error(env, pin.as_ref());
    let is_done = changes.is_empty();

    if let Some(outcome) = plan_output::finish_dry_run(context, changes.clone(), "allowing it")? {
        return Ok(outcome);
    }
    let mut report = Report::new("otp");
    if is_done {
        context.screen.note("no change: one-time PIN is already allowed");
    } else {
        show_changes(&changes, THEN, context);
        context.confirm("otp", "allow one-time PIN in the SSO App").await?;
    }
    let mut created = None;
    let edit = if let Some(pin) = pin {
        report.already("one-time PIN", format!("{pin}"));
        edit
    } else {
        let PinProvider { pin, is_new } = otp::create(env).await.map_err(failed)?;
        if is_new {
            report.done("one-time PIN", format!("created  {pin}"));
            created = Some(pin.clone());
        } else {
            report.already("one-time PIN", format!("{pin}"));
        }
        otp::edit(&found.app, &pin, scope)?
    };
    let mut alarm = None;
    if edit.is_empty() {
        report.already("sign-in", format!("already allowed by {}", found.app.name));
    } else {
        match otp::allow_pin(env, &edit).await {
            Ok(edited) => {
                alarm = edited.unexpected_change_error(&edit).map(anyhow::Error::from);
                let confirmed = edit.requested.iter().map(ToString::to_string).collect::<Vec<_>>();
                report.done("sign-in", format!("confirmed: {}", confirmed.join(", ")));
            }
            Err(error) if report.changed() => {
                return Ok(half_done_outcome(args, context, report, created.as_ref(), &error));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    let alarm = alarm.or(invalid_record_error.map(anyhow::Error::from));
    report.ok = alarm.is_none();
    add_follow_ups(&mut report, &found, created.as_ref(), args, context);
    let outcome = if report.changed() {
        Outcome::done(report)
    } else {
        args.keeping.unchanged(report, context)
    };
    Ok(outcome.failed(alarm))
}

fn no_sign_in_error(obstacles: Vec<String>, context: &Context) -> FlowError {
    FlowError::refused("no user could sign in with a one-time PIN; nothing was sent")
        .causes(obstacles)
        .hint(format!(
            "{}, or `--accept-risk pin-not-allowed`",
            command(context, "bypass disable --all")
        ))
}

/// The error for invalid records, one of which may be the one-time PIN that was not found.
fn invalid_record_error(env: &Env<'_>, pin: Option<&IdpId>) -> Option<FlowError> {
    let odd = env.client.odd_records(Some("identity provider"));
    let odd: Vec<_> = odd.iter().filter(|odd| odd.may_have("type", &"onetimepin".into())).collect();
    if odd.is_empty() || pin.is_some() {
        return None;
    }
    let message = "an identity provider with an invalid record was left out; it may be the \
                   one-time PIN";
    Some(
        FlowError::half_done(message)
            .causes(odd.iter().map(|odd| odd.describe()))
            .hint("`cfsso idp list` shows all of them"),
    )
}

fn half_done_outcome(
    args: &Args,
    context: &Context,
    mut report: Report,
    created: Option<&IdpId>,
    error: &Error,
) -> Outcome {
    report.ok = false;
    let message = "the one-time PIN was created, but the SSO App does not allow it yet";
    let failure = FlowError::half_done(message).causes(error.sentences());
    let delete = || created.map(|id| command(context, &format!("idp delete {id}")));
    let undo = args.keeping.undo_command(context).or_else(delete);
    let flags = args.keeping.flags();
    let again = again_label([error].into_iter());
    let failure = failure.hint(format!(
        "alternative: {}; {again}: {}; undo: {}",
        command(context, &format!("{OTHER}{flags}")),
        command(context, &format!("{}{flags}", args.rerun_command())),
        undo.unwrap_or_else(|| "`cfsso idp list`".to_owned())
    ));
    Outcome::done(report).failed(Some(failure.into()))
}

fn add_follow_ups(
    report: &mut Report,
    found: &CurrentState,
    created: Option<&IdpId>,
    args: &Args,
    context: &Context,
) {
    report.notes = vec![THEN.to_owned()];
    report.status_command = vec![
        "sign in in a private window to confirm that the PIN arrives (not tested); \
              `cfsso diagnose EMAIL` shows how a user signs in"
            .to_owned(),
    ];
    if !report.changed() {
        return;
    }
    report.notes.extend(args.keeping.ticket_note());
    let undo = args.keeping.undo_command(context);
    report.undo_by(undo.map_or_else(|| by_hand(found, created, context), |it| vec![it]));
}

fn by_hand(found: &CurrentState, created: Option<&IdpId>, context: &Context) -> Vec<String> {
    let app = &found.app;
    let only: Vec<_> = app.listed_idps().iter().map(|id| format!("--only {id}")).collect();
    let mut lines = Vec::new();
    if !only.is_empty() {
        lines.push(command(context, &format!("app idps {}", only.join(" "))));
    }
    if app.is_instant() {
        lines.push(command(context, "app instant-auth on"));
    }
    lines.extend(created.map(|id| command(context, &format!("idp delete {id}"))));
    lines
}
