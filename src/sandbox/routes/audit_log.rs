//! The account's audit log, version 2 (reference of the logs, section 2): sign-ins to the dashboard
//! and changes of connectors.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::ApiRequest;
use super::route::{Gate, Route};
use crate::sandbox::access::{Area, GLOBAL_KEY};
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::error::Error;
use crate::sandbox::query::PageSize;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{AuditRow, State, derived_uuid};

const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 100 };

const PATH: &str = "/accounts/{account}/logs/audit";
const QUERY: &[&str] = &["since", "before", "limit", "cursor"];

pub(super) const ROUTES: &[Route] =
    &[Route::get(PATH, Gate::Account(Area::Accounts), list).accepts(QUERY)];

/// Logs a change. A failure to store the row is ignored: the change was already made.
pub(in crate::sandbox) fn record(shared: &AppState, method: &str, path: &str, ray: &str) {
    let Some(below) = path.strip_prefix("/client/v4/accounts/") else { return };
    let Some((account, _)) = below.split_once('/') else { return };
    let now = shared.clock.now();
    let row = AuditRow {
        id: derived_uuid([ray, &now.to_string()]),
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

/// The operation's summary in the API's description, if known.
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

fn list(state: &State, request: &ApiRequest) -> Outcome {
    let query = &request.query;
    let (Some(since), Some(before)) = (query.time("since")?, query.time("before")?) else {
        // The real code is unknown.
        return Err(ApiErrorResponse::bad_request(1006, "`since` and `before` are required"));
    };
    let delay = request.log_behavior.audit_delay;
    let visible = request.now.saturating_sub(delay).unwrap_or(Timestamp::MIN);
    let is_selected = |row: &&AuditRow| {
        row.account == request.account() && row.at >= since && row.at < before && row.at <= visible
    };
    let mut rows: Vec<_> = state.audit.iter().filter(is_selected).collect();
    rows.sort_by_key(|row| row.at);
    if query.get("direction") != Some("asc") {
        rows.reverse();
    }
    query.page_by_cursor(rows.into_iter().map(to_json).collect(), PAGES)
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
