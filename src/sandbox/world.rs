//! Access to sandbox data that no route returns or changes: secrets, members, accounts.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::error::Error;
use super::raw::RawObject;
use super::seed::{self, team};
use super::server::Sandbox;
use super::sign_in;
use super::sign_in_attempt::{LogBehavior, PlannedSignIn, SignInAttempt, SignInResult};
use super::state::{Account, Connector, Member, Membership, Role, State};
use crate::api::ids::AccountId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRelation {
    /// In the same organization of accounts, with Zero Trust.
    SameOrg,
    /// In the same organization, without Zero Trust: shares with it never arrive.
    SameOrgNoAccess,
    /// In no organization, with Zero Trust.
    OtherOrg,
}

impl Sandbox {
    /// The `client_secret` as sent, even if `null` or a mask.
    pub fn stored_secret(&self, provider: &str) -> Option<Value> {
        self.stored(provider, "client_secret")
    }

    /// The `api_token` as sent, even if `null` or a mask.
    pub fn stored_api_token(&self, provider: &str) -> Option<Value> {
        self.stored(provider, "api_token")
    }

    fn stored(&self, provider: &str, field: &str) -> Option<Value> {
        self.shared.store.read(|state| {
            let known = state.providers.iter().find(|known| known.id == provider)?;
            serde_json::from_str(known.secrets.get(field)?.get()).ok()
        })
    }

    pub fn sign_in(&self, attempt: &SignInAttempt) -> Result<SignInResult, Error> {
        sign_in::run(&self.shared, attempt, self.shared.clock.now())
    }

    /// The result of a sign-in now, without writing anything.
    pub fn would_sign_in(&self, attempt: &SignInAttempt) -> SignInResult {
        sign_in::preview(&self.shared, attempt)
    }

    /// Signs a user in with the first request after `delay`.
    pub fn plan_sign_in(&self, delay: Duration, attempt: SignInAttempt) {
        let at = self.shared.clock.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
        self.shared.planned().push(PlannedSignIn { at, attempt });
    }

    pub fn set_log_behavior(&self, behavior: LogBehavior) {
        *self.shared.log_behavior() = behavior;
    }

    /// Base of the issuers' URLs, such as `/oidc/<slug>`.
    pub fn origin(&self) -> String {
        self.shared.origin.clone()
    }

    /// The identity provider of that slug does not answer until [`bring_up`](Self::bring_up).
    pub fn take_down(&self, slug: &str) {
        self.shared.down().insert(slug.to_owned());
    }

    pub fn bring_up(&self, slug: &str) {
        self.shared.down().remove(slug);
    }

    /// Adds fields that no client knows to the connectors of a domain.
    pub fn add_unknown_fields(&self, domain: &str, object: &str) -> Result<(), Error> {
        self.shared.store.change(|state| {
            let of_domain = |known: &&mut Connector| known.email_domain == domain;
            for connector in state.connectors.iter_mut().filter(of_domain) {
                connector.unknown = RawObject::literal(object);
            }
            Ok(())
        })
    }

    /// The state as JSON text, for comparisons: without counters, issued IDs, times of the latest
    /// changes and logs.
    pub fn snapshot(&self) -> String {
        let mut state = self.shared.store.read(State::clone);
        (state.revision, state.issued) = (0, 0);
        state.logins.clear();
        state.audit.clear();
        for connector in &mut state.connectors {
            connector.updated_on = connector.created_on;
        }
        for app in &mut state.apps {
            app.updated_at = app.created_at;
        }
        for policy in &mut state.policies {
            policy.updated_at = policy.created_at;
        }
        serde_json::to_string(&state).expect("a state is plain data")
    }

    pub fn set_member(&self, email: &str, role: Role, status: Membership) -> Result<(), Error> {
        self.set_member_of(self.account(), email, role, status)
    }

    pub fn set_member_of(
        &self,
        account: &AccountId,
        email: &str,
        role: Role,
        status: Membership,
    ) -> Result<(), Error> {
        let account = account.to_string();
        self.shared.store.change(|state| {
            let is_match = |known: &Member| known.account == account && known.email == email;
            state.members.retain(|known| !is_match(known));
            let is_there = status == Membership::Accepted;
            let name = is_there.then(|| ("New".to_owned(), "Member".to_owned()));
            let id = state.next_id();
            state.members.push(Member { id, account, email: email.to_owned(), name, role, status });
            Ok(())
        })
    }

    pub fn remove_member(&self, email: &str) -> Result<(), Error> {
        let account = self.account().as_str();
        self.shared.store.change(|state| {
            state.members.retain(|known| known.account != account || known.email != email);
            Ok(())
        })
    }

    /// Adds an account for user tokens. [`accounts`](Self::accounts) does not include it.
    pub fn add_account(&self, name: &str, relation: AccountRelation) -> Result<AccountId, Error> {
        let now = self.shared.clock.now();
        self.shared.store.change(|state| {
            let id = state.next_id();
            let parent = (relation != AccountRelation::OtherOrg).then(|| seed::PARENT.to_owned());
            let (owned, name) = (id.clone(), name.to_owned());
            if relation != AccountRelation::SameOrgNoAccess {
                let team = format!("team-{}", &id[..12]);
                state.organizations.push(team::organization(&id, &team, &name));
            }
            state.accounts.push(Account { id: owned, name, created_on: now, parent });
            Ok(id.parse().expect("it has 32 hexadecimal digits"))
        })
    }
}
