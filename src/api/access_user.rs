//! The users known to Access (Cloudflare API, `access/users`) and their last sign-in.

use serde::Deserialize;

use super::ids::{AccountId, UserId};
use super::object::Object;
use super::request::Request;

/// The maximum, and the API's default.
const PAGE: u32 = 1000;

pub type User = Object<UserFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct UserFields {
    pub id: UserId,
    pub email: Option<String>,
    /// To any application (RFC 3339).
    pub last_successful_login: Option<String>,
}

/// How a user last signed in, to any application.
pub type Identity = Object<IdentityFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct IdentityFields {
    /// Time of the sign-in (seconds since 1970).
    pub iat: Option<i64>,
    pub idp: Option<IdentityIdp>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct IdentityIdp {
    pub id: Option<String>,
}

pub fn list(account: &AccountId) -> Request<Vec<User>> {
    Request::get(&["accounts", account.as_str(), "access", "users"]).paged(PAGE)
}

pub fn last_seen_identity(account: &AccountId, user: &UserId) -> Request<Identity> {
    Request::get(&[
        "accounts",
        account.as_str(),
        "access",
        "users",
        user.as_str(),
        "last_seen_identity",
    ])
}
