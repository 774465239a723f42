//! Tokens that accounts own (API reference, section 8.1). One that is created
//! here works: it may do what its permission groups say.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, body};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::permission_group::{ACCOUNT, Group};
use crate::sandbox::query::{Parameters, SMALL_PAGES};
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{State as World, Token, TokenDetails};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/tokens", get(list).post(create))
        .route("/accounts/{account}/tokens/{id}", get(one).delete(remove))
}

#[derive(Deserialize)]
struct CreateRequest {
    name: String,
    policies: Vec<RawObject>,
    condition: Option<RawObject>,
    expires_on: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Tokens, Right::Read)?;
    let query = query.only(&[])?;
    let now = shared.clock.now();
    let tokens: Vec<Value> = shared.store.read(|state| {
        let own = state.tokens.iter().filter(|token| token.owner.as_ref() == Some(&account));
        own.map(|token| to_json(token, now)).collect()
    });
    query.page(tokens, SMALL_PAGES)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Tokens, Right::Read)?;
    let now = shared.clock.now();
    shared.store.read(|state| {
        let position = position(state, &account, &id)?;
        Ok(ApiResponse::of(to_json(&state.tokens[position], now)))
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Tokens, Right::Write)?;
    let mut creation: CreateRequest = body(&bytes)?;
    if creation.name.is_empty() || creation.policies.is_empty() {
        return Err(ApiErrorResponse::bad_request(1001, "a token needs a name and policies"));
    }
    let groups = permitted(&creation.policies, &account, &caller)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        for policy in &mut creation.policies {
            policy.set("id", state.next_id());
        }
        let value = format!("cfat_{}{}", state.next_id(), &state.next_id()[..16]);
        let token = Token {
            id: state.next_id(),
            value,
            access: None,
            owner: Some(account),
            expires_on: creation.expires_on,
            issued: Some(TokenDetails {
                name: creation.name,
                on: now,
                not_before: creation.not_before,
                policies: creation.policies,
                condition: creation.condition,
                groups,
            }),
        };
        let mut shown = to_json(&token, now);
        shown["value"] = token.value.clone().into();
        state.tokens.push(token);
        Ok(ApiResponse::of(shown))
    })
}

async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Tokens, Right::Write)?;
    shared.store.change(|state| {
        let position = position(state, &account, &id)?;
        state.tokens.remove(position);
        Ok(ApiResponse::of(json!({ "id": id })))
    })
}

fn position(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    let is_meant = |known: &Token| known.owner.as_deref() == Some(account) && known.id == id;
    let missing =
        || ApiErrorResponse::new(StatusCode::NOT_FOUND, 1003, "Invalid API Token identifier");
    state.tokens.iter().position(is_meant).ok_or_else(missing)
}

/// The permission groups that the policies allow and do not deny.
fn permitted(
    policies: &[RawObject],
    account: &str,
    caller: &Caller,
) -> Result<Vec<String>, ApiErrorResponse> {
    let (mut allowed, mut denied) = (Vec::<&Group>::new(), Vec::<&Group>::new());
    for policy in policies {
        covers(policy, account)?;
        let groups = groups_of(policy)?;
        match policy.text("effect").as_deref() {
            Some("allow") => allowed.extend(groups),
            Some("deny") => denied.extend(groups),
            _ => {
                return Err(ApiErrorResponse::bad_request(
                    1001,
                    "effect is neither allow nor deny",
                ));
            }
        }
    }
    for group in &allowed {
        let (area, right) = group.permits();
        if !caller.has(area, right) {
            let message = "Failed common permission check against resources";
            return Err(ApiErrorResponse::bad_request(1001, message));
        }
    }
    allowed.retain(|group| denied.iter().all(|denied| denied.id != group.id));
    Ok(allowed.into_iter().map(|group| group.id.to_owned()).collect())
}

fn groups_of(policy: &RawObject) -> Result<Vec<&'static Group>, ApiErrorResponse> {
    let ids = policy.get::<Vec<RawObject>>("permission_groups").unwrap_or_default();
    if ids.is_empty() {
        return Err(ApiErrorResponse::bad_request(1001, "a policy needs permission groups"));
    }
    let find = |group: &RawObject| {
        let id = group.text("id").unwrap_or_default();
        Group::find(&id).ok_or_else(|| {
            ApiErrorResponse::bad_request(1001, format!("permission group `{id}` not found"))
        })
    };
    ids.iter().map(find).collect()
}

/// The account as a whole, or its zones as a whole, is what is modelled.
fn covers(policy: &RawObject, account: &str) -> Result<(), ApiErrorResponse> {
    let key = format!("{ACCOUNT}.{account}");
    let resources: Option<serde_json::Map<String, Value>> = policy.get("resources");
    let resources = resources.unwrap_or_default();
    let zones = json!({ "com.cloudflare.api.account.zone.*": "*" });
    let is_whole = |value: &Value| *value == json!("*") || *value == zones;
    match resources.iter().next() {
        Some((known, value)) if *known == key && is_whole(value) && resources.len() == 1 => Ok(()),
        Some((known, _)) if known.starts_with(ACCOUNT) && *known != key => Err(
            ApiErrorResponse::bad_request(1001, "Failed common permission check against resources"),
        ),
        Some(_) => Err(ApiErrorResponse::not_simulated("resources other than the whole account")),
        None => Err(ApiErrorResponse::bad_request(1001, "a policy needs resources")),
    }
}

fn to_json(token: &Token, now: Timestamp) -> Value {
    let status = if token.is_valid(now) { "active" } else { "expired" };
    let mut shown = json!({ "id": token.id, "name": name(token), "status": status });
    if let Some(end) = token.expires_on {
        shown["expires_on"] = time(end).into();
    }
    match &token.issued {
        Some(issued) => {
            shown["issued_on"] = time(issued.on).into();
            shown["modified_on"] = time(issued.on).into();
            if let Some(begin) = issued.not_before {
                shown["not_before"] = time(begin).into();
            }
            shown["policies"] = issued.policies.iter().map(with_names).collect();
            if let Some(condition) = &issued.condition {
                shown["condition"] = json!(condition);
            }
        }
        None => shown["policies"] = of_the_sandbox(token),
    }
    shown
}

fn name(token: &Token) -> String {
    match (&token.issued, token.access) {
        (Some(issued), _) => issued.name.clone(),
        (None, Some(access)) => format!("sandbox {}", access.name()),
        (None, None) => token.id.clone(),
    }
}

/// The policy, with the names of its permission groups, as the API answers.
fn with_names(policy: &RawObject) -> Value {
    let mut policy = json!(policy);
    for group in policy["permission_groups"].as_array_mut().into_iter().flatten() {
        let known = group["id"].as_str().and_then(Group::find);
        group["name"] = known.map(|known| known.name).into();
    }
    policy
}

fn of_the_sandbox(token: &Token) -> Value {
    let groups = token.access.map(Group::of).unwrap_or_default();
    let groups: Value =
        groups.into_iter().map(|group| json!({ "id": group.id, "name": group.name })).collect();
    let account = token.owner.as_deref().unwrap_or("*");
    let resources = json!({ format!("{ACCOUNT}.{account}"): "*" });
    json!([{
        "id": token.id,
        "effect": "allow",
        "permission_groups": groups,
        "resources": resources,
    }])
}
