//! Accounts (API reference, section 8.2).

use serde::Serialize;
use serde_json::json;

use super::request::ApiRequest;
use super::resource::{ApiResource, get, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{Outcome, time};
use crate::sandbox::query::{Paging, SMALL_PAGES};
use crate::sandbox::seed::PARENT_NAME;
use crate::sandbox::state::{Account, State};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/accounts", Gate::Anywhere(Area::Accounts), list::<Account>).accepts(&["name"]),
    Route::get("/accounts/{account}", Gate::Account(Area::Accounts), get::<Account>),
];

impl ApiResource for Account {
    const PAGING: Paging = Paging::Always(SMALL_PAGES);

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.accounts.iter().filter(|account| request.can_see(&account.id)).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_selected(&self, request: &ApiRequest) -> bool {
        request.query.allow("name", &self.name)
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": "standard",
            "settings": { "enforce_twofactor": false },
            "created_on": time(self.created_on),
        });
        if let Some(parent) = &self.parent {
            shown["managed_by"] =
                json!({ "parent_org_id": parent, "parent_org_name": PARENT_NAME });
        }
        shown
    }
}
