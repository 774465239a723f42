use schemars::JsonSchema;
use serde::Serialize;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdpCheck {
    /// The ID of the check.
    pub id: IdpCheckId,
    /// The state of the check.
    pub state: CheckState,
    /// The severity of a failure.
    pub severity: Severity,
    /// The result in one sentence.
    pub detail: String,
    /// Whether a failure shows that users cannot sign in. A server may also be unreachable only
    /// from here.
    #[serde(skip)]
    pub is_certain: bool,
    /// The command or action that fixes a failure or tests the sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The ID of a check of an identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdpCheckId {
    /// The configuration has the required fields of its type.
    Configuration,
    /// There is exactly one one-time PIN identity provider.
    SingleOtp,
    /// The tenant exists (Okta, Entra ID).
    Tenant,
    /// The discovery document can be read.
    Discovery,
    /// The discovery document has the expected issuer.
    Issuer,
    /// The endpoints in the configuration are those of the discovery document.
    EndpointsMatch,
    /// The key set (JWKS) has keys that can verify signatures.
    Jwks,
    /// The authorization endpoint responds.
    AuthEndpoint,
    /// The token endpoint responds.
    TokenEndpoint,
    /// The sign-on URL responds.
    SsoEndpoint,
    /// The signing certificates are valid and do not expire soon.
    CertificateDates,
    /// The keys of the signing certificates are long enough.
    CertificateKey,
    /// The signing certificates use a secure signature algorithm.
    CertificateSignature,
    /// Users can sign in.
    SignIn,
}

/// The state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// The check passed.
    Passed,
    /// The check failed.
    Failed,
    /// The check could not run.
    NotTested,
}

/// The severity of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Sign-ins fail.
    Error,
    /// Sign-ins work, but an action is recommended.
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
