//! Parents of objects in paths: zone, account with Access, application, share.

use axum::http::StatusCode;

use super::request::ApiRequest;
use crate::idp::text::is_uuid;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, Outcome};
use crate::sandbox::query::{PageSize, Paging};
use crate::sandbox::state::{App, Share, State, Zone};

/// The real status of 9999 is unknown.
pub(super) fn not_enabled() -> ApiErrorResponse {
    let message = "access.api.error.not_enabled: Access is not enabled";
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 9999, message)
}

pub(super) fn auth_domain(state: &State, request: &ApiRequest) -> Outcome<String> {
    state.auth_domain(request.account()).ok_or_else(not_enabled)
}

pub(super) fn zone<'a>(state: &'a State, request: &ApiRequest) -> Outcome<&'a Zone> {
    let id = request.parameter("zone").unwrap_or_default();
    let is_match = |zone: &&Zone| zone.id == id && request.can_see(&zone.account);
    state.zones.iter().find(is_match).ok_or_else(no_zone)
}

/// The real status is not documented.
pub(super) fn no_zone() -> ApiErrorResponse {
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 1001, "Invalid zone identifier")
}

pub(super) fn check_zone(
    state: &State,
    request: &ApiRequest,
    area: Area,
    right: Right,
) -> Outcome<()> {
    let caller = request.caller()?;
    let id = request.parameter("zone").unwrap_or_default();
    ApiErrorResponse::unroutable(&format!("/zones/{id}"))
        .when(id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    caller.may(area, right)?;
    zone(state, request).map(drop)
}

pub(super) fn app<'a>(state: &'a State, request: &ApiRequest) -> Outcome<&'a App> {
    let id = request.parameter("app").unwrap_or_default();
    ApiErrorResponse::bad_request(12045, "access.api.error.invalid_application_id")
        .when(!is_uuid(id))?;
    let is_match = |known: &&App| known.account == request.account() && known.id == id;
    state.apps.iter().find(is_match).ok_or_else(ApiErrorResponse::missing)
}

pub(super) const SHARE_PAGING: Paging =
    Paging::OnRequest(PageSize { min: 1, max: 100, default: 20 });

/// For a share that the account neither sent nor received.
pub(super) fn no_share() -> ApiErrorResponse {
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "share not found")
}

pub(super) fn share<'a>(state: &'a State, request: &ApiRequest) -> Outcome<&'a Share> {
    state.shares.iter().find(|share| is_match(share, request)).ok_or_else(no_share)
}

pub(super) fn share_mut<'a>(state: &'a mut State, request: &ApiRequest) -> Outcome<&'a mut Share> {
    state.shares.iter_mut().find(|share| is_match(share, request)).ok_or_else(no_share)
}

fn is_match(share: &Share, request: &ApiRequest) -> bool {
    share.account == request.account() && Some(share.id.as_str()) == request.parameter("share")
}

pub(super) fn active_share<'a>(state: &'a State, request: &ApiRequest) -> Outcome<&'a Share> {
    let share = share(state, request)?;
    check_active(share)?;
    Ok(share)
}

pub(super) fn check_active(share: &Share) -> Outcome<()> {
    ApiErrorResponse::new(StatusCode::CONFLICT, 1001, "the share is being deleted")
        .when(share.removed.is_some())
}
