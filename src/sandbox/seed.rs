//! What a new sandbox holds. IDs and tokens are the same in every sandbox.
//!
//! Account 1, *Cool Cats*: the zones `cool.cats` (active), `partial.cats`
//! (CNAME set-up, DNS elsewhere), `pending.cats` (not yet delegated, DNS
//! elsewhere) and `both.cats` (active). Account 2, *Other Cats*: `both.cats`
//! again (pending: it moved away), and its connector, still enabled.

use jiff::Timestamp;

use super::access::Access;
use super::state::{
    Account, Connector, Elsewhere, Record, State, Token, Zone, ZoneKind, ZoneStatus,
};
use super::txt;
use crate::api::connector::Status;

/// The first account: *Cool Cats*.
pub(super) const FIRST: &str = "c001ca75000000000000000000000001";
/// The second account: *Other Cats*.
pub(super) const SECOND: &str = "c001ca75000000000000000000000002";

/// The code with which the second account once proved `both.cats`.
const OTHER_CODE: &str = "cloudflare_dashboard_sso=c001ca75c001ca75c001ca75c001ca75";

impl State {
    /// A new sandbox.
    pub fn seed() -> Self {
        Self {
            revision: 1,
            issued: 0,
            accounts: vec![account(FIRST, "Cool Cats"), account(SECOND, "Other Cats")],
            tokens: Access::ALL.map(token).into(),
            connectors: vec![enabled_elsewhere()],
            zones: vec![
                zone(1, FIRST, "cool.cats", ZoneStatus::Active, ZoneKind::Full),
                zone(2, FIRST, "partial.cats", ZoneStatus::Active, ZoneKind::Partial),
                zone(3, FIRST, "pending.cats", ZoneStatus::Pending, ZoneKind::Full),
                zone(4, FIRST, "both.cats", ZoneStatus::Active, ZoneKind::Full),
                zone(5, SECOND, "both.cats", ZoneStatus::Pending, ZoneKind::Full),
            ],
            records: vec![
                text(1, 1, "cool.cats", "v=spf1 -all"),
                text(2, 4, "both.cats", OTHER_CODE),
            ],
            elsewhere: ["partial.cats", "pending.cats"].map(elsewhere).into(),
        }
    }
}

/// When everything in a new sandbox was made.
fn epoch() -> Timestamp {
    Timestamp::constant(1_735_734_062, 462_622_000)
}

fn account(id: &str, name: &str) -> Account {
    Account { id: id.to_owned(), name: name.to_owned(), created_on: epoch() }
}

fn token(access: Access) -> Token {
    let (digit, owner, expires_on) = match access {
        Access::Full => (1, None, None),
        Access::ReadOnly => (2, None, None),
        Access::ConnectorOnly => (3, Some(FIRST.to_owned()), None),
        Access::Expired => (4, None, Some(epoch())),
    };
    let id = format!("c001ca7570ce00000000000000000{digit:03}");
    Token { id, value: access.token().to_owned(), access, owner, expires_on }
}

fn zone(digit: u8, account: &str, name: &str, status: ZoneStatus, kind: ZoneKind) -> Zone {
    let (account, name) = (account.to_owned(), name.to_owned());
    Zone { id: zone_id(digit), account, name, status, kind, created_on: epoch() }
}

fn zone_id(digit: u8) -> String {
    format!("c001ca7520e000000000000000000{digit:03}")
}

fn text(digit: u8, zone: u8, name: &str, value: &str) -> Record {
    Record {
        id: format!("c001ca757ec000000000000000000{digit:03}"),
        zone: zone_id(zone),
        name: name.to_owned(),
        kind: "TXT".to_owned(),
        content: txt::quoted(value),
        ttl: 1,
        priority: None,
        proxied: false,
        comment: None,
        created_on: epoch(),
    }
}

fn elsewhere(zone: &str) -> Elsewhere {
    Elsewhere { zone: zone.to_owned(), texts: vec![(zone.to_owned(), "v=spf1 -all".to_owned())] }
}

fn enabled_elsewhere() -> Connector {
    Connector {
        id: "c001ca755500000000000000000000e1".to_owned(),
        account: SECOND.to_owned(),
        email_domain: "both.cats".to_owned(),
        enabled: true,
        use_fedramp_language: false,
        code: OTHER_CODE.to_owned(),
        status: Status::Verified,
        run: None,
        created_on: epoch(),
        updated_on: epoch(),
    }
}
