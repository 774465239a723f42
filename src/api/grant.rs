//! Federation grants: identity providers that other accounts may use (API
//! reference, section 6).

use serde::Deserialize;

use super::ids::{AccountId, IdpId};
use super::object::Object;
use super::request::Request;

/// A grant as the API sent it.
pub type Grant = Object<Fields>;

/// The known fields of a grant.
#[derive(Clone, Debug, Deserialize)]
pub struct Fields {
    /// The grant's identifier.
    pub id: String,
    /// The identity provider that it is about.
    pub idp_id: IdpId,
}

/// All grants of the account: one page.
#[must_use]
pub fn list(account: &AccountId) -> Request<Vec<Grant>> {
    Request::get(&["accounts", account.as_str(), "access", "idp_federation_grants"])
}
