//! Zones (API reference, section 8.3).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, body};
use crate::api::ids::AccountId;
use crate::domain::EmailDomain;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::name_server;
use crate::sandbox::query::{Parameters, SMALL_PAGES};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{State as World, Zone, ZoneKind, ZoneStatus};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/zones", get(list).post(create)).route("/zones/{zone}", get(one))
}

#[derive(Deserialize)]
struct CreateRequest {
    name: String,
    account: AccountReference,
    #[serde(default = "full", rename = "type")]
    kind: ZoneKind,
}

#[derive(Deserialize)]
struct AccountReference {
    id: String,
}

fn full() -> ZoneKind {
    ZoneKind::Full
}

async fn list(caller: Caller, State(shared): State<Arc<AppState>>, query: Parameters) -> Outcome {
    caller.may(Area::Zones, Right::Read)?;
    let query = query.only(&["name", "account.id", "status", "type"])?;
    if let Some(account) = query.get("account.id").filter(|id| id.parse::<AccountId>().is_err()) {
        // The real code is unknown.
        return Err(ApiErrorResponse::bad_request(
            1006,
            format!("Invalid account.id: {account:?}"),
        ));
    }
    let matcher = query.get("name").map(name_matcher).transpose()?;
    let zones: Vec<Value> = shared.store.read(|state| {
        let is_asked_for = |zone: &&Zone| {
            caller.can_see(&zone.account)
                && matcher.as_ref().is_none_or(|matches| matches(&zone.name))
                && query.allow("account.id", &zone.account)
                && query.allow("status", zone.status.as_str())
                && query.allow("type", zone.kind.as_str())
        };
        state.zones.iter().filter(is_asked_for).map(|zone| to_json(zone, state)).collect()
    });
    query.page(zones, SMALL_PAGES)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(zone): Path<String>,
) -> Outcome {
    let zone = visible(&shared, &caller, &zone, Area::Zones, Right::Read)?;
    Ok(shared.store.read(|state| ApiResponse::of(to_json(&zone, state))))
}

/// The sandbox is the registrar as well: a full zone is delegated, and active,
/// at once. The real API answers `pending` first.
async fn create(caller: Caller, State(shared): State<Arc<AppState>>, bytes: Bytes) -> Outcome {
    let creation: CreateRequest = body(&bytes)?;
    let account = caller.in_account(&shared, &creation.account.id, Area::Zones, Right::Write)?;
    let name: EmailDomain = creation.name.parse().map_err(|_| {
        ApiErrorResponse::bad_request(1049, format!("{} is not a registered domain", creation.name))
    })?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let is_taken = |zone: &Zone| {
            zone.name == name.as_str() && (zone.account == account || zone.is_served())
        };
        if state.zones.iter().any(is_taken) {
            return Err(ApiErrorResponse::bad_request(1061, format!("{name} already exists")));
        }
        let status = match creation.kind {
            ZoneKind::Full => ZoneStatus::Active,
            ZoneKind::Partial => ZoneStatus::Pending,
        };
        let zone = Zone {
            id: state.next_id(),
            account,
            name: name.to_string(),
            status,
            kind: creation.kind,
            created_on: now,
        };
        state.zones.push(zone.clone());
        Ok(ApiResponse::of(to_json(&zone, state)))
    })
}

/// The zone of a path, where the caller has the permission there.
pub(super) fn visible(
    shared: &AppState,
    caller: &Caller,
    id: &str,
    area: Area,
    right: Right,
) -> Result<Zone, ApiErrorResponse> {
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiErrorResponse::unroutable(&format!("/zones/{id}")));
    }
    caller.may(area, right)?;
    let find = |state: &World| state.zones.iter().find(|zone| zone.id == id).cloned();
    // The real status of an unknown zone is not documented.
    shared.store.read(find).filter(|zone| caller.can_see(&zone.account)).ok_or_else(|| {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 1001, "Invalid zone identifier")
    })
}

/// Exact, unless an operator says otherwise: `contains:cats`.
fn name_matcher(text: &str) -> Result<impl Fn(&str) -> bool, ApiErrorResponse> {
    let (operator, text) = text.split_once(':').unwrap_or(("equal", text));
    let matches: fn(&str, &str) -> bool = match operator {
        "equal" => |name, text| name == text,
        "not_equal" => |name, text| name != text,
        "starts_with" => |name, text| name.starts_with(text),
        "ends_with" => |name, text| name.ends_with(text),
        "contains" => |name, text| name.contains(text),
        _ => return Err(ApiErrorResponse::not_simulated(format!("the operator `{operator}:`"))),
    };
    let text = text.to_ascii_lowercase();
    Ok(move |name: &str| matches(name, &text))
}

fn to_json(zone: &Zone, state: &World) -> Value {
    let owner = state.accounts.iter().find(|account| account.id == zone.account);
    json!({
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "type": zone.kind,
        "paused": false,
        "name_servers": name_server::HOSTED_NS,
        "account": { "id": zone.account, "name": owner.map(|account| &account.name) },
        "created_on": time(zone.created_on),
        "modified_on": time(zone.created_on),
        "activated_on": (zone.status == ZoneStatus::Active).then(|| time(zone.created_on)),
    })
}
