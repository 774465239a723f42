//! A drill's in-memory simulator and temporary journal. Dropping it removes everything.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::SecretString;
use tempfile::TempDir;

use super::scenario::{COMPANY, DrillStep, Expected, Outage, SLUG, SignIn, StateCheck};
use crate::api::Credentials;
use crate::api::document::Document;
use crate::api::ids::AccountId;
use crate::clock::Clock;
use crate::context::Context;
use crate::error_report;
use crate::flow::preflight::{self, Facts, Sources};
use crate::flow::sign_in::{SignInMethod, sign_in_methods};
use crate::flow::{FlowError, bypass, connector, diff};
use crate::output::{Screen, ScreenOptions};
use crate::sandbox::{self, Access, Sandbox, SignInAttempt};
use crate::settings::{DrillTarget, Settings};

const SIGN_IN: Duration = Duration::from_secs(20);

pub(super) struct Simulator {
    sandbox: Sandbox,
    settings: Settings,
    clock: Clock,
    _journal: TempDir,
}

impl Simulator {
    /// Of the run's options, only `--fault` and those on how to send requests apply.
    pub(super) async fn build(context: &Context) -> anyhow::Result<Self> {
        let journal = tempfile::Builder::new().prefix("cfsso-drill-").tempdir();
        let journal = journal.context("cannot make a directory for the drill's journal")?;
        // A wait advances the time and returns at once.
        let clock = Clock::fake(context.clock.now());
        let options = sandbox::Options {
            faults: context.settings.options.faults.clone(),
            clock: clock.clone(),
            ..sandbox::Options::default()
        };
        let sandbox = sandbox::start(options).await?;
        let place = DrillTarget {
            account: sandbox.account().clone(),
            credentials: Credentials::Token(SecretString::from(sandbox.token(Access::Full))),
            base: sandbox.base_url().parse()?,
            server: sandbox.dns_server().to_string().parse()?,
            // The journal creates it, readable by its owner only.
            journal: journal.path().join("journal"),
        };
        let settings = context.settings.for_account(place);
        Ok(Self { sandbox, settings, clock, _journal: journal })
    }

    pub(super) fn account(&self) -> &AccountId {
        self.sandbox.account()
    }

    pub(super) fn request_counts(&self) -> (u64, u64) {
        let log = self.sandbox.log();
        let of_api = log.iter().filter(|exchange| exchange.path.starts_with("/client/"));
        of_api.fold((0, 0), |(all, writes), exchange| {
            (all + 1, writes + u64::from(exchange.method != "GET"))
        })
    }

    pub(super) fn outage(&self, outage: Option<Outage>) {
        match outage {
            Some(Outage::Begins) => self.sandbox.take_down(SLUG),
            Some(Outage::Ends) => self.sandbox.bring_up(SLUG),
            None => {}
        }
    }

    pub(super) async fn run_step(&self, scene: &DrillStep) -> anyhow::Result<()> {
        let context = self.context_for(&scene.line.to_string());
        if let Some(email) = scene.user {
            let attempt =
                SignInAttempt { email: email.to_owned(), idp: None, is_password_wrong: false };
            self.sandbox.plan_sign_in(SIGN_IN, attempt);
        }
        let outcome = Box::pin(scene.line.run(&context)).await?;
        if let Some(failure) = outcome.failure {
            let is_match = error_report::to_failure(&failure).exit_code == scene.exit;
            return if is_match { Ok(()) } else { Err(failure) };
        }
        if let Some(error) = context.journal().write_errors().into_iter().next() {
            return Err(unexpected_state(error));
        }
        if outcome.exit == scene.exit {
            return Ok(());
        }
        let (is, wanted) = (outcome.exit.code(), scene.exit.code());
        Err(unexpected_state(format!("exit code {is} instead of {wanted}")))
    }

    /// The context of a user who runs `line` here; its output is discarded.
    fn context_for(&self, line: &str) -> Context {
        let args: Vec<_> = line.split(' ').map(OsString::from).collect();
        let screen = Screen::new(
            ScreenOptions::default(),
            Box::new(io::empty()),
            Box::new(io::sink()),
            Box::new(io::sink()),
            self.clock.clone(),
        );
        Context::new(self.settings.clone(), screen, self.clock.clone(), &args)
    }

    /// Reads the state and compares it with what `scene` expects; the result is in words.
    pub(super) async fn observe(
        &self,
        scene: &DrillStep,
        before: &mut Option<String>,
    ) -> anyhow::Result<String> {
        let context = self.context_for("cfsso drill");
        let after = Box::pin(read_state(&context)).await?;
        if (after.enforced, after.sign_in) != (scene.after.enforced, scene.after.sign_in) {
            return Err(unexpected_state(format!("{after}; expected: {}", scene.after)));
        }
        if after.only_company_idp != scene.after.only_company_idp {
            let does = if after.only_company_idp { "yes" } else { "no" };
            return Err(unexpected_state(format!("only {COMPANY} is allowed: {does}")));
        }
        let extra = scene.extra_result();
        let now = self.sandbox.snapshot();
        match scene.world {
            StateCheck::Changed => {
                if before.as_ref() == Some(&now) {
                    return Err(unexpected_state("the simulator did not change"));
                }
            }
            StateCheck::Saved => *before = Some(now),
            StateCheck::Unchanged => {
                let before = before.as_deref().unwrap_or_default();
                assert_unchanged(before, &now)?;
                Self::nothing_open(&context)?;
                return Ok(format!("{extra}{after}; everything else unchanged"));
            }
        }
        Ok(format!("{extra}{after}"))
    }

    fn nothing_open(context: &Context) -> anyhow::Result<()> {
        let entries = context.journal().read()?.entries;
        let open = bypass::undo::open_entries(&entries);
        match open.first() {
            None => Ok(()),
            Some(entry) => Err(unexpected_state(format!("entry {} is not undone", entry.id))),
        }
    }
}

async fn read_state(context: &Context) -> anyhow::Result<Expected> {
    let env = context.env().await?;
    let sources =
        Sources { fetcher: Some(context.fetcher().await?), recovery: None, audit_log: false };
    let (connectors, facts) =
        tokio::join!(connector::list(&env), preflight::gather(&env, &sources));
    let connectors = connectors?;
    let [connector] = connectors.as_slice() else {
        return Err(unexpected_state(format!("there are {} connectors", connectors.len())));
    };
    if !connector.is_verified() {
        return Err(unexpected_state(format!("{} is not verified", connector.email_domain)));
    }
    let unread = |not_checked: preflight::NotChecked| unexpected_state(not_checked.reason);
    let methods = sign_in_methods(connector, &facts).map_err(unread)?;
    let sign_in = match methods.as_slice() {
        [] => SignIn::None,
        [SignInMethod::Password] => SignIn::Password,
        [SignInMethod::Pin] => SignIn::Pin,
        [SignInMethod::Provider(name)] if name == COMPANY => SignIn::Company,
        others => {
            let words: Vec<_> = others.iter().map(ToString::to_string).collect();
            return Err(unexpected_state(format!("sign-in {}", words.join(" and "))));
        }
    };
    let only_company_idp = is_instant_auth(&facts).map_err(unread)?;
    Ok(Expected { enforced: connector.enabled != Some(false), only_company_idp, sign_in })
}

fn is_instant_auth(facts: &Facts) -> Result<bool, preflight::NotChecked> {
    let sign_in = facts.sso_app().map_err(Clone::clone)?;
    let idps = facts.idps.as_ref().map_err(Clone::clone)?;
    let company = idps.iter().find(|idp| idp.name == COMPANY);
    Ok(sign_in.zip(company).is_some_and(|(app, company)| {
        app.is_instant() && app.listed_idps() == [company.id.clone()]
    }))
}

fn assert_unchanged(before: &str, now: &str) -> anyhow::Result<()> {
    if before == now {
        return Ok(());
    }
    let (before, now): (Document, Document) = (before.parse()?, now.parse()?);
    let fields: Vec<_> = diff::diff(&before, &now).into_iter().map(|it| it.field).collect();
    Err(unexpected_state(match fields.as_slice() {
        [] => "the simulator changed the form of a value".to_owned(),
        fields => format!("the simulator changed: {}", fields.join(", ")),
    }))
}

fn unexpected_state(message: impl Into<String>) -> anyhow::Error {
    FlowError::not_confirmed(message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_is_told_by_its_field() {
        for (before, now, message) in [
            (r#"{"a":[{"x":1.0}]}"#, r#"{"a":[{"x":1.0}]}"#, None),
            (r#"{"a":[{"x":1.0}]}"#, r#"{"a":[{"x":2}]}"#, Some("a.0.x")),
            (r#"{"a":[{"x":1.0}]}"#, r#"{"a":[{"x":1}]}"#, Some("form of a value")),
            (r#"{"a":12345678901234567890123}"#, r#"{"a":12345678901234567890124}"#, Some(": a")),
            (r#"{"a":[]}"#, r#"{"a":[{"x":1}]}"#, Some(": a")),
        ] {
            let seen = assert_unchanged(before, now).err().map(|error| error.to_string());
            assert_eq!(seen.is_some(), message.is_some(), "{before} {now}");
            let seen = seen.unwrap_or_default();
            assert!(seen.contains(message.unwrap_or_default()), "{seen}");
        }
    }
}
