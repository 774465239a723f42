//! The resources of a share (API reference, section 7). Just federation grants
//! are modelled.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::share::{active, listed, sent};
use super::{Outcome, body};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::federation::{GRANT, status};
use crate::sandbox::query::Parameters;
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Resource, Share, State as World};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/shares/{share}/resources", get(list).post(create))
        .route(
            "/accounts/{account}/shares/{share}/resources/{id}",
            get(one).put(update).delete(remove),
        )
}

#[derive(Deserialize)]
struct UpdateRequest {
    meta: RawObject,
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    let query = query.only(&["status", "resource_type"])?;
    let now = shared.clock.now();
    let resources = shared.store.read(|state| {
        let share = &state.shares[sent(state, &account, &share)?];
        let is_asked_for = |resource: &&Resource| {
            query.allow("status", status(resource.removed, now))
                && query.allow("resource_type", &resource.kind)
        };
        let each = share.resources.iter().filter(is_asked_for);
        Ok::<_, ApiErrorResponse>(each.map(|resource| to_json(resource, now)).collect())
    })?;
    listed(&query, resources)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    let now = shared.clock.now();
    shared.store.read(|state| {
        let share = &state.shares[sent(state, &account, &share)?];
        let position = position(share, &id)?;
        Ok(ApiResponse::of(to_json(&share.resources[position], now)).without_messages())
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let resource: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = active(state, &account, &share)?;
        let mut share = state.shares[position].clone();
        add(state, &mut share, &resource, now)?;
        share.modified = now;
        let answer = ApiResponse::of(share.resources.last().map(|resource| to_json(resource, now)));
        state.shares[position] = share;
        Ok(answer.without_messages().created())
    })
}

async fn update(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let UpdateRequest { meta } = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let place = active(state, &account, &share)?;
        let position = position(&state.shares[place], &id)?;
        let resource = &mut state.shares[place].resources[position];
        resource.meta = meta;
        resource.version += 1;
        resource.modified = now;
        Ok(ApiResponse::of(to_json(resource, now)).without_messages())
    })
}

async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let place = sent(state, &account, &share)?;
        let position = position(&state.shares[place], &id)?;
        let resource = &mut state.shares[place].resources[position];
        resource.removed.get_or_insert(now);
        Ok(ApiResponse::of(to_json(resource, now)).without_messages())
    })
}

fn position(share: &Share, id: &str) -> Result<usize, ApiErrorResponse> {
    let missing = || ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "share resource not found");
    share.resources.iter().position(|known| known.id == id).ok_or_else(missing)
}

/// Adds a resource, where it can be one.
pub(super) fn add(
    state: &mut World,
    share: &mut Share,
    given: &RawObject,
    now: Timestamp,
) -> Result<(), ApiErrorResponse> {
    let kind = given.text("resource_type").unwrap_or_default();
    if kind != GRANT {
        return Err(ApiErrorResponse::not_simulated(format!("shares of resource_type `{kind}`")));
    }
    let meta = given
        .object("meta")
        .ok_or_else(|| ApiErrorResponse::bad_request(1001, "meta is required"))?;
    let resource = given.text("resource_id").unwrap_or_default();
    let is_meant = given.text("resource_account_id").as_ref() == Some(&share.account)
        && state.grants.iter().any(|g| g.account == share.account && g.id == resource);
    if !is_meant {
        return Err(ApiErrorResponse::bad_request(
            1001,
            format!("resource `{resource}` not found"),
        ));
    }
    if share.resources.iter().any(|known| known.removed.is_none() && known.grant == resource) {
        return Err(ApiErrorResponse::new(
            StatusCode::CONFLICT,
            1001,
            "the resource is there already",
        ));
    }
    share.resources.push(Resource {
        id: state.next_id(),
        kind,
        account: share.account.clone(),
        grant: resource,
        meta,
        version: 1,
        created: now,
        modified: now,
        removed: None,
    });
    Ok(())
}

pub(super) fn to_json(resource: &Resource, now: Timestamp) -> Value {
    json!({
        "id": resource.id,
        "created": time(resource.created),
        "meta": resource.meta,
        "modified": time(resource.modified),
        "resource_account_id": resource.account,
        "resource_id": resource.grant,
        "resource_type": resource.kind,
        "resource_version": resource.version,
        "status": status(resource.removed, now),
    })
}
