use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use super::super::connector::view::age;
use super::report::show_sign_in;
use crate::api::connector::Connector;
use crate::api::odd::OddRecord;
use crate::context::Context;
use crate::flow::bypass::otp::{self, CurrentState};
use crate::flow::bypass::status::{self, BypassStatus};
use crate::flow::sign_in::{DomainSignIn, allowed_methods};
use crate::flow::{Env, connector};
use crate::output::{Page, Render, Status, Text, time};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso bypass status
  cfsso bypass status -o json | jq .active")]
pub struct Args {}

/// The result of `cfsso bypass status`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    #[serde(flatten)]
    status: BypassStatus,
    /// The domains with SSO enabled; `null` if the connectors cannot be read.
    enabled_domains: Option<Vec<String>>,
    /// The domains with SSO disabled; `null` if the connectors cannot be read.
    disabled_domains: Option<Vec<String>>,
    /// How users can sign in now, for each domain; `null` if the configuration cannot be read.
    sign_in: Option<Vec<DomainSignIn>>,
    /// Whether one-time PIN is allowed in addition to another identity provider.
    has_pin_as_well: Option<bool>,
    /// Connectors that could not be parsed; whether SSO is enabled for them is unknown.
    odd_records: Vec<String>,
}

pub async fn run(_: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let (entries, is_read) = match super::super::journal::read(context) {
        Ok(reading) => (reading.entries, true),
        Err(error) => {
            context.screen.warn(format!("journal not read: {}", error.message));
            (Vec::new(), false)
        }
    };
    let env = context.env().await?;
    let (connectors, mut status, sign_in) = tokio::join!(
        connector::list(&env),
        status::read_status(&env, &entries),
        otp::read_state(&env),
    );
    if !is_read {
        status.active = None;
    }
    if status.bypasses.is_empty() && connectors.is_err() {
        // Without connectors there is nothing to show, so failing to read them fails the command.
        connectors?;
        return Ok(Outcome::silent());
    }
    let (connectors, error) = match connectors {
        Ok(connectors) => (Some(connectors), None),
        // Nothing at all could be checked.
        Err(error) if status.active.is_none() => (None, Some(error)),
        Err(error) => {
            context.screen.warn(format!("SSO state not checked: {}", error.line()));
            (None, None)
        }
    };
    let report = report(&env, status, connectors.as_deref(), sign_in.ok().as_ref());
    Ok(Outcome::done(report).failed(error.map(Into::into)))
}

fn report(
    env: &Env<'_>,
    status: BypassStatus,
    connectors: Option<&[Connector]>,
    state: Option<&CurrentState>,
) -> Report {
    let domains = |enabled: bool| {
        connectors.map(|all| {
            let of = all.iter().filter(|it| it.is_enabled() == enabled);
            of.map(|it| it.email_domain.clone()).collect()
        })
    };
    Report {
        schema: "cfsso/bypass-status/v1",
        status,
        enabled_domains: domains(true),
        disabled_domains: domains(false),
        sign_in: connectors.map(|all| allowed_methods(all, state)),
        has_pin_as_well: state.map(CurrentState::has_pin_as_well),
        odd_records: env.client.odd_records(None).iter().map(OddRecord::describe).collect(),
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let BypassStatus { active: in_force, since, bypasses } = &self.status;
        let since = since.map(time);
        match in_force {
            Some(true) => page.status_line(
                Status::Warning,
                Text::strong("bypass active since ") + age(since.as_deref(), page.now(), true),
            ),
            Some(false) if self.has_pin_as_well == Some(true) => page.status_line(
                Status::NotChecked,
                "no active bypass of this machine; one-time PIN is allowed, perhaps by a bypass \
                 of another machine",
            ),
            Some(false) => page.status_line(Status::Passed, "no active bypass of this machine"),
            None => {
                page.status_line(Status::NotChecked, "bypass status: not checked");
            }
        }
        for bypass in bypasses {
            let by = bypass.user.as_deref().map(|user| format!(" by {user}")).unwrap_or_default();
            let how = format!("{by}, entry {}, {}", bypass.entry, bypass.state.label());
            page.labeled("  ", Text::strong(&bypass.title) + Text::dim(how));
            page.labeled("    ", Text::prose(&bypass.detail));
        }
        for (label, domains) in
            [("enabled", &self.enabled_domains), ("disabled", &self.disabled_domains)]
        {
            let text = match domains {
                None => "not checked".to_owned(),
                Some(none) if none.is_empty() => "no domain".to_owned(),
                Some(domains) => domains.join(", "),
            };
            page.line(Text::plain(format!("SSO {label}: {text}")));
        }
        page.blank();
        let sign_in = self.sign_in.as_deref().unwrap_or_default();
        show_sign_in(Text::strong("Now:   "), sign_in, page);
        if *in_force == Some(true) {
            page.labeled(Text::strong("Undo:  "), Text::prose("`cfsso bypass undo`"));
        }
    }

    fn names(&self) -> Vec<String> {
        self.status.bypasses.iter().map(|bypass| bypass.entry.clone()).collect()
    }
}
