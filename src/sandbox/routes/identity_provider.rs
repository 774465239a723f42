//! Access identity providers (API reference, section 3). Required fields of `config` are not
//! checked: the schema marks all as optional.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;

use super::request::ApiRequest;
use super::resource::{ApiResource, WritableResource, delete, find};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome};
use crate::sandbox::federation;
use crate::sandbox::query::PageSize;
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{IdentityProvider, ORIGIN, State};

const PAGES: PageSize = PageSize { min: 1, max: 1000, default: 200 };

/// Fields of `config` that are stored and never returned.
const SECRETS: [&str; 2] = ["client_secret", "api_token"];

const ALL: &str = "/accounts/{account}/access/identity_providers";
const ONE: &str = "/accounts/{account}/access/identity_providers/{id}";
const GATE: Gate = Gate::Access(Area::Providers);

/// Whether a provider that an application allows can be deleted is unknown: here it can.
pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list).accepts(&["scim_enabled"]),
    Route::post(ALL, GATE, create).answers(StatusCode::CREATED),
    Route::get(ONE, GATE, get),
    Route::put(ONE, GATE, replace),
    Route::delete(ONE, GATE, delete::<IdentityProvider>).answers(StatusCode::ACCEPTED),
];

impl ApiResource for IdentityProvider {
    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.providers.iter().filter(|known| known.account == request.account()).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, state: &State, request: &ApiRequest) -> impl Serialize {
        to_json(self, state, request)
    }
}

impl WritableResource for IdentityProvider {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.providers)
    }

    /// Shared providers are read-only. The real code is unknown.
    fn check_write(state: &State, request: &ApiRequest) -> Outcome<()> {
        let received = federation::received(state, request.account(), request.now);
        ApiErrorResponse::invalid("identity provider is read only")
            .when(received.iter().any(|received| received.id == request.id()))
    }

    fn check_delete(&self, state: &State) -> Outcome<()> {
        ApiErrorResponse::conflict("identity provider has an active federation grant")
            .when(state.grants.iter().any(|grant| grant.provider == self.id))
    }
}

fn list(state: &State, request: &ApiRequest) -> Outcome {
    let is_selected = |provider: &RawObject| {
        let scim = provider.object("scim_config");
        let enabled = scim.and_then(|scim| scim.get::<bool>("enabled")).unwrap_or(false);
        request.query.allow("scim_enabled", enabled.to_string())
    };
    let providers = visible(state, request)?.into_iter().filter(is_selected).collect();
    request.query.page(providers, PAGES)
}

fn get(state: &State, request: &ApiRequest) -> Outcome {
    let mut providers = visible(state, request)?.into_iter();
    let known = providers.find(|provider| provider.text("id").as_deref() == Some(request.id()));
    known.map(ApiResponse::of).ok_or_else(ApiErrorResponse::missing)
}

/// The account's own providers and those shared with it.
fn visible(state: &State, request: &ApiRequest) -> Outcome<Vec<RawObject>> {
    let own = IdentityProvider::all(state, request)?.into_iter();
    let own = own.map(|provider| to_json(provider, state, request));
    let received = federation::received(state, request.account(), request.now);
    Ok(own.chain(received.into_iter().map(|received| received.object)).collect())
}

fn create(state: &mut State, request: &ApiRequest) -> Outcome {
    let object = fields(request)?;
    let is_pin = |object: &RawObject| object.text("type").as_deref() == Some("onetimepin");
    let mut own = IdentityProvider::all(state, request)?.into_iter();
    ApiErrorResponse::conflict("a onetimepin connection already exists")
        .when(is_pin(&object) && own.any(|known| is_pin(&known.object)))?;
    let provider = IdentityProvider {
        id: state.issue_uuid(),
        account: request.account().to_owned(),
        object: RawObject::default(),
        secrets: BTreeMap::new(),
        scim_secret: None,
    };
    write(provider, object, state, request)
}

/// Absent secrets are kept, null or masked ones stored as sent; all other absent keys are removed.
/// That the type cannot change is inferred from Terraform, which creates a new provider.
fn replace(state: &mut State, request: &ApiRequest) -> Outcome {
    let object = fields(request)?;
    IdentityProvider::check_write(state, request)?;
    let before = find::<IdentityProvider>(state, request)?.clone();
    ApiErrorResponse::invalid("identity provider type cannot be changed")
        .when(before.object.text("type") != object.text("type"))?;
    state.rejecting.retain(|id| *id != before.id);
    write(before, object, state, request)
}

/// The body with a placeholder for the sandbox's address, which may change between runs.
fn fields(request: &ApiRequest) -> Outcome<RawObject> {
    let object: RawObject = request.body()?;
    Ok(object.with_replaced_text(&request.origin, ORIGIN))
}

/// Stores the provider's object. Only this response contains a new SCIM secret.
fn write(
    mut provider: IdentityProvider,
    mut object: RawObject,
    state: &mut State,
    request: &ApiRequest,
) -> Outcome {
    let kind = object.text("type").unwrap_or_default();
    ApiErrorResponse::invalid("identity provider type is missing").when(kind.is_empty())?;
    let has_name = object.text("name").is_some_and(|name| !name.is_empty());
    // The documentation creates a one-time PIN without a name.
    ApiErrorResponse::invalid("name is required").when(!has_name && kind != "onetimepin")?;
    let no_config = || ApiErrorResponse::invalid("config is required");
    let mut config = object.object("config").ok_or_else(no_config)?;
    for key in SECRETS {
        if let Some(secret) = config.remove(key) {
            provider.secrets.insert(key.to_owned(), secret);
        }
    }
    if matches!(kind.as_str(), "onetimepin" | "azureAD") {
        config.set("redirect_url", "");
    }
    if kind == "azureAD" && !config.has("azure_cloud") {
        config.set("azure_cloud", "default");
    }
    object.set("config", config);
    let is_new_secret = scim_is_on(&mut object, &kind)? && provider.scim_secret.is_none();
    if is_new_secret {
        provider.scim_secret = Some(state.next_id());
    }
    object.set("id", &provider.id);
    object.set("uid", &provider.id);
    object.set("version", state.next_id());
    object.remove("read_only");
    provider.object = object;
    let mut shown = to_json(&provider, state, request);
    if is_new_secret && let Some(mut scim) = shown.object("scim_config") {
        scim.set("secret", &provider.scim_secret);
        shown.set("scim_config", scim);
    }
    provider.store(state, request)?;
    Ok(ApiResponse::of(shown))
}

fn scim_is_on(object: &mut RawObject, kind: &str) -> Outcome<bool> {
    let Some(mut scim) = object.object("scim_config") else { return Ok(false) };
    ApiErrorResponse::invalid("scim_config is not allowed for onetimepin")
        .when(kind == "onetimepin")?;
    let is_set = |key| scim.get::<bool>(key).unwrap_or(false);
    let (is_on, seats, users) =
        (is_set("enabled"), is_set("seat_deprovision"), is_set("user_deprovision"));
    ApiErrorResponse::invalid("seat_deprovision needs user_deprovision").when(seats && !users)?;
    scim.remove("secret");
    if is_on {
        scim.set("scim_base_url", "");
    }
    object.set("scim_config", scim);
    Ok(is_on)
}

/// Fills in the addresses, which depend on the team's name and the sandbox's port.
fn to_json(provider: &IdentityProvider, state: &State, request: &ApiRequest) -> RawObject {
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
    object.with_replaced_text(ORIGIN, &request.origin)
}
