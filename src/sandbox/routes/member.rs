//! The members of an account (API reference, section 8.2).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};

use super::Outcome;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::auth::Caller;
use crate::sandbox::query::{Parameters, SMALL_PAGES};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Member, Membership, Role};

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/accounts/{account}/members", get(list))
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Outcome {
    let account = caller.in_account(&shared, &account, Area::Accounts, Right::Read)?;
    let query = query.only(&["status"])?;
    let members: Vec<Value> = shared.store.read(|state| {
        let own = state.members.iter().filter(|member| member.account == account);
        own.filter(|member| query.allow("status", member.status.as_str())).map(to_json).collect()
    });
    query.page(members, SMALL_PAGES)
}

impl Membership {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
        }
    }
}

impl Role {
    /// The ID and the name of the role, and of the permission group of the same
    /// name in newer policies.
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

/// As recorded: the email address in `user`, and the newer fields outside it.
fn to_json(member: &Member) -> Value {
    let (first, last) = member.name.clone().unzip();
    let [role, group, name] = member.role.described();
    let may_edit = member.role != Role::ReadOnly;
    json!({
        "id": member.id,
        "email": member.email,
        "user": {
            "id": member.name.as_ref().map(|_| &member.id),
            "first_name": first,
            "last_name": last,
            "email": member.email,
            "two_factor_authentication_enabled": member.status == Membership::Accepted,
        },
        "status": member.status.as_str(),
        "api_access_enabled": null,
        "policies": [{
            "id": format!("{}{}", &member.id[..30], "ff"),
            "access": "allow",
            "permission_groups": [{ "id": group, "name": name }],
            "resource_groups": [{
                "id": member.account,
                "name": format!("com.cloudflare.api.account.{}", member.account),
                "scope": {
                    "key": format!("com.cloudflare.api.account.{}", member.account),
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
