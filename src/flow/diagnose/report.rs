use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::changes::Change;

/// The result of a diagnosis.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Whether nothing was found that prevents a sign-in.
    pub ok: bool,
    /// The email address; null for all users of the domain.
    pub email: Option<String>,
    /// The email domain.
    pub domain: String,
    /// What was found.
    pub verdict: VerdictKind,
    /// How sure that is.
    pub confidence: Confidence,
    /// The verdict in one sentence.
    pub summary: String,
    /// The steps of a sign-in, as far as they were checked.
    pub steps: Vec<Step>,
    /// The changes between the last sign-in and the first that failed.
    pub changes: Vec<Change>,
    /// The commands to run next.
    pub next: Vec<String>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Something stops the sign-in.
    Cause,
    /// SSO is off: it is not what stops the sign-in.
    SsoIsOff,
    /// Everything was looked at, and nothing stops it.
    NothingFound,
    /// Not enough can be read, or it depends on what cannot be known here.
    Unknown,
}

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Unknown,
    Likely,
    Certain,
}

/// A part of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// Which part.
    pub id: StepId,
    /// The state of the step.
    pub state: StepState,
    /// What was found, in words.
    pub detail: String,
    /// The command, or the action, that repairs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The parts of the way, in their order.
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

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// As it should be.
    Ok,
    /// It stops the sign-in.
    Cause,
    /// It is the likely cause.
    Suspect,
    /// It depends on what cannot be known here.
    Unknown,
    /// It could not be read.
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
