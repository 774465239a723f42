//! Resource shares (API reference, section 7). Answers have no `messages`; a
//! page is answered only where one is asked for. The real codes of the refusals
//! are unknown, but for a share that is missing.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, body, share_recipient, share_resource};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::federation;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Share, State as World, Target};

const PAGES: PageSize = PageSize { min: 1, max: 100, default: 20 };

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/shares", get(list).post(create))
        .route("/accounts/{account}/shares/{share}", get(one).put(rename).delete(remove))
}

#[derive(Deserialize)]
struct CreateRequest {
    name: String,
    recipients: Vec<RawObject>,
    resources: Vec<RawObject>,
}

#[derive(Deserialize)]
struct UpdateRequest {
    name: String,
}

/// What a list answers: a page, or all where none was asked for.
pub(super) fn listed(query: &Parameters, items: Vec<Value>) -> Outcome {
    let answer = if query.is_paged() { query.page(items, PAGES)? } else { ApiResponse::of(items) };
    Ok(answer.without_messages())
}

/// Those that the account sent and those it received, deleted ones included.
/// What is answered without `kind` is unknown: here both.
async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    let query = query.only(&[
        "status",
        "kind",
        "target_type",
        "resource_types",
        "resource_types[]",
        "include_resources",
        "include_recipient_counts",
    ])?;
    let view = View::of(&query, shared.clock.now());
    let list = shared.store.read(|state| {
        let known = state.shares.iter().filter_map(|share| {
            let kind = kind(share, &account, state)?;
            let is_asked_for = query.allow("kind", kind)
                && query.allow("status", federation::status(share.removed, view.now))
                && query.allow("target_type", target_type(share))
                && holds(share, query.get("resource_types").or(query.get("resource_types[]")));
            is_asked_for.then(|| view.to_json(share, kind, state))
        });
        known.collect()
    });
    listed(&query, list)
}

fn holds(share: &Share, kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| share.resources.iter().any(|resource| resource.kind == kind))
}

/// How the account has to do with a share, if it has.
fn kind(share: &Share, account: &str, state: &World) -> Option<&'static str> {
    if share.account == account {
        return Some("sent");
    }
    let parent = state.parent(account);
    let is_meant = |target: &Target| match target {
        Target::Account(id) => id == account,
        Target::Organization(id) => parent.as_ref() == Some(id),
    };
    share.recipients.iter().any(|recipient| is_meant(&recipient.target)).then_some("received")
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    let query = query.only(&["include_resources", "include_recipient_counts"])?;
    let view = View::of(&query, shared.clock.now());
    shared.store.read(|state| {
        let share = state.shares.iter().find(|share| share.id == id).ok_or_else(missing)?;
        let kind = kind(share, &account, state).ok_or_else(missing)?;
        Ok(ApiResponse::of(view.to_json(share, kind, state)).without_messages())
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let CreateRequest { name, recipients, resources } = body(&bytes)?;
    if name.is_empty() || recipients.is_empty() || resources.is_empty() {
        return Err(ApiErrorResponse::bad_request(
            1001,
            "a share needs a name, recipients and resources",
        ));
    }
    let now = shared.clock.now();
    shared.store.change(|state| {
        let not_in_one =
            || ApiErrorResponse::bad_request(1001, "account does not belong to an organization");
        let organization = state.parent(&account).ok_or_else(not_in_one)?;
        let (created, modified) = (now, now);
        let mut share = Share {
            id: state.next_id(),
            account,
            name,
            organization,
            created,
            modified,
            removed: None,
            recipients: Vec::new(),
            resources: Vec::new(),
            excluded: Vec::new(),
        };
        for resource in &resources {
            share_resource::add(state, &mut share, resource, now)?;
        }
        for recipient in &recipients {
            share_recipient::add(state, &mut share, recipient, now)?;
        }
        let answer = ApiResponse::of(View::plain(now).to_json(&share, "sent", state));
        state.shares.push(share);
        Ok(answer.without_messages().created())
    })
}

async fn rename(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let UpdateRequest { name } = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = active(state, &account, &id)?;
        state.shares[position].name = name;
        state.shares[position].modified = now;
        let shown = View::plain(now).to_json(&state.shares[position], "sent", state);
        Ok(ApiResponse::of(shown).without_messages())
    })
}

/// Its recipients and resources go with it; deleting it again changes nothing.
async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = sent(state, &account, &id)?;
        let share = &mut state.shares[position];
        let recipients = share.recipients.iter_mut().map(|recipient| &mut recipient.removed);
        let resources = share.resources.iter_mut().map(|resource| &mut resource.removed);
        for removed in recipients.chain(resources).chain([&mut share.removed]) {
            removed.get_or_insert(now);
        }
        let shown = View::plain(now).to_json(&state.shares[position], "sent", state);
        Ok(ApiResponse::of(shown).without_messages())
    })
}

pub(super) fn missing() -> ApiErrorResponse {
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "share not found")
}

/// A share of the account's, by its position.
pub(super) fn sent(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    let is_meant = |share: &Share| share.account == account && share.id == id;
    state.shares.iter().position(is_meant).ok_or_else(missing)
}

/// The same, where it is not being deleted.
pub(super) fn active(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    let position = sent(state, account, id)?;
    match state.shares[position].removed {
        None => Ok(position),
        Some(_) => {
            Err(ApiErrorResponse::new(StatusCode::CONFLICT, 1001, "the share is being deleted"))
        }
    }
}

fn target_type(share: &Share) -> &'static str {
    let is_organization = |target: &Target| matches!(target, Target::Organization(_));
    if share.recipients.iter().any(|recipient| is_organization(&recipient.target)) {
        "organization"
    } else {
        "account"
    }
}

/// What of a share is asked for, and when.
struct View {
    resources: bool,
    counts: bool,
    now: Timestamp,
}

impl View {
    fn of(query: &Parameters, now: Timestamp) -> Self {
        let asks = |name| query.get(name) == Some("true");
        let (resources, counts) = (asks("include_resources"), asks("include_recipient_counts"));
        Self { resources, counts, now }
    }

    fn plain(now: Timestamp) -> Self {
        Self { resources: false, counts: false, now }
    }

    fn to_json(&self, share: &Share, kind: &str, state: &World) -> Value {
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
