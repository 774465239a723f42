//! Federation grants: identity providers that can be shared (API reference, section 6).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::ids::{AccountId, GrantId, IdpId};
use super::object::Object;
use super::request::{Request, WriteRequest};

pub type Grant = Object<GrantFields>;

/// A federation grant as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct GrantFields {
    /// The ID of the grant.
    #[schemars(with = "String")]
    pub id: GrantId,
    /// The ID of the identity provider that may be shared.
    #[schemars(with = "String")]
    pub idp_id: IdpId,
    /// When the grant was created (RFC 3339); not every API response contains it.
    pub created_at: Option<String>,
}

/// One page.
pub fn list(account: &AccountId) -> Request<Vec<Grant>> {
    Request::get(&collection(account))
}

pub fn get(account: &AccountId, id: &GrantId) -> Request<Grant> {
    Request::get(&item_path(account, id))
}

pub fn create(account: &AccountId, idp: &IdpId) -> WriteRequest<Grant> {
    WriteRequest::post(&collection(account)).body(&json!({ "idp_id": idp }))
}

/// Every recipient loses the identity provider at once. The provider itself stays.
pub fn delete(account: &AccountId, id: &GrantId) -> WriteRequest<()> {
    WriteRequest::delete(&item_path(account, id)).with_decoder(|_| Ok(()))
}

fn collection(account: &AccountId) -> [&str; 4] {
    ["accounts", account.as_str(), "access", "idp_federation_grants"]
}

fn item_path<'a>(account: &'a AccountId, id: &'a GrantId) -> [&'a str; 5] {
    ["accounts", account.as_str(), "access", "idp_federation_grants", id.as_str()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_with_and_without_its_time() {
        for (text, created) in [
            (
                r#"{"id":"023e105f4ecef8ad9ca31a8372d0c353","idp_id":"a79de439-0e7f-4ebb-8a02-222222222222","created_at":"2014-01-01T05:20:00Z"}"#,
                true,
            ),
            (r#"{"id":"a79de439-0e7f-4ebb-8a02-222222222222","idp_id":"p1"}"#, false),
        ] {
            let grant: Grant = serde_json::from_str(text).unwrap();
            assert_eq!(grant.created_at.is_some(), created, "{text}");
            assert_eq!(grant.text(), text);
        }
    }

    #[test]
    fn a_creation_names_the_identity_provider() {
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let request = create(&account, &"p1".parse().unwrap());
        assert_eq!(
            request.to_string(),
            format!("POST /accounts/{account}/access/idp_federation_grants")
        );
        assert_eq!(request.body_text(), Some(r#"{"idp_id":"p1"}"#));
    }
}
