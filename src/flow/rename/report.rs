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
    /// Domains that had a connector, if the journal does not know them.
    pub domains: Vec<EmailDomain>,
    pub enabling: Rc<EnableOptions>,
    /// `None` means half an hour after the last wait began.
    pub deadline: Option<Timestamp>,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// What stands is written down.
    Snapshot,
    /// No connector is enforced.
    Disable,
    /// There is no connector.
    Delete,
    /// The team has its new name, confirmed by a read-back.
    Rename,
    /// The changes to make at the identity providers were shown.
    ShowIdpChanges,
    /// The identity providers are changed.
    ConfirmIdpChanges,
    /// What the identity providers publish is valid.
    IdpCheck,
    /// The connectors exist again, as they were.
    Restore,
}

pub type Step = steps::Step<StepId>;

/// What is to be changed at one identity provider.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct IdpChange {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What to change there.
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

/// What a rename came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    pub(super) schema: &'static str,
    /// Whether everything that was asked for is done.
    pub ok: bool,
    /// The team's domain before.
    pub old_domain: Option<String>,
    /// The team's domain that was asked for.
    pub new_domain: String,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What is to be changed at the identity providers.
    pub idps: Vec<IdpChange>,
    /// The connectors, each with its steps.
    pub connectors: Vec<setup::Report>,
    /// How long SSO was off for a domain that was enforced before, in seconds;
    /// until now where it is off still.
    pub sso_off_seconds: Option<i64>,
    /// The next command, where something is left to do.
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
    ];
    let mut text = format!("cfsso team rename {name} {how}");
    for (flag, _) in flags.iter().filter(|(_, wanted)| *wanted) {
        text = format!("{text} {flag}");
    }
    text
}
