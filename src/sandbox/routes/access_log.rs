//! The logs and the users of Access (reference of the logs, sections 1 and 3.3).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::request::ApiRequest;
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::query::PageSize;
use crate::sandbox::state::{Login, State, derived_uuid};

/// As on the free plan.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

const LOG_PAGES: PageSize = PageSize { min: 1, max: 1000, default: 25 };
const USER_PAGES: PageSize = PageSize { min: 1, max: 1000, default: 1000 };

const LOG: &str = "/accounts/{account}/access/logs/access_requests";
const USERS: &str = "/accounts/{account}/access/users";
const IDENTITY: &str = "/accounts/{account}/access/users/{user}/last_seen_identity";
const GATE: Gate = Gate::Account(Area::AccessLogs);

pub(super) const ROUTES: &[Route] = &[
    Route::get(LOG, GATE, list).accepts(&["since", "until", "limit", "email", "emailOp"]),
    Route::get(USERS, GATE, users).accepts(&["email"]),
    Route::get(IDENTITY, GATE, last_seen_identity),
];

fn list(state: &State, request: &ApiRequest) -> Outcome {
    let (query, now) = (&request.query, request.now);
    let (since, until) = (query.time("since")?, query.time("until")?);
    let kept = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
    let delay = request.log_behavior.login_delay;
    let visible = now.saturating_sub(delay).unwrap_or(Timestamp::MIN);
    let is_selected = |login: &&Login| {
        login.account == request.account()
            && (kept.max(since.unwrap_or(kept))..=visible.min(until.unwrap_or(visible)))
                .contains(&login.at)
            && query.get("email").is_none_or(|email| match query.get("emailOp") {
                Some("eq") => login.email == email,
                Some("neq") => login.email != email,
                _ => login.email.contains(email),
            })
    };
    let mut rows: Vec<_> = state.logins.iter().filter(is_selected).collect();
    rows.sort_by_key(|login| login.at);
    if query.get("direction") != Some("asc") {
        rows.reverse();
    }
    query.page_without_totals(rows.into_iter().map(to_json).collect(), LOG_PAGES)
}

/// As in live rows. `action` is empty for applications that Access serves SAML for.
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

/// Sign-ins of the account by user, the latest last.
fn by_user<'a>(state: &'a State, request: &ApiRequest) -> BTreeMap<String, Vec<&'a Login>> {
    let mut users = BTreeMap::<String, Vec<&Login>>::new();
    let is_past = |login: &&Login| login.account == request.account() && login.at <= request.now;
    let mut logins: Vec<_> = state.logins.iter().filter(is_past).collect();
    logins.sort_by_key(|login| login.at);
    for login in logins {
        users.entry(user_id(login)).or_default().push(login);
    }
    users
}

fn users(state: &State, request: &ApiRequest) -> Outcome {
    let users = by_user(state, request);
    let rows = users.iter().filter(|(_, logins)| request.query.allow("email", &logins[0].email));
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
    request.query.page(rows.collect(), USER_PAGES)
}

fn last_seen_identity(state: &State, request: &ApiRequest) -> Outcome {
    let logins = by_user(state, request).remove(request.id()).unwrap_or_default();
    let last = logins.iter().rfind(|login| login.allowed).ok_or_else(ApiErrorResponse::missing)?;
    Ok(ApiResponse::of(json!({
        "account_id": last.account,
        "email": last.email,
        "iat": last.at.as_second(),
        "idp": { "id": last.provider, "type": last.connection },
        "ip": "192.0.2.17",
        "user_uuid": request.id(),
        "version": 2,
    })))
}
