//! The accounts that a share with a whole organization leaves out (reference on
//! logs and newest facts, section 4.5).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::share::{active, listed, sent};
use super::{Outcome, body};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::Parameters;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Excluded, Share, State as World, Target};

pub(super) fn routes() -> Router<Arc<AppState>> {
    const ALL: &str = "/accounts/{account}/shares/{share}/excluded-recipients";
    Router::new()
        .route(ALL, get(list).post(create).put(replace))
        .route(&format!("{ALL}/{{id}}"), get(one).delete(remove))
}

#[derive(Deserialize)]
struct Given {
    account_id: String,
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    let query = query.only(&[])?;
    let excluded = shared.store.read(|state| {
        let share = &state.shares[sent(state, &account, &share)?];
        Ok::<_, ApiErrorResponse>(share.excluded.iter().map(to_json).collect())
    })?;
    listed(&query, excluded)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    shared.store.read(|state| {
        let share = &state.shares[sent(state, &account, &share)?];
        Ok(ApiResponse::of(to_json(&share.excluded[position(share, &id)?])).without_messages())
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let given: Given = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let place = of_organization(state, &account, &share)?;
        may_be_excluded(state, &state.shares[place], &given)?;
        if state.shares[place].excluded.iter().any(|known| known.account == given.account_id) {
            return Err(ApiErrorResponse::new(
                StatusCode::CONFLICT,
                1001,
                "the account is excluded already",
            ));
        }
        let excluded = Excluded { id: state.next_id(), account: given.account_id, created: now };
        let answer = ApiResponse::of(to_json(&excluded));
        state.shares[place].excluded.push(excluded);
        Ok(answer.without_messages().created())
    })
}

async fn replace(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let given: Vec<Given> = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let place = of_organization(state, &account, &share)?;
        let mut excluded = Vec::new();
        for given in given {
            may_be_excluded(state, &state.shares[place], &given)?;
            let known = state.shares[place].excluded.iter();
            let known = known.clone().find(|known| known.account == given.account_id).cloned();
            excluded.push(known.unwrap_or_else(|| Excluded {
                id: state.next_id(),
                account: given.account_id,
                created: now,
            }));
        }
        state.shares[place].excluded = excluded;
        Ok(ApiResponse::empty())
    })
}

async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    shared.store.change(|state| {
        let place = of_organization(state, &account, &share)?;
        let position = position(&state.shares[place], &id)?;
        let removed = state.shares[place].excluded.remove(position);
        Ok(ApiResponse::of(to_json(&removed)).without_messages())
    })
}

/// The place of an active share, which has to be with a whole organization.
fn of_organization(state: &World, account: &str, share: &str) -> Result<usize, ApiErrorResponse> {
    let place = active(state, account, share)?;
    let recipients = &state.shares[place].recipients;
    if recipients.iter().any(|known| matches!(known.target, Target::Organization(_))) {
        return Ok(place);
    }
    Err(ApiErrorResponse::bad_request(
        1001,
        "only a share with an organization excludes recipients",
    ))
}

fn may_be_excluded(state: &World, share: &Share, given: &Given) -> Result<(), ApiErrorResponse> {
    if state.parent(&given.account_id).as_ref() == Some(&share.organization) {
        return Ok(());
    }
    let message = format!("account {} is not in the organization", given.account_id);
    Err(ApiErrorResponse::bad_request(1001, message))
}

fn position(share: &Share, id: &str) -> Result<usize, ApiErrorResponse> {
    let missing =
        || ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "excluded recipient not found");
    share.excluded.iter().position(|known| known.id == id).ok_or_else(missing)
}

fn to_json(excluded: &Excluded) -> Value {
    json!({
        "id": excluded.id,
        "account_id": excluded.account,
        "created": time(excluded.created),
        "modified": time(excluded.created),
    })
}
