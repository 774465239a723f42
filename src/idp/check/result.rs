use schemars::JsonSchema;
use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdpCheck {
    /// Its name.
    pub id: IdpCheckId,
    /// How it came out.
    pub state: CheckState,
    /// What a failure of it means.
    pub severity: Severity,
    /// What was found.
    pub detail: String,
    /// Whether a failure shows that users cannot sign in: a server may also be unreachable from
    /// here alone.
    #[serde(skip)]
    pub is_certain: bool,
    /// How to fix or verify it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The names of what is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdpCheckId {
    /// The configuration has what its type needs.
    Configuration,
    /// There is one one-time PIN provider.
    SingleOtp,
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
    /// Users can sign in.
    SignIn,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// The check was made and succeeded.
    Passed,
    /// The check was made and failed.
    Failed,
    /// The check could not be made.
    NotTested,
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

impl IdpCheckId {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::SingleOtp => "single-otp",
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
            Self::SignIn => "sign-in",
        }
    }
}

impl IdpCheck {
    pub(super) fn proven(id: IdpCheckId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::Passed, evidence)
    }

    pub(super) fn failed(id: IdpCheckId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::Failed, evidence)
    }

    pub(super) fn not_proven(id: IdpCheckId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::NotTested, evidence)
    }

    fn new(id: IdpCheckId, state: CheckState, evidence: impl Into<String>) -> Self {
        Self {
            id,
            state,
            severity: Severity::Error,
            detail: evidence.into(),
            is_certain: false,
            fix: None,
        }
    }

    pub(super) fn certain(self, is_certain: bool) -> Self {
        Self { is_certain, ..self }
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.fix = Some(remedy.into());
        self
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub fn is_failure(&self) -> bool {
        self.state == CheckState::Failed && self.severity == Severity::Error
    }

    pub fn describe(&self) -> String {
        format!("{}: {}", self.id.as_str(), self.detail)
    }

    pub fn is_warning(&self) -> bool {
        self.state == CheckState::Failed && self.severity == Severity::Warning
    }
}
