//! The Zero Trust organization of an account (API reference, section 5).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;

use super::{Outcome, body};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::Parameters;
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::sso_app::{self, NOT_ENABLED};
use crate::sandbox::state::{Organization, State as World};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/access/organizations", get(one).put(update).post(create))
}

/// The account of a path, where the caller has the permission there and Access
/// is enabled. The real status of 9999 is unknown.
pub(super) fn enabled(
    shared: &AppState,
    caller: &Caller,
    account: &str,
    area: Area,
    right: Right,
) -> Result<String, ApiErrorResponse> {
    let account = caller.in_account(shared, account, area, right)?;
    match shared.store.read(|state| state.auth_domain(&account)) {
        Some(_) => Ok(account),
        None => Err(not_enabled()),
    }
}

fn not_enabled() -> ApiErrorResponse {
    let message = "access.api.error.not_enabled: Access is not enabled";
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 9999, message)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Providers, Right::Read)?;
    query.only(&[])?;
    shared.store.read(|state| {
        let known = state.organizations.iter().find(|known| known.account == account);
        known.map(|known| ApiResponse::of(&known.object)).ok_or_else(not_enabled)
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Providers, Right::Write)?;
    let mut object: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        if state.auth_domain(&account).is_some() {
            return Err(ApiErrorResponse::conflict("organization already exists"));
        }
        if object.text("name").is_none_or(|name| name.is_empty()) {
            return Err(ApiErrorResponse::invalid("name is required"));
        }
        let Some(domain) = object.text("auth_domain") else {
            return Err(ApiErrorResponse::invalid("auth_domain is required"));
        };
        ensure_name_free(state, &account, &domain)?;
        sso_app::rename(state, &account, NOT_ENABLED, &domain);
        stamp(&mut object, now, now);
        let answer = ApiResponse::of(&object);
        state.organizations.push(Organization { account, object });
        Ok(answer)
    })
}

/// Whether the real API keeps what is left out is unknown: here it does.
async fn update(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = enabled(&shared, &caller, &account, Area::Providers, Right::Write)?;
    let mut change: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let before = state.auth_domain(&account).ok_or_else(not_enabled)?;
        let after = match change.value("auth_domain") {
            Some(_) => change.text("auth_domain").unwrap_or_default(),
            None => before.clone(),
        };
        if after != before {
            ensure_can_rename(state, &account, &after)?;
            sso_app::rename(state, &account, &before, &after);
            // The identity provider knows the team by its former name again.
            state.rejecting.clear();
        }
        let known = state.organizations.iter_mut().find(|known| known.account == account);
        let known = known.ok_or_else(not_enabled)?;
        change.remove("created_at");
        known.object.merge(change);
        known.object.set("updated_at", time(now));
        Ok(ApiResponse::of(&known.object))
    })
}

fn stamp(object: &mut RawObject, created: Timestamp, updated: Timestamp) {
    object.set("created_at", time(created));
    object.set("updated_at", time(updated));
}

/// No new name while dashboard SSO exists (API reference, section 5).
fn ensure_can_rename(state: &World, account: &str, domain: &str) -> Result<(), ApiErrorResponse> {
    if state.connectors.iter().any(|connector| connector.account == account) {
        return Err(ApiErrorResponse::bad_request(12106, "auth_domain_cannot_be_updated_dash_sso"));
    }
    ensure_name_free(state, account, domain)
}

/// Fails if the name is invalid or another organization has it. The texts of the
/// real errors are unknown.
fn ensure_name_free(state: &World, account: &str, domain: &str) -> Result<(), ApiErrorResponse> {
    let team = domain.strip_suffix(".cloudflareaccess.com").unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if team.is_empty() || team.len() > 63 || !team.bytes().all(is_plain) {
        return Err(ApiErrorResponse::invalid(format!("auth_domain `{domain}` is invalid")));
    }
    let is_taken = |known: &Organization| {
        known.account != account && known.object.text("auth_domain").as_deref() == Some(domain)
    };
    if state.organizations.iter().any(is_taken) {
        return Err(ApiErrorResponse::conflict(format!("auth_domain `{domain}` is already taken")));
    }
    Ok(())
}
