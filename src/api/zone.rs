//! DNS zones (API reference, section 8.3).

use serde::Deserialize;

use super::ids::{AccountId, ZoneId};
use super::object::Object;
use super::request::Request;

pub type Zone = Object<ZoneFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct ZoneFields {
    pub id: ZoneId,
    pub name: String,
    /// `active` if its name servers are in use.
    pub status: Option<String>,
    #[serde(rename = "type")]
    /// `full`; `partial` (another provider serves it); `secondary`; `internal` (account only).
    pub kind: Option<String>,
}

impl ZoneFields {
    /// Whether its name servers are in use. An unknown state counts as not active.
    pub fn is_active(&self) -> bool {
        self.status.as_deref() == Some("active")
    }

    /// Whether resolvers return the records of this zone.
    pub fn is_hosted_by_cloudflare(&self) -> bool {
        self.is_active() && self.kind.as_deref() == Some("full")
    }
}

/// The zones of exactly this name: one may be pending and another active.
pub fn list(account: &AccountId, name: &str) -> Request<Vec<Zone>> {
    Request::get(&["zones"]).query("name", name).query("account.id", account.as_str()).paged(50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_full_zone_is_served_here() {
        for (fields, expected) in [
            (r#""status":"active","type":"full""#, true),
            (r#""status":"pending","type":"full""#, false),
            (r#""status":"active","type":"partial""#, false),
            (r#""status":"active","type":"internal","plan":null,"name_servers":null"#, false),
            (r#""status":"active","type":"brand_new""#, false),
            (r#""status":"ACTIVE","type":"full""#, false),
            (r#""status":null"#, false),
        ] {
            let text = format!(r#"{{"id":"z1","name":"cool.cats",{fields}}}"#);
            let zone: Zone = serde_json::from_str(&text).unwrap();
            assert_eq!(zone.is_hosted_by_cloudflare(), expected, "{fields}");
            assert_eq!(serde_json::to_string(&zone).unwrap(), text);
        }
    }
}
