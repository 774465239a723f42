//! Zones (API reference, section 8.3).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::parent;
use super::request::ApiRequest;
use super::resource::{self, ApiResource, Create, WritableResource, create, get};
use super::route::{Gate, Route};
use crate::api::ids::AccountId;
use crate::domain::EmailDomain;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::name_server;
use crate::sandbox::query::{Paging, SMALL_PAGES};
use crate::sandbox::state::{State, Zone, ZoneKind, ZoneStatus};

const FILTERS: &[&str] = &["name", "account.id", "status", "type"];

pub(super) const ROUTES: &[Route] = &[
    Route::get("/zones", Gate::Anywhere(Area::Zones), list).accepts(FILTERS),
    Route::post("/zones", Gate::Caller, create::<Zone>),
    Route::get("/zones/{zone}", Gate::Zone(Area::Zones), get::<Zone>),
];

impl ApiResource for Zone {
    const PAGING: Paging = Paging::Always(SMALL_PAGES);

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.zones.iter().filter(|zone| request.can_see(&zone.account)).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_selected(&self, request: &ApiRequest) -> bool {
        let query = &request.query;
        let is_named = |text| name_matcher(text).is_ok_and(|matches| matches(&self.name));
        query.get("name").is_none_or(is_named)
            && query.allow("account.id", &self.account)
            && query.allow("status", self.status)
            && query.allow("type", self.kind)
    }

    fn to_json(&self, state: &State, _: &ApiRequest) -> impl Serialize {
        let owner = state.accounts.iter().find(|account| account.id == self.account);
        json!({
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "type": self.kind,
            "paused": false,
            "name_servers": name_server::HOSTED_NS,
            "account": { "id": self.account, "name": owner.map(|account| &account.name) },
            "created_on": time(self.created_on),
            "modified_on": time(self.created_on),
            "activated_on": (self.status == ZoneStatus::Active).then(|| time(self.created_on)),
        })
    }

    fn missing() -> ApiErrorResponse {
        parent::no_zone()
    }
}

impl WritableResource for Zone {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.zones)
    }
}

fn list(state: &State, request: &ApiRequest) -> Outcome {
    if let Some(account) = request.query.get("account.id") {
        // The real code is unknown.
        ApiErrorResponse::bad_request(1006, format!("Invalid account.id: {account:?}"))
            .when(account.parse::<AccountId>().is_err())?;
    }
    request.query.get("name").map(name_matcher).transpose()?;
    resource::list::<Zone>(state, request)
}

/// Exact unless an operator is given: `contains:cats`.
fn name_matcher(text: &str) -> Outcome<impl Fn(&str) -> bool> {
    let (operator, text) = text.split_once(':').unwrap_or(("equal", text));
    let matches: fn(&str, &str) -> bool = match operator {
        "equal" => |name, text| name == text,
        "not_equal" => |name, text| name != text,
        "starts_with" => |name, text| name.starts_with(text),
        "ends_with" => |name, text| name.ends_with(text),
        "contains" => |name, text| name.contains(text),
        _ => return Err(ApiErrorResponse::not_simulated(format!("the operator `{operator}:`"))),
    };
    let text = text.to_ascii_lowercase();
    Ok(move |name: &str| matches(name, &text))
}

#[derive(Deserialize)]
pub(super) struct CreateRequest {
    name: String,
    account: AccountReference,
    #[serde(default = "full", rename = "type")]
    kind: ZoneKind,
}

#[derive(Deserialize)]
struct AccountReference {
    id: String,
}

fn full() -> ZoneKind {
    ZoneKind::Full
}

impl Create for Zone {
    type Fields = CreateRequest;

    /// A full zone is delegated and active at once. The real API returns `pending` first.
    fn create(fields: CreateRequest, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let CreateRequest { name, account: AccountReference { id: account }, kind } = fields;
        request.caller()?.may_in_account(state, &account, Area::Zones, Right::Write)?;
        let name: EmailDomain = name.parse().map_err(|_| {
            ApiErrorResponse::bad_request(1049, format!("{name} is not a registered domain"))
        })?;
        let is_taken = |zone: &Zone| {
            zone.name == name.as_str() && (zone.account == account || zone.is_served())
        };
        ApiErrorResponse::bad_request(1061, format!("{name} already exists"))
            .when(state.zones.iter().any(is_taken))?;
        let status = match kind {
            ZoneKind::Full => ZoneStatus::Active,
            ZoneKind::Partial => ZoneStatus::Pending,
        };
        let (id, name) = (state.next_id(), name.to_string());
        Ok(Self { id, account, name, status, kind, created_on: request.now })
    }
}
