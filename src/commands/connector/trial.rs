//! The `--trial` options of `enable` and `setup`.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};

use crate::api::connector::Connector;
use crate::commands::Outcome;
use crate::commands::logins::PrivacyArgs;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::preflight::{self, Sources};
use crate::flow::trial::{self, Event, KeepOn, Order, Report, SignIn, Source, Subject};
use crate::flow::{Env, Error, FlowError};
use crate::input::time::duration;
use crate::output::{Page, Render, Status, Text, format_duration};
use crate::process;

const QUESTION: &str = "Type keep or revert:";

/// Options of a trial.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct TrialArgs {
    /// Disable SSO again unless a user signs in [default: 10m, max 24h]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "10m",
        value_parser = length)]
    trial: Option<Duration>,

    /// In a trial, count sign-ins with a one-time PIN
    #[arg(long, requires = "trial")]
    accept_otp: bool,

    /// What keeps SSO enabled after a trial
    #[arg(long, value_name = "WHAT", requires = "trial", value_enum, default_value_t)]
    keep_on: KeepOn,

    #[command(flatten)]
    privacy: PrivacyArgs,
}

/// A process waits for the end of a trial; one that takes days is no longer a trial.
const LONGEST: Duration = Duration::from_hours(24);

/// Parses a duration. A domain in its place gets a hint.
fn length(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(length) if length > LONGEST => Err("a trial lasts at most 24h".to_owned()),
        Err(error) => Err(match text.parse::<EmailDomain>() {
            Ok(domain) if text.contains('.') => {
                format!("{error}; the domain comes first: `cfsso enable {domain} --trial`")
            }
            _ => error,
        }),
        length => length,
    }
}

impl TrialArgs {
    pub fn is_wanted(self) -> bool {
        self.trial.is_some()
    }

    pub fn ensure_within_timeout(self, context: &Context) -> Result<(), FlowError> {
        let timeout = context.settings.options.timeout;
        match (self.trial, timeout) {
            (Some(trial), Some(timeout)) if timeout < trial => {
                let (trial, timeout) = (format_duration(trial), format_duration(timeout));
                let message =
                    format!("`--timeout` ends after {timeout}, and the trial after {trial}");
                Err(FlowError::usage(message).hint("a longer `--timeout`, or none"))
            }
            _ => Ok(()),
        }
    }

    /// What a dry run adds to the request that enables SSO.
    pub fn note_dry_run(self, context: &Context) {
        if let Some(trial) = self.trial.filter(|_| context.settings.options.dry_run) {
            let kept = match self.keep_on {
                KeepOn::SignIn => "a user signs in or you keep it",
                KeepOn::Confirm => "you keep it",
            };
            let trial = format_duration(trial);
            context
                .screen
                .note(format!("on trial: SSO is disabled again after {trial} unless {kept}"));
        }
    }

    pub fn options(self, context: &Context) -> Option<trial::Options> {
        Some(trial::Options {
            duration: self.trial?,
            accept_otp: self.accept_otp,
            keep_on: self.keep_on,
            redact_emails: self.privacy.redacts(context),
        })
    }
}

/// Fails if neither log can be read and no user could keep the trial; warns of an unreadable log.
pub fn check_logs(
    subject: &Subject,
    options: &trial::Options,
    context: &Context,
) -> Result<(), FlowError> {
    subject.logs.check(options.keep_on, context.screen.can_ask())?;
    for (source, log) in
        [(Source::LoginLog, &subject.logs.login), (Source::AuditLog, &subject.logs.audit)]
    {
        if let Err(not_checked) = log {
            let text = format!("the {} cannot be read: {}", source.label(), not_checked.reason);
            context.screen.warn(Text::prose(text));
        }
    }
    Ok(())
}

pub async fn enable(
    env: &Env<'_>,
    subject: &Subject,
    options: trial::Options,
    context: &Context,
) -> Result<(Report, Result<(), FlowError>), Error> {
    let orders = orders(context);
    let tell = |event: &Event<'_>| show(event, context);
    let ended = trial::run(env, subject, options, orders, &tell).await;
    context.screen.end_progress();
    ended
}

pub async fn resume(
    env: &Env<'_>,
    domain: &EmailDomain,
    connector: &Connector,
    options: trial::Options,
    context: &Context,
) -> anyhow::Result<Option<Outcome>> {
    let open = trial::keep::open_trials(env);
    let Some(open) = open.into_iter().find(|open| open.connector == connector.id) else {
        return Ok(None);
    };
    if open.is_live {
        let message = format!("another process runs the trial of {domain}");
        return Err(FlowError::conflict(message)
            .hint(format!("`cfsso connector keep {domain}`"))
            .into());
    }
    let sources = Sources { fetcher: None, recovery: None, audit_log: true };
    let facts = Box::pin(preflight::gather(env, &sources)).await;
    let subject = &Subject::new(domain.clone(), connector.clone(), &facts);
    let orders = orders(context);
    let tell = |event: &Event<'_>| show(event, context);
    let ended = trial::resume(env, subject, &open, options, orders, &tell).await;
    context.screen.end_progress();
    let (report, end) = ended?;
    Ok(Some(Outcome::done(report).failed(end.err().map(Into::into))))
}

fn orders(context: &Context) -> impl Stream<Item = Order> {
    let signals = process::signals().map(Order::Signal);
    context.handle_signals();
    let typed = stream::unfold((), move |()| async move {
        let screen = &context.screen;
        while screen.can_ask() {
            let Ok(Some(line)) = screen.read_line().await else { break };
            screen.leave_prompt();
            match line.trim() {
                "keep" => return Some((Order::Keep, ())),
                "revert" => return Some((Order::Revert, ())),
                "" => {}
                _ => screen.warn("expected `keep` or `revert`"),
            }
        }
        // Standard input has ended.
        std::future::pending().await
    });
    stream::select(signals, typed)
}

fn show(event: &Event<'_>, context: &Context) {
    let screen = &context.screen;
    if !matches!(event, Event::Waiting { .. }) {
        screen.event(event);
    }
    match event {
        Event::TrialStarted { domain, until, resumed, by_sign_in } => {
            let verb = if *resumed { "continues" } else { "started" };
            let time = crate::output::time(*until);
            screen.show(&|page| {
                let text = format!("SSO is on for {domain}. The trial {verb}, until {time}.");
                page.status_line(Status::Running, Text::strong(text));
                page.paragraph(Text::prose(if context.settings.sandbox {
                    format!("Sign in from another terminal: `cfsso sandbox login tom@{domain}`")
                } else {
                    format!(
                        "Sign in at https://dash.cloudflare.com in a private window, with an address \
                         at {domain}. Keep this window and your current session open."
                    )
                }));
                let kept = if *by_sign_in {
                    format!(
                        "A sign-in in the logs keeps SSO on (they may be minutes late), and so \
                         does `cfsso connector keep {domain}`."
                    )
                } else {
                    format!("Only `cfsso connector keep {domain}` keeps SSO on.")
                };
                page.paragraph(Text::prose(format!(
                    "{kept} At the end of the time, or on Ctrl-C, SSO is disabled again."
                )));
            });
        }
        Event::TimeIsOver { domain, until } => {
            let time = crate::output::time(*until);
            screen.show(&|page| {
                let text = format!(
                    "The time of the trial of {domain} ended at {time}. Reading the logs once more."
                );
                page.status_line(Status::Running, Text::strong(text));
            });
        }
        Event::Waiting { time_left, denied, by_sign_in } => {
            let time_left = format_duration(*time_left);
            let denied = match denied {
                0 => String::new(),
                count => format!(", {count} denied"),
            };
            if screen.is_live() {
                let state = if *by_sign_in { "no sign-in yet" } else { "not confirmed yet" };
                let status = format!("{time_left} left, {state}{denied}");
                screen.start_prompt(&status, QUESTION);
            } else {
                let what = if *by_sign_in { "a sign-in" } else { "`cfsso connector keep`" };
                screen.start_wait(format!("waiting for {what}{denied}"));
            }
        }
        Event::SignIn(sign_in) => {
            step(Status::Done, "signed in", sign_in, context);
            if sign_in.member == Some(false) {
                let email = &sign_in.email;
                screen.warn(Text::prose(format!("not a member of this account: {email}")));
            }
        }
        Event::Denied(sign_in) => {
            step(Status::Failed, "denied", sign_in, context);
            screen.note(Text::prose(
                "the identity provider accepted the user, the policies of the SSO App did not: \
                 `cfsso app policies`",
            ));
        }
        Event::Pin(sign_in) => {
            step(Status::Warning, "not counted", sign_in, context);
            screen.note(
                "a one-time PIN may have been used, which does not prove the identity provider \
                 (--accept-otp counts it)",
            );
        }
        Event::PlusAddress(sign_in) => {
            step(Status::Warning, "not counted", sign_in, context);
            screen.note("plus addresses cannot use SSO");
        }
        Event::Unreadable { source, message } => {
            screen.warn(Text::prose(format!("{}: {message}", source.label())));
        }
        Event::Reverting { detail, .. } => {
            screen.end_progress();
            screen.show(&|page| {
                page.status_line(Status::Warning, format!("Disabling SSO: trial {detail}"));
            });
        }
        Event::RevertFailed { message } => {
            screen.warn(Text::prose(format!("SSO is not disabled yet, trying again: {message}")));
        }
    }
}

fn step(mark: Status, title: &str, sign_in: &SignIn, context: &Context) {
    let SignIn { email, at, idp, source, .. } = sign_in;
    let idp = idp.as_ref().map(|idp| format!(" through {idp}")).unwrap_or_default();
    let time = crate::output::time(*at);
    context.screen.step(mark, title, format!("{email}{idp} at {time} ({})", source.label()));
}

impl Render for Report {
    /// The trial was shown while it ran; only its end is left.
    fn show(&self, page: &mut Page) {
        if self.ok {
            let why = self.trial.detail.trim_start_matches("kept: ");
            let text = format!("SSO stays on for {}: {why}.", self.domain);
            page.status_line(Status::Done, Text::strong(text));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.domain.clone()]
    }
}
