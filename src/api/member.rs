//! The members of an account (API reference, section 8.2).

use serde::Deserialize;

use super::ids::AccountId;
use super::object::Object;
use super::request::Request;

/// The maximum (API reference, section 1.5).
const PAGE: u32 = 50;

/// The name of the role and of the permission group, from recorded responses.
const SUPER_ADMINISTRATOR: &str = "Super Administrator - All Privileges";

pub type Member = Object<MemberFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct MemberFields {
    /// Only in newer responses.
    pub email: Option<String>,
    pub user: Option<User>,
    /// The invitation: accepted, pending or rejected.
    pub status: Option<String>,
    pub roles: Option<Vec<Role>>,
    /// Only in newer responses.
    pub policies: Option<Vec<Policy>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub email: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Role {
    pub name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    pub access: Option<String>,
    pub permission_groups: Option<Vec<Role>>,
}

impl MemberFields {
    pub fn email(&self) -> &str {
        let user = self.user.as_ref().and_then(|user| user.email.as_deref());
        user.or(self.email.as_deref()).unwrap_or_default()
    }

    /// An unknown state counts as not accepted.
    pub fn is_accepted(&self) -> bool {
        self.status.as_deref() == Some("accepted")
    }

    pub fn is_pending(&self) -> bool {
        self.status.as_deref() == Some("pending")
    }

    /// Names of roles and of allowed permission groups, each once.
    pub fn roles(&self) -> Vec<&str> {
        let allowed = self.policies.iter().flatten();
        let allowed = allowed.filter(|policy| policy.access.as_deref() == Some("allow"));
        let groups = allowed.flat_map(|policy| policy.permission_groups.iter().flatten());
        let named = self.roles.iter().flatten().chain(groups);
        let mut all: Vec<_> = named.filter_map(|role| role.name.as_deref()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub fn is_active_super_administrator(&self) -> bool {
        self.is_super_administrator() && self.is_accepted()
    }

    pub fn is_super_administrator(&self) -> bool {
        self.roles().contains(&SUPER_ADMINISTRATOR)
    }
}

/// Invitations included.
pub fn list(account: &AccountId) -> Request<Vec<Member>> {
    Request::get(&["accounts", account.as_str(), "members"]).paged(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_super_administrator_is_one_by_role_or_by_policy() {
        let role = r#""roles":[{"name":"Super Administrator - All Privileges"}]"#;
        let policy = |access: &str| {
            format!(
                r#""policies":[{{"access":"{access}","permission_groups":[{{"name":"Super Administrator - All Privileges"}}]}}]"#
            )
        };
        for (rest, expected) in [
            (role.to_owned(), true),
            (policy("allow"), true),
            (policy("deny"), false),
            (r#""roles":[{"name":"Administrator"}],"policies":null"#.to_owned(), false),
            (r#""roles":[{"name":null}]"#.to_owned(), false),
            (r#""status":"accepted""#.to_owned(), false),
        ] {
            let member: Member = serde_json::from_str(&format!("{{{rest}}}")).unwrap();
            assert_eq!(member.is_super_administrator(), expected, "{rest}");
        }
    }

    #[test]
    fn the_address_is_found_in_old_and_new_answers() {
        for (text, address) in [
            (r#"{"user":{"email":"a@cool.cats"}}"#, "a@cool.cats"),
            (r#"{"email":"a@cool.cats","user":null}"#, "a@cool.cats"),
            (r#"{"email":"a@cool.cats","user":{"email":null}}"#, "a@cool.cats"),
            ("{}", ""),
        ] {
            let member: Member = serde_json::from_str(text).unwrap();
            assert_eq!(member.email(), address, "{text}");
        }
    }
}
