//! Options, steps, events and report of set-up.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::connector::Connector;
use crate::dns::{self, Diagnosis, Lookup};
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId};
use crate::flow::dns_provider::DnsProvider;
use crate::flow::preflight::{
    self, Facts, PublishedCode, SharedFacts, Sources, Subject, Thresholds,
};
use crate::flow::publish::TxtRecord;
use crate::flow::trial::{self, KeepOn, TrialReport};
use crate::flow::{Env, journaled_code, steps};
use crate::{rfc3339, shell};

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
    pub facts: Rc<SharedFacts>,
}

pub struct EnableOptions {
    pub asking: Sources,
    pub min_token_days: u32,
    /// The maximum age of a sign-in.
    pub login_within: Duration,
    pub accepted: Vec<CheckId>,
    /// `None` enables without a trial.
    pub trial: Option<trial::Options>,
    /// The file of `asking.recovery`.
    pub recovery_token_file: Option<PathBuf>,
}

impl Report {
    pub fn is_enabled(&self) -> bool {
        self.result.as_ref().is_some_and(|connector| connector.is_enabled())
    }
}

impl EnableOptions {
    /// `all` are the account's connectors.
    pub fn checks(
        &self,
        env: &Env<'_>,
        (connector, domain): (&Connector, &EmailDomain),
        (lookup, diagnosis): (&Lookup, &Diagnosis),
        all: &[Connector],
        facts: &Facts,
    ) -> Vec<Check> {
        let codes = dns::sso_codes(lookup);
        let left_over = &journaled_code::of_deleted_connectors(env, codes, all);
        let served = PublishedCode { lookup, diagnosis, left_over, elsewhere: &[] };
        let subject = Subject { connector, domain, served };
        let thresholds = self.thresholds(env.clock.now());
        let checks = preflight::evaluate(subject, all, facts, &thresholds).into_iter();
        checks.map(|check| check.accept_risks(&self.accepted)).collect()
    }

    /// The options that differ from their default.
    pub(in crate::flow) fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        if let Some(trial) = &self.trial {
            let is_default = trial.duration == trial::DEFAULT_DURATION;
            let length = (!is_default).then(|| format!(" {}", exact(trial.duration)));
            flags.push(format!("--trial{}", length.unwrap_or_default()));
            if trial.accept_otp {
                flags.push("--accept-otp".to_owned());
            }
            if trial.keep_on == KeepOn::Confirm {
                flags.push("--keep-on confirm".to_owned());
            }
            if trial.redact_emails {
                flags.push("--redact-emails".to_owned());
            }
        }
        flags.extend(self.accepted.iter().map(|id| format!("--accept-risk {}", id.name())));
        if let Some(file) = &self.recovery_token_file {
            let file = shell::quoted(&file.display().to_string());
            flags.push(format!("--recovery-token-file {file}"));
        }
        if self.min_token_days != Thresholds::MIN_TOKEN_DAYS {
            flags.push(format!("--min-token-days {}", self.min_token_days));
        }
        if self.login_within != Thresholds::LOGIN_WITHIN {
            flags.push(format!("--login-within {}", exact(self.login_within)));
        }
        flags
    }

    pub fn thresholds(&self, now: Timestamp) -> Thresholds {
        let Self { min_token_days, login_within, .. } = *self;
        Thresholds { now, min_token_days, login_within }
    }
}

impl Options {
    /// The command line of the same set-up. A lost option would make it ask for more, refuse, or
    /// enable SSO on other terms.
    pub(super) fn rerun_command(&self) -> String {
        let flags = [
            ("--publish-txt", self.publish_txt),
            ("--replace-stale-txt", self.replace_stale_txt),
            ("--fedramp", self.fedramp == Some(true)),
            ("--force", self.domain.ineligible().is_some()),
            ("--enable", self.enable.is_some()),
        ];
        let wanted = flags.iter().filter(|(_, is_wanted)| *is_wanted).map(|(flag, _)| *flag);
        let mut words: Vec<_> =
            ["cfsso setup", self.domain.as_str()].into_iter().chain(wanted).collect();
        let enabling = self.enable.as_ref().map(|enable| enable.flags()).unwrap_or_default();
        words.extend(enabling.iter().map(String::as_str));
        words.join(" ")
    }
}

/// In the largest unit that divides it.
fn exact(duration: Duration) -> String {
    match duration.as_secs() {
        _ if duration.subsec_millis() > 0 => format!("{}ms", duration.as_millis()),
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn options(domain: &str, enable: Option<EnableOptions>) -> Options {
        Options {
            domain: domain.parse().unwrap(),
            publish_txt: false,
            replace_stale_txt: false,
            enable: enable.map(Rc::new),
            wait: false,
            fedramp: None,
            deadline: Timestamp::UNIX_EPOCH,
            connectors: None,
            facts: Rc::default(),
        }
    }

    fn enabling(trial: Option<trial::Options>) -> EnableOptions {
        EnableOptions {
            asking: Sources { fetcher: None, recovery: None, audit_log: false },
            min_token_days: Thresholds::MIN_TOKEN_DAYS,
            login_within: Thresholds::LOGIN_WITHIN,
            accepted: Vec::new(),
            trial,
            recovery_token_file: None,
        }
    }

    #[test]
    fn the_same_command_again_has_the_options_that_matter() {
        let trial = |duration| trial::Options {
            duration,
            accept_otp: false,
            keep_on: KeepOn::SignIn,
            redact_emails: false,
        };
        let strict = trial::Options {
            accept_otp: true,
            keep_on: KeepOn::Confirm,
            redact_emails: true,
            ..trial(90 * MINUTE)
        };
        let accepted = EnableOptions {
            accepted: vec![CheckId::MembersSuperAdmin, CheckId::ForeignClaim],
            min_token_days: 7,
            login_within: 2 * 24 * 60 * MINUTE,
            recovery_token_file: Some("break glass.token".into()),
            ..enabling(None)
        };
        let published = Options {
            publish_txt: true,
            replace_stale_txt: true,
            fedramp: Some(true),
            ..options("cool.cats", None)
        };
        for (options, flags) in [
            (options("cool.cats", None), "cool.cats"),
            (published, "cool.cats --publish-txt --replace-stale-txt --fedramp"),
            (options("gmail.com", None), "gmail.com --force"),
            (options("cool.cats", Some(enabling(None))), "cool.cats --enable"),
            (
                options("cool.cats", Some(enabling(Some(trial(10 * MINUTE))))),
                "cool.cats --enable --trial",
            ),
            (
                options("cool.cats", Some(enabling(Some(strict)))),
                "cool.cats --enable --trial 90m --accept-otp --keep-on confirm --redact-emails",
            ),
            (
                options("cool.cats", Some(accepted)),
                "cool.cats --enable --accept-risk members-super-admin --accept-risk foreign-claim \
                 --recovery-token-file 'break glass.token' --min-token-days 7 --login-within 2d",
            ),
        ] {
            assert_eq!(options.rerun_command(), format!("cfsso setup {flags}"));
        }
    }
}
