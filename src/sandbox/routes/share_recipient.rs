//! Recipients of shares (API reference, section 7), associated and disassociated after a delay.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::parent;
use super::request::ApiRequest;
use super::resource::{self, ApiResource, Create, WritableResource, find};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::federation::{association, can_receive, is_failed};
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{Recipient, Share, State, Target};

const ALL: &str = "/accounts/{account}/shares/{share}/recipients";
const ONE: &str = "/accounts/{account}/shares/{share}/recipients/{id}";
const GATE: Gate = Gate::Account(Area::Shares);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list).accepts(&["include_resources"]),
    Route::post(ALL, GATE, resource::create::<Recipient>).answers(StatusCode::CREATED),
    Route::get(ONE, GATE, get).accepts(&["include_resources"]),
    Route::delete(ONE, GATE, delete),
];

impl ApiResource for Recipient {
    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(parent::share(state, request)?.recipients.iter().collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, state: &State, request: &ApiRequest) -> impl Serialize {
        to_json(self, state, request.now)
    }

    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "share recipient not found")
    }
}

impl WritableResource for Recipient {
    fn all_mut<'a>(state: &'a mut State, request: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut parent::share_mut(state, request)?.recipients)
    }

    fn check_write(state: &State, request: &ApiRequest) -> Outcome<()> {
        parent::active_share(state, request).map(drop)
    }
}

impl Create for Recipient {
    type Fields = RawObject;

    fn create(fields: RawObject, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let share = parent::share(state, request)?.clone();
        ApiErrorResponse::invalid_body("the share is with an organization")
            .when(share.is_with_organization())?;
        ApiErrorResponse::invalid_body("only accounts can be added to a share")
            .when(!matches!(target(state, &share, &fields)?, Target::Account(_)))?;
        let recipient = create(&fields, &share, state, request.now)?;
        parent::share_mut(state, request)?.modified = request.now;
        Ok(recipient)
    }
}

pub(super) fn create(
    fields: &RawObject,
    share: &Share,
    state: &mut State,
    now: Timestamp,
) -> Outcome<Recipient> {
    let target = target(state, share, fields)?;
    ApiErrorResponse::new(StatusCode::CONFLICT, 1001, "the recipient is there already")
        .when(has_recipient(share, &target))?;
    Ok(Recipient { id: state.next_id(), target, created: now, removed: None })
}

fn has_recipient(share: &Share, target: &Target) -> bool {
    share.recipients.iter().any(|known| known.removed.is_none() && known.target == *target)
}

/// The recipient's target; by default the caller's whole organization.
fn target(state: &State, share: &Share, fields: &RawObject) -> Outcome<Target> {
    let account = fields.text("recipient_account_id").or_else(|| fields.text("account_id"));
    match (account, fields.text("organization_id")) {
        (Some(_), Some(_)) => Err(ApiErrorResponse::invalid_body(
            "a recipient is an account or an organization, not both",
        )),
        (Some(account), None) => {
            ApiErrorResponse::invalid_body("a share cannot be with its own account")
                .when(account == share.account)?;
            ApiErrorResponse::invalid_body(format!("account {account} is not in the organization"))
                .when(state.parent(&account).as_ref() != Some(&share.organization))?;
            Ok(Target::Account(account))
        }
        (None, Some(id)) if id != share.organization => {
            Err(ApiErrorResponse::invalid_body(format!("organization {id} is not the account's")))
        }
        (None, _) => Ok(Target::Organization(share.organization.clone())),
    }
}

/// The recipient remains, marked as removed.
fn delete(state: &mut State, request: &ApiRequest) -> Outcome {
    let mut recipient = find::<Recipient>(state, request)?.clone();
    recipient.removed.get_or_insert(request.now);
    recipient.store(state, request)?;
    resource::get::<Recipient>(state, request)
}

fn list(state: &State, request: &ApiRequest) -> Outcome {
    let share = parent::share(state, request)?;
    let shown = share.recipients.iter().map(|recipient| {
        if request.query.get("include_resources") == Some("true") {
            with_resources(recipient, share, state, request.now)
        } else {
            to_json(recipient, state, request.now)
        }
    });
    request.query.list(shown.collect(), parent::SHARE_PAGING)
}

fn get(state: &State, request: &ApiRequest) -> Outcome {
    let share = parent::share(state, request)?;
    let recipient = find::<Recipient>(state, request)?;
    Ok(ApiResponse::of(with_resources(recipient, share, state, request.now)))
}

pub(super) fn count(share: &Share, status: &str, state: &State, now: Timestamp) -> usize {
    let has_status = |recipient: &&Recipient| {
        association(recipient, can_receive(state, recipient), now) == status
    };
    share.recipients.iter().filter(has_status).count()
}

fn to_json(recipient: &Recipient, state: &State, now: Timestamp) -> Value {
    let mut shown = json!({
        "id": recipient.id,
        "association_status": association(recipient, can_receive(state, recipient), now),
        "created": time(recipient.created),
        "modified": time(recipient.removed.unwrap_or(recipient.created)),
        "status_message": null,
    });
    match &recipient.target {
        Target::Account(id) => {
            // Responses contain the old name, too, until 2027-05-26.
            shown["recipient_account_id"] = id.as_str().into();
            shown["account_id"] = id.as_str().into();
        }
        Target::Organization(id) => shown["organization_id"] = id.as_str().into(),
    }
    shown
}

/// Adds the status of each resource.
fn with_resources(recipient: &Recipient, share: &Share, state: &State, now: Timestamp) -> Value {
    let mut shown = to_json(recipient, state, now);
    let error = (!can_receive(state, recipient))
        .then_some("access.api.error.not_enabled: Access is not enabled");
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
    shown
}
