//! Federation grants (API reference, section 6). The real error codes are unknown.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::ApiRequest;
use super::resource::{ApiResource, Create, WritableResource, create, delete, get, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::federation;
use crate::sandbox::state::{Grant, State};

const ALL: &str = "/accounts/{account}/access/idp_federation_grants";
const ONE: &str = "/accounts/{account}/access/idp_federation_grants/{id}";
const GATE: Gate = Gate::Access(Area::Providers);

/// Shares of a deleted grant remain; their recipients lose the identity provider at once.
pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Grant>).accepts(&[]),
    Route::post(ALL, GATE, create::<Grant>).answers(StatusCode::CREATED),
    Route::get(ONE, GATE, get::<Grant>),
    Route::delete(ONE, GATE, delete::<Grant>).answers(StatusCode::ACCEPTED),
];

impl ApiResource for Grant {
    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.grants.iter().filter(|grant| grant.account == request.account()).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        json!({ "id": self.id, "idp_id": self.provider, "created_at": time(self.created_at) })
    }
}

impl WritableResource for Grant {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.grants)
    }
}

#[derive(Deserialize)]
pub(super) struct CreateRequest {
    idp_id: String,
}

impl Create for Grant {
    type Fields = CreateRequest;

    fn create(fields: CreateRequest, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let (account, provider) = (request.account(), fields.idp_id);
        let received = federation::received(state, account, request.now);
        ApiErrorResponse::invalid("a read only identity provider cannot be federated")
            .when(received.iter().any(|known| known.id == provider))?;
        check_provider(state, account, &provider)?;
        let limit = request.grant_limit;
        let existing = state.grants.iter().filter(|grant| grant.account == account).count();
        ApiErrorResponse::conflict(format!(
            "the account has reached its limit of {limit} idp federation grants"
        ))
        .when(existing >= limit)?;
        let account = account.to_owned();
        Ok(Self { id: state.next_id(), account, provider, created_at: request.now })
    }
}

fn check_provider(state: &State, account: &str, id: &str) -> Outcome<()> {
    let own = state.providers.iter().find(|known| known.account == account && known.id == id);
    let kind = own.ok_or_else(ApiErrorResponse::missing)?.object.text("type").unwrap_or_default();
    ApiErrorResponse::invalid(format!("identity providers of type {kind} cannot be federated"))
        .when(matches!(kind.as_str(), "onetimepin" | "cloudflare"))?;
    ApiErrorResponse::invalid("account does not belong to an organization")
        .when(state.parent(account).is_none())?;
    ApiErrorResponse::conflict("the identity provider has a federation grant already")
        .when(state.grants.iter().any(|grant| grant.provider == id))
}
