//! The simulator's data, as stored in the state file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use serde_json::value::RawValue;

use super::access::Access;
use super::raw::RawObject;
use crate::api::connector::VerificationStatus;

/// Placeholder for the sandbox's address: its port may change between runs.
pub(super) const ORIGIN: &str = "http://issuer.sandbox.invalid";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Counts changes; also the serial number of every zone, and the seed of IDs.
    pub revision: u32,
    /// IDs issued so far.
    pub issued: u64,
    pub accounts: Vec<Account>,
    pub tokens: Vec<Token>,
    pub connectors: Vec<Connector>,
    pub zones: Vec<Zone>,
    pub records: Vec<Record>,
    /// Zones of other providers: served, but unknown to the API.
    pub external_zones: Vec<ExternalZone>,
    pub organizations: Vec<Organization>,
    pub providers: Vec<IdentityProvider>,
    pub apps: Vec<App>,
    pub policies: Vec<Policy>,
    pub members: Vec<Member>,
    pub grants: Vec<Grant>,
    pub shares: Vec<Share>,
    pub logins: Vec<Login>,
    pub audit: Vec<AuditRow>,
    /// Identity providers that reject every user until they are changed.
    pub rejecting: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Saved(pub(super) State);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Account {
    pub id: String,
    pub name: String,
    pub created_on: Timestamp,
    pub parent: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub id: String,
    pub value: String,
    /// None for tokens created through the API.
    pub access: Option<Access>,
    /// The account that owns it; none for a user's token.
    pub owner: Option<String>,
    pub expires_on: Option<Timestamp>,
    pub issued: Option<TokenDetails>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TokenDetails {
    pub name: String,
    pub on: Timestamp,
    pub not_before: Option<Timestamp>,
    /// As sent, each with an ID.
    pub policies: Vec<RawObject>,
    pub condition: Option<RawObject>,
    /// Permission groups that are allowed and not denied.
    pub groups: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Organization {
    pub account: String,
    pub object: RawObject,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct IdentityProvider {
    pub id: String,
    pub account: String,
    /// As returned, without its secrets.
    pub object: RawObject,
    /// The secrets of `config` as sent: of any JSON type.
    pub secrets: BTreeMap<String, Box<RawValue>>,
    pub scim_secret: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct App {
    pub id: String,
    pub account: String,
    /// Without time stamps and policies.
    pub object: RawObject,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    pub id: String,
    pub app: String,
    /// The connector that created the policy.
    pub connector: Option<String>,
    pub object: RawObject,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Member {
    pub id: String,
    pub account: String,
    pub email: String,
    /// First and last; none before the invitation is accepted.
    pub name: Option<(String, String)>,
    pub role: Role,
    pub status: Membership,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    SuperAdministrator,
    Administrator,
    ReadOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    Accepted,
    Pending,
    Rejected,
}

/// A sign-in to an application that reached a policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Login {
    pub account: String,
    pub at: Timestamp,
    pub email: String,
    pub allowed: bool,
    pub app: String,
    pub app_domain: String,
    pub app_name: String,
    pub provider: String,
    /// Type of the identity provider.
    pub connection: String,
    pub ray: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AuditRow {
    pub id: String,
    pub account: String,
    pub at: Timestamp,
    pub email: String,
    pub ray: String,
    pub description: String,
    pub method: String,
    pub uri: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    pub id: String,
    pub account: String,
    pub provider: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Share {
    pub id: String,
    pub account: String,
    pub name: String,
    pub organization: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub removed: Option<Timestamp>,
    pub recipients: Vec<Recipient>,
    pub resources: Vec<Resource>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Recipient {
    pub id: String,
    pub target: Target,
    pub created: Timestamp,
    pub removed: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    Account(String),
    /// All accounts of an organization but the sharing one.
    Organization(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Resource {
    pub id: String,
    pub kind: String,
    pub account: String,
    /// ID of the shared grant.
    #[serde(rename = "resource")]
    pub grant: String,
    pub meta: RawObject,
    pub version: u32,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub removed: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Connector {
    pub id: String,
    pub account: String,
    pub email_domain: String,
    pub enabled: bool,
    pub use_fedramp_language: bool,
    pub code: String,
    pub status: VerificationStatus,
    pub unknown: RawObject,
    pub run: Option<VerificationRun>,
    pub created_on: Timestamp,
    pub updated_on: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VerificationRun {
    pub began: Timestamp,
    pub next: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Zone {
    pub id: String,
    pub account: String,
    pub name: String,
    pub status: ZoneStatus,
    #[serde(rename = "type")]
    pub kind: ZoneKind,
    pub created_on: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ZoneStatus {
    Active,
    Pending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ZoneKind {
    Full,
    /// CNAME set-up: DNS is elsewhere.
    Partial,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub id: String,
    pub zone: String,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// As the API returns it: quoted for TXT.
    pub content: String,
    /// In seconds; 1 is automatic.
    pub ttl: u32,
    pub priority: Option<u16>,
    pub proxied: bool,
    pub comment: Option<String>,
    pub created_on: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ExternalZone {
    pub zone: String,
    /// TXT records: name and text.
    pub texts: Vec<(String, String)>,
}

impl State {
    /// 32 hexadecimal digits: unique, and the same for the same sequence of calls.
    pub fn next_id(&mut self) -> String {
        self.issued += 1;
        format!("{:016x}{:016x}", mixed(self.issued * 2), mixed(self.issued * 2 + 1))
    }

    pub fn issue_uuid(&mut self) -> String {
        uuid(&self.next_id())
    }

    /// Adds a TXT record to the nearest external zone, or to a new one.
    pub fn add_txt(&mut self, name: &str, text: &str) {
        let text = (name.to_owned(), text.to_owned());
        let nearest = self
            .external_zones
            .iter_mut()
            .filter(|zone| is_within(name, &zone.zone))
            .max_by_key(|zone| zone.zone.len());
        match nearest {
            Some(zone) if !zone.texts.contains(&text) => zone.texts.push(text),
            Some(_) => {}
            None => {
                let zone = name.to_owned();
                self.external_zones.push(ExternalZone { zone, texts: vec![text] });
            }
        }
    }

    /// Whether a zone hosted here answers for `name`.
    pub fn hosts(&self, name: &str) -> bool {
        self.zones.iter().any(|zone| zone.is_served() && is_within(name, &zone.name))
    }

    /// Keeps the zone.
    pub fn remove_txt(&mut self, name: &str, text: &str) {
        for zone in &mut self.external_zones {
            zone.texts.retain(|(at, value)| at != name || value != text);
        }
    }
}

impl Token {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        let begins = self.issued.as_ref().and_then(|issued| issued.not_before);
        self.expires_on.is_none_or(|end| now < end) && begins.is_none_or(|begin| begin <= now)
    }
}

impl Zone {
    /// Whether the zone is delegated to this name server.
    pub fn is_served(&self) -> bool {
        self.status == ZoneStatus::Active && self.kind == ZoneKind::Full
    }
}

pub(super) fn is_within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// Version 4.
fn uuid(digits: &str) -> String {
    let (head, tail) = (&digits[..8], &digits[20..]);
    let [middle, version, variant] = [&digits[8..12], &digits[13..16], &digits[17..20]];
    format!("{head}-{middle}-4{version}-8{variant}-{tail}")
}

/// A deterministic UUID: the same parts return the same one.
pub(super) fn derived_uuid(parts: [&str; 2]) -> String {
    // FNV-1a over both, separated by a byte that no ID contains.
    let bytes = parts[0].bytes().chain([0]).chain(parts[1].bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    uuid(&format!("{:016x}{:016x}", mixed(hash), mixed(!hash)))
}

/// The finalizer of `SplitMix64`: one to one, so that IDs are unique.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_within_its_zone_and_not_within_one_that_ends_alike() {
        for (name, zone, within) in [
            ("cool.cats", "cool.cats", true),
            ("mail.cool.cats", "cool.cats", true),
            ("uncool.cats", "cool.cats", false),
            ("cats", "cool.cats", false),
        ] {
            assert_eq!(is_within(name, zone), within, "{name} {zone}");
        }
    }

    #[test]
    fn identifiers_never_repeat() {
        let mut state = State::seed();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let id = state.next_id();
            assert_eq!(id.len(), 32);
            assert!(seen.insert(id));
        }
    }

    #[test]
    fn a_uuid_says_its_version_and_a_derived_one_is_always_the_same() {
        let uuid = State::seed().issue_uuid();
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(uuid.split('-').nth(2).unwrap().starts_with('4'), "{uuid}");
        assert_eq!(derived_uuid(["a", "b"]), derived_uuid(["a", "b"]));
        assert_ne!(derived_uuid(["a", "b"]), derived_uuid(["ab", ""]));
    }

    #[test]
    fn a_text_goes_to_the_nearest_zone_elsewhere() {
        let mut state = State::seed();
        state.external_zones.clear();
        state.add_txt("dogs.test", "a");
        state.add_txt("mail.dogs.test", "b");
        state.add_txt("mail.dogs.test", "b");
        assert_eq!(state.external_zones.len(), 1);
        assert_eq!(state.external_zones[0].texts.len(), 2);
        state.remove_txt("dogs.test", "a");
        assert_eq!(state.external_zones[0].texts, [("mail.dogs.test".to_owned(), "b".to_owned())]);
    }
}
