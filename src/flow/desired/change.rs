use schemars::JsonSchema;
use serde::Serialize;

use crate::api::ids::{AccountId, ConnectorId, IdpId, ShareId};
use crate::flow::plan::Difference;

/// A group of changes; groups are applied in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// SSO is disabled before anything that may lock users out.
    Disabling,
    IdentityProviders,
    Federation,
    SsoApp,
    Connectors,
    Verification,
    Enforcement,
    /// Deletions, with `--prune` only.
    Removal,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::Disabling,
        Self::IdentityProviders,
        Self::Federation,
        Self::SsoApp,
        Self::Connectors,
        Self::Verification,
        Self::Enforcement,
        Self::Removal,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Disabling => "Disabling",
            Self::IdentityProviders => "Identity providers",
            Self::Federation => "Federation",
            Self::SsoApp => "SSO App",
            Self::Connectors => "Connectors",
            Self::Verification => "Verification",
            Self::Enforcement => "Enforcement",
            Self::Removal => "Removal",
        }
    }
}

/// The kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Create,
    Update,
    Share,
    Unshare,
    Verify,
    Enable,
    Disable,
    Delete,
}

/// A planned change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlannedChange {
    /// The group of the change.
    pub group: Group,
    /// The kind of change.
    pub action: Verb,
    /// The changed object: a domain or a name.
    pub subject: String,
    /// The description of the change.
    pub title: String,
    /// The fields that change.
    pub diff: Vec<Difference>,
    #[serde(skip)]
    pub task: Task,
}

/// How a change is made. Numbers are indexes into the sections of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    CreateIdp(usize),
    UpdateIdp(usize, IdpId),
    ShareIdp(usize),
    UpdateApp,
    CreateConnector(usize),
    SetFedramp(usize),
    Verify(usize),
    Enable(usize),
    Disable(usize),
    DeleteConnector(ConnectorId),
    DeleteIdp(IdpId),
    /// `None` means all accounts.
    Unshare(IdpId, Option<Vec<AccountId>>),
    /// Deletes a share of grants that no longer exist.
    DeleteShare(ShareId),
}

#[derive(Debug, Default)]
pub struct Changes {
    pub changes: Vec<PlannedChange>,
    pub warnings: Vec<String>,
}
