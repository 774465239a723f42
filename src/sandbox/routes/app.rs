//! Access applications (API reference, section 4). Policies that applications
//! share are not modelled: each has its own.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::get;

use super::{Outcome, body, organization, policy};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::sso_app;
use crate::sandbox::state::{App, State as World};

const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 1000 };

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/access/apps", get(list))
        .route("/accounts/{account}/access/apps/{app}", get(one).put(replace))
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Read)?;
    let query = query.only(&["name", "domain", "aud", "exact", "search"])?;
    let apps: Vec<RawObject> = shared.store.read(|state| {
        let own = state.apps.iter().filter(|app| app.account == account);
        own.filter(|app| is_asked_for(&app.object, &query)).map(|app| to_json(app, state)).collect()
    });
    query.page(apps, PAGES)
}

/// By part of the name or domain, unless `exact=true`.
fn is_asked_for(app: &RawObject, query: &Parameters) -> bool {
    let text = |key| app.text(key).unwrap_or_default();
    let is_exact = query.get("exact") == Some("true");
    let meets = |key| {
        query.get(key).is_none_or(|wanted| {
            if is_exact { text(key) == wanted } else { text(key).contains(wanted) }
        })
    };
    let is_found = |wanted: &str| text("name").contains(wanted) || text("domain").contains(wanted);
    meets("name")
        && meets("domain")
        && query.allow("aud", &text("aud"))
        && query.get("search").is_none_or(is_found)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app)): Path<(String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Read)?;
    shared.store.read(|state| {
        let position = position(state, &account, &app)?;
        Ok(ApiResponse::of(to_json(&state.apps[position], state)))
    })
}

/// Replaces all but what the server made. `saas_app` may be left out, as the
/// documentation of dashboard SSO does; `policies` as `policy::replace` says.
async fn replace(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, app)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Apps, Right::Write)?;
    let mut object: RawObject = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = position(state, &account, &app)?;
        let before = state.apps[position].object.clone();
        if object.text("type").is_none() || object.text("type") != before.text("type") {
            return Err(ApiErrorResponse::invalid("app type is missing or invalid"));
        }
        ensure_can_redirect(&object)?;
        for key in ["created_at", "updated_at"] {
            object.remove(key);
        }
        let policies = object.remove("policies");
        for key in ["id", "uid", "aud"] {
            object.keep_from(&before, key);
        }
        keep_saas_app(&mut object, &before);
        if let Some(policies) = policies {
            policy::replace(state, &app, &policies, now)?;
        }
        state.apps[position].object = object;
        state.apps[position].updated_at = now;
        Ok(ApiResponse::of(to_json(&state.apps[position], state)))
    })
}

/// `auto_redirect_to_identity` needs just one to redirect to.
fn ensure_can_redirect(app: &RawObject) -> Result<(), ApiErrorResponse> {
    let allowed = match app.value("allowed_idps") {
        None => Some(Vec::new()),
        Some(_) => app.get::<Vec<String>>("allowed_idps"),
    };
    let Some(allowed) = allowed else {
        return Err(ApiErrorResponse::invalid(
            "allowed_idps is not a list of identity provider IDs",
        ));
    };
    if app.get("auto_redirect_to_identity") == Some(true) && allowed.len() != 1 {
        let detail = "auto_redirect_to_identity requires exactly one allowed identity provider";
        return Err(ApiErrorResponse::invalid(detail));
    }
    Ok(())
}

/// The values in it that the server made stay, and so does all of it where it
/// is left out of the SSO App.
fn keep_saas_app(app: &mut RawObject, before: &RawObject) {
    let Some(known) = before.object("saas_app") else { return };
    match app.object("saas_app") {
        Some(mut given) => {
            for key in ["public_key", "sso_endpoint", "idp_entity_id"] {
                given.keep_from(&known, key);
            }
            app.set("saas_app", given);
        }
        None if app.text("type").as_deref() == Some(sso_app::KIND) => {
            app.keep_from(before, "saas_app");
        }
        None => {}
    }
}

/// The application of a path, by its position.
pub(super) fn position(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    if !is_uuid(id) {
        return Err(ApiErrorResponse::bad_request(
            12045,
            "access.api.error.invalid_application_id",
        ));
    }
    let is_meant = |known: &App| known.account == account && known.id == id;
    state.apps.iter().position(is_meant).ok_or_else(ApiErrorResponse::missing)
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn to_json(app: &App, state: &World) -> RawObject {
    let mut shown = app.object.clone();
    shown.set("created_at", time(app.created_at));
    shown.set("updated_at", time(app.updated_at));
    shown.set("policies", policy::of_app(state, &app.id));
    shown
}
