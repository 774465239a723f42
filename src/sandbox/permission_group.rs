//! A selection of the API's permission groups (API reference, sections 2 to 8).

use super::access::{Access, Area, Right};

pub(super) const ACCOUNT: &str = "com.cloudflare.api.account";
pub(super) const ZONE: &str = "com.cloudflare.api.account.zone";

#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub id: &'static str,
    pub name: &'static str,
    pub scope: &'static str,
    /// Write includes read.
    permits: (Area, Right),
}

const fn account(id: &'static str, name: &'static str, area: Area, right: Right) -> Group {
    Group { id, name, scope: ACCOUNT, permits: (area, right) }
}

const fn zone(id: &'static str, name: &'static str, area: Area, right: Right) -> Group {
    Group { id, name, scope: ZONE, permits: (area, right) }
}

/// The groups that are modelled. The Access groups for zones only exist because they share names
/// with those for accounts; no route needs them.
pub(super) const GROUPS: [Group; 18] = {
    use Area::{AccessLogs, Accounts, Apps, Connectors, Dns, Providers, Shares, Tokens, Zones};
    use Right::{Read, Write};
    const APPS_READ: &str = "Access: Apps and Policies Read";
    const APPS_WRITE: &str = "Access: Apps and Policies Write";
    const PROVIDERS_READ: &str = "Access: Organizations, Identity Providers, and Groups Read";
    const PROVIDERS_WRITE: &str = "Access: Organizations, Identity Providers, and Groups Write";
    [
        account("1d80f6f165ea47f2b55d4a393fd697de", "SSO Connector Read", Connectors, Read),
        account("901ca5e292584c6aa1b4cdb39248bb07", "SSO Connector Write", Connectors, Write),
        account("26bc23f853634eb4bff59983b9064fde", PROVIDERS_READ, Providers, Read),
        account("bfe0d8686a584fa680f4c53b5eb0de6d", PROVIDERS_WRITE, Providers, Write),
        zone("c001ca7569000000000000000000a001", APPS_READ, Apps, Read),
        account("7ea222f6d5064cfa89ea366d7c1fee89", APPS_READ, Apps, Read),
        zone("c001ca7569000000000000000000a002", APPS_WRITE, Apps, Write),
        account("1e13c5124ca64b72b1969a67e8829049", APPS_WRITE, Apps, Write),
        account("eb56a6953c034b9d97dd838155666f06", "Account API Tokens Read", Tokens, Read),
        account("5bc3f8b21c554832afc660159ab75fa4", "Account API Tokens Write", Tokens, Write),
        account("c1fde68c7bcc44588cbb6ddbc16d6480", "Account Settings Read", Accounts, Read),
        account("1af1fa2adc104452b74a9a3364202f20", "Account Settings Write", Accounts, Write),
        zone("c8fed203ed3043cba015a93ad1616f1f", "Zone Read", Zones, Read),
        zone("82e64a83756745bbbb1c9c2701bf816b", "DNS Read", Dns, Read),
        zone("4755a26eedb94da69e1066d98aa820be", "DNS Write", Dns, Write),
        // The next two IDs are invented. Catalogues list no group for writing shares.
        account("c001ca7569000000000000000000a003", "Resource Sharing Read", Shares, Read),
        account("c001ca7569000000000000000000a004", "Access: Audit Logs Read", AccessLogs, Read),
        zone("e6d2666161e84845a636613608cee8d5", "Zone Write", Zones, Write),
    ]
};

impl Group {
    pub fn find(id: &str) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.id == id)
    }

    /// The right that a caller needs to grant this group.
    pub fn permits(&self) -> (Area, Right) {
        self.permits
    }

    pub fn of(access: Access) -> Vec<&'static Self> {
        let is_held = |group: &&Self| {
            let (area, right) = group.permits;
            right == Right::Write && group.scope == ACCOUNT && access.allows(area, right)
        };
        GROUPS.iter().filter(is_held).collect()
    }
}

pub(super) fn allow(groups: &[String], area: Area, right: Right) -> bool {
    groups.iter().filter_map(|id| Group::find(id)).any(|group| {
        let (known, permitted) = group.permits;
        let is_namesake = known == Area::Apps && group.scope == ZONE;
        !is_namesake && known == area && (permitted == Right::Write || right == Right::Read)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_permits_its_area_and_writing_permits_reading() {
        for (id, area, right, allowed) in [
            ("901ca5e292584c6aa1b4cdb39248bb07", Area::Connectors, Right::Write, true),
            ("901ca5e292584c6aa1b4cdb39248bb07", Area::Connectors, Right::Read, true),
            ("901ca5e292584c6aa1b4cdb39248bb07", Area::Apps, Right::Read, false),
            ("1d80f6f165ea47f2b55d4a393fd697de", Area::Connectors, Right::Read, true),
            ("1d80f6f165ea47f2b55d4a393fd697de", Area::Connectors, Right::Write, false),
            ("c001ca7569000000000000000000a002", Area::Apps, Right::Write, false),
            ("nobody's", Area::Connectors, Right::Read, false),
        ] {
            assert_eq!(allow(&[id.to_owned()], area, right), allowed, "{id} {area:?} {right:?}");
        }
    }

    #[test]
    fn no_two_groups_share_an_id() {
        let ids: std::collections::BTreeSet<_> = GROUPS.iter().map(|group| group.id).collect();
        assert_eq!(ids.len(), GROUPS.len());
    }
}
