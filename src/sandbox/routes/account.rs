//! Accounts (API reference, section 8.2).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};

use super::Outcome;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{Parameters, SMALL_PAGES};
use crate::sandbox::seed::PARENT_NAME;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::Account;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/accounts", get(list)).route("/accounts/{account}", get(one))
}

async fn list(caller: Caller, State(shared): State<Arc<AppState>>, query: Parameters) -> Outcome {
    caller.may(Area::Accounts, Right::Read)?;
    let query = query.only(&["name"])?;
    let accounts: Vec<Value> = shared.store.read(|state| {
        let seen = state.accounts.iter().filter(|account| caller.can_see(&account.id));
        seen.filter(|account| query.allow("name", &account.name)).map(to_json).collect()
    });
    query.page(accounts, SMALL_PAGES)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
) -> Outcome {
    let id = caller.in_account(&shared, &account, Area::Accounts, Right::Read)?;
    shared
        .store
        .read(|state| state.accounts.iter().find(|account| account.id == id).map(to_json))
        .map(ApiResponse::of)
        .ok_or_else(|| ApiErrorResponse::unroutable(&format!("/accounts/{id}")))
}

fn to_json(account: &Account) -> Value {
    let mut shown = json!({
        "id": account.id,
        "name": account.name,
        "type": "standard",
        "settings": { "enforce_twofactor": false },
        "created_on": time(account.created_on),
    });
    if let Some(parent) = &account.parent {
        shown["managed_by"] = json!({ "parent_org_id": parent, "parent_org_name": PARENT_NAME });
    }
    shown
}
