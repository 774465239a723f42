//! The account's audit log, version 2 (reference of the logs, section 2), as far
//! as sign-ins to the dashboard and changes of connectors go.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Outcome;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::AuditRow;

const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 100 };

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/accounts/{account}/logs/audit", get(list))
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Accounts, Right::Read)?;
    let query = query.only(&["since", "before", "limit", "cursor"])?;
    let (Some(since), Some(before)) = (query.time("since")?, query.time("before")?) else {
        // The real code is unknown.
        return Err(ApiErrorResponse::bad_request(1006, "`since` and `before` are required"));
    };
    let delay = shared.log_behavior().audit_delay;
    let visible = shared.clock.now().saturating_sub(delay).unwrap_or(Timestamp::MIN);
    let is_wanted = |row: &&AuditRow| {
        row.account == account && row.at >= since && row.at < before && row.at <= visible
    };
    let mut rows: Vec<AuditRow> =
        shared.store.read(|state| state.audit.iter().filter(is_wanted).cloned().collect());
    rows.sort_by_key(|row| row.at);
    if query.get("direction") != Some("asc") {
        rows.reverse();
    }
    query.page_by_cursor(rows.iter().map(to_json).collect(), PAGES)
}

fn to_json(row: &AuditRow) -> Value {
    json!({
        "id": row.id,
        "account": { "id": row.account },
        "action": {
            "description": row.description,
            "result": "success",
            "time": time(row.at),
            "type": "create",
        },
        "actor": {
            "context": "dash",
            "email": row.email,
            "ip_address": "192.0.2.17",
            "type": "user",
        },
        "raw": {
            "cf_ray_id": row.ray,
            "method": row.method,
            "status_code": 200,
            "uri": row.uri,
        },
        "resource": { "scope": "accounts" },
    })
}
