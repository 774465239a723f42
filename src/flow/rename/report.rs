//! Options, steps, events and report of a rename.

use std::rc::Rc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::name::TeamName;
use super::snapshot::ConnectorSnapshot;
use crate::domain::EmailDomain;
use crate::flow::check::Check;
use crate::flow::setup::{self, EnableOptions};
use crate::flow::steps;
use crate::idp::guide::UrlChange;

pub struct Options {
    /// Rename the organization, too.
    pub also_name: bool,
    pub publish_txt: bool,
    /// Delete codes that this program published for earlier connectors.
    pub replace_stale_txt: bool,
    pub no_enable: bool,
    /// The identity providers already have the new name.
    pub idps_updated: bool,
    /// Domains to restore and enable, if the journal does not know them.
    pub domains: Vec<EmailDomain>,
    pub enabling: Rc<EnableOptions>,
    /// `None` means half an hour after the last wait began.
    pub deadline: Option<Timestamp>,
}

/// The ID of a step of a team rename, in execution order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Save the current state.
    Snapshot,
    /// Send the organization unchanged, to test that the token can change it.
    WriteAccess,
    /// Disable SSO for every connector.
    Disable,
    /// Delete every connector.
    Delete,
    /// Rename the team and confirm the new name.
    Rename,
    /// Show the changes to make at the identity providers.
    ShowIdpChanges,
    /// Confirm that the identity providers have been changed.
    ConfirmIdpChanges,
    /// Check the identity providers.
    IdpCheck,
    /// Create the connectors again and restore their state.
    Restore,
}

pub type Step = steps::Step<StepId>;

/// The changes to make at one identity provider.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct IdpChange {
    /// The ID of the identity provider.
    pub id: String,
    /// The name of the identity provider.
    pub name: String,
    /// The changes to make there.
    pub change: UrlChange,
}

#[derive(Debug, Clone, Serialize)]
pub struct PlannedStep {
    pub id: StepId,
    pub title: String,
    /// How long it keeps SSO off, in words.
    pub sso_off: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    pub now: String,
    pub goal: String,
    pub connectors: Vec<ConnectorSnapshot>,
    /// Domains whose state before the rename is unknown.
    pub assumed: Vec<String>,
    pub stages: Vec<PlannedStep>,
    pub idps: Vec<IdpChange>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The plan, with the results of the checks.
    Plan {
        outlook: &'a Preview,
        checks: &'a [Check],
    },
    Step(&'a Step),
    Idps {
        idps: &'a [IdpChange],
    },
    Domain {
        domain: &'a str,
        of: &'a setup::Event<'a>,
    },
    Warning {
        text: &'a str,
    },
}

/// The result of `cfsso team rename`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    pub(super) schema: &'static str,
    /// Whether all requested steps are complete.
    pub ok: bool,
    /// The team domain before the rename.
    pub old_domain: Option<String>,
    /// The requested team domain.
    pub new_domain: String,
    /// The steps, in execution order.
    pub steps: Vec<Step>,
    /// The changes to make at the identity providers.
    pub idps: Vec<IdpChange>,
    /// The connectors, each with the steps that restore it.
    pub connectors: Vec<setup::Report>,
    /// How long SSO was off for a domain that enforced it before, in seconds; up to now
    /// if SSO is still off.
    pub sso_off_seconds: Option<i64>,
    /// The next command; `null` if nothing remains to do.
    pub next: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Mode {
    /// Rename, or resume the rename to that name.
    Rename(TeamName),
    /// Resume, to another name if there is one.
    Resume(Option<TeamName>),
    Rollback(Option<TeamName>),
}

/// The command that resumes the rename, with the options of this run.
pub(super) fn resume_command(name: &str, how: &str, options: &Options) -> String {
    let flags = [
        ("--publish-txt", options.publish_txt),
        ("--replace-stale-txt", options.replace_stale_txt),
        ("--no-enable", options.no_enable),
        ("--idps-updated", options.idps_updated),
    ];
    let wanted = flags.iter().filter(|(_, wanted)| *wanted).map(|(flag, _)| (*flag).to_owned());
    let command = format!("cfsso team rename {name} {how}");
    let words: Vec<_> =
        [command].into_iter().chain(wanted).chain(options.enabling.flags()).collect();
    words.join(" ")
}
