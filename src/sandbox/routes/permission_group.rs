//! The permission groups that tokens can be given (API reference, section 8.1).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use super::Outcome;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse};
use crate::sandbox::auth::Caller;
use crate::sandbox::permission_group::{GROUPS, Group};
use crate::sandbox::query::Parameters;
use crate::sandbox::shared::AppState;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/tokens/permission_groups", get(of_account))
        .route("/user/tokens/permission_groups", get(of_user))
}

async fn of_account(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    caller.in_account(&shared, &account, Area::Tokens, Right::Read)?;
    listed(query)
}

async fn of_user(caller: Caller, query: Parameters) -> Outcome {
    if !caller.is_user() {
        let message = "Valid user-level authentication not found";
        return Err(ApiErrorResponse::new(StatusCode::FORBIDDEN, 9109, message));
    }
    caller.may(Area::Tokens, Right::Read)?;
    listed(query)
}

/// All of them in one page; `name` and `scope` are exact.
fn listed(query: Parameters) -> Outcome {
    let query = query.only(&["name", "scope"])?;
    let is_asked_for =
        |group: &&Group| query.allow("name", group.name) && query.allow("scope", group.scope);
    let groups: Vec<Value> = GROUPS.iter().filter(is_asked_for).map(to_json).collect();
    Ok(ApiResponse::of(groups))
}

fn to_json(group: &Group) -> Value {
    json!({ "id": group.id, "name": group.name, "scopes": [group.scope] })
}
