//! The sandbox's credentials and their permissions. They are public, not secrets.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// A user's token: everything in all accounts.
    Full,
    /// A user's token: reads everything in all accounts.
    ReadOnly,
    /// Connectors of the first account, which owns the token.
    ConnectorOnly,
    /// [`Access::Full`], but expired.
    Expired,
    /// Identity providers, apps, policies and the organization of the first account, its owner.
    AccessOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Accounts,
    Connectors,
    Zones,
    Dns,
    /// Includes federation grants and the Zero Trust organization.
    Providers,
    Apps,
    Tokens,
    Shares,
    /// The login log and the users of Access.
    AccessLogs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Read,
    Write,
}

/// Email address and key.
pub(super) const GLOBAL_KEY: (&str, &str) =
    ("admin@cool.cats", "cfk_SandboxGlobalKey00000000000000000000000c0ffee05");

impl Access {
    pub const ALL: [Self; 5] =
        [Self::Full, Self::ReadOnly, Self::ConnectorOnly, Self::Expired, Self::AccessOnly];

    pub fn token(self) -> &'static str {
        match self {
            Self::Full => "cfut_SandboxFullAccess0000000000000000000000c0ffee01",
            Self::ReadOnly => "cfut_SandboxReadOnly000000000000000000000000c0ffee02",
            Self::ConnectorOnly => "cfat_SandboxConnectorOnly0000000000000000000c0ffee03",
            Self::Expired => "cfut_SandboxExpired0000000000000000000000000c0ffee04",
            Self::AccessOnly => "cfat_SandboxAccessOnly0000000000000000000000c0ffee06",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read-only",
            Self::ConnectorOnly => "connector-only",
            Self::Expired => "expired",
            Self::AccessOnly => "access-only",
        }
    }

    pub(super) fn allows(self, area: Area, right: Right) -> bool {
        match self {
            Self::Full => true,
            Self::ReadOnly => right == Right::Read,
            Self::ConnectorOnly => area == Area::Connectors,
            Self::Expired => false,
            Self::AccessOnly => matches!(area, Area::Providers | Area::Apps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_may_do_just_what_its_name_says() {
        let table = [
            (Access::Full, [true, true, true, true, true]),
            (Access::ReadOnly, [true, false, true, false, false]),
            (Access::ConnectorOnly, [true, true, false, false, false]),
            (Access::Expired, [false; 5]),
            (Access::AccessOnly, [false, false, false, false, true]),
        ];
        for (access, expected) in table {
            let allowed = [
                access.allows(Area::Connectors, Right::Read),
                access.allows(Area::Connectors, Right::Write),
                access.allows(Area::Dns, Right::Read),
                access.allows(Area::Dns, Right::Write),
                access.allows(Area::Providers, Right::Write),
            ];
            assert_eq!(allowed, expected, "{access:?}");
        }
    }
}
