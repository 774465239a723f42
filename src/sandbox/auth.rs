//! Authentication and permissions (API reference, sections 1.1 and 9).

use axum::http::{HeaderMap, StatusCode};

use super::access::{Access, Area, GLOBAL_KEY, Right};
use super::answer::{ApiErrorResponse, Outcome};
use super::permission_group;
use super::shared::AppState;
use super::state::{State, Token};
use crate::api::credentials::is_global_key;
use crate::api::ids::AccountId;

#[derive(Clone, Debug)]
pub(super) enum Identity {
    Token(Token),
    GlobalKey,
    Expired(Token),
    Unknown,
    /// A header that cannot contain a token.
    Malformed,
    /// The key and the email address do not match.
    InvalidKey,
    MalformedKey,
    Anonymous,
}

impl Identity {
    pub fn of(headers: &HeaderMap, shared: &AppState) -> Self {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        if let Some(authorization) = text("authorization") {
            return match bearer(authorization) {
                Some(value) => Self::issued(value, shared),
                None => Self::Malformed,
            };
        }
        match (text("x-auth-email"), text("x-auth-key")) {
            (Some(email), Some(key)) if (email, key) == GLOBAL_KEY => Self::GlobalKey,
            (_, Some(key)) if is_global_key(key) => Self::InvalidKey,
            (_, Some(_)) => Self::MalformedKey,
            (_, None) => Self::Anonymous,
        }
    }

    fn issued(value: &str, shared: &AppState) -> Self {
        let find = |state: &State| state.tokens.iter().find(|token| token.value == value).cloned();
        match shared.store.read(find) {
            Some(token) if !token.is_valid(shared.clock.now()) => Self::Expired(token),
            Some(token) => Self::Token(token),
            None => Self::Unknown,
        }
    }

    pub fn access(&self) -> Option<Access> {
        match self {
            Self::Token(token) | Self::Expired(token) => token.access,
            Self::GlobalKey => Some(Access::Full),
            _ => None,
        }
    }

    /// The token's ID, by which the rate limit counts; none for other credentials.
    pub fn counted_as(&self) -> Option<String> {
        match self {
            Self::Token(token) | Self::Expired(token) => Some(token.id.clone()),
            Self::GlobalKey => Some("key".to_owned()),
            _ => None,
        }
    }

    pub fn caller(&self) -> Outcome<Caller<'_>> {
        match self {
            Self::Token(token) => {
                let groups = token.issued.as_ref().map(|issued| issued.groups.as_slice());
                Ok(Caller {
                    access: token.access,
                    groups: groups.unwrap_or_default(),
                    owner: token.owner.as_deref(),
                })
            }
            Self::GlobalKey => Ok(Caller { access: Some(Access::Full), groups: &[], owner: None }),
            Self::Expired(_) | Self::Unknown => {
                Err(ApiErrorResponse::bad_request(9109, "Invalid access token"))
            }
            Self::Malformed => Err(malformed_token()),
            Self::InvalidKey => Err(ApiErrorResponse::new(
                StatusCode::FORBIDDEN,
                9103,
                "Unknown X-Auth-Key or X-Auth-Email",
            )),
            Self::MalformedKey => {
                Err(ApiErrorResponse::bad_request(6003, "Invalid request headers")
                    .caused_by(6103, "Invalid format for X-Auth-Key header"))
            }
            Self::Anonymous => Err(ApiErrorResponse::bad_request(
                9106,
                "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
            )),
        }
    }
}

pub(super) fn malformed_token() -> ApiErrorResponse {
    ApiErrorResponse::bad_request(6003, "Invalid request headers")
        .caused_by(6111, "Invalid format for Authorization header")
}

/// The token of `Bearer …`: at least forty characters that need no escaping.
fn bearer(header: &str) -> Option<&str> {
    let token = header.strip_prefix("Bearer ")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (token.len() >= 40 && token.bytes().all(is_plain)).then_some(token)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    access: Option<Access>,
    /// Of a token created through the API.
    groups: &'a [String],
    owner: Option<&'a str>,
}

impl Caller<'_> {
    pub fn may(&self, area: Area, right: Right) -> Outcome<()> {
        ApiErrorResponse::new(StatusCode::FORBIDDEN, 10000, "Authentication error")
            .when(!self.has(area, right))
    }

    pub fn has(&self, area: Area, right: Right) -> bool {
        self.access.is_some_and(|access| access.allows(area, right))
            || permission_group::allow(self.groups, area, right)
    }

    /// Refuses the tokens of accounts, too.
    pub fn may_as_user(&self, area: Area, right: Right) -> Outcome<()> {
        let message = "Valid user-level authentication not found";
        ApiErrorResponse::new(StatusCode::FORBIDDEN, 9109, message).when(self.owner.is_some())?;
        self.may(area, right)
    }

    pub fn can_see(&self, account: &str) -> bool {
        self.owner.is_none_or(|owner| owner == account)
    }

    /// Also refuses an invalid account ID.
    pub fn may_in_account(
        &self,
        state: &State,
        account: &str,
        area: Area,
        right: Right,
    ) -> Outcome<()> {
        ApiErrorResponse::unroutable(&format!("/accounts/{account}"))
            .when(account.parse::<AccountId>().is_err())?;
        let is_known = state.accounts.iter().any(|known| known.id == account);
        let message = "Unauthorized to access requested resource";
        ApiErrorResponse::new(StatusCode::FORBIDDEN, 9109, message)
            .when(!self.can_see(account) || !is_known)?;
        self.may(area, right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_has_forty_plain_characters() {
        for access in Access::ALL {
            let header = format!("Bearer {}", access.token());
            assert_eq!(bearer(&header), Some(access.token()));
        }
        for header in
            ["", "Bearer ", "Bearer short", "Basic YTpi", &format!("Bearer \"{}\"", "a".repeat(40))]
        {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
