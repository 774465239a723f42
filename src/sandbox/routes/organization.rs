//! The Zero Trust organization of an account (API reference, section 5).

use serde::Serialize;

use super::parent::{auth_domain, not_enabled};
use super::request::ApiRequest;
use super::resource::{ApiResource, Create, Update, WritableResource, create, get, update};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::raw::RawObject;
use crate::sandbox::sso_app::{self, NOT_ENABLED};
use crate::sandbox::state::{Organization, State};

const PATH: &str = "/accounts/{account}/access/organizations";

pub(super) const ROUTES: &[Route] = &[
    Route::get(PATH, Gate::Account(Area::Providers), get::<Organization>).accepts(&[]),
    Route::post(PATH, Gate::Account(Area::Providers), create::<Organization>),
    Route::put(PATH, Gate::Access(Area::Providers), update::<Organization>),
];

/// An account has one, identified by the account's ID.
impl ApiResource for Organization {
    fn all<'a>(state: &'a State, _: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.organizations.iter().collect())
    }

    fn id(&self) -> &str {
        &self.account
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        &self.object
    }

    fn missing() -> ApiErrorResponse {
        not_enabled()
    }
}

impl WritableResource for Organization {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.organizations)
    }
}

impl Create for Organization {
    type Fields = RawObject;

    fn create(mut object: RawObject, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let account = request.account().to_owned();
        ApiErrorResponse::conflict("organization already exists")
            .when(state.auth_domain(&account).is_some())?;
        ApiErrorResponse::invalid("name is required")
            .when(object.text("name").is_none_or(|name| name.is_empty()))?;
        let no_domain = || ApiErrorResponse::invalid("auth_domain is required");
        let domain = object.text("auth_domain").ok_or_else(no_domain)?;
        check_name(state, &account, &domain)?;
        sso_app::rename(state, &account, NOT_ENABLED, &domain);
        object.set("created_at", time(request.now));
        object.set("updated_at", time(request.now));
        Ok(Self { account, object })
    }
}

impl Update for Organization {
    type Fields = RawObject;

    /// Whether the real API keeps absent fields is unknown: here it does.
    fn update(
        mut self,
        mut fields: RawObject,
        state: &mut State,
        request: &ApiRequest,
    ) -> Outcome<Self> {
        let before = auth_domain(state, request)?;
        let after = match fields.value("auth_domain") {
            Some(_) => fields.text("auth_domain").unwrap_or_default(),
            None => before.clone(),
        };
        if after != before {
            check_rename(state, &self.account, &after)?;
            sso_app::rename(state, &self.account, &before, &after);
            // The identity providers know the team by its former name again.
            state.rejecting.clear();
        }
        fields.remove("created_at");
        self.object.merge(fields);
        self.object.set("updated_at", time(request.now));
        Ok(self)
    }
}

/// No rename while dashboard SSO exists (API reference, section 5).
fn check_rename(state: &State, account: &str, domain: &str) -> Outcome<()> {
    ApiErrorResponse::bad_request(12106, "auth_domain_cannot_be_updated_dash_sso")
        .when(state.connectors.iter().any(|connector| connector.account == account))?;
    check_name(state, account, domain)
}

/// Fails if the name is invalid or taken. The real error texts are unknown.
fn check_name(state: &State, account: &str, domain: &str) -> Outcome<()> {
    let team = domain.strip_suffix(".cloudflareaccess.com").unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    ApiErrorResponse::invalid(format!("auth_domain `{domain}` is invalid"))
        .when(team.is_empty() || team.len() > 63 || !team.bytes().all(is_plain))?;
    let is_taken = |known: &Organization| {
        known.account != account && known.object.text("auth_domain").as_deref() == Some(domain)
    };
    ApiErrorResponse::conflict(format!("auth_domain `{domain}` is already taken"))
        .when(state.organizations.iter().any(is_taken))
}
