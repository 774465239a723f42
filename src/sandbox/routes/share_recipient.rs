//! The recipients of a share (API reference, section 7): associated and
//! disassociated a while after they are added and removed.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::share::{active, listed, sent};
use super::{Outcome, body};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::federation::{association, can_receive, is_failed};
use crate::sandbox::query::Parameters;
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Recipient, Share, State as World, Target};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/shares/{share}/recipients", get(list).post(create).put(replace))
        .route("/accounts/{account}/shares/{share}/recipients/{id}", get(one).delete(remove))
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    let query = query.only(&["include_resources"])?;
    let with_resources = query.get("include_resources") == Some("true");
    let now = shared.clock.now();
    let recipients = shared.store.read(|state| {
        let share = &state.shares[sent(state, &account, &share)?];
        let each = share.recipients.iter();
        Ok::<_, ApiErrorResponse>(
            each.map(|recipient| to_json(recipient, share, state, now, with_resources)).collect(),
        )
    })?;
    listed(&query, recipients)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Read)?;
    query.only(&["include_resources"])?;
    let now = shared.clock.now();
    shared.store.read(|state| {
        let share = &state.shares[sent(state, &account, &share)?];
        let recipient = &share.recipients[position(share, &id)?];
        Ok(ApiResponse::of(to_json(recipient, share, state, now, true)).without_messages())
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let recipient: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = active(state, &account, &share)?;
        let mut share = state.shares[position].clone();
        let is_organization =
            |recipient: &Recipient| matches!(recipient.target, Target::Organization(_));
        if share.recipients.iter().any(is_organization) {
            return Err(ApiErrorResponse::bad_request(1001, "the share is with an organization"));
        }
        if !matches!(target(state, &share, &recipient)?, Target::Account(_)) {
            return Err(ApiErrorResponse::bad_request(
                1001,
                "only accounts can be added to a share",
            ));
        }
        add(state, &mut share, &recipient, now)?;
        share.modified = now;
        let recipient = share.recipients.last().expect("one was added");
        let answer = ApiResponse::of(to_json(recipient, &share, state, now, false));
        state.shares[position] = share;
        Ok(answer.without_messages().created())
    })
}

/// Replaces the recipients by a list: new ones are added, those that are not in
/// it are removed.
async fn replace(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let wanted: Vec<RawObject> = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = active(state, &account, &share)?;
        let mut share = state.shares[position].clone();
        let targets = wanted.iter().map(|given| target(state, &share, given));
        let targets = targets.collect::<Result<Vec<_>, _>>()?;
        let are_accounts = targets.iter().all(|target| matches!(target, Target::Account(_)));
        let is_with_accounts =
            share.recipients.iter().all(|known| matches!(known.target, Target::Account(_)));
        if !are_accounts || !is_with_accounts {
            return Err(ApiErrorResponse::bad_request(
                1001,
                "only the accounts of a share can be replaced",
            ));
        }
        for known in &mut share.recipients {
            if !targets.contains(&known.target) {
                known.removed.get_or_insert(now);
            }
        }
        let is_new = |target: &Target| {
            !share.recipients.iter().any(|it| it.removed.is_none() && it.target == *target)
        };
        let new: Vec<_> = wanted.iter().zip(&targets).filter(|(_, it)| is_new(it)).collect();
        for (given, _) in new {
            add(state, &mut share, given, now)?;
        }
        share.modified = now;
        state.shares[position] = share;
        Ok(ApiResponse::empty())
    })
}

/// The record stays.
async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, share, id)): Path<(String, String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Shares, Right::Write)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let place = sent(state, &account, &share)?;
        let position = position(&state.shares[place], &id)?;
        state.shares[place].recipients[position].removed.get_or_insert(now);
        let share = &state.shares[place];
        let shown = to_json(&share.recipients[position], share, state, now, false);
        Ok(ApiResponse::of(shown).without_messages())
    })
}

fn position(share: &Share, id: &str) -> Result<usize, ApiErrorResponse> {
    let missing =
        || ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "share recipient not found");
    share.recipients.iter().position(|known| known.id == id).ok_or_else(missing)
}

/// Adds a recipient, where it can be one.
pub(super) fn add(
    state: &mut World,
    share: &mut Share,
    given: &RawObject,
    now: Timestamp,
) -> Result<(), ApiErrorResponse> {
    let target = target(state, share, given)?;
    let is_same = |known: &Recipient| known.removed.is_none() && known.target == target;
    if share.recipients.iter().any(is_same) {
        return Err(ApiErrorResponse::new(
            StatusCode::CONFLICT,
            1001,
            "the recipient is there already",
        ));
    }
    let id = state.next_id();
    share.recipients.push(Recipient { id, target, created: now, removed: None });
    Ok(())
}

/// The target that a recipient names. Without a name it is the caller's whole
/// organization.
fn target(state: &World, share: &Share, given: &RawObject) -> Result<Target, ApiErrorResponse> {
    let account = given.text("recipient_account_id").or_else(|| given.text("account_id"));
    match (account, given.text("organization_id")) {
        (Some(_), Some(_)) => Err(ApiErrorResponse::bad_request(
            1001,
            "a recipient is an account or an organization, not both",
        )),
        (Some(account), None) => {
            if account == share.account {
                return Err(ApiErrorResponse::bad_request(
                    1001,
                    "a share cannot be with its own account",
                ));
            }
            if state.parent(&account).as_ref() != Some(&share.organization) {
                let message = format!("account {account} is not in the organization");
                return Err(ApiErrorResponse::bad_request(1001, message));
            }
            Ok(Target::Account(account))
        }
        (None, Some(id)) if id != share.organization => Err(ApiErrorResponse::bad_request(
            1001,
            format!("organization {id} is not the account's"),
        )),
        (None, _) => Ok(Target::Organization(share.organization.clone())),
    }
}

/// How many recipients have a status.
pub(super) fn count(share: &Share, status: &str, state: &World, now: Timestamp) -> usize {
    let has = |recipient: &&Recipient| {
        association(recipient, can_receive(state, recipient), now) == status
    };
    share.recipients.iter().filter(has).count()
}

fn to_json(
    recipient: &Recipient,
    share: &Share,
    state: &World,
    now: Timestamp,
    with_resources: bool,
) -> Value {
    let can_take = can_receive(state, recipient);
    let mut shown = json!({
        "id": recipient.id,
        "association_status": association(recipient, can_take, now),
        "created": time(recipient.created),
        "modified": time(recipient.removed.unwrap_or(recipient.created)),
        "status_message": null,
    });
    match &recipient.target {
        Target::Account(id) => {
            // Answers have the old name as well until 2027-05-26.
            shown["recipient_account_id"] = id.as_str().into();
            shown["account_id"] = id.as_str().into();
        }
        Target::Organization(id) => shown["organization_id"] = id.as_str().into(),
    }
    if with_resources {
        let error = (!can_take).then_some("access.api.error.not_enabled: Access is not enabled");
        let is_given_up = error.is_some() && is_failed(recipient, now);
        let each = share.resources.iter().map(|resource| {
            json!({
                "error": error,
                "resource_id": resource.grant,
                "resource_version": resource.version,
                "terminal": is_given_up,
            })
        });
        shown["resources"] = each.collect();
    }
    shown
}
