//! The members of an account (API reference, section 8.2).

use serde::Serialize;
use serde_json::json;

use super::request::ApiRequest;
use super::resource::{ApiResource, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::Outcome;
use crate::sandbox::query::{Paging, SMALL_PAGES};
use crate::sandbox::state::{Member, Membership, Role, State};

const ALL: &str = "/accounts/{account}/members";

pub(super) const ROUTES: &[Route] =
    &[Route::get(ALL, Gate::Account(Area::Accounts), list::<Member>).accepts(&["status"])];

impl ApiResource for Member {
    const PAGING: Paging = Paging::Always(SMALL_PAGES);

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(state.members.iter().filter(|member| member.account == request.account()).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn is_selected(&self, request: &ApiRequest) -> bool {
        request.query.allow("status", self.status)
    }

    /// As recorded: the email address in `user`, and newer fields beside it.
    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        let (first, last) = self.name.clone().unzip();
        let [role, group, name] = self.role.described();
        let may_edit = self.role != Role::ReadOnly;
        json!({
            "id": self.id,
            "email": self.email,
            "user": {
                "id": self.name.as_ref().map(|_| &self.id),
                "first_name": first,
                "last_name": last,
                "email": self.email,
                "two_factor_authentication_enabled": self.status == Membership::Accepted,
            },
            "status": self.status,
            "api_access_enabled": null,
            "policies": [{
                "id": format!("{}{}", &self.id[..30], "ff"),
                "access": "allow",
                "permission_groups": [{ "id": group, "name": name }],
                "resource_groups": [{
                    "id": self.account,
                    "name": format!("com.cloudflare.api.account.{}", self.account),
                    "scope": {
                        "key": format!("com.cloudflare.api.account.{}", self.account),
                        "objects": [{ "key": "*" }],
                    },
                }],
            }],
            "roles": [{
                "id": role,
                "name": name,
                "description": name,
                "permissions": { "access": { "edit": may_edit, "read": true } },
            }],
        })
    }
}

impl Role {
    /// The role's ID, the permission group's ID, and the name of both.
    fn described(self) -> [&'static str; 3] {
        match self {
            Self::SuperAdministrator => [
                "33666b9c79b9a5273fc7344ff42f953d",
                "8e23b19e4e0d44c29d239c5688ba8cbb",
                "Super Administrator - All Privileges",
            ],
            Self::Administrator => [
                "05784afa30c1afe1440e79d9351c7430",
                "c001ca759047000000000000000000a1",
                "Administrator",
            ],
            Self::ReadOnly => [
                "c001ca759047000000000000000000b2",
                "c001ca759047000000000000000000a2",
                "Administrator Read Only",
            ],
        }
    }
}
