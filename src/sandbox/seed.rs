//! The content of a new sandbox. IDs and tokens are the same in every sandbox.
//!
//! Account 1, *Cool Cats*: zones `cool.cats` (active), `partial.cats` (CNAME set-up, DNS
//! elsewhere), `pending.cats` (not delegated, DNS elsewhere) and `both.cats` (active). Account 2,
//! *Other Cats*: zone `both.cats` (pending: it moved away), with its connector still enabled.
//! Accounts 3 and 4, *Small Cats* and *Big Cats*, share the first account's organization; 2 and 5,
//! *Dogs*, have none.

pub(super) mod member;
pub(super) mod team;

use jiff::Timestamp;

use super::access::Access;
use super::raw::RawObject;
use super::state::{
    Account, Connector, ExternalZone, Record, State, Token, Zone, ZoneKind, ZoneStatus,
};
use super::{sso_app, txt};
use crate::api::connector::VerificationStatus;
use crate::api::ids::AccountId;

pub(super) const ACCOUNT_1: &str = "c001ca75000000000000000000000001";
pub(super) const ACCOUNT_2: &str = "c001ca75000000000000000000000002";
pub(super) const ACCOUNT_3: &str = "c001ca75000000000000000000000003";
pub(super) const ACCOUNT_4: &str = "c001ca75000000000000000000000004";
pub(super) const ACCOUNT_5: &str = "c001ca75000000000000000000000005";
/// Organization of accounts 1, 3 and 4.
pub(super) const PARENT: &str = "c001ca750a6000000000000000000001";
pub(super) const PARENT_NAME: &str = "All Cats";

/// The code that verified `both.cats` for account 2.
const OTHER_CODE: &str = "cloudflare_dashboard_sso=c001ca75c001ca75c001ca75c001ca75";

impl State {
    pub fn seed() -> Self {
        Self {
            revision: 1,
            issued: 0,
            accounts: accounts().into(),
            tokens: Access::ALL.map(token).into(),
            connectors: vec![enabled_elsewhere()],
            zones: vec![
                zone(1, ACCOUNT_1, "cool.cats", ZoneStatus::Active, ZoneKind::Full),
                zone(2, ACCOUNT_1, "partial.cats", ZoneStatus::Active, ZoneKind::Partial),
                zone(3, ACCOUNT_1, "pending.cats", ZoneStatus::Pending, ZoneKind::Full),
                zone(4, ACCOUNT_1, "both.cats", ZoneStatus::Active, ZoneKind::Full),
                zone(5, ACCOUNT_2, "both.cats", ZoneStatus::Pending, ZoneKind::Full),
            ],
            records: vec![
                text(1, 1, "cool.cats", "v=spf1 -all"),
                text(2, 4, "both.cats", OTHER_CODE),
            ],
            external_zones: ["partial.cats", "pending.cats"].map(external_zone).into(),
            organizations: team::organizations(),
            providers: team::providers(),
            apps: team::apps(),
            policies: team::policies(),
            members: member::members(),
            grants: Vec::new(),
            shares: Vec::new(),
            logins: Vec::new(),
            audit: Vec::new(),
            rejecting: Vec::new(),
        }
        .with_sso_apps()
    }

    pub fn add_verification_record(&mut self, name: &str, code: &str, now: Timestamp) {
        let Some(zone) = self.zones.iter().find(|zone| zone.name == name) else { return };
        let mut record = text(9, 1, name, code);
        (record.zone, record.created_on) = (zone.id.clone(), now);
        self.records.push(record);
    }

    /// Adds each connector's part of its account's SSO App.
    fn with_sso_apps(mut self) -> Self {
        for connector in self.connectors.clone() {
            sso_app::add_connector(&mut self, &connector);
        }
        self
    }
}

/// [`super::Sandbox::account`] of every simulator.
pub fn first_account() -> AccountId {
    ACCOUNT_1.parse().expect("it is an ID")
}

fn accounts() -> [Account; 5] {
    let within = |account| Account { parent: Some(PARENT.to_owned()), ..account };
    [
        within(account(ACCOUNT_1, "Cool Cats")),
        account(ACCOUNT_2, "Other Cats"),
        within(account(ACCOUNT_3, "Small Cats")),
        within(account(ACCOUNT_4, "Big Cats")),
        account(ACCOUNT_5, "Dogs"),
    ]
}

/// Creation time of everything in a new sandbox.
fn epoch() -> Timestamp {
    Timestamp::constant(1_735_734_062, 462_622_000)
}

fn account(id: &str, name: &str) -> Account {
    Account { id: id.to_owned(), name: name.to_owned(), created_on: epoch(), parent: None }
}

fn token(access: Access) -> Token {
    let (digit, owner, expires_on) = match access {
        Access::Full => (1, None, None),
        Access::ReadOnly => (2, None, None),
        Access::ConnectorOnly => (3, Some(ACCOUNT_1.to_owned()), None),
        Access::Expired => (4, None, Some(epoch())),
        Access::AccessOnly => (5, Some(ACCOUNT_1.to_owned()), None),
    };
    let id = format!("c001ca7570ce00000000000000000{digit:03}");
    let value = access.token().to_owned();
    Token { id, value, access: Some(access), owner, expires_on, issued: None }
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

fn external_zone(zone: &str) -> ExternalZone {
    ExternalZone { zone: zone.to_owned(), texts: vec![(zone.to_owned(), "v=spf1 -all".to_owned())] }
}

pub(super) fn enabled_elsewhere() -> Connector {
    Connector {
        id: "c001ca755500000000000000000000e1".to_owned(),
        account: ACCOUNT_2.to_owned(),
        email_domain: "both.cats".to_owned(),
        enabled: true,
        use_fedramp_language: false,
        code: OTHER_CODE.to_owned(),
        status: VerificationStatus::Verified,
        unknown: RawObject::default(),
        run: None,
        created_on: epoch(),
        updated_on: epoch(),
    }
}
