//! The logs of Access and the users in them (reference of the logs, sections 1
//! and 3.3): the login log keeps 24 hours, as on the free plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Outcome;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Login, derived_uuid};

/// How long the free plan keeps the login log.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

const LOG_PAGES: PageSize = PageSize { min: 1, max: 1000, default: 25 };
const USER_PAGES: PageSize = PageSize { min: 1, max: 1000, default: 1000 };

pub(super) fn routes() -> Router<Arc<AppState>> {
    let user = "/accounts/{account}/access/users/{user}";
    Router::new()
        .route("/accounts/{account}/access/logs/access_requests", get(list))
        .route("/accounts/{account}/access/users", get(users))
        .route(&format!("{user}/last_seen_identity"), get(last_seen_identity))
        .route(&format!("{user}/active_sessions"), get(active_sessions))
        .route(&format!("{user}/failed_logins"), get(failed_logins))
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::AccessLogs, Right::Read)?;
    let query = query.only(&["since", "until", "limit", "email", "emailOp"])?;
    let (since, until) = (query.time("since")?, query.time("until")?);
    let now = shared.clock.now();
    let kept = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
    let delay = shared.log_behavior().login_delay;
    let visible = now.saturating_sub(delay).unwrap_or(Timestamp::MIN);
    let is_wanted = |login: &&Login| {
        login.account == account
            && (kept.max(since.unwrap_or(kept))..=visible.min(until.unwrap_or(visible)))
                .contains(&login.at)
            && query.get("email").is_none_or(|email| match query.get("emailOp") {
                Some("eq") => login.email == email,
                Some("neq") => login.email != email,
                _ => login.email.contains(email),
            })
    };
    let mut rows: Vec<Login> =
        shared.store.read(|state| state.logins.iter().filter(is_wanted).cloned().collect());
    rows.sort_by_key(|login| login.at);
    if query.get("direction") != Some("asc") {
        rows.reverse();
    }
    query.page_without_totals(rows.iter().map(to_json).collect(), LOG_PAGES)
}

/// As seen in live rows; `action` is empty for applications that Access serves
/// SAML for.
fn to_json(login: &Login) -> Value {
    json!({
        "action": "",
        "allowed": login.allowed,
        "app_domain": login.app_domain,
        "app_name": login.app_name,
        "app_type": "dash_sso",
        "app_uid": login.app,
        "connection": login.connection,
        "country": "de",
        "created_at": time(login.at),
        "ip_address": "192.0.2.17",
        "ray_id": login.ray,
        "user_email": login.email,
        "user_id": user_id(login),
    })
}

fn user_id(login: &Login) -> String {
    derived_uuid(["user", &login.email.to_lowercase()])
}

/// The sign-ins of an account by user, the latest last.
fn by_user(shared: &AppState, account: &str) -> BTreeMap<String, Vec<Login>> {
    let mut users = BTreeMap::<String, Vec<Login>>::new();
    let mut logins = shared.store.read(|state| state.logins.clone());
    logins.retain(|login| login.account == account && login.at <= shared.clock.now());
    logins.sort_by_key(|login| login.at);
    for login in logins {
        users.entry(user_id(&login)).or_default().push(login);
    }
    users
}

async fn users(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::AccessLogs, Right::Read)?;
    let query = query.only(&["email"])?;
    let users = by_user(&shared, &account);
    let rows = users.iter().filter(|(_, logins)| query.allow("email", &logins[0].email));
    let rows = rows.map(|(id, logins)| {
        let last = logins.iter().rfind(|login| login.allowed);
        json!({
            "id": id,
            "uid": id,
            "email": logins[0].email,
            "name": "",
            "access_seat": last.is_some(),
            "gateway_seat": false,
            "active_device_count": 0,
            "seat_uid": null,
            "last_successful_login": last.map(|login| time(login.at)),
            "created_at": time(logins[0].at),
            "updated_at": time(logins[logins.len() - 1].at),
        })
    });
    query.page(rows.collect(), USER_PAGES)
}

/// The sign-ins of one user.
fn of_user(
    caller: &Caller,
    shared: &AppState,
    (account, user): &(String, String),
) -> Result<Vec<Login>, ApiErrorResponse> {
    let account = caller.in_account(shared, account, Area::AccessLogs, Right::Read)?;
    by_user(shared, &account).remove(user).ok_or_else(ApiErrorResponse::missing)
}

async fn last_seen_identity(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(path): Path<(String, String)>,
) -> Outcome {
    let logins = of_user(&caller, &shared, &path)?;
    let last = logins.iter().rfind(|login| login.allowed).ok_or_else(ApiErrorResponse::missing)?;
    Ok(ApiResponse::of(json!({
        "account_id": last.account,
        "email": last.email,
        "iat": last.at.as_second(),
        "idp": { "id": last.provider, "type": last.connection },
        "ip": "192.0.2.17",
        "user_uuid": path.1,
        "version": 2,
    })))
}

async fn active_sessions(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(path): Path<(String, String)>,
) -> Outcome {
    let logins = of_user(&caller, &shared, &path)?;
    let end = |login: &Login| login.at.saturating_add(RETENTION).unwrap_or(Timestamp::MAX);
    let active = logins.iter().filter(|login| login.allowed && end(login) > shared.clock.now());
    let sessions = active.map(|login| {
        json!({
            "expiration": end(login).as_second(),
            "name": login.ray,
            "metadata": {
                "apps": { (login.app.clone()): {
                    "hostname": login.app_domain,
                    "name": login.app_name,
                    "type": "dash_sso",
                    "uid": login.app,
                } },
                "expires": end(login).as_second(),
                "iat": login.at.as_second(),
                "nonce": login.ray,
                "ttl": RETENTION.as_secs(),
            },
        })
    });
    Ok(ApiResponse::of(sessions.collect::<Vec<_>>()))
}

async fn failed_logins(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(path): Path<(String, String)>,
) -> Outcome {
    let logins = of_user(&caller, &shared, &path)?;
    let failed = logins.iter().filter(|login| !login.allowed).map(|login| {
        json!({
            "expiration": login.at.as_second() + RETENTION.as_secs(),
            "metadata": {
                "app_name": login.app_name,
                "datetime": time(login.at),
                "ray_id": login.ray,
                "user_email": login.email,
                "user_uuid": path.1,
            },
        })
    });
    Ok(ApiResponse::of(failed.collect::<Vec<_>>()))
}
