//! The users that Access has seen (Cloudflare API, `access/users`), and how they
//! last signed in.

use serde::Deserialize;

use super::ids::{AccountId, UserId};
use super::object::Object;
use super::request::Request;

/// The most users of a page, which is the default too.
const PAGE: u32 = 1000;

pub type User = Object<UserFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct UserFields {
    pub id: UserId,
    pub email: Option<String>,
    /// When the user last signed in to any application (RFC 3339).
    pub last_successful_login: Option<String>,
}

/// How a user last signed in, to whichever application.
pub type Identity = Object<IdentityFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct IdentityFields {
    /// When it was (seconds since 1970).
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
