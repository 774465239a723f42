//! The permission groups that tokens can be given (API reference, section 8.1).

use serde::Serialize;
use serde_json::json;

use super::request::ApiRequest;
use super::resource::{ApiResource, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::Outcome;
use crate::sandbox::permission_group::{GROUPS, Group};
use crate::sandbox::state::State;

const OF_ACCOUNT: &str = "/accounts/{account}/tokens/permission_groups";
const OF_USER: &str = "/user/tokens/permission_groups";
const FILTERS: &[&str] = &["name", "scope"];

pub(super) const ROUTES: &[Route] = &[
    Route::get(OF_ACCOUNT, Gate::Account(Area::Tokens), list::<Group>).accepts(FILTERS),
    Route::get(OF_USER, Gate::User(Area::Tokens), list::<Group>).accepts(FILTERS),
];

impl ApiResource for Group {
    fn all<'a>(_: &'a State, _: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(GROUPS.iter().collect())
    }

    fn id(&self) -> &str {
        self.id
    }

    /// Both filters are exact.
    fn is_selected(&self, request: &ApiRequest) -> bool {
        request.query.allow("name", self.name) && request.query.allow("scope", self.scope)
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        json!({ "id": self.id, "name": self.name, "scopes": [self.scope] })
    }
}
