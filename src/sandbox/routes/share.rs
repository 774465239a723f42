//! Resource shares (API reference, section 7). Paged only on request. The real error codes are
//! unknown, except for a missing share.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::ApiRequest;
use super::resource::{self, create, find, update};
use super::resource::{ApiResource, Create, Update, WritableResource};
use super::route::{Gate, Route};
use super::{parent, share_recipient, share_resource};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::federation;
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{Share, State};

const ALL: &str = "/accounts/{account}/shares";
const ONE: &str = "/accounts/{account}/shares/{share}";
const GATE: Gate = Gate::Account(Area::Shares);

const FILTERS: &[&str] = &[
    "status",
    "kind",
    "target_type",
    "resource_types",
    "resource_types[]",
    "include_resources",
    "include_recipient_counts",
];

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list).accepts(FILTERS),
    Route::post(ALL, GATE, create::<Share>).answers(StatusCode::CREATED),
    Route::get(ONE, GATE, get).accepts(&["include_resources", "include_recipient_counts"]),
    Route::put(ONE, GATE, update::<Share>),
    Route::delete(ONE, GATE, delete),
];

impl ApiResource for Share {
    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.shares.iter().filter(|share| share.account == request.account()).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, state: &State, request: &ApiRequest) -> impl Serialize {
        View::plain(request.now).to_json(self, "sent", state)
    }

    fn missing() -> ApiErrorResponse {
        parent::no_share()
    }
}

impl WritableResource for Share {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.shares)
    }
}

#[derive(Deserialize)]
pub(super) struct CreateRequest {
    name: String,
    recipients: Vec<RawObject>,
    resources: Vec<RawObject>,
}

impl Create for Share {
    type Fields = CreateRequest;

    fn create(fields: CreateRequest, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let CreateRequest { name, recipients, resources } = fields;
        ApiErrorResponse::invalid_body("a share needs a name, recipients and resources")
            .when(name.is_empty() || recipients.is_empty() || resources.is_empty())?;
        let (account, now) = (request.account().to_owned(), request.now);
        let not_in_one =
            || ApiErrorResponse::invalid_body("account does not belong to an organization");
        let mut share = Self {
            organization: state.parent(&account).ok_or_else(not_in_one)?,
            id: state.next_id(),
            account,
            name,
            created: now,
            modified: now,
            removed: None,
            recipients: Vec::new(),
            resources: Vec::new(),
        };
        for fields in &resources {
            share.resources.push(share_resource::create(fields, &share, state, now)?);
        }
        for fields in &recipients {
            share.recipients.push(share_recipient::create(fields, &share, state, now)?);
        }
        Ok(share)
    }
}

#[derive(Deserialize)]
pub(super) struct UpdateRequest {
    name: String,
}

impl Update for Share {
    type Fields = UpdateRequest;

    fn update(self, fields: UpdateRequest, _: &mut State, request: &ApiRequest) -> Outcome<Self> {
        parent::check_active(&self)?;
        Ok(Self { name: fields.name, modified: request.now, ..self })
    }
}

/// Also deletes its recipients and resources. Deleting it again changes nothing.
fn delete(state: &mut State, request: &ApiRequest) -> Outcome {
    let mut share = find::<Share>(state, request)?.clone();
    let recipients = share.recipients.iter_mut().map(|recipient| &mut recipient.removed);
    let resources = share.resources.iter_mut().map(|resource| &mut resource.removed);
    for removed in recipients.chain(resources).chain([&mut share.removed]) {
        removed.get_or_insert(request.now);
    }
    share.store(state, request)?;
    resource::get::<Share>(state, request)
}

/// Includes deleted shares. The real response without `kind` is unknown: here sent and received.
fn list(state: &State, request: &ApiRequest) -> Outcome {
    let (query, view) = (&request.query, View::of(request));
    let known = state.shares.iter().filter_map(|share| {
        let kind = kind(share, request.account(), state)?;
        let is_asked_for = query.allow("kind", kind)
            && query.allow("status", federation::status(share.removed, view.now))
            && query.allow("target_type", target_type(share))
            && has_resource_of_kind(
                share,
                query.get("resource_types").or(query.get("resource_types[]")),
            );
        is_asked_for.then(|| view.to_json(share, kind, state))
    });
    query.list(known.collect(), parent::SHARE_PAGING)
}

fn get(state: &State, request: &ApiRequest) -> Outcome {
    let share = state.shares.iter().find(|share| share.id == request.id());
    let share = share.ok_or_else(parent::no_share)?;
    let kind = kind(share, request.account(), state).ok_or_else(parent::no_share)?;
    Ok(ApiResponse::of(View::of(request).to_json(share, kind, state)))
}

fn has_resource_of_kind(share: &Share, kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| share.resources.iter().any(|resource| resource.kind == kind))
}

fn kind(share: &Share, account: &str, state: &State) -> Option<&'static str> {
    if share.account == account {
        return Some("sent");
    }
    let mut recipients = share.recipients.iter();
    recipients.any(|recipient| recipient.target.includes(account, state)).then_some("received")
}

fn target_type(share: &Share) -> &'static str {
    if share.is_with_organization() { "organization" } else { "account" }
}

struct View {
    resources: bool,
    counts: bool,
    now: Timestamp,
}

impl View {
    fn of(request: &ApiRequest) -> Self {
        let asks = |name| request.query.get(name) == Some("true");
        Self {
            resources: asks("include_resources"),
            counts: asks("include_recipient_counts"),
            now: request.now,
        }
    }

    fn plain(now: Timestamp) -> Self {
        Self { resources: false, counts: false, now }
    }

    fn to_json(&self, share: &Share, kind: &str, state: &State) -> Value {
        let owner = state.accounts.iter().find(|account| account.id == share.account);
        let mut shown = json!({
            "id": share.id,
            "account_id": share.account,
            "account_name": owner.map(|account| &account.name),
            "created": time(share.created),
            "modified": time(share.modified),
            "name": share.name,
            "organization_id": share.organization,
            "status": federation::status(share.removed, self.now),
            "target_type": target_type(share),
            "kind": kind,
        });
        if self.counts {
            for status in ["associated", "associating", "disassociated", "disassociating"] {
                let count = share_recipient::count(share, status, state, self.now);
                shown[format!("{status}_recipient_count")] = count.into();
            }
        }
        if self.resources {
            let resources = share.resources.iter();
            shown["resources"] =
                resources.map(|resource| share_resource::to_json(resource, self.now)).collect();
        }
        shown
    }
}
