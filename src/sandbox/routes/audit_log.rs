//! The account's audit log, version 2 (reference of the logs, section 2), as far
//! as sign-ins to the dashboard and changes of connectors go.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Outcome;
use crate::sandbox::Error;
use crate::sandbox::access::{Area, GLOBAL_KEY, Right};
use crate::sandbox::answer::{ApiErrorResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{AuditRow, derived_uuid};

const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 100 };

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/accounts/{account}/logs/audit", get(list))
}

/// Writes down a change of something in an account. What cannot be kept is lost: the
/// change was made.
pub(in crate::sandbox) fn record(shared: &AppState, method: &str, path: &str) {
    let Some(below) = path.strip_prefix("/client/v4/accounts/") else { return };
    let Some((account, _)) = below.split_once('/') else { return };
    let (now, ray) = (shared.clock.now(), shared.ray());
    let row = AuditRow {
        id: derived_uuid([&ray, &now.to_string()]),
        account: account.to_owned(),
        at: now,
        email: GLOBAL_KEY.0.to_owned(),
        ray: ray.split('-').next().unwrap_or_default().to_owned(),
        description: description(method, path).to_owned(),
        method: method.to_owned(),
        uri: path.to_owned(),
    };
    let _ = shared.store.change(|state| {
        state.audit.push(row);
        Ok::<_, Error>(())
    });
}

/// The summary of the operation in the API's description, where it is known.
fn description(method: &str, path: &str) -> &'static str {
    let has = |part: &str| path.contains(part);
    match method {
        "POST" if has("/begin_verification") => "Begin SSO connector verification",
        "POST" if has("/sso_connectors") => "Initialize new SSO connector",
        "PATCH" if has("/sso_connectors") => "Update SSO connector state",
        "DELETE" if has("/sso_connectors") => "Delete SSO connector",
        "POST" if has("/identity_providers") => "Add an Access identity provider",
        "PUT" if has("/identity_providers") => "Update an Access identity provider",
        "DELETE" if has("/identity_providers") => "Delete an Access identity provider",
        "PUT" if has("/access/apps") => "Update an Access application",
        "PUT" if has("/access/organizations") => "Update your Zero Trust organization",
        _ => "",
    }
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
