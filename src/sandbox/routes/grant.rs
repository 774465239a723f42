//! Federation grants of identity providers (API reference, section 6). The
//! real codes of the refusals are unknown.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, body, organization};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::federation;
use crate::sandbox::query::Parameters;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Grant, State as World};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/access/idp_federation_grants", get(list).post(create))
        .route("/accounts/{account}/access/idp_federation_grants/{id}", get(one).delete(remove))
}

#[derive(Deserialize)]
struct CreateRequest {
    idp_id: String,
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Read)?;
    query.only(&[])?;
    let grants: Vec<Value> = shared.store.read(|state| {
        let own = state.grants.iter().filter(|grant| grant.account == account);
        own.map(to_json).collect()
    });
    Ok(ApiResponse::of(grants))
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Read)?;
    shared.store.read(|state| {
        let position = position(state, &account, &id)?;
        Ok(ApiResponse::of(to_json(&state.grants[position])))
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Write)?;
    let CreateRequest { idp_id: provider } = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        if federation::received(state, &account, now).iter().any(|known| known.id == provider) {
            return Err(ApiErrorResponse::invalid(
                "a read only identity provider cannot be federated",
            ));
        }
        ensure_can_grant(state, &account, &provider)?;
        let held = state.grants.iter().filter(|grant| grant.account == account).count();
        if held >= shared.grant_limit {
            let limit = shared.grant_limit;
            return Err(ApiErrorResponse::conflict(format!(
                "the account has reached its limit of {limit} idp federation grants"
            )));
        }
        let grant = Grant { id: state.next_id(), account, provider, created_at: now };
        let answer = ApiResponse::of(to_json(&grant));
        state.grants.push(grant);
        Ok(answer.created())
    })
}

fn ensure_can_grant(state: &World, account: &str, id: &str) -> Result<(), ApiErrorResponse> {
    let own = state.providers.iter().find(|known| known.account == account && known.id == id);
    let kind = own.ok_or_else(ApiErrorResponse::missing)?.object.text("type").unwrap_or_default();
    if matches!(kind.as_str(), "onetimepin" | "cloudflare") {
        let detail = format!("identity providers of type {kind} cannot be federated");
        return Err(ApiErrorResponse::invalid(detail));
    }
    if state.parent(account).is_none() {
        return Err(ApiErrorResponse::invalid("account does not belong to an organization"));
    }
    if state.grants.iter().any(|grant| grant.provider == id) {
        return Err(ApiErrorResponse::conflict(
            "the identity provider has a federation grant already",
        ));
    }
    Ok(())
}

/// The shares remain; their recipients lose the identity provider at once.
async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Write)?;
    shared.store.change(|state| {
        let position = position(state, &account, &id)?;
        state.grants.remove(position);
        Ok(ApiResponse::of(json!({ "id": id })).accepted())
    })
}

fn position(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    let is_meant = |known: &Grant| known.account == account && known.id == id;
    state.grants.iter().position(is_meant).ok_or_else(ApiErrorResponse::missing)
}

fn to_json(grant: &Grant) -> Value {
    json!({ "id": grant.id, "idp_id": grant.provider, "created_at": time(grant.created_at) })
}
