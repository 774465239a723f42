//! The policies of Access applications (API reference, section 4).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Outcome, app, body, organization};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Policy, State as World};

/// The real bounds are unknown.
const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 1000 };

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/access/apps/{app}/policies", get(list).post(create))
        .route(
            "/accounts/{account}/access/apps/{app}/policies/{id}",
            get(one).put(update).delete(remove),
        )
}

/// The policies of an application, in order of precedence, as they are answered.
pub(super) fn of_app(state: &World, app: &str) -> Vec<RawObject> {
    let mut policies: Vec<_> = state.policies.iter().filter(|policy| policy.app == app).collect();
    policies.sort_by_key(|policy| policy.precedence());
    policies.into_iter().map(to_json).collect()
}

/// What a list of policies in the PUT of an application does: `null` nothing,
/// `[]` removes all; IDs, and objects with nothing but `id` and `precedence`,
/// keep those; whole objects become policies, or with an `id` replace them.
pub(super) fn replace(
    state: &mut World,
    app: &str,
    list: &RawValue,
    now: Timestamp,
) -> Result<(), ApiErrorResponse> {
    let list: Option<Vec<Box<RawValue>>> = serde_json::from_str(list.get())
        .map_err(|_| ApiErrorResponse::invalid("policies is not a list"))?;
    let Some(list) = list else { return Ok(()) };
    let mut kept = Vec::new();
    for (position, item) in list.iter().enumerate() {
        kept.push(listed(state, app, item, position as u64 + 1, now)?);
    }
    state.policies.retain(|policy| policy.app != app);
    state.policies.extend(kept);
    are_in_order(state, app)
}

/// One of that list.
fn listed(
    state: &mut World,
    app: &str,
    item: &RawValue,
    place: u64,
    now: Timestamp,
) -> Result<Policy, ApiErrorResponse> {
    if let Ok(id) = serde_json::from_str::<String>(item.get()) {
        return linked(state, app, &id, place);
    }
    let object: RawObject = serde_json::from_str(item.get())
        .map_err(|_| ApiErrorResponse::invalid("a policy is neither an ID nor an object"))?;
    let precedence = object.get("precedence").unwrap_or(place);
    match object.text("id") {
        Some(id) if !object.has("decision") => linked(state, app, &id, precedence),
        Some(id) => {
            let before = linked(state, app, &id, precedence)?;
            written(object, before.id.clone(), app, Some(before), precedence, now)
        }
        None => written(object, state.issue_uuid(), app, None, precedence, now),
    }
}

fn linked(state: &World, app: &str, id: &str, precedence: u64) -> Result<Policy, ApiErrorResponse> {
    let known = state.policies.iter().find(|known| known.app == app && known.id == id);
    let mut policy = known.cloned().ok_or_else(ApiErrorResponse::missing)?;
    policy.object.set("precedence", precedence);
    Ok(policy)
}

/// The policy as it is kept.
fn written(
    mut object: RawObject,
    id: String,
    app: &str,
    before: Option<Policy>,
    precedence: u64,
    now: Timestamp,
) -> Result<Policy, ApiErrorResponse> {
    is_whole(&object)?;
    for key in ["uid", "created_at", "updated_at", "reusable", "app_count"] {
        object.remove(key);
    }
    object.set("id", &id);
    object.set("precedence", precedence);
    let created_at = before.as_ref().map_or(now, |before| before.created_at);
    let connector = before.and_then(|before| before.connector);
    Ok(Policy { id, app: app.to_owned(), connector, object, created_at, updated_at: now })
}

fn is_whole(policy: &RawObject) -> Result<(), ApiErrorResponse> {
    if policy.text("name").is_none_or(|name| name.is_empty()) {
        return Err(ApiErrorResponse::invalid("policy name is required"));
    }
    let decision = policy.text("decision").unwrap_or_default();
    if !["allow", "deny", "non_identity", "bypass"].contains(&decision.as_str()) {
        return Err(ApiErrorResponse::invalid("policy decision is missing or invalid"));
    }
    match policy.get::<Vec<RawObject>>("include") {
        Some(rules) if !rules.is_empty() => Ok(()),
        _ => Err(ApiErrorResponse::invalid("policy needs an include rule")),
    }
}

fn are_in_order(state: &World, app: &str) -> Result<(), ApiErrorResponse> {
    let of_app = state.policies.iter().filter(|policy| policy.app == app);
    let mut places: Vec<_> = of_app.map(Policy::precedence).collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ApiErrorResponse::invalid("policy precedences must be unique"));
    }
    Ok(())
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app)): Path<(String, String)>,
    query: Parameters,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Read)?;
    let query = query.only(&[])?;
    let policies = shared.store.read(|state| {
        app::position(state, &account, &app)?;
        Ok::<_, ApiErrorResponse>(of_app(state, &app))
    })?;
    query.page(policies, PAGES)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Read)?;
    shared.store.read(|state| {
        let position = position(state, &account, &app, &id)?;
        Ok(ApiResponse::of(to_json(&state.policies[position])))
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Write)?;
    let object: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        app::position(state, &account, &app)?;
        let of_app = state.policies.iter().filter(|policy| policy.app == app);
        let last = of_app.filter_map(Policy::precedence).max().unwrap_or(0);
        let precedence = object.get("precedence").unwrap_or(last + 1);
        let policy = written(object, state.issue_uuid(), &app, None, precedence, now)?;
        let answer = ApiResponse::of(to_json(&policy));
        state.policies.push(policy);
        are_in_order(state, &app)?;
        Ok(answer)
    })
}

/// Replaces it; a precedence that is left out stays.
async fn update(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app, id)): Path<(String, String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Write)?;
    let object: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = position(state, &account, &app, &id)?;
        let before = state.policies[position].clone();
        let precedence = object.get("precedence").or_else(|| before.precedence()).unwrap_or(1);
        let policy = written(object, id, &app, Some(before), precedence, now)?;
        let answer = ApiResponse::of(to_json(&policy));
        state.policies[position] = policy;
        are_in_order(state, &app)?;
        Ok(answer)
    })
}

async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Write)?;
    shared.store.change(|state| {
        let position = position(state, &account, &app, &id)?;
        state.policies.remove(position);
        Ok(ApiResponse::of(json!({ "id": id })).accepted())
    })
}

fn position(state: &World, account: &str, app: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    app::position(state, account, app)?;
    let is_meant = |known: &Policy| known.app == app && known.id == id;
    state.policies.iter().position(is_meant).ok_or_else(ApiErrorResponse::missing)
}

fn to_json(policy: &Policy) -> RawObject {
    let mut shown = policy.object.clone();
    shown.set("uid", &policy.id);
    shown.set("reusable", false);
    shown.set("created_at", time(policy.created_at));
    shown.set("updated_at", time(policy.updated_at));
    shown
}
