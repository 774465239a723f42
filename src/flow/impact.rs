//! Members that enforcing SSO affects: SSO follows the email address, not the account.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::policy_decision::{PolicyContext, References};
use super::preflight::{self, Checked, NotChecked, checked, has_plus};
use super::{Env, Error};
use crate::api::access_log::{self, LoginRow};
use crate::api::access_user::{self, User};
use crate::api::app::{self, App};
use crate::api::audit_log::{self, AuditRow};
use crate::api::connector::Connector;
use crate::api::idp::{self, Idp};
use crate::api::ids::AccountId;
use crate::api::member::Member;
use crate::api::policy::Policy;
use crate::api::{self, account, member};
use crate::domain::EmailDomain;
use crate::rfc3339;

const MAX_CONCURRENT: usize = 8;

/// The result of `cfsso impact`: who is affected by SSO for a domain.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// The email domain.
    pub domain: String,
    /// The ID of the account whose logs were read.
    pub account: String,
    /// Sign-ins before this time are ignored (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub since: Timestamp,
    /// Whether SSO is enforced for the domain; `null` if the connectors cannot be read.
    pub sso: Option<Enforcement>,
    /// The number of members by effect.
    pub counts: Counts,
    /// The accounts, ordered by name and ID.
    pub accounts: Vec<AccountSummary>,
    /// The members at the domain or a subdomain, and super administrators at other domains,
    /// ordered by effect and email address.
    pub members: Vec<AffectedMember>,
    /// The effect on API tokens: always `unaffected`.
    pub api_tokens: &'static str,
    /// The areas that could not be read, each with the reason.
    pub not_checked: Vec<String>,
}

/// Whether the account in use enforces SSO for the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    Enforced,
    Off,
    NoConnector,
}

/// The number of members by effect; each email address counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Members at the domain: the sum of `sso`, `cannot_sign_in`, `denied` and `invited`.
    pub affected: usize,
    /// Members who sign in through the identity provider.
    pub sso: usize,
    /// Members with a plus address, who cannot sign in.
    pub cannot_sign_in: usize,
    /// Members and invited persons that no policy of the SSO App allows.
    pub denied: usize,
    /// Pending invitations at the domain.
    pub invited: usize,
    /// Members at a subdomain.
    pub not_covered: usize,
    /// Super administrators at another domain.
    pub super_administrators_outside: usize,
    /// Other members at another domain.
    pub others: usize,
}

/// The number of members of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountSummary {
    /// The ID of the account.
    pub id: String,
    /// The name of the account.
    pub name: Option<String>,
    /// The number of members, including pending invitations; `null` if they cannot be read.
    pub members: Option<usize>,
    /// The number of members at the domain; `null` if they cannot be read.
    pub affected: Option<usize>,
}

/// A member and the effect of SSO on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AffectedMember {
    /// The email address, in lower case.
    pub email: String,
    /// The effect of SSO on the member.
    pub effect: Effect,
    /// Whether the member is a super administrator of one of the accounts.
    pub super_administrator: bool,
    /// Whether the member has signed in since `since`; `null` if not all logs could be read.
    pub signed_in: Option<bool>,
    /// When the member last signed in (RFC 3339); `null` if no sign-in since `since` is logged.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub last_sign_in: Option<Timestamp>,
    /// The identity provider type of the latest sign-in in the login log, or `sso` if only
    /// the audit log contains one; `null` if unknown.
    pub through: Option<String>,
    /// The accounts that the person is a member of.
    pub memberships: Vec<Membership>,
}

/// The effect of SSO on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The member signs in through the identity provider.
    Sso,
    /// The member has a plus address, which SSO does not support: sign-in fails.
    CannotSignIn,
    /// No policy of the SSO App allows the member: sign-in fails.
    Denied,
    /// The invited person has to sign in with SSO to accept the invitation.
    Invited,
    /// The member is at a subdomain, which needs its own connector: nothing changes.
    NotCovered,
    /// The member is at another domain: nothing changes.
    Outside,
}

/// A membership in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Membership {
    /// The ID of the account.
    pub account: String,
    /// The name of the account.
    pub account_name: Option<String>,
    /// The state of the membership: `accepted` or `pending`.
    pub status: Option<String>,
    /// The names of the roles and permission groups.
    pub roles: Vec<String>,
}

struct Facts {
    accounts: Vec<AccountMembers>,
    /// The reason why no other account could be listed.
    unlisted: Option<NotChecked>,
    logins: Checked<Vec<LoginRow>>,
    users: Checked<Vec<User>>,
    audit: Checked<Vec<AuditRow>>,
    connectors: Checked<Vec<Connector>>,
    policies: PolicyFacts,
}

struct PolicyFacts {
    apps: Checked<Vec<App>>,
    idps: Checked<Vec<Idp>>,
    policies: Checked<Vec<Policy>>,
    references: References,
}

impl PolicyFacts {
    /// `None` if there is no SSO App, or policies cannot be read.
    fn context<'a>(&'a self, account: &'a AccountId) -> Option<PolicyContext<'a>> {
        let app = self.apps.as_ref().ok()?.iter().find(|app| app.is_dash_sso())?;
        let (policies, idps) = (self.policies.as_ref().ok()?, self.idps.as_deref().ok());
        Some(PolicyContext::new(app, policies, idps, (account.as_str(), &self.references)))
    }
}

struct AccountMembers {
    id: AccountId,
    name: Option<String>,
    members: Checked<Vec<Member>>,
}

impl AccountMembers {
    /// A rejected invitation is not a membership.
    fn members(&self) -> Option<impl Iterator<Item = &Member>> {
        let members = self.members.as_ref().ok()?.iter();
        Some(members.filter(|member| member.status.as_deref() != Some("rejected")))
    }
}

/// Fails if the members of the account in use cannot be read.
pub async fn read(env: &Env<'_>, domain: &EmailDomain, since: Timestamp) -> Result<Report, Error> {
    let (client, own) = (env.client, env.account);
    let own_members = member::list(own);
    let logins = access_log::list(own, since, None);
    let users = access_user::list(own);
    let audit = audit_log::list(own, since, env.clock.now());
    let connectors = api::connector::list(own);
    let (members, others, logins, users, audit, connectors, policies) = tokio::join!(
        client.list(&own_members),
        other_accounts(env),
        client.list(&logins),
        client.list(&users),
        client.list(&audit),
        client.list(&connectors),
        Box::pin(read_policies(env)),
    );
    let mut own = AccountMembers { id: own.clone(), name: None, members: Ok(members?) };
    let (mut accounts, unlisted) = match others {
        Ok((name, others)) => {
            own.name = name;
            (others, None)
        }
        Err(reason) => (Vec::new(), Some(reason)),
    };
    accounts.push(own);
    accounts.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
    let (logins, users, audit) = (checked(logins), checked(users), checked(audit));
    let connectors = checked(connectors);
    let facts = Facts { accounts, unlisted, logins, users, audit, connectors, policies };
    Ok(evaluate(domain, env.account, since, &facts))
}

async fn read_policies(env: &Env<'_>) -> PolicyFacts {
    let (apps, idps) = (app::list(env.account), idp::list(env.account));
    let (apps, idps) = tokio::join!(env.client.list(&apps), env.client.list(&idps));
    let apps: Checked<Vec<App>> = checked(apps);
    let sso_app = apps.as_ref().map(|apps| apps.iter().find(|app| app.is_dash_sso()));
    let (policies, references) = preflight::read_policies(env, sso_app).await;
    PolicyFacts { idps: checked(idps), policies, references, apps }
}

async fn other_accounts(env: &Env<'_>) -> Checked<(Option<String>, Vec<AccountMembers>)> {
    let listed = checked(env.client.list(&account::list()).await)?;
    let own = listed.iter().find(|account| account.id == *env.account);
    let name = own.and_then(|account| account.name.clone());
    let others = listed.iter().filter(|account| account.id != *env.account);
    let reads = others.map(async |account| AccountMembers {
        id: account.id.clone(),
        name: account.name.clone(),
        members: checked(env.client.list(&member::list(&account.id)).await),
    });
    Ok((name, stream::iter(reads).buffered(MAX_CONCURRENT).collect().await))
}

fn evaluate(domain: &EmailDomain, own: &AccountId, since: Timestamp, facts: &Facts) -> Report {
    let sign_ins = SignIns::new(facts, since);
    let mut people: BTreeMap<String, Vec<(&AccountMembers, &Member)>> = BTreeMap::new();
    for account in &facts.accounts {
        for member in account.members().into_iter().flatten() {
            people.entry(member.email().to_lowercase()).or_default().push((account, member));
        }
    }
    let sso = facts.connectors.as_ref().ok().map(|all| enforcement(domain, all));
    // Cloudflare creates the policy of a domain with its connector.
    let has_policy = sso.is_none_or(|sso| sso != Enforcement::NoConnector);
    let context = facts.policies.context(own).filter(|_| has_policy);
    let mut counts = Counts::default();
    let mut members = Vec::new();
    for (email, memberships) in people {
        let is_accepted = memberships.iter().any(|(_, member)| !member.is_pending());
        let is_super = memberships
            .iter()
            .any(|(_, member)| !member.is_pending() && member.is_super_administrator());
        let is_member =
            memberships.iter().any(|(account, member)| account.id == *own && member.is_accepted());
        let is_denied = || {
            context.as_ref().is_some_and(|context| {
                context.decide_for_user(Some(&email), domain, Some(is_member)).1.is_denial()
            })
        };
        let effect = match effect(domain, &email, is_accepted) {
            Effect::Sso | Effect::Invited if is_denied() => Effect::Denied,
            effect => effect,
        };
        let count = match effect {
            Effect::Sso => &mut counts.sso,
            Effect::CannotSignIn => &mut counts.cannot_sign_in,
            Effect::Denied => &mut counts.denied,
            Effect::Invited => &mut counts.invited,
            Effect::NotCovered => &mut counts.not_covered,
            Effect::Outside if is_super => &mut counts.super_administrators_outside,
            Effect::Outside => &mut counts.others,
        };
        *count += 1;
        if effect != Effect::Outside || is_super {
            let (last_sign_in, through) = sign_ins.latest(&email);
            members.push(AffectedMember {
                effect,
                super_administrator: is_super,
                signed_in: last_sign_in.map(|_| true).or(sign_ins.is_complete.then_some(false)),
                last_sign_in,
                through,
                memberships: memberships.into_iter().map(membership).collect(),
                email,
            });
        }
    }
    members.sort_by_key(|member| member.effect);
    counts.affected = counts.sso + counts.cannot_sign_in + counts.denied + counts.invited;
    Report {
        schema: "cfsso/impact/v1",
        domain: domain.to_string(),
        account: own.to_string(),
        since,
        sso,
        counts,
        accounts: facts.accounts.iter().map(|account| summary(domain, account)).collect(),
        members,
        api_tokens: "unaffected",
        not_checked: not_checked(facts),
    }
}

fn enforcement(domain: &EmailDomain, connectors: &[Connector]) -> Enforcement {
    let is_its = |it: &&Connector| it.email_domain.eq_ignore_ascii_case(domain.as_str());
    let mut its = connectors.iter().filter(is_its).peekable();
    match (its.peek().is_some(), its.any(|it| it.is_enabled())) {
        (false, _) => Enforcement::NoConnector,
        (true, false) => Enforcement::Off,
        (true, true) => Enforcement::Enforced,
    }
}

fn effect(domain: &EmailDomain, email: &str, is_accepted: bool) -> Effect {
    if domain.has_address_below(email) {
        return Effect::NotCovered;
    }
    match (domain.has_address(email), has_plus(email), is_accepted) {
        (false, _, _) => Effect::Outside,
        (true, true, _) => Effect::CannotSignIn,
        (true, false, false) => Effect::Invited,
        (true, false, true) => Effect::Sso,
    }
}

fn membership((account, member): (&AccountMembers, &Member)) -> Membership {
    Membership {
        account: account.id.to_string(),
        account_name: account.name.clone(),
        status: member.status.clone(),
        roles: member.roles().into_iter().map(str::to_owned).collect(),
    }
}

fn summary(domain: &EmailDomain, account: &AccountMembers) -> AccountSummary {
    let is_affected = |member: &&Member| domain.has_address(member.email());
    AccountSummary {
        id: account.id.to_string(),
        name: account.name.clone(),
        members: account.members().map(Iterator::count),
        affected: account.members().map(|all| all.filter(is_affected).count()),
    }
}

fn not_checked(facts: &Facts) -> Vec<String> {
    let members = facts.accounts.iter().filter_map(|account| {
        let reason = account.members.as_ref().err()?;
        let name = account.name.as_deref().unwrap_or(account.id.as_str());
        Some((format!("members of {name}"), reason))
    });
    let others = facts.unlisted.iter().map(|reason| ("other accounts".to_owned(), reason));
    let logs = [
        ("login log", facts.logins.as_ref().err()),
        ("Access users", facts.users.as_ref().err()),
        ("audit log", facts.audit.as_ref().err()),
        ("connectors", facts.connectors.as_ref().err()),
        ("policies", facts.policies.policies.as_ref().err()),
        ("identity providers", facts.policies.idps.as_ref().err()),
    ];
    let logs = logs.into_iter().filter_map(|(area, reason)| Some((area.to_owned(), reason?)));
    let all = others.chain(members).chain(logs);
    all.map(|(area, reason)| format!("{area}: {}", reason.reason)).collect()
}

#[derive(Default)]
struct SignIns {
    latest: BTreeMap<String, Timestamp>,
    logged: BTreeMap<String, (Timestamp, Option<String>)>,
    audited: BTreeMap<String, Timestamp>,
    /// Everything was read: an address without a sign-in has not signed in.
    is_complete: bool,
}

impl SignIns {
    fn new(facts: &Facts, since: Timestamp) -> Self {
        let is_complete = facts.logins.is_ok() && facts.users.is_ok() && facts.audit.is_ok();
        let mut all = Self { is_complete, ..Self::default() };
        let allowed = |row: &&LoginRow| row.allowed == Some(true) && row.is_person();
        for row in facts.logins.iter().flatten().filter(allowed) {
            let Some(at) = row.at().filter(|at| *at >= since) else { continue };
            let known = all.logged.entry(row.email().to_lowercase()).or_default();
            *known = known.clone().max((at, row.connection.clone()));
        }
        for row in facts.audit.iter().flatten().filter(|row| row.is_sso_login()) {
            let Some(at) = row.at().filter(|at| *at >= since) else { continue };
            let known = all.audited.entry(row.email().to_lowercase()).or_default();
            *known = at.max(*known);
        }
        for user in facts.users.iter().flatten() {
            let at = user.last_successful_login.as_ref().and_then(|at| at.parse().ok());
            let Some(at) = at.filter(|at: &Timestamp| *at >= since) else { continue };
            let email = user.email.as_deref().unwrap_or_default().to_lowercase();
            let known = all.latest.entry(email).or_default();
            *known = at.max(*known);
        }
        all
    }

    fn latest(&self, email: &str) -> (Option<Timestamp>, Option<String>) {
        let logged = self.logged.get(email);
        let audited = self.audited.get(email).copied();
        let at = self.latest.get(email).copied().max(audited).max(logged.map(|(at, _)| *at));
        let through = logged.and_then(|(_, through)| through.clone());
        (at, through.or_else(|| audited.map(|_| "sso".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ErrorKind;

    fn account(id: &str, members: &str) -> AccountMembers {
        AccountMembers {
            id: id.parse().unwrap(),
            name: Some(format!("Account {}", &id[31..])),
            members: Ok(serde_json::from_str(members).unwrap()),
        }
    }

    fn denied<T>() -> Checked<T> {
        Err(NotChecked { kind: ErrorKind::Forbidden, reason: "no permission".to_owned() })
    }

    const ONE: &str = "00000000000000000000000000000001";
    const TWO: &str = "00000000000000000000000000000002";

    fn facts() -> Facts {
        let supers = r#""roles":[{"name":"Super Administrator - All Privileges"}]"#;
        let first = format!(
            r#"[
            {{"email":"Ada@cool.cats","status":"accepted",{supers}}},
            {{"email":"tom+x@cool.cats","status":"accepted"}},
            {{"email":"new+y@cool.cats","status":"pending"}},
            {{"email":"kit@cool.cats","status":"pending",{supers}}},
            {{"email":"no@cool.cats","status":"rejected"}},
            {{"email":"sub@mail.cool.cats","status":"accepted"}},
            {{"email":"out@dogs.test","status":"accepted",{supers}}},
            {{"email":"hope@dogs.test","status":"pending",{supers}}},
            {{"email":"plain@uncool.cats","status":"accepted"}}]"#
        );
        let second = r#"[
            {"email":"ada@cool.cats","status":"pending"},
            {"email":"kit@cool.cats","status":"accepted","roles":[{"name":"Administrator"}]}]"#;
        let logins = r#"[
            {"user_email":"ADA@cool.cats","allowed":true,"connection":"okta","created_at":"2026-03-01T10:00:00Z"},
            {"user_email":"ada@cool.cats","allowed":true,"connection":"saml","created_at":"2026-03-01T09:00:00Z"},
            {"user_email":"kit@cool.cats","allowed":false,"connection":"okta","created_at":"2026-03-01T11:00:00Z"},
            {"user_email":"kit@cool.cats","allowed":true,"connection":"nonidentity","created_at":"2026-03-01T11:00:00Z"},
            {"user_email":"kit@cool.cats","allowed":true,"connection":"okta","created_at":"2026-01-01T11:00:00Z"}]"#;
        let users = r#"[
            {"id":"11111111-1111-4111-8111-111111111111","email":"ada@cool.cats","last_successful_login":"2026-03-01T12:00:00Z"},
            {"id":"11111111-1111-4111-8111-111111111112","email":"sub@mail.cool.cats","last_successful_login":"2026-03-01T12:00:00Z"}]"#;
        let audit = r#"[{"action":{"description":"SSO_LOGIN","time":"2026-03-01T08:00:00Z"},"actor":{"email":"out@dogs.test"}}]"#;
        Facts {
            accounts: vec![account(ONE, &first), account(TWO, second)],
            unlisted: None,
            logins: Ok(serde_json::from_str(logins).unwrap()),
            users: Ok(serde_json::from_str(users).unwrap()),
            audit: Ok(serde_json::from_str(audit).unwrap()),
            connectors: Ok(Vec::new()),
            policies: PolicyFacts {
                apps: Ok(Vec::new()),
                idps: Ok(Vec::new()),
                policies: Ok(Vec::new()),
                references: References::default(),
            },
        }
    }

    fn report(facts: &Facts) -> Report {
        let since = "2026-02-01T00:00:00Z".parse().unwrap();
        evaluate(&"cool.cats".parse().unwrap(), &ONE.parse().unwrap(), since, facts)
    }

    #[test]
    fn each_member_has_an_effect_and_the_latest_sign_in() {
        use Effect::{CannotSignIn, Invited, NotCovered, Outside, Sso};
        let mut facts = facts();
        facts.accounts[1].members.as_mut().unwrap().pop();
        let report = report(&facts);
        let found: Vec<_> = report
            .members
            .iter()
            .map(|it| (it.email.as_str(), it.effect, it.super_administrator, it.through.as_deref()))
            .collect();
        let expected = [
            ("ada@cool.cats", Sso, true, Some("okta")),
            ("new+y@cool.cats", CannotSignIn, false, None),
            ("tom+x@cool.cats", CannotSignIn, false, None),
            ("kit@cool.cats", Invited, false, None),
            ("sub@mail.cool.cats", NotCovered, false, None),
            ("out@dogs.test", Outside, true, Some("sso")),
        ];
        assert_eq!(found, expected);
        let ada = &report.members[0];
        assert_eq!(ada.last_sign_in, "2026-03-01T12:00:00Z".parse().ok());
        assert_eq!(ada.memberships.len(), 2);
        let signed_in: Vec<_> = report.members.iter().map(|it| it.signed_in.unwrap()).collect();
        assert_eq!(signed_in, [true, false, false, false, true, true]);
        let counts = Counts {
            affected: 4,
            sso: 1,
            cannot_sign_in: 2,
            denied: 0,
            invited: 1,
            not_covered: 1,
            super_administrators_outside: 1,
            others: 2,
        };
        assert_eq!(report.counts, counts);
    }

    #[test]
    fn a_member_whom_no_policy_allows_is_denied() {
        use crate::flow::preflight::tests::{allow, email_domain, forbidden, idp, object, sso_app};
        use serde_json::json;
        let connector = r#"[{"id":"c1","email_domain":"cool.cats","enabled":true}]"#;
        let of = |rule: &serde_json::Value, connectors: &str| {
            let mut facts = facts();
            facts.connectors = Ok(serde_json::from_str(connectors).unwrap());
            facts.policies.apps = Ok(object(&json!([sso_app(&json!({}))])));
            facts.policies.idps = Ok(object(&json!([idp("okta", "okta")])));
            facts.policies.policies = Ok(object(&json!([allow(1, &json!([rule]))])));
            facts
        };
        let ada = json!({ "email": { "email": "ADA@cool.cats" } });
        let for_services = json!({ "service_token": { "token_id": "t" } });
        let counted = |facts: &Facts| {
            let counts = report(facts).counts;
            assert_eq!(counts.affected, 4);
            (counts.sso, counts.cannot_sign_in, counts.denied)
        };
        for (rule, connectors, expected) in [
            (&email_domain("cool.cats"), connector, (2, 2, 0)),
            (&ada, connector, (1, 2, 1)),
            (&for_services, connector, (0, 2, 2)),
            (&json!({ "geo": { "country_code": "DE" } }), connector, (2, 2, 0)),
            // Its policy comes with its connector.
            (&for_services, "[]", (2, 2, 0)),
        ] {
            assert_eq!(counted(&of(rule, connectors)), expected, "{rule} {connectors}");
        }
        let mut hidden = of(&for_services, connector);
        hidden.policies.policies = Err(forbidden());
        assert_eq!(counted(&hidden), (2, 2, 0));
        assert_eq!(report(&hidden).not_checked, ["policies: the token lacks it"]);
    }

    #[test]
    fn an_accepted_membership_anywhere_outweighs_an_invitation() {
        let report = report(&facts());
        let kit = report.members.iter().find(|it| it.email == "kit@cool.cats").unwrap();
        assert_eq!((kit.effect, kit.super_administrator), (Effect::Sso, false));
        let affected: Vec<_> = report.accounts.iter().map(|it| it.affected).collect();
        assert_eq!(affected, [Some(4), Some(2)]);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_never_counts_as_no_sign_in() {
        for hidden in ["login log", "Access users", "audit log"] {
            let mut facts = facts();
            match hidden {
                "login log" => facts.logins = denied(),
                "Access users" => facts.users = denied(),
                _ => facts.audit = denied(),
            }
            let report = report(&facts);
            assert_eq!(report.not_checked, [format!("{hidden}: no permission")]);
            let kit = report.members.iter().find(|it| it.email == "kit@cool.cats").unwrap();
            assert_eq!(kit.signed_in, None, "{hidden}");
        }
        let mut facts = facts();
        facts.accounts[1].members = denied();
        facts.unlisted = denied::<()>().err();
        let report = report(&facts);
        let expected = ["other accounts: no permission", "members of Account 2: no permission"];
        assert_eq!(report.not_checked, expected);
        assert_eq!((report.accounts[1].members, report.accounts[1].affected), (None, None));
    }
}
