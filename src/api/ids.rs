//! IDs, one type per kind of object. An empty ID would reach another route, so it is refused.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::input::value::{self, Invisible};

#[derive(Serialize)]
#[serde(transparent, bound = "")]
pub struct Id<K> {
    text: String,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

pub trait Kind {
    const NOUN: &'static str;
    /// Whether the API documents these IDs as exactly 32 hexadecimal digits.
    const STRICT: bool = false;
}

pub enum Account {}
pub enum Connector {}
pub enum Zone {}
pub enum Record {}
pub enum Idp {}
pub enum App {}
pub enum Policy {}
pub enum Grant {}
pub enum Share {}
pub enum Recipient {}
pub enum Resource {}
pub enum Organization {}
pub enum User {}
pub enum Group {}
pub enum List {}

impl Kind for Account {
    const NOUN: &'static str = "account";
    const STRICT: bool = true;
}
impl Kind for Connector {
    const NOUN: &'static str = "connector";
}
impl Kind for Zone {
    const NOUN: &'static str = "zone";
}
impl Kind for Record {
    const NOUN: &'static str = "DNS record";
}
impl Kind for Idp {
    const NOUN: &'static str = "identity provider";
}
impl Kind for App {
    const NOUN: &'static str = "application";
}
impl Kind for Policy {
    const NOUN: &'static str = "policy";
}
impl Kind for Grant {
    const NOUN: &'static str = "federation grant";
}
impl Kind for Share {
    const NOUN: &'static str = "share";
}
impl Kind for Recipient {
    const NOUN: &'static str = "recipient";
}
impl Kind for Resource {
    const NOUN: &'static str = "shared resource";
}
impl Kind for Organization {
    const NOUN: &'static str = "organization";
}
impl Kind for Group {
    const NOUN: &'static str = "Access group";
}
impl Kind for List {
    const NOUN: &'static str = "list";
}
impl Kind for User {
    const NOUN: &'static str = "user";
}

/// 32 hexadecimal digits.
pub type AccountId = Id<Account>;
/// Length unchecked: a documented example has 31 characters (API reference, section 2).
pub type ConnectorId = Id<Connector>;
pub type ZoneId = Id<Zone>;
pub type RecordId = Id<Record>;
/// A UUID by the schema; not checked.
pub type IdpId = Id<Idp>;
pub type AppId = Id<App>;
pub type PolicyId = Id<Policy>;
/// 32 digits or a UUID (API reference, section 6).
pub type GrantId = Id<Grant>;
pub type ShareId = Id<Share>;
/// A recipient within its share; not an account ID.
pub type RecipientId = Id<Recipient>;
/// A resource within its share; not the ID of the shared object.
pub type ResourceId = Id<Resource>;
pub type OrganizationId = Id<Organization>;
pub type GroupId = Id<Group>;
pub type ListId = Id<List>;
pub type UserId = Id<User>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {noun} ID: {reason}")]
pub struct InvalidId {
    text: String,
    noun: &'static str,
    reason: String,
}

impl InvalidId {
    fn new<K: Kind>(text: &str, reason: impl Into<String>) -> Self {
        Self { text: value::visible(text), noun: K::NOUN, reason: reason.into() }
    }
}

impl<K> Id<K> {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K: Kind> Id<K> {
    fn new(text: &str) -> Result<Self, InvalidId> {
        let invalid = |reason: &str| InvalidId::new::<K>(text, reason);
        if K::STRICT {
            if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(invalid("expected 32 hexadecimal digits"));
            }
        } else if text.is_empty() {
            return Err(invalid("it is empty"));
        } else if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(invalid("only letters, digits and hyphens are allowed"));
        }
        Ok(Self { text: text.to_owned(), kind: PhantomData })
    }
}

/// As pasted: trims white space and names invisible characters.
impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invisible = |error: Invisible| InvalidId::new::<K>(text, error.to_string());
        Self::new(value::trim(text).map_err(invisible)?)
    }
}

/// As sent by a server: exact, because it goes into paths.
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// An entry of a list of identity providers: an ID, or anything else, kept unchanged.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum IdpReference {
    Id(IdpId),
    /// For example an empty text or `null`.
    Odd(Box<RawValue>),
}

impl IdpReference {
    pub fn id(&self) -> Option<&IdpId> {
        match self {
            Self::Id(id) => Some(id),
            Self::Odd(_) => None,
        }
    }
}

impl From<IdpId> for IdpReference {
    fn from(id: IdpId) -> Self {
        Self::Id(id)
    }
}

impl<'de> Deserialize<'de> for IdpReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(serde_json::from_str(raw.get()).map_or(Self::Odd(raw), Self::Id))
    }
}

impl PartialEq for IdpReference {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Id(a), Self::Id(b)) => a == b,
            (Self::Odd(a), Self::Odd(b)) => a.get() == b.get(),
            _ => false,
        }
    }
}

impl PartialEq<IdpId> for IdpReference {
    fn eq(&self, other: &IdpId) -> bool {
        self.id() == Some(other)
    }
}

impl fmt::Display for IdpReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Odd(raw) => f.write_str(raw.get()),
        }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_has_32_hexadecimal_digits() {
        for (text, valid) in [
            ("0123456789abcdef0123456789ABCDEF", true),
            (" 0123456789abcdef0123456789ABCDEF\r\n", true),
            ("0123456789abcdef\u{200b}0123456789ABCDEF", false),
            ("", false),
            ("0123456789abcdef0123456789abcde", false),
            ("0123456789abcdef0123456789abcdeg", false),
            ("0123456789abcdef0123456789abcdef0", false),
        ] {
            assert_eq!(text.parse::<AccountId>().is_ok(), valid, "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_in_an_id_is_named() {
        let error = "0123456789abcdef\u{200b}0123456789abcdef".parse::<AccountId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`0123456789abcdef<U+200B>0123456789abcdef` is not a valid account ID: \
             it contains zero-width space (U+200B) at position 17"
        );
        assert!(serde_json::from_value::<ConnectorId>(" abc".into()).is_err());
    }

    #[test]
    fn a_list_of_identifiers_keeps_what_is_none() {
        let text = r#"["p1","",null,12345678901234567890123,{"id":"p2"},"../x"]"#;
        let list: Vec<IdpReference> = serde_json::from_str(text).unwrap();
        let ids: Vec<_> = list.iter().filter_map(IdpReference::id).map(Id::as_str).collect();
        assert_eq!((list.len(), ids), (6, vec!["p1"]));
        assert_eq!(serde_json::to_string(&list).unwrap(), text);
        assert!(list[0] == "p1".parse::<IdpId>().unwrap() && list[1] == list[1].clone());
        assert_eq!(list[1].to_string(), "\"\"");
    }

    #[test]
    fn a_connector_id_is_any_length_but_never_a_path() {
        for (text, valid) in [
            ("68ca8b1a3e6c4f8d9c1e2f3a4b5c6d7", true),
            ("f174e90a-fafe-4643-bbbc-4a0ed4fc8415", true),
            ("", false),
            ("../zones", false),
            ("a b", false),
        ] {
            assert_eq!(text.parse::<ConnectorId>().is_ok(), valid, "{text:?}");
            let sent = serde_json::from_value::<ConnectorId>(text.into());
            assert_eq!(sent.is_ok(), valid, "{text:?}");
        }
    }
}
