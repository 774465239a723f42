use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::changes::Change;

/// The diagnosis of a failed sign-in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Whether no cause was found that prevents a sign-in.
    pub ok: bool,
    /// The email address; `null` for all users of the domain.
    pub email: Option<String>,
    /// The email domain.
    pub domain: String,
    /// The kind of result.
    pub verdict: VerdictKind,
    /// The confidence in the verdict.
    pub confidence: Confidence,
    /// The verdict in one sentence.
    pub summary: String,
    /// The checked steps of a sign-in.
    pub steps: Vec<Step>,
    /// The configuration changes between the last sign-in and the first failed one.
    pub changes: Vec<Change>,
    /// The commands to run next.
    pub next: Vec<String>,
}

/// The kind of result of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// A cause that prevents the sign-in was found.
    Cause,
    /// SSO is off, so it is not the cause.
    SsoIsOff,
    /// No cause was found in the checked steps.
    NothingFound,
    /// Too little can be read, or the result depends on facts that cfsso cannot read.
    Unknown,
}

/// The confidence in a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Unknown,
    Likely,
    Certain,
}

/// A checked step of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// The ID of the step.
    pub id: StepId,
    /// The state of the step.
    pub state: StepState,
    /// The result in one sentence.
    pub detail: String,
    /// The command or action that fixes the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The ID of a step of a sign-in, in sign-in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    Address,
    Connector,
    Member,
    SsoApp,
    Policies,
    IdentityProviders,
    LoginLog,
    RecentChanges,
}

/// The state of a step of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// No problem was found.
    Ok,
    /// The step prevents the sign-in.
    Cause,
    /// The step is the likely cause.
    Suspect,
    /// The result depends on facts that cfsso cannot read.
    Unknown,
    /// The step could not be read.
    NotChecked,
}

impl Report {
    pub(super) fn new(email: Option<String>, domain: String, steps: Vec<Step>) -> Self {
        Self {
            ok: true,
            email,
            domain,
            verdict: VerdictKind::NothingFound,
            confidence: Confidence::Likely,
            summary: String::new(),
            steps,
            changes: Vec::new(),
            next: Vec::new(),
        }
    }

    pub fn who(&self) -> String {
        self.email.clone().unwrap_or_else(|| format!("users at {}", self.domain))
    }
}

impl Confidence {
    pub fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

impl Step {
    pub(super) fn new(id: StepId, state: StepState, detail: impl Into<String>) -> Self {
        Self { id, state, detail: detail.into(), fix: None }
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl StepId {
    pub fn label(self) -> &'static str {
        match self {
            Self::Address => "Address",
            Self::Connector => "Connector",
            Self::Member => "Member",
            Self::SsoApp => "SSO App",
            Self::Policies => "Policies",
            Self::IdentityProviders => "Identity providers",
            Self::LoginLog => "Login log",
            Self::RecentChanges => "Recent changes",
        }
    }
}
