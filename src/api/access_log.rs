//! The Access login log (Cloudflare API, `access/logs/access_requests`), denied attempts included.

use jiff::Timestamp;
use serde::Deserialize;

use super::ids::AccountId;
use super::object::Object;
use super::request::Request;

/// The page size. The schema has no maximum; pages of this size are answered in full.
const PAGE: u32 = 1000;

/// Path of a SAML application on the team domain; its audience tag follows.
const SAML_PATH: &str = "/cdn-cgi/access/sso/saml/";

/// A row of the log. Rows have no identifier: two are the same if their text is.
pub type LoginRow = Object<LoginRowFields>;

#[derive(Clone, Debug, Default, Deserialize)]
pub struct LoginRowFields {
    pub allowed: Option<bool>,
    pub app_domain: Option<String>,
    pub app_uid: Option<String>,
    /// The type of the identity provider, not its ID; `nonidentity` for a service token.
    pub connection: Option<String>,
    pub country: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    pub ip_address: Option<String>,
    /// The request's ID; several rows may share one.
    pub ray_id: Option<String>,
    pub user_email: Option<String>,
}

impl LoginRowFields {
    pub fn at(&self) -> Option<Timestamp> {
        self.created_at.as_ref()?.parse().ok()
    }

    pub fn email(&self) -> &str {
        self.user_email.as_deref().unwrap_or_default()
    }

    pub fn is_person(&self) -> bool {
        self.connection.as_deref() != Some("nonidentity")
    }

    /// Whether the row is of the application with this ID or, for SAML, with this audience tag.
    pub fn is_of_app(&self, id: &str, aud: Option<&str>) -> bool {
        if let Some(uid) = self.app_uid.as_deref().filter(|uid| !uid.is_empty()) {
            return uid == id;
        }
        let Some(aud) = aud.filter(|aud| !aud.is_empty()) else { return false };
        let domain = self.app_domain.as_deref().unwrap_or_default();
        let path = domain.find(SAML_PATH).map(|start| &domain[start + SAML_PATH.len()..]);
        path == Some(aud)
    }
}

/// All rows from `since` to `until`. Whether both ends are included is not documented.
pub fn list(
    account: &AccountId,
    since: Timestamp,
    until: Option<Timestamp>,
) -> Request<Vec<LoginRow>> {
    rows(account, since, until, "asc").paged(PAGE)
}

/// The newest rows since `since`: one page.
pub fn newest(account: &AccountId, since: Timestamp) -> Request<Vec<LoginRow>> {
    rows(account, since, None, "desc").query("page", "1").query("per_page", PAGE.to_string())
}

fn rows(
    account: &AccountId,
    since: Timestamp,
    until: Option<Timestamp>,
    direction: &str,
) -> Request<Vec<LoginRow>> {
    let request =
        Request::get(&["accounts", account.as_str(), "access", "logs", "access_requests"])
            .query("direction", direction)
            .query("since", since.to_string());
    match until {
        Some(until) => request.query("until", until.to_string()),
        None => request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_an_app_by_its_id_or_by_its_saml_address() {
        let saml = "cool.cloudflareaccess.com/cdn-cgi/access/sso/saml/aud1";
        for (uid, domain, expected) in [
            (Some("a1"), None, true),
            (Some("a2"), None, false),
            // The ID decides if there is one.
            (Some("a2"), Some(saml), false),
            (None, Some(saml), true),
            (Some(""), Some(saml), true),
            (None, Some("cool.cloudflareaccess.com/cdn-cgi/access/sso/saml/aud12"), false),
            (None, Some("cool.cloudflareaccess.com/cdn-cgi/access/sso/saml/aud1/x"), false),
            (None, Some("cool.cloudflareaccess.com/aud1"), false),
            (None, None, false),
        ] {
            let row = LoginRowFields {
                app_uid: uid.map(str::to_owned),
                app_domain: domain.map(str::to_owned),
                ..LoginRowFields::default()
            };
            assert_eq!(row.is_of_app("a1", Some("aud1")), expected, "{uid:?} {domain:?}");
            assert!(uid == Some("a1") || !row.is_of_app("a1", None), "{uid:?} {domain:?}");
        }
    }

    #[test]
    fn a_row_with_nothing_in_it_is_a_row() {
        let row: LoginRow = serde_json::from_str(r#"{"action":"","allowed":null}"#).unwrap();
        assert_eq!((row.at(), row.email(), row.is_person()), (None, "", true));
    }
}
