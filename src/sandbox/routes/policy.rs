//! The policies of Access applications (API reference, section 4).

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::parent;
use super::request::ApiRequest;
use super::resource::{ApiResource, Create, Update, WritableResource};
use super::resource::{create, delete, get, list, update};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::query::{PageSize, Paging};
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{Policy, State};

const ALL: &str = "/accounts/{account}/access/apps/{app}/policies";
const ONE: &str = "/accounts/{account}/access/apps/{app}/policies/{id}";
const GATE: Gate = Gate::Access(Area::Apps);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Policy>).accepts(&[]),
    Route::post(ALL, GATE, create::<Policy>),
    Route::get(ONE, GATE, get::<Policy>),
    Route::put(ONE, GATE, update::<Policy>),
    Route::delete(ONE, GATE, delete::<Policy>).answers(StatusCode::ACCEPTED),
];

impl ApiResource for Policy {
    /// The real limits are unknown.
    const PAGING: Paging = Paging::Always(PageSize { min: 1, max: 1000, default: 1000 });

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(in_order(state, &parent::app(state, request)?.id))
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        to_json(self)
    }
}

impl WritableResource for Policy {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.policies)
    }
}

impl Create for Policy {
    type Fields = RawObject;

    fn create(object: RawObject, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let app = parent::app(state, request)?.id.clone();
        let last = in_order(state, &app).last().and_then(|policy| policy.precedence());
        let precedence = object.get("precedence").unwrap_or(last.unwrap_or(0) + 1);
        let policy = written(object, state.issue_uuid(), &app, None, precedence, request.now)?;
        check_precedence(&policy, state)?;
        Ok(policy)
    }
}

impl Update for Policy {
    type Fields = RawObject;

    /// An absent precedence is kept.
    fn update(self, object: RawObject, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let precedence = object.get("precedence").or_else(|| self.precedence()).unwrap_or(1);
        let (id, app) = (self.id.clone(), self.app.clone());
        let policy = written(object, id, &app, Some(self), precedence, request.now)?;
        check_precedence(&policy, state)?;
        Ok(policy)
    }
}

fn check_precedence(policy: &Policy, state: &State) -> Outcome<()> {
    let is_taken = |known: &Policy| {
        known.app == policy.app
            && known.id != policy.id
            && known.precedence() == policy.precedence()
    };
    no_order().when(state.policies.iter().any(is_taken))
}

fn no_order() -> ApiErrorResponse {
    ApiErrorResponse::invalid("policy precedences must be unique")
}

pub(super) fn of_app(state: &State, app: &str) -> Vec<RawObject> {
    in_order(state, app).into_iter().map(to_json).collect()
}

fn in_order<'a>(state: &'a State, app: &str) -> Vec<&'a Policy> {
    let mut policies: Vec<_> = state.policies.iter().filter(|policy| policy.app == app).collect();
    policies.sort_by_key(|policy| policy.precedence());
    policies
}

fn to_json(policy: &Policy) -> RawObject {
    let mut shown = policy.object.clone();
    shown.set("uid", &policy.id);
    shown.set("reusable", false);
    shown.set("created_at", time(policy.created_at));
    shown.set("updated_at", time(policy.updated_at));
    shown
}

/// The `policies` of an application PUT: `null` changes nothing, `[]` deletes all; IDs, and objects
/// with only `id` and `precedence`, keep those; other objects create a policy or, with an `id`,
/// replace it.
pub(super) fn replace(
    state: &mut State,
    app: &str,
    list: &RawValue,
    now: Timestamp,
) -> Outcome<()> {
    let list: Option<Vec<Box<RawValue>>> = serde_json::from_str(list.get())
        .map_err(|_| ApiErrorResponse::invalid("policies is not a list"))?;
    let Some(list) = list else { return Ok(()) };
    let mut kept = Vec::new();
    for (position, item) in list.iter().enumerate() {
        kept.push(listed(state, app, item, position as u64 + 1, now)?);
    }
    state.policies.retain(|policy| policy.app != app);
    state.policies.extend(kept);
    let policies = in_order(state, app);
    let is_repeated = |pair: &[&Policy]| pair[0].precedence() == pair[1].precedence();
    no_order().when(policies.windows(2).any(is_repeated))
}

fn listed(
    state: &mut State,
    app: &str,
    item: &RawValue,
    place: u64,
    now: Timestamp,
) -> Outcome<Policy> {
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

fn linked(state: &State, app: &str, id: &str, precedence: u64) -> Outcome<Policy> {
    let known = state.policies.iter().find(|known| known.app == app && known.id == id);
    let mut policy = known.cloned().ok_or_else(ApiErrorResponse::missing)?;
    policy.object.set("precedence", precedence);
    Ok(policy)
}

fn written(
    mut object: RawObject,
    id: String,
    app: &str,
    before: Option<Policy>,
    precedence: u64,
    now: Timestamp,
) -> Outcome<Policy> {
    check_whole(&object)?;
    for key in ["uid", "created_at", "updated_at", "reusable", "app_count"] {
        object.remove(key);
    }
    object.set("id", &id);
    object.set("precedence", precedence);
    let created_at = before.as_ref().map_or(now, |before| before.created_at);
    let connector = before.and_then(|before| before.connector);
    Ok(Policy { id, app: app.to_owned(), connector, object, created_at, updated_at: now })
}

fn check_whole(policy: &RawObject) -> Outcome<()> {
    ApiErrorResponse::invalid("policy name is required")
        .when(policy.text("name").is_none_or(|name| name.is_empty()))?;
    let decision = policy.text("decision").unwrap_or_default();
    ApiErrorResponse::invalid("policy decision is missing or invalid")
        .when(!["allow", "deny", "non_identity", "bypass"].contains(&decision.as_str()))?;
    let rules: Vec<RawObject> = policy.get("include").unwrap_or_default();
    ApiErrorResponse::invalid("policy needs an include rule").when(rules.is_empty())
}
