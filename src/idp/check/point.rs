//! One thing that was looked at, and how it came out.

use schemars::JsonSchema;
use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Point {
    /// Its name.
    pub id: PointId,
    /// How it came out.
    pub state: State,
    /// What a failure of it means.
    pub severity: Severity,
    /// What was seen.
    pub evidence: String,
    /// Whether a failure is permanent: a server's answer may be temporary.
    #[serde(skip)]
    pub is_lasting: bool,
    /// What mends it, or proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The names of what is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PointId {
    /// The configuration has what its type needs.
    Configuration,
    /// There is one one-time PIN provider.
    OtpOnce,
    /// The tenant exists: Okta, Entra.
    Tenant,
    /// The discovery document is there.
    Discovery,
    /// It names the issuer that it should.
    Issuer,
    /// The configuration names the endpoints that the document names.
    EndpointsMatch,
    /// The key set has keys that can verify a login.
    Jwks,
    /// The authorization endpoint answers.
    AuthEndpoint,
    /// The token endpoint answers.
    TokenEndpoint,
    /// The sign-on URL answers.
    SsoEndpoint,
    /// The signing certificates hold, and will for a while.
    CertificateDates,
    /// Their keys are long enough.
    CertificateKey,
    /// They are signed with a sound algorithm.
    CertificateSignature,
    /// Somebody can sign in.
    Login,
}

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was seen to be so.
    Proven,
    /// It was seen not to be so.
    Failed,
    /// It could not be seen.
    NotProven,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Logins fail.
    Error,
    /// Logins work, and something is to be done.
    Warning,
}

impl PointId {
    /// The name as it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::OtpOnce => "otp-once",
            Self::Tenant => "tenant",
            Self::Discovery => "discovery",
            Self::Issuer => "issuer",
            Self::EndpointsMatch => "endpoints-match",
            Self::Jwks => "jwks",
            Self::AuthEndpoint => "auth-endpoint",
            Self::TokenEndpoint => "token-endpoint",
            Self::SsoEndpoint => "sso-endpoint",
            Self::CertificateDates => "certificate-dates",
            Self::CertificateKey => "certificate-key",
            Self::CertificateSignature => "certificate-signature",
            Self::Login => "login",
        }
    }
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Failed => "failed",
            Self::NotProven => "not proven",
        }
    }
}

impl Point {
    pub(super) fn proven(id: PointId, evidence: impl Into<String>) -> Self {
        Self::new(id, State::Proven, evidence)
    }

    pub(super) fn failed(id: PointId, evidence: impl Into<String>) -> Self {
        Self::new(id, State::Failed, evidence)
    }

    pub(super) fn not_proven(id: PointId, evidence: impl Into<String>) -> Self {
        Self::new(id, State::NotProven, evidence)
    }

    fn new(id: PointId, state: State, evidence: impl Into<String>) -> Self {
        Self {
            id,
            state,
            severity: Severity::Error,
            evidence: evidence.into(),
            is_lasting: false,
            remedy: None,
        }
    }

    pub(super) fn lasting(self, is_lasting: bool) -> Self {
        Self { is_lasting, ..self }
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether logins fail for it: a warning is none.
    pub fn is_failure(&self) -> bool {
        self.state == State::Failed && self.severity == Severity::Error
    }

    /// Whether something is to be done, though logins work.
    pub fn is_warning(&self) -> bool {
        self.state == State::Failed && self.severity == Severity::Warning
    }
}
