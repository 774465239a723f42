//! SSO connectors (API reference, section 2). The codes of the real errors are
//! not public: those here are the sandbox's own, and so are the statuses where
//! the comment says so.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::{Outcome, body};
use crate::api::connector::VerificationStatus;
use crate::domain::EmailDomain;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::Parameters;
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::sso_app;
use crate::sandbox::state::{Connector, State as World, VerificationRun};

/// What the TXT record begins with.
const PREFIX: &str = "cloudflare_dashboard_sso=";

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/sso_connectors", get(list).post(create))
        .route("/accounts/{account}/sso_connectors/{id}", get(one).patch(change).delete(delete))
        .route(
            "/accounts/{account}/sso_connectors/{id}/begin_verification",
            post(begin_verification),
        )
}

#[derive(Deserialize)]
struct CreateRequest {
    email_domain: String,
    /// The default is not documented; the documentation leaves it out and gets
    /// `pending`.
    #[serde(default = "yes")]
    begin_verification: bool,
    #[serde(default)]
    use_fedramp_language: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct UpdateRequest {
    enabled: Option<bool>,
    use_fedramp_language: Option<bool>,
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Connectors, Right::Read)?;
    query.only(&[])?;
    let connectors: Vec<RawObject> = shared.store.read(|state| {
        let of_account = |connector: &&Connector| connector.account == account;
        state.connectors.iter().filter(of_account).map(to_json).collect()
    });
    Ok(ApiResponse::of(connectors))
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Connectors, Right::Read)?;
    shared.store.read(|state| {
        let known = state.connectors.iter().find(|known| known.is(&account, &id));
        known.map(|connector| ApiResponse::of(to_json(connector))).ok_or_else(not_found)
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Connectors, Right::Write)?;
    let creation: CreateRequest = body(&bytes)?;
    let domain = eligible(&creation.email_domain)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let taken =
            |known: &Connector| known.account == account && known.email_domain == domain.as_str();
        if state.connectors.iter().any(taken) {
            let message = format!("An SSO connector for {domain} already exists in this account");
            return Err(ApiErrorResponse::new(StatusCode::CONFLICT, 12502, message));
        }
        let run = creation.begin_verification.then(|| VerificationRun::begin(now));
        let connector = Connector {
            id: state.next_id(),
            account,
            email_domain: domain.to_string(),
            enabled: false,
            use_fedramp_language: creation.use_fedramp_language,
            code: format!("{PREFIX}{}", state.next_id()),
            status: if run.is_some() {
                VerificationStatus::Pending
            } else {
                VerificationStatus::Awaiting
            },
            unknown: RawObject::default(),
            run,
            created_on: now,
            updated_on: now,
        };
        let answer = ApiResponse::of(to_json(&connector));
        sso_app::add_connector(state, &connector);
        state.connectors.push(connector);
        Ok(answer)
    })
}

async fn change(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Connectors, Right::Write)?;
    let change: UpdateRequest = body(&bytes)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = position(state, &account, &id)?;
        if change.enabled == Some(true) {
            ensure_can_enable(state, position)?;
        }
        let connector = &mut state.connectors[position];
        connector.enabled = change.enabled.unwrap_or(connector.enabled);
        connector.use_fedramp_language =
            change.use_fedramp_language.unwrap_or(connector.use_fedramp_language);
        connector.updated_on = now;
        Ok(ApiResponse::of(to_json(connector)))
    })
}

async fn delete(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Connectors, Right::Write)?;
    shared.store.change(|state| {
        let position = position(state, &account, &id)?;
        if state.connectors[position].enabled {
            // The documentation disables first; the real status is unknown.
            let message = "An enabled SSO connector cannot be deleted: disable it first";
            return Err(ApiErrorResponse::new(StatusCode::CONFLICT, 12505, message));
        }
        state.connectors.remove(position);
        sso_app::remove_connector(state, &id);
        Ok(ApiResponse::of(json!({ "id": id })))
    })
}

/// Whether it is an error for a connector that is verified or pending is not
/// documented: here it changes nothing.
async fn begin_verification(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Connectors, Right::Write)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let position = position(state, &account, &id)?;
        let connector = &mut state.connectors[position];
        if matches!(connector.status, VerificationStatus::Awaiting | VerificationStatus::Failed) {
            connector.status = VerificationStatus::Pending;
            connector.run = Some(VerificationRun::begin(now));
            connector.updated_on = now;
        }
        Ok(ApiResponse::without_result())
    })
}

impl Connector {
    fn is(&self, account: &str, id: &str) -> bool {
        self.account == account && self.id == id
    }
}

fn position(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    state.connectors.iter().position(|known| known.is(account, id)).ok_or_else(not_found)
}

fn not_found() -> ApiErrorResponse {
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 12504, "SSO connector not found")
}

/// The domain, where it is one and Cloudflare takes it.
fn eligible(text: &str) -> Result<EmailDomain, ApiErrorResponse> {
    let domain: EmailDomain = text.parse().map_err(|_| {
        ApiErrorResponse::bad_request(12501, format!("Invalid email_domain: {text:?}"))
    })?;
    match domain.ineligible() {
        None => Ok(domain),
        Some(reason) => {
            let message = format!("{domain} cannot be used for dashboard SSO: {reason}");
            Err(ApiErrorResponse::bad_request(12503, message))
        }
    }
}

/// Fails if the domain is not verified, or if another account enforces it.
fn ensure_can_enable(state: &World, position: usize) -> Result<(), ApiErrorResponse> {
    let connector = &state.connectors[position];
    if connector.status != VerificationStatus::Verified {
        let message = "The domain must be verified before its SSO connector can be enabled";
        return Err(ApiErrorResponse::bad_request(12506, message));
    }
    let domain = connector.email_domain.parse::<EmailDomain>();
    if domain.is_ok_and(|domain| domain.is_academic()) {
        let message = "Academic domains need approval by Cloudflare support to be enabled";
        return Err(ApiErrorResponse::new(StatusCode::FORBIDDEN, 12508, message));
    }
    let elsewhere = |known: &Connector| {
        known.enabled
            && known.account != connector.account
            && known.email_domain == connector.email_domain
    };
    if state.connectors.iter().any(elsewhere) {
        let message = "An SSO connector for this domain is enabled in another account";
        return Err(ApiErrorResponse::new(StatusCode::CONFLICT, 12507, message));
    }
    Ok(())
}

fn to_json(connector: &Connector) -> RawObject {
    let known = json!({
        "id": connector.id,
        "email_domain": connector.email_domain,
        "enabled": connector.enabled,
        "use_fedramp_language": connector.use_fedramp_language,
        "verification": { "code": connector.code, "status": connector.status },
        "created_on": time(connector.created_on),
        "updated_on": time(connector.updated_on),
    });
    let mut shown = RawObject::literal(&known.to_string());
    shown.merge(connector.unknown.clone());
    shown
}
