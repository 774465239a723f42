//! Access identity providers (API reference, section 3). Which fields of
//! `config` a type needs is not checked: the schema marks all as optional.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::json;

use super::{Outcome, body, organization};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse};
use crate::sandbox::auth::Caller;
use crate::sandbox::federation;
use crate::sandbox::issuer::PLACEHOLDER;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::raw::RawObject;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{IdentityProvider, State as World};

const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 200 };

/// The fields of `config` that are kept and never answered.
const SECRETS: [&str; 2] = ["client_secret", "api_token"];

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/accounts/{account}/access/identity_providers", get(list).post(create))
        .route(
            "/accounts/{account}/access/identity_providers/{id}",
            get(one).put(replace).delete(remove),
        )
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Read)?;
    let query = query.only(&["scim_enabled"])?;
    let is_asked_for = |provider: &RawObject| {
        let scim = provider.object("scim_config");
        let enabled = scim.and_then(|scim| scim.get::<bool>("enabled")).unwrap_or(false);
        query.allow("scim_enabled", &enabled.to_string())
    };
    let providers = visible(&shared, &account);
    query.page(providers.into_iter().filter(is_asked_for).collect(), PAGES)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Read)?;
    let mut providers = visible(&shared, &account).into_iter();
    let known = providers.find(|provider| provider.text("id").as_deref() == Some(&id));
    known.map(ApiResponse::of).ok_or_else(ApiErrorResponse::missing)
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Write)?;
    let body = body::<RawObject>(&bytes)?.with_replaced_text(&shared.origin, PLACEHOLDER);
    shared.store.change(|state| {
        let is_pin = |object: &RawObject| object.text("type").as_deref() == Some("onetimepin");
        let has_pin = |known: &IdentityProvider| known.account == account && is_pin(&known.object);
        if is_pin(&body) && state.providers.iter().any(has_pin) {
            return Err(ApiErrorResponse::conflict("a onetimepin connection already exists"));
        }
        let id = state.issue_uuid();
        let (provider, secret) = Writing { account, id, before: None }.written(state, body)?;
        let answer = answered(&provider, state, &shared, secret);
        state.providers.push(provider);
        Ok(answer.created())
    })
}

/// A secret that is absent stays; one that is null or a mask is taken at its
/// word. The rest is replaced: keys that are absent are gone. That the type
/// cannot be changed is a reading of Terraform, which makes a new one.
async fn replace(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Write)?;
    let body = body::<RawObject>(&bytes)?.with_replaced_text(&shared.origin, PLACEHOLDER);
    let now = shared.clock.now();
    shared.store.change(|state| {
        may_be_written(&federation::received(state, &account, now), &id)?;
        let position = position(state, &account, &id)?;
        let before = state.providers[position].clone();
        if before.object.text("type") != body.text("type") {
            return Err(ApiErrorResponse::invalid("identity provider type cannot be changed"));
        }
        let writing = Writing { account, id, before: Some(before) };
        let (provider, secret) = writing.written(state, body)?;
        let answer = answered(&provider, state, &shared, secret);
        state.rejecting.retain(|id| *id != provider.id);
        state.providers[position] = provider;
        Ok(answer)
    })
}

/// Whether one that an application allows can be deleted is unknown: here it can.
async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((account, id)): Path<(String, String)>,
) -> Outcome {
    let account = organization::enabled(&shared, &caller, &account, Area::Providers, Right::Write)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        may_be_written(&federation::received(state, &account, now), &id)?;
        let position = position(state, &account, &id)?;
        if state.grants.iter().any(|grant| grant.provider == id) {
            return Err(ApiErrorResponse::conflict(
                "identity provider has an active federation grant",
            ));
        }
        state.providers.remove(position);
        Ok(ApiResponse::of(json!({ "id": id })).accepted())
    })
}

/// Those that are shared with the account are read-only. The real code is unknown.
fn may_be_written(received: &[federation::Received], id: &str) -> Result<(), ApiErrorResponse> {
    if received.iter().any(|received| received.id == id) {
        return Err(ApiErrorResponse::invalid("identity provider is read only"));
    }
    Ok(())
}

fn position(state: &World, account: &str, id: &str) -> Result<usize, ApiErrorResponse> {
    let is_meant = |known: &IdentityProvider| known.account == account && known.id == id;
    state.providers.iter().position(is_meant).ok_or_else(ApiErrorResponse::missing)
}

/// What becomes an identity provider.
struct Writing {
    account: String,
    id: String,
    before: Option<IdentityProvider>,
}

impl Writing {
    /// The provider as it is kept, and a SCIM secret that was made just now.
    fn written(
        self,
        state: &mut World,
        mut object: RawObject,
    ) -> Result<(IdentityProvider, Option<String>), ApiErrorResponse> {
        let (mut secrets, mut scim_secret) = match self.before {
            Some(before) => (before.secrets, before.scim_secret),
            None => Default::default(),
        };
        let kind = object.text("type").filter(|kind| !kind.is_empty());
        let kind =
            kind.ok_or_else(|| ApiErrorResponse::invalid("identity provider type is missing"))?;
        // The documentation creates a one-time PIN without a name.
        if object.text("name").is_none_or(|name| name.is_empty()) && kind != "onetimepin" {
            return Err(ApiErrorResponse::invalid("name is required"));
        }
        let config = object.object("config");
        let mut config = config.ok_or_else(|| ApiErrorResponse::invalid("config is required"))?;
        for key in SECRETS {
            if let Some(secret) = config.remove(key) {
                secrets.insert(key.to_owned(), secret);
            }
        }
        if matches!(kind.as_str(), "onetimepin" | "azureAD") {
            config.set("redirect_url", "");
        }
        if kind == "azureAD" && !config.has("azure_cloud") {
            config.set("azure_cloud", "default");
        }
        object.set("config", config);
        let mut made = None;
        if scim_is_on(&mut object, &kind)? && scim_secret.is_none() {
            made = Some(state.next_id());
            scim_secret.clone_from(&made);
        }
        object.set("id", &self.id);
        object.set("uid", &self.id);
        object.set("version", state.next_id());
        object.remove("read_only");
        let Self { account, id, .. } = self;
        Ok((IdentityProvider { id, account, object, secrets, scim_secret }, made))
    }
}

/// Checks `scim_config`, and says whether it is enabled.
fn scim_is_on(object: &mut RawObject, kind: &str) -> Result<bool, ApiErrorResponse> {
    let Some(mut scim) = object.object("scim_config") else { return Ok(false) };
    if kind == "onetimepin" {
        return Err(ApiErrorResponse::invalid("scim_config is not allowed for onetimepin"));
    }
    let is_set = |key| scim.get::<bool>(key).unwrap_or(false);
    let (is_on, seats, users) =
        (is_set("enabled"), is_set("seat_deprovision"), is_set("user_deprovision"));
    if seats && !users {
        return Err(ApiErrorResponse::invalid("seat_deprovision needs user_deprovision"));
    }
    scim.remove("secret");
    if is_on {
        scim.set("scim_base_url", "");
    }
    object.set("scim_config", scim);
    Ok(is_on)
}

fn answered(
    provider: &IdentityProvider,
    state: &World,
    shared: &AppState,
    scim_secret: Option<String>,
) -> ApiResponse {
    let mut shown = to_json(provider, state, &shared.origin);
    if let (Some(secret), Some(mut scim)) = (scim_secret, shown.object("scim_config")) {
        scim.set("secret", secret);
        shown.set("scim_config", scim);
    }
    ApiResponse::of(shown)
}

/// All that the account sees: its own, and those shared with it.
fn visible(shared: &AppState, account: &str) -> Vec<RawObject> {
    let now = shared.clock.now();
    shared.store.read(|state| {
        let own = state.providers.iter().filter(|provider| provider.account == account);
        let own = own.map(|provider| to_json(provider, state, &shared.origin));
        let received = federation::received(state, account, now);
        own.chain(received.into_iter().map(|received| received.object)).collect()
    })
}

/// With the addresses that follow from the team's name and the sandbox's port.
fn to_json(provider: &IdentityProvider, state: &World, origin: &str) -> RawObject {
    let team = state.auth_domain(&provider.account).unwrap_or_default();
    let mut object = provider.object.clone();
    for (part, key, url) in [
        ("config", "redirect_url", format!("https://{team}/cdn-cgi/access/callback")),
        ("scim_config", "scim_base_url", format!("https://{team}/scim/{}", provider.id)),
    ] {
        if let Some(mut inner) = object.object(part).filter(|inner| inner.has(key)) {
            inner.set(key, url);
            object.set(part, inner);
        }
    }
    object.with_replaced_text(PLACEHOLDER, origin)
}
