//! Options, steps, events and report of set-up.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::connector::Connector;
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId};
use crate::flow::dns_provider::DnsProvider;
use crate::flow::preflight::{self, Facts, Sources, Subject, Thresholds};
use crate::flow::publish::TxtRecord;
use crate::flow::steps;
use crate::flow::trial::{self, TrialReport};
use crate::rfc3339;

pub struct Options {
    pub domain: EmailDomain,
    pub publish_txt: bool,
    /// Delete codes that this program published for earlier connectors.
    pub replace_stale_txt: bool,
    pub enable: Option<Rc<EnableOptions>>,
    pub wait: bool,
    pub fedramp: Option<bool>,
    pub deadline: Timestamp,
    /// The connectors of the account, if they were just read.
    pub connectors: Option<Rc<[Connector]>>,
}

pub struct EnableOptions {
    pub asking: Sources,
    pub min_token_days: u32,
    /// The maximum age of a sign-in.
    pub login_within: Duration,
    pub accepted: Vec<CheckId>,
    /// `None` enables without a trial.
    pub trial: Option<trial::Options>,
}

impl EnableOptions {
    pub fn checks(
        &self,
        subject: Subject<'_>,
        all: &[Connector],
        facts: &Facts,
        now: Timestamp,
    ) -> Vec<Check> {
        let checks = preflight::evaluate(subject, all, facts, &self.thresholds(now)).into_iter();
        checks.map(|check| check.accept_risks(&self.accepted)).collect()
    }

    pub fn thresholds(&self, now: Timestamp) -> Thresholds {
        let Self { min_token_days, login_within, .. } = *self;
        Thresholds { now, min_token_days, login_within }
    }
}

impl Options {
    pub(super) fn rerun_command(&self) -> String {
        let flags = [
            ("--publish-txt", self.publish_txt),
            ("--replace-stale-txt", self.replace_stale_txt),
            ("--enable", self.enable.is_some()),
            ("--trial", self.enable.as_ref().is_some_and(|enable| enable.trial.is_some())),
        ];
        let wanted = flags.iter().filter(|(_, is_wanted)| *is_wanted).map(|(flag, _)| *flag);
        let words: Vec<_> =
            ["cfsso setup", self.domain.as_str()].into_iter().chain(wanted).collect();
        words.join(" ")
    }
}

/// The ID of a set-up step, in execution order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Create the connector.
    Create,
    /// Publish the TXT record in the domain's zone.
    PublishTxt,
    /// Wait until every name server returns the TXT record.
    TxtVisible,
    /// Wait until Cloudflare has verified the domain.
    Verify,
    /// Run the checks before SSO is enabled.
    Preflight,
    /// Enable SSO.
    Enable,
}

pub type Step = steps::Step<StepId>;

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    Step(&'a Step),
    Publish {
        record: &'a TxtRecord,
        reason: &'a str,
        /// From the name servers of the domain.
        #[serde(skip_serializing_if = "Option::is_none")]
        dns_provider: Option<&'static DnsProvider>,
    },
    Waiting {
        text: &'a str,
        #[serde(serialize_with = "rfc3339::time")]
        since: Timestamp,
    },
    Warning {
        text: &'a str,
    },
    Checks {
        checks: &'a [Check],
    },
}

/// The result of `cfsso setup`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    pub(super) schema: &'static str,
    /// Whether all requested steps are complete.
    pub ok: bool,
    /// The email domain.
    pub domain: String,
    /// The steps, in execution order.
    pub steps: Vec<Step>,
    /// The checks before SSO is enabled, if they ran.
    pub checks: Vec<Check>,
    /// The TXT record that verifies the domain; `null` if its code is not known yet.
    pub txt_record: Option<TxtRecord>,
    /// The connector as last read.
    #[schemars(with = "Option<crate::api::connector::ConnectorFields>")]
    pub result: Option<Connector>,
    /// The trial of SSO, if one was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialReport>,
    /// The next command; `null` if nothing remains to do.
    pub next: Option<String>,
}
