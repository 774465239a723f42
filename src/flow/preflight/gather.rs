//! Reads what the checks need: concurrently, and nothing twice.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::Thresholds;
use super::facts::{Checked, Facts, Health, NotChecked, Recovery, Sources, Token, checked};
use super::login;
use serde::de::DeserializeOwned;

use crate::api::access_log::LoginRow;
use crate::api::access_user::{self, Identity, User};
use crate::api::app::{self, App};
use crate::api::idp::{self, Idp, IdpType};
use crate::api::ids::AccountId;
use crate::api::policy::{self, Policy};
use crate::api::request::Request;
use crate::api::{
    Client, ErrorKind, access_group, access_log, audit_log, connector, member, organization, token,
};
use crate::clock::Clock;
use crate::flow::policy_decision::References;
use crate::flow::token::Owner;
use crate::flow::{Env, idp_test};
use crate::idp::Fetcher;
use crate::idp::check::{self, CheckOptions, Subject};

const IDENTITIES: usize = 10;

const MAX_IDP_CHECK: Duration = Duration::from_secs(10);

/// Never fails: what cannot be read becomes a fact with the reason.
pub async fn gather(env: &Env<'_>, sources: &Sources) -> Facts {
    let (client, account) = (env.client, env.account);
    let organization = async { checked(client.send(&organization::get(account)).await) };
    let recovery: OptionFuture<_> =
        sources.recovery.as_ref().map(|second| recovery(second, account)).into();
    let now = env.clock.now();
    let audit_log: OptionFuture<_> =
        sources.audit_log.then(|| audit_log(client, account, now)).into();
    let (organization, members, audit_log, token, recovery, ways_in) = tokio::join!(
        organization,
        list(client, member::list(account)),
        audit_log,
        identify(client, account),
        recovery,
        Box::pin(read_sign_in(env, sources.fetcher.as_ref())),
    );
    let SignInState { idps, health, apps, policies, references, logins, users, identities } =
        ways_in;
    let hand_tests = idp_test::read(env);
    Facts {
        account: account.clone(),
        organization,
        idps,
        health,
        apps,
        policies,
        references,
        members,
        logins,
        users,
        identities,
        hand_tests,
        audit_log,
        token,
        recovery,
    }
}

/// The facts of an account for several domains that are checked at about the same time: the rate
/// limit allows 1,200 requests in five minutes (API reference, section 1.4).
#[derive(Default)]
pub struct SharedFacts {
    begun: Cell<u64>,
    /// With the number of its read.
    latest: Mutex<Option<(u64, Rc<Facts>)>>,
}

impl SharedFacts {
    /// Read after the call: those who ask during a read share the next one.
    pub async fn read(&self, env: &Env<'_>, sources: &Sources) -> Rc<Facts> {
        let earlier = self.begun.get();
        let mut latest = self.latest.lock().await;
        if let Some((number, facts)) = &*latest
            && *number > earlier
        {
            return Rc::clone(facts);
        }
        let number = self.begun.get() + 1;
        self.begun.set(number);
        let facts = Rc::new(Box::pin(gather(env, sources)).await);
        *latest = Some((number, Rc::clone(&facts)));
        facts
    }
}

/// Reads one second of the audit log to find out.
async fn audit_log(client: &Client, account: &AccountId, now: Timestamp) -> Checked<()> {
    let since = now.saturating_sub(Duration::from_secs(1)).unwrap_or(Timestamp::MIN);
    list(client, audit_log::list(account, since, now)).await.map(drop)
}

struct SignInState {
    idps: Checked<Vec<Idp>>,
    health: Vec<Health>,
    apps: Checked<Vec<App>>,
    policies: Checked<Vec<Policy>>,
    references: References,
    logins: Checked<Vec<LoginRow>>,
    users: Checked<Vec<User>>,
    identities: Vec<Identity>,
}

/// Policies and health depend on the lists, and are read right after them.
async fn read_sign_in(env: &Env<'_>, fetcher: Option<&Fetcher>) -> SignInState {
    let (client, account) = (env.client, env.account);
    let since = env.clock.now().saturating_sub(Thresholds::LOGIN_WITHIN).unwrap_or(Timestamp::MIN);
    let (idps, apps, logins, users) = tokio::join!(
        list(client, idp::list(account)),
        list(client, app::list(account)),
        list(client, access_log::newest(account, since)),
        list(client, access_user::list(account)),
    );
    let sign_in = apps.as_ref().map(|apps| apps.iter().find(|app| app.is_dash_sso()));
    let policies = read_policies(env, sign_in);
    let all = idps.as_deref().unwrap_or_default();
    let admitted = login::allowed_idps(all, sign_in.ok().flatten());
    let pins = all.iter().filter(|idp| idp.kind == IdpType::OneTimePin).count();
    let is_seen = |idp: &Idp| {
        let rows = logins.iter().flatten();
        login::through(idp, all, rows).next().is_some()
    };
    let identities = async {
        if logins.is_err() || admitted.iter().all(|idp| is_seen(idp)) {
            return Vec::new();
        }
        identities(client, account, users.as_deref().unwrap_or_default()).await
    };
    let health = async {
        let Some(fetcher) = fetcher else { return Vec::new() };
        let looks = admitted.iter().map(|idp| health(fetcher, idp, pins, env.clock));
        join_all(looks).await
    };
    let ((policies, references), health, identities) = tokio::join!(policies, health, identities);
    SignInState { idps, health, apps, policies, references, logins, users, identities }
}

/// The policies of the SSO App, and what they refer to.
pub(in crate::flow) async fn read_policies(
    env: &Env<'_>,
    sso_app: Result<Option<&App>, &NotChecked>,
) -> (Checked<Vec<Policy>>, References) {
    let policies = match sso_app {
        Ok(Some(app)) => list(env.client, policy::list(env.account, &app.id)).await,
        Ok(None) => Ok(Vec::new()),
        Err(not_checked) => Err(not_checked.clone()),
    };
    let references = references(env, policies.as_deref().unwrap_or_default()).await;
    (policies, references)
}

/// One that cannot be read is left out.
async fn references(env: &Env<'_>, policies: &[Policy]) -> References {
    let named = |kind: &str| -> BTreeSet<String> {
        let rules = policies.iter().flat_map(|policy| policy.rules());
        rules.filter(|rule| rule.kind() == kind).map(|rule| rule.field("id").to_owned()).collect()
    };
    let groups = join_all(named("group").into_iter().map(async |id| {
        let request = access_group::get(env.account, &id.parse().ok()?);
        Some((id, env.client.send(&request).await.ok()?))
    }));
    let lists = join_all(named("email_list").into_iter().map(async |id| {
        let request = access_group::list_items(env.account, &id.parse().ok()?);
        let items = env.client.list(&request).await.ok()?;
        let emails = items.iter().filter_map(|item| Some(item.value.as_ref()?.to_lowercase()));
        Some((id, emails.collect()))
    }));
    let (groups, lists) = tokio::join!(groups, lists);
    let is_odd = |noun| !env.client.odd_records(Some(noun)).is_empty();
    References {
        groups: groups.into_iter().flatten().collect(),
        lists: lists.into_iter().flatten().collect(),
        has_odd_records: is_odd("policy") || is_odd("identity provider"),
    }
}

async fn identities(client: &Client, account: &AccountId, users: &[User]) -> Vec<Identity> {
    let mut users: Vec<_> =
        users.iter().filter(|user| user.last_successful_login.is_some()).collect();
    users.sort_by(|a, b| b.last_successful_login.cmp(&a.last_successful_login));
    let requests = users.iter().take(IDENTITIES).map(async |user| {
        client.send(&access_user::last_seen_identity(account, &user.id)).await.ok()
    });
    join_all(requests).await.into_iter().flatten().collect()
}

/// Within [`MAX_IDP_CHECK`].
pub(in crate::flow) async fn health(
    fetcher: &Fetcher,
    idp: &Idp,
    pins: usize,
    clock: &Clock,
) -> Health {
    let subject = Subject::of(idp);
    let thresholds = CheckOptions::new(clock.now(), pins);
    let look = check::check(fetcher, subject, &thresholds);
    let points = tokio::time::timeout(MAX_IDP_CHECK, look).await.ok().or_else(|| {
        let offline = check::offline(subject, &thresholds);
        offline.iter().any(check::IdpCheck::is_failure).then_some(offline)
    });
    Health { name: idp.name.clone(), id: idp.id.to_string(), points }
}

async fn recovery(client: &Client, account: &AccountId) -> Recovery {
    let (token, connectors) =
        tokio::join!(identify(client, account), list(client, connector::list(account)));
    Recovery { token, connectors }
}

/// Tries the endpoint for user tokens first, then the one for account tokens.
async fn identify(client: &Client, account: &AccountId) -> Checked<Token> {
    if !client.uses_token() {
        return Ok(Token { owner: Owner::GlobalApiKey, verification: None });
    }
    match client.send(&token::verify_user()).await {
        Ok(verification) => Ok(Token { owner: Owner::User, verification: Some(verification) }),
        Err(error)
            if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::UserTokenNeeded) =>
        {
            let verification = checked(client.send(&token::verify_account(account)).await)?;
            Ok(Token { owner: Owner::Account, verification: Some(verification) })
        }
        Err(error) => Err((&error).into()),
    }
}

async fn list<T: DeserializeOwned>(client: &Client, request: Request<Vec<T>>) -> Checked<Vec<T>> {
    checked(client.list(&request).await)
}
