//! Resources of shares (API reference, section 7). Only federation grants are modelled.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::parent;
use super::request::ApiRequest;
use super::resource::{self, ApiResource, Create, Update, WritableResource, find, get, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::federation::{GRANT, status};
use crate::sandbox::query::Paging;
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{Resource, Share, State};

const ALL: &str = "/accounts/{account}/shares/{share}/resources";
const ONE: &str = "/accounts/{account}/shares/{share}/resources/{id}";
const GATE: Gate = Gate::Account(Area::Shares);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Resource>).accepts(&["status", "resource_type"]),
    Route::post(ALL, GATE, resource::create::<Resource>).answers(StatusCode::CREATED),
    Route::get(ONE, GATE, get::<Resource>),
    Route::put(ONE, GATE, resource::update::<Resource>),
    Route::delete(ONE, GATE, delete),
];

impl ApiResource for Resource {
    const PAGING: Paging = parent::SHARE_PAGING;

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(parent::share(state, request)?.resources.iter().collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_selected(&self, request: &ApiRequest) -> bool {
        request.query.allow("status", status(self.removed, request.now))
            && request.query.allow("resource_type", &self.kind)
    }

    fn to_json(&self, _: &State, request: &ApiRequest) -> impl Serialize {
        to_json(self, request.now)
    }

    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "share resource not found")
    }
}

impl WritableResource for Resource {
    fn all_mut<'a>(state: &'a mut State, request: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut parent::share_mut(state, request)?.resources)
    }

    fn check_write(state: &State, request: &ApiRequest) -> Outcome<()> {
        parent::active_share(state, request).map(drop)
    }
}

impl Create for Resource {
    type Fields = RawObject;

    fn create(fields: RawObject, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let share = parent::share(state, request)?.clone();
        let resource = create(&fields, &share, state, request.now)?;
        parent::share_mut(state, request)?.modified = request.now;
        Ok(resource)
    }
}

pub(super) fn create(
    fields: &RawObject,
    share: &Share,
    state: &mut State,
    now: Timestamp,
) -> Outcome<Resource> {
    let kind = fields.text("resource_type").unwrap_or_default();
    ApiErrorResponse::not_simulated(format!("shares of resource_type `{kind}`"))
        .when(kind != GRANT)?;
    let no_meta = || ApiErrorResponse::invalid_body("meta is required");
    let meta = fields.object("meta").ok_or_else(no_meta)?;
    let grant = fields.text("resource_id").unwrap_or_default();
    let is_own = fields.text("resource_account_id").as_ref() == Some(&share.account)
        && state.grants.iter().any(|known| known.account == share.account && known.id == grant);
    ApiErrorResponse::invalid_body(format!("resource `{grant}` not found")).when(!is_own)?;
    let is_same = |known: &Resource| known.removed.is_none() && known.grant == grant;
    ApiErrorResponse::new(StatusCode::CONFLICT, 1001, "the resource is there already")
        .when(share.resources.iter().any(is_same))?;
    Ok(Resource {
        id: state.next_id(),
        kind,
        account: share.account.clone(),
        grant,
        meta,
        version: 1,
        created: now,
        modified: now,
        removed: None,
    })
}

#[derive(Deserialize)]
pub(super) struct UpdateRequest {
    meta: RawObject,
}

impl Update for Resource {
    type Fields = UpdateRequest;

    fn update(self, fields: UpdateRequest, _: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let version = self.version + 1;
        Ok(Self { meta: fields.meta, version, modified: request.now, ..self })
    }
}

/// The resource remains, marked as removed.
fn delete(state: &mut State, request: &ApiRequest) -> Outcome {
    let mut resource = find::<Resource>(state, request)?.clone();
    resource.removed.get_or_insert(request.now);
    resource.store(state, request)?;
    get::<Resource>(state, request)
}

pub(super) fn to_json(resource: &Resource, now: Timestamp) -> Value {
    json!({
        "id": resource.id,
        "created": time(resource.created),
        "meta": resource.meta,
        "modified": time(resource.modified),
        "resource_account_id": resource.account,
        "resource_id": resource.grant,
        "resource_type": resource.kind,
        "resource_version": resource.version,
        "status": status(resource.removed, now),
    })
}
