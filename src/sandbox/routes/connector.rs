//! SSO connectors (API reference, section 2). The real error codes are not public: these are the
//! sandbox's own, as are the statuses where a comment says so.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::ApiRequest;
use super::resource::{self, ApiResource, Create, Update, WritableResource};
use super::resource::{create, get, list, update};
use super::route::{Gate, Route};
use crate::api::connector::VerificationStatus;
use crate::domain::EmailDomain;
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::raw::RawObject;
use crate::sandbox::sso_app;
use crate::sandbox::state::{Connector, State, VerificationRun};

const PREFIX: &str = "cloudflare_dashboard_sso=";

const ALL: &str = "/accounts/{account}/sso_connectors";
const ONE: &str = "/accounts/{account}/sso_connectors/{id}";
const VERIFICATION: &str = "/accounts/{account}/sso_connectors/{id}/begin_verification";
const GATE: Gate = Gate::Account(Area::Connectors);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Connector>).accepts(&[]),
    Route::post(ALL, GATE, create::<Connector>),
    Route::get(ONE, GATE, get::<Connector>),
    Route::patch(ONE, GATE, update::<Connector>),
    Route::delete(ONE, GATE, delete),
    Route::post(VERIFICATION, GATE, begin_verification),
];

impl ApiResource for Connector {
    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.connectors.iter().filter(|known| known.account == request.account()).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        let known = json!({
            "id": self.id,
            "email_domain": self.email_domain,
            "enabled": self.enabled,
            "use_fedramp_language": self.use_fedramp_language,
            "verification": { "code": self.code, "status": self.status },
            "created_on": time(self.created_on),
            "updated_on": time(self.updated_on),
        });
        let mut shown = RawObject::literal(&known.to_string());
        shown.merge(self.unknown.clone());
        shown
    }

    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 12504, "SSO connector not found")
    }
}

impl WritableResource for Connector {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.connectors)
    }

    /// The documentation disables it first; the real status is unknown.
    fn check_delete(&self, _: &State) -> Outcome<()> {
        let message = "An enabled SSO connector cannot be deleted: disable it first";
        ApiErrorResponse::new(StatusCode::CONFLICT, 12505, message).when(self.enabled)
    }
}

#[derive(Deserialize)]
pub(super) struct CreateRequest {
    email_domain: String,
    /// The default is not documented; without it, the documentation's example is `pending`.
    #[serde(default = "yes")]
    begin_verification: bool,
    #[serde(default)]
    use_fedramp_language: bool,
}

fn yes() -> bool {
    true
}

impl Create for Connector {
    type Fields = CreateRequest;

    fn create(fields: CreateRequest, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let domain = eligible(&fields.email_domain)?;
        let message = format!("An SSO connector for {domain} already exists in this account");
        let is_same = |known: &Connector| {
            known.account == request.account() && known.email_domain == domain.as_str()
        };
        ApiErrorResponse::new(StatusCode::CONFLICT, 12502, message)
            .when(state.connectors.iter().any(is_same))?;
        let run = fields.begin_verification.then(|| VerificationRun::begin(request.now));
        let connector = Self {
            id: state.next_id(),
            account: request.account().to_owned(),
            email_domain: domain.to_string(),
            enabled: false,
            use_fedramp_language: fields.use_fedramp_language,
            code: format!("{PREFIX}{}", state.next_id()),
            status: match run {
                Some(_) => VerificationStatus::Pending,
                None => VerificationStatus::Awaiting,
            },
            unknown: RawObject::default(),
            run,
            created_on: request.now,
            updated_on: request.now,
        };
        sso_app::add_connector(state, &connector);
        Ok(connector)
    }
}

fn eligible(text: &str) -> Outcome<EmailDomain> {
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

#[derive(Deserialize)]
pub(super) struct UpdateRequest {
    enabled: Option<bool>,
    use_fedramp_language: Option<bool>,
}

impl Update for Connector {
    type Fields = UpdateRequest;

    fn update(
        self,
        fields: UpdateRequest,
        state: &mut State,
        request: &ApiRequest,
    ) -> Outcome<Self> {
        if fields.enabled == Some(true) {
            check_enable(&self, state)?;
        }
        Ok(Self {
            enabled: fields.enabled.unwrap_or(self.enabled),
            use_fedramp_language: fields.use_fedramp_language.unwrap_or(self.use_fedramp_language),
            updated_on: request.now,
            ..self
        })
    }
}

/// The domain must be verified, and not enforced by another account.
fn check_enable(connector: &Connector, state: &State) -> Outcome<()> {
    let message = "The domain must be verified before its SSO connector can be enabled";
    ApiErrorResponse::bad_request(12506, message)
        .when(connector.status != VerificationStatus::Verified)?;
    let domain = connector.email_domain.parse::<EmailDomain>();
    let message = "Academic domains need approval by Cloudflare support to be enabled";
    ApiErrorResponse::new(StatusCode::FORBIDDEN, 12508, message)
        .when(domain.is_ok_and(|domain| domain.is_academic()))?;
    let is_elsewhere = |known: &Connector| {
        known.enabled
            && known.account != connector.account
            && known.email_domain == connector.email_domain
    };
    let message = "An SSO connector for this domain is enabled in another account";
    ApiErrorResponse::new(StatusCode::CONFLICT, 12507, message)
        .when(state.connectors.iter().any(is_elsewhere))
}

fn delete(state: &mut State, request: &ApiRequest) -> Outcome {
    let answer = resource::delete::<Connector>(state, request)?;
    sso_app::remove_connector(state, request.id());
    Ok(answer)
}

/// The real response for a verified or pending connector is not documented: here, no change.
fn begin_verification(state: &mut State, request: &ApiRequest) -> Outcome {
    let mut connector = resource::find::<Connector>(state, request)?.clone();
    if matches!(connector.status, VerificationStatus::Awaiting | VerificationStatus::Failed) {
        connector.status = VerificationStatus::Pending;
        connector.run = Some(VerificationRun::begin(request.now));
        connector.updated_on = request.now;
        connector.store(state, request)?;
    }
    Ok(ApiResponse::without_result())
}
