//! Account tokens (API reference, section 8.1). A token created here has the permissions of its
//! groups.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::ApiRequest;
use super::resource::{ApiResource, WritableResource, delete, get, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::permission_group::{ACCOUNT, Group};
use crate::sandbox::query::{Paging, SMALL_PAGES};
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{State, Token, TokenDetails};

const ALL: &str = "/accounts/{account}/tokens";
const ONE: &str = "/accounts/{account}/tokens/{id}";
const GATE: Gate = Gate::Account(Area::Tokens);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Token>).accepts(&[]),
    Route::post(ALL, GATE, create),
    Route::get(ONE, GATE, get::<Token>),
    Route::delete(ONE, GATE, delete::<Token>),
];

impl ApiResource for Token {
    const PAGING: Paging = Paging::Always(SMALL_PAGES);

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        let is_own = |token: &&Token| token.owner.as_deref() == Some(request.account());
        Ok(state.tokens.iter().filter(is_own).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, _: &State, request: &ApiRequest) -> impl Serialize {
        to_json(self, request.now)
    }

    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 1003, "Invalid API Token identifier")
    }
}

impl WritableResource for Token {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.tokens)
    }
}

#[derive(Deserialize)]
struct CreateRequest {
    name: String,
    policies: Vec<RawObject>,
    condition: Option<RawObject>,
    expires_on: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

/// Only this response contains the token itself.
fn create(state: &mut State, request: &ApiRequest) -> Outcome {
    let mut fields: CreateRequest = request.body()?;
    ApiErrorResponse::invalid_body("a token needs a name and policies")
        .when(fields.name.is_empty() || fields.policies.is_empty())?;
    let groups = permitted(&fields.policies, request.account(), request.caller()?)?;
    for policy in &mut fields.policies {
        policy.set("id", state.next_id());
    }
    let value = format!("cfat_{}{}", state.next_id(), &state.next_id()[..16]);
    let token = Token {
        id: state.next_id(),
        value: value.clone(),
        access: None,
        owner: Some(request.account().to_owned()),
        expires_on: fields.expires_on,
        issued: Some(TokenDetails {
            name: fields.name,
            on: request.now,
            not_before: fields.not_before,
            policies: fields.policies,
            condition: fields.condition,
            groups,
        }),
    };
    let mut shown = to_json(&token, request.now);
    shown["value"] = value.into();
    state.tokens.push(token);
    Ok(ApiResponse::of(shown))
}

/// The groups that the policies allow and do not deny.
fn permitted(policies: &[RawObject], account: &str, caller: Caller) -> Outcome<Vec<String>> {
    let (mut allowed, mut denied) = (Vec::<&Group>::new(), Vec::<&Group>::new());
    for policy in policies {
        check_resources(policy, account)?;
        let groups = groups_of(policy)?;
        match policy.text("effect").as_deref() {
            Some("allow") => allowed.extend(groups),
            Some("deny") => denied.extend(groups),
            _ => return Err(ApiErrorResponse::invalid_body("effect is neither allow nor deny")),
        }
    }
    for group in &allowed {
        let (area, right) = group.permits();
        no_permission().when(!caller.has(area, right))?;
    }
    allowed.retain(|group| denied.iter().all(|denied| denied.id != group.id));
    Ok(allowed.into_iter().map(|group| group.id.to_owned()).collect())
}

fn groups_of(policy: &RawObject) -> Outcome<Vec<&'static Group>> {
    let ids = policy.get::<Vec<RawObject>>("permission_groups").unwrap_or_default();
    ApiErrorResponse::invalid_body("a policy needs permission groups").when(ids.is_empty())?;
    let find = |group: &RawObject| {
        let id = group.text("id").unwrap_or_default();
        Group::find(&id).ok_or_else(|| {
            ApiErrorResponse::invalid_body(format!("permission group `{id}` not found"))
        })
    };
    ids.iter().map(find).collect()
}

/// Only the whole account, or all its zones, are modelled.
fn check_resources(policy: &RawObject, account: &str) -> Outcome<()> {
    let key = format!("{ACCOUNT}.{account}");
    let resources: Option<serde_json::Map<String, Value>> = policy.get("resources");
    let resources = resources.unwrap_or_default();
    let zones = json!({ "com.cloudflare.api.account.zone.*": "*" });
    let is_whole = |value: &Value| *value == json!("*") || *value == zones;
    match resources.iter().next() {
        Some((known, value)) if *known == key && is_whole(value) && resources.len() == 1 => Ok(()),
        Some((known, _)) if known.starts_with(ACCOUNT) && *known != key => Err(no_permission()),
        Some(_) => Err(ApiErrorResponse::not_simulated("resources other than the whole account")),
        None => Err(ApiErrorResponse::invalid_body("a policy needs resources")),
    }
}

fn no_permission() -> ApiErrorResponse {
    ApiErrorResponse::invalid_body("Failed common permission check against resources")
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

/// Adds the names of the permission groups, as the API does.
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
