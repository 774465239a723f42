//! Access applications (API reference, section 4). Reusable policies are not modelled.

use serde::Serialize;

use super::request::ApiRequest;
use super::resource::{ApiResource, Update, WritableResource, get, list, update};
use super::route::{Gate, Route};
use super::{parent, policy};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::query::{PageSize, Paging};
use crate::sandbox::raw::RawObject;
use crate::sandbox::sso_app;
use crate::sandbox::state::{App, State};

const ALL: &str = "/accounts/{account}/access/apps";
const ONE: &str = "/accounts/{account}/access/apps/{app}";
const GATE: Gate = Gate::Access(Area::Apps);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<App>).accepts(&["name", "domain", "aud", "exact", "search"]),
    Route::get(ONE, GATE, get::<App>),
    Route::put(ONE, GATE, update::<App>),
];

impl ApiResource for App {
    const PAGING: Paging = Paging::Always(PageSize { min: 1, max: 1000, default: 1000 });

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        if request.parameter("app").is_some() {
            return Ok(vec![parent::app(state, request)?]);
        }
        Ok(state.apps.iter().filter(|app| app.account == request.account()).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    /// Matches a part of the name or domain, unless `exact=true`.
    fn is_selected(&self, request: &ApiRequest) -> bool {
        let query = &request.query;
        let text = |key| self.object.text(key).unwrap_or_default();
        let is_exact = query.get("exact") == Some("true");
        let meets = |key| {
            query.get(key).is_none_or(|wanted| {
                if is_exact { text(key) == wanted } else { text(key).contains(wanted) }
            })
        };
        let is_found =
            |wanted: &str| text("name").contains(wanted) || text("domain").contains(wanted);
        meets("name")
            && meets("domain")
            && query.allow("aud", text("aud"))
            && query.get("search").is_none_or(is_found)
    }

    fn to_json(&self, state: &State, _: &ApiRequest) -> impl Serialize {
        let mut shown = self.object.clone();
        shown.set("created_at", time(self.created_at));
        shown.set("updated_at", time(self.updated_at));
        shown.set("policies", policy::of_app(state, &self.id));
        shown
    }
}

impl WritableResource for App {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.apps)
    }
}

impl Update for App {
    type Fields = RawObject;

    /// Keeps only the server's fields. `saas_app` may be absent, as in the documentation of
    /// dashboard SSO; for `policies`, see `policy::replace`.
    fn update(
        self,
        mut object: RawObject,
        state: &mut State,
        request: &ApiRequest,
    ) -> Outcome<Self> {
        let kind = object.text("type");
        ApiErrorResponse::invalid("app type is missing or invalid")
            .when(kind.is_none() || kind != self.object.text("type"))?;
        check_redirect(&object)?;
        for key in ["created_at", "updated_at"] {
            object.remove(key);
        }
        let policies = object.remove("policies");
        for key in ["id", "uid", "aud"] {
            object.keep_from(&self.object, key);
        }
        keep_saas_app(&mut object, &self.object);
        if let Some(policies) = policies {
            policy::replace(state, &self.id, &policies, request.now)?;
        }
        Ok(Self { object, updated_at: request.now, ..self })
    }
}

/// `auto_redirect_to_identity` requires exactly one identity provider.
fn check_redirect(app: &RawObject) -> Outcome<()> {
    let allowed = match app.value("allowed_idps") {
        None => Some(Vec::new()),
        Some(_) => app.get::<Vec<String>>("allowed_idps"),
    };
    let no_list =
        || ApiErrorResponse::invalid("allowed_idps is not a list of identity provider IDs");
    let count = allowed.ok_or_else(no_list)?.len();
    let detail = "auto_redirect_to_identity requires exactly one allowed identity provider";
    ApiErrorResponse::invalid(detail)
        .when(app.get("auto_redirect_to_identity") == Some(true) && count != 1)
}

/// Keeps the server's fields of `saas_app`, and all of it if the SSO App's is absent.
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
