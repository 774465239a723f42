//! `cfsso bypass undo`: undoes only what bypasses changed, latest first.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::undo_output::{self, UndoneEntry};
use super::super::{Outcome, plan_output};
use super::again_label;
use super::report::show_sign_in;
use crate::api;
use crate::api::connector::Connector;
use crate::api::idp::IdpType;
use crate::context::Context;
use crate::flow::bypass::otp::{self, CurrentState};
use crate::flow::bypass::undo::{self, BypassWrite, WriteStatus};
use crate::flow::journal::{Entry, ticket};
use crate::flow::plan::Plan;
use crate::flow::sign_in::{DomainSignIn, allowed_methods, failing_providers};
use crate::flow::undo::Ready;
use crate::flow::{Env, Error, FlowError, connector};
use crate::output::{Page, Render, Status, Text};
use crate::shell::quoted;

#[derive(clap::Args, Debug, Default)]
#[command(
    after_help = "Asks for the domain if one connector is enabled again, otherwise for `undo`.

Examples:
  cfsso bypass undo
  cfsso bypass undo --yes
  cfsso bypass undo --ticket bypass.json"
)]
pub struct Args {
    /// Undo even if the object has changed since
    #[arg(long)]
    force: bool,

    /// Undo the bypass of this ticket, made on any machine; `-` for stdin
    #[arg(long, value_name = "FILE")]
    ticket: Option<PathBuf>,
}

impl Args {
    /// The command to run again.
    fn command(&self) -> String {
        match &self.ticket {
            Some(file) => {
                format!("{} --ticket {}", undo::COMMAND, quoted(&file.display().to_string()))
            }
            None => undo::COMMAND.to_owned(),
        }
    }
}

/// The result of `cfsso bypass undo`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether every change that is still active was undone.
    ok: bool,
    /// The journal entries that were undone, in that order.
    undone: Vec<UndoneEntry>,
    /// The journal entries that did not have to be undone, with the reason.
    left: Vec<UndoneEntry>,
    /// How users can sign in now, for each domain; `null` if the configuration cannot be read.
    sign_in: Option<Vec<DomainSignIn>>,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let (entries, open, env) = if let Some(file) = &args.ticket {
        let entries =
            ticket::read(&context.read_file(file, ticket::MAX_SIZE, "undo ticket").await?)?;
        let env = context.env().await?;
        env.check_origin(&entries)?;
        context.journal().allow_unrecorded();
        let open = undo::open_entries(&entries);
        (entries, open, env)
    } else {
        let entries = super::super::journal::read(context)?.entries;
        let env = context.env().await?;
        let own = env.own(&entries);
        let open = undo::open_entries(&own);
        if open.is_empty() {
            // Nothing to undo in this account: the error names the account of other open entries.
            env.check_origin(&undo::open_entries(&entries))?;
        }
        (own, open, env)
    };
    let writes = undo::check_all(&env, open).await;
    let mut report = Report {
        schema: "cfsso/bypass-undo/v1",
        ok: true,
        undone: Vec::new(),
        left: Vec::new(),
        sign_in: None,
    };
    let Sorted { todo, blocked, unread } = sort(writes, args, &mut report.left)?;
    let mut unread: Vec<_> =
        unread.into_iter().map(|(write, error)| Failure::of(&write, None, error)).collect();
    if todo.is_empty() && !unread.is_empty() {
        return Err(only_failures(unread.remove(0), &unread, &args.command()).into());
    }
    if todo.is_empty()
        && let Some((entry, error)) = blocked.first()
    {
        let hint = error.hint.clone().unwrap_or_else(|| format!("`cfsso journal show {entry}`"));
        return Err(error.clone().hint(hint).into());
    }
    if todo.is_empty() {
        let has_ticket = args.ticket.is_some();
        let is_known = !report.left.is_empty() || undo::is_undone(&entries);
        let (connectors, state) = tokio::join!(connector::list(&env), otp::read_state(&env));
        let (connectors, state) = (connectors.ok(), state.ok());
        let (causes, commands) = traces(connectors.as_deref().unwrap_or_default(), state.as_ref());
        let is_seen = connectors.is_some() && state.is_some() && causes.is_empty();
        if is_known && (has_ticket || is_seen) {
            context.screen.note("no change: the bypass is no longer active");
            report.sign_in = connectors.map(|all| allowed_methods(&all, state.as_ref()));
            return Ok(Outcome::done(report));
        }
        return Err(nothing_to_undo_error(causes, commands, has_ticket).into());
    }
    let (todo, ready): (Vec<_>, Vec<_>) = todo.into_iter().unzip();
    if args.force {
        ensure_anything_allowed(&env, &ready).await?;
    } else {
        ensure_no_trial(&todo, &ready, &entries)?;
        let ready = ready.iter().map(|ready| &**ready);
        undo_output::ensure_sign_in_possible(context, &env, ready).await?;
    }
    for (write, ready) in todo.iter().zip(&ready) {
        if let (Some(at), Some(subject)) = (&write.changed_at, ready.subject()) {
            context.screen.warn(format!(
                "{subject} was changed at {at}, after the bypass: another user may have disabled \
                 SSO on purpose"
            ));
        }
    }
    for failure in &unread {
        context.screen.warn(Text::prose(format!("not read: {}", failure.description)));
    }
    for (_, error) in &blocked {
        context.screen.warn(Text::prose(error.messages().join(": ")));
    }
    let changes = ready.iter().map(|ready| ready.change.clone()).collect();
    let plan = Plan::new(Vec::new(), changes);
    undo_output::show(context, &plan);
    warn_of_lockout(&env, &ready, context).await;
    let (word, action) = question(&ready);
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, "undoing")? {
        let missing = (!unread.is_empty()).then(|| unread.remove(0).error.into());
        return Ok(outcome.failed(missing));
    }
    context.confirm(&word, action).await?;
    let failures = restore_all(&env, (&todo, &ready), unread, args, &mut report).await?;
    report.ok = failures.all.is_empty() && blocked.is_empty();
    let (connectors, state) = tokio::join!(connector::list(&env), otp::read_state(&env));
    report.sign_in = connectors.ok().map(|all| allowed_methods(&all, state.ok().as_ref()));
    let failed = failure(&failures, args, report.undone.len())
        .map(|error| error.causes(blocked.iter().map(|(_, error)| error.messages().join(": "))))
        .or_else(|| blocked_error(&blocked));
    Ok(Outcome::done(report).failed(failed.map(Into::into)))
}

/// Changes of bypasses by what becomes of them.
#[derive(Default)]
struct Sorted {
    todo: Vec<(BypassWrite, Box<Ready>)>,
    /// The entries that cannot be undone.
    blocked: Vec<(String, FlowError)>,
    /// Those whose object could not be read.
    unread: Vec<(BypassWrite, Error)>,
}

/// Adds to `left` what does not have to be undone.
fn sort(
    writes: Vec<BypassWrite>,
    args: &Args,
    left: &mut Vec<UndoneEntry>,
) -> Result<Sorted, Error> {
    let mut sorted = Sorted::default();
    let Sorted { todo, blocked, unread } = &mut sorted;
    for mut write in writes {
        let status = std::mem::replace(&mut write.status, Ok(WriteStatus::Reverted(String::new())));
        let status = match status {
            Ok(status) => status,
            // Others can be undone without it.
            Err(error) if write.is_of_connector() && !error.concerns_every_object() => {
                unread.push((write, error));
                continue;
            }
            Err(error) => return Err(error),
        };
        match status {
            WriteStatus::Active(ready) => todo.push((write, ready)),
            WriteStatus::Changed(ready, _) if args.force => todo.push((write, ready)),
            WriteStatus::Changed(_, drift) => {
                return Err(write.drift_error(&drift, &args.command()).into());
            }
            // A ticket is one bypass, and an entry that cannot be undone was edited. A journal has
            // many: the others are undone.
            WriteStatus::Blocked(error) if args.ticket.is_none() => {
                blocked.push((write.entry.id, error));
            }
            // Not even `--force` overrides this: no user could sign in to correct it.
            WriteStatus::Blocked(error) | WriteStatus::Refused(error) => return Err(error.into()),
            WriteStatus::Reverted(text) => {
                left.push(UndoneEntry { entry: write.entry.id, description: text });
            }
        }
    }
    // An earlier change of a connector is undone after the later one.
    todo.retain(|(write, _)| unread.iter().all(|(first, _)| !write.depends_on(first)));
    Ok(sorted)
}

struct Failures {
    all: Vec<Failure>,
    /// After an error that concerns all of them.
    not_tried: usize,
}

/// A change that was not undone.
struct Failure {
    description: String,
    error: Error,
    /// The command that shows the object.
    show: Option<String>,
}

impl Failure {
    fn of(write: &BypassWrite, subject: Option<String>, error: Error) -> Self {
        let id = &write.entry.id;
        let subject = subject.unwrap_or_else(|| write.entry.title.clone());
        let description = format!("{subject} (entry {id}): {}", error.line());
        let target = write.target().filter(|_| write.is_of_connector());
        let show = target.map(|target| format!("`cfsso connector get {target}`"));
        Self { description, error, show }
    }
}

/// After the other entries were undone.
fn failure(failures: &Failures, args: &Args, undone: usize) -> Option<FlowError> {
    let Failures { all: failures, not_tried } = failures;
    let first = failures.first()?;
    let message = format!("{undone} of {} undone", undone + failures.len() + not_tried);
    let again = again_label(failures.iter().map(|failure| &failure.error));
    let again = format!("{again}: `{}`", args.command());
    let hint = match &first.show {
        Some(show) if !first.error.api().is_some_and(api::Error::is_retryable) => {
            format!("{show}; {again}")
        }
        _ => again,
    };
    let causes = failures.iter().map(|failure| failure.description.clone());
    Some(FlowError::half_done(message).causes(causes).hint(hint))
}

/// After the other entries were undone.
fn blocked_error(blocked: &[(String, FlowError)]) -> Option<FlowError> {
    let (entry, first) = blocked.first()?;
    let error = FlowError::half_done("not every bypass was undone")
        .causes(blocked.iter().map(|(_, error)| error.messages().join(": ")));
    Some(error.hint(first.hint.clone().unwrap_or_else(|| format!("`cfsso journal show {entry}`"))))
}

/// SSO that a bypass disabled during its trial is not enabled without one.
fn ensure_no_trial(
    todo: &[BypassWrite],
    ready: &[Box<Ready>],
    entries: &[Entry],
) -> Result<(), FlowError> {
    let mut both = todo.iter().zip(ready);
    let Some((_, ready)) =
        both.find(|(write, ready)| ready.enforces() && write.entry.ended_trial(entries))
    else {
        return Ok(());
    };
    let domain = ready.subject().unwrap_or_default();
    let message = format!("the trial of {domain} did not confirm that users can sign in");
    Err(FlowError::refused(message)
        .cause("the bypass ended the trial; undoing it would enable SSO without one")
        .hint(format!("`cfsso enable {domain} --trial`, or `--force` to override")))
}

fn nothing_to_undo_error(
    causes: Vec<String>,
    commands: Vec<String>,
    has_ticket: bool,
) -> FlowError {
    let elsewhere = "of another machine: `cfsso bypass undo --ticket FILE`".to_owned();
    let elsewhere = Some(elsewhere).filter(|_| !has_ticket);
    let hints: Vec<_> = elsewhere.into_iter().chain(commands).collect();
    let message = if has_ticket {
        "the bypass of this ticket is no longer active: nothing to undo"
    } else {
        "no active bypass of this machine: nothing to undo"
    };
    FlowError::not_found(message).causes(causes).hint(if hints.is_empty() {
        "`cfsso bypass status`".to_owned()
    } else {
        hints.join("\n")
    })
}

fn traces(connectors: &[Connector], state: Option<&CurrentState>) -> (Vec<String>, Vec<String>) {
    let mut causes = Vec::new();
    let mut commands = Vec::new();
    if state.is_some_and(CurrentState::has_pin_as_well) {
        causes.push("one-time PIN is allowed in addition to an identity provider".to_owned());
        commands.push("`cfsso app idps --remove onetimepin` ends that".to_owned());
    }
    let off = connectors.iter().filter(|it| it.is_verified() && it.enabled == Some(false));
    let off: Vec<_> = off.map(|it| it.email_domain.as_str()).collect();
    if !off.is_empty() {
        // It may be off on purpose, so that no command that enables it is suggested.
        causes.push(format!(
            "SSO is disabled for {}; if a bypass of another machine did that, its ticket or that \
             machine undoes it",
            off.join(", ")
        ));
    }
    (causes, commands)
}

/// The undo is not delayed by a slow check of the identity providers.
const PATIENCE: Duration = Duration::from_secs(5);

/// The state after the undo; `None` if it cannot be read.
async fn state_after(env: &Env<'_>, ready: &[Box<Ready>]) -> Option<CurrentState> {
    let mut state = otp::read_state(env).await.ok()?;
    for after in ready.iter().map(|ready| ready.after()) {
        let Some(object) = after else {
            // Of what a bypass creates, only the one-time PIN is deleted.
            state.pin = None;
            state.idps.retain(|idp| idp.kind != IdpType::OneTimePin);
            continue;
        };
        if object.parse_at::<String>(&["id"]).as_deref() == Some(state.app.id.as_str()) {
            state.app = serde_json::from_str(object.to_raw().get()).ok()?;
        }
    }
    Some(state)
}

/// `--force` overrides what may be wrong. That the SSO App allows nothing that exists is certain.
async fn ensure_anything_allowed(env: &Env<'_>, ready: &[Box<Ready>]) -> Result<(), FlowError> {
    let Some(state) = state_after(env, ready).await else { return Ok(()) };
    let is_unreadable = !env.client.odd_records(Some("identity provider")).is_empty();
    let allows_pin = state.pin.as_ref().is_some_and(|pin| state.app.admits(pin));
    if is_unreadable || allows_pin || state.allowed_idps().next().is_some() {
        return Ok(());
    }
    Err(FlowError::refused("this would block every sign-in to the dashboard")
        .cause("the SSO App would allow no identity provider that exists")
        .hint("`cfsso idp create <TYPE>`, then `cfsso app idps`"))
}

/// Warns if no identity provider that is allowed after the undo works, and one-time PIN is
/// unavailable then: users would be locked out again. No warning if the state cannot be read in
/// time.
async fn warn_of_lockout(env: &Env<'_>, ready: &[Box<Ready>], context: &Context) {
    let Ok(fetcher) = context.fetcher().await else { return };
    let failing = async {
        let state = state_after(env, ready).await?;
        if state.offers_pin() {
            return None;
        }
        failing_providers(&state, &fetcher, &context.clock).await
    };
    if let Some(failing) = context.clock.timeout(PATIENCE, failing).await.flatten() {
        let text = format!(
            "after this undo, users cannot sign in: {}; `cfsso idp check`",
            failing.join("; ")
        );
        context.screen.warn(Text::prose(text));
    }
}

/// The word to type and the action it confirms. It is the domain if SSO is enabled for just one.
fn question(ready: &[Box<Ready>]) -> (String, &'static str) {
    let enforcing: Vec<_> = ready.iter().filter(|ready| ready.enforces()).collect();
    let action = if enforcing.is_empty() { "restore the SSO App" } else { "enable SSO again" };
    let word = match enforcing.as_slice() {
        [only] => only.subject(),
        _ => None,
    };
    (word.unwrap_or_else(|| "undo".to_owned()), action)
}

/// One change that fails stops only those that depend on it. Fails if none was undone.
async fn restore_all(
    env: &Env<'_>,
    (todo, ready): (&[BypassWrite], &[Box<Ready>]),
    unread: Vec<Failure>,
    args: &Args,
    report: &mut Report,
) -> Result<Failures, Error> {
    let command = args.command();
    let mut failed: Vec<(&BypassWrite, Failure)> = Vec::new();
    let (mut is_over, mut not_tried) = (false, 0);
    for (write, ready) in todo.iter().zip(ready) {
        let entry = &write.entry;
        if is_over || failed.iter().any(|(first, _)| write.depends_on(first)) {
            report.left.push(UndoneEntry::of(entry, "not tried after the failure"));
            not_tried += 1;
            continue;
        }
        match write.restore(env, args.force, &command).await {
            Ok(Some(title)) => report.undone.push(UndoneEntry::of(entry, title)),
            Ok(None) => report.left.push(UndoneEntry::of(entry, "no longer active")),
            Err(error) => {
                is_over = error.concerns_every_object();
                failed.push((write, Failure::of(write, ready.subject(), error)));
            }
        }
    }
    let mut all: Vec<_> = failed.into_iter().map(|(_, failure)| failure).collect();
    all.extend(unread);
    if report.undone.is_empty() && !all.is_empty() {
        return Err(only_failures(all.remove(0), &all, &command));
    }
    Ok(Failures { all, not_tried })
}

/// Nothing was undone: the first error decides the exit code.
fn only_failures(first: Failure, others: &[Failure], command: &str) -> Error {
    let error = first.error.causes(others.iter().map(|failure| failure.description.clone()));
    match (error, first.show) {
        (Error::ApiContext(context), Some(show)) if !context.error.is_retryable() => {
            context.hint(format!("{show}; again: `{command}`")).into()
        }
        (error, _) => error,
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        undo_output::show_result(&self.undone, (Status::Skipped, &self.left), page);
        page.blank();
        match &self.sign_in {
            None => page.labeled(Text::strong("Now:   "), "sign-in not checked"),
            Some(all) => show_sign_in(Text::strong("Now:   "), all, page),
        }
        page.labeled(
            Text::strong("Check: "),
            "sign in in a private window before you close this session",
        );
    }

    fn names(&self) -> Vec<String> {
        self.undone.iter().map(|undone| undone.entry.clone()).collect()
    }
}
