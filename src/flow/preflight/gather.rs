//! Reads what the checks need: what does not depend on each other at once, and
//! nothing twice.

use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use serde_json::Map;

use super::facts::{Checked, Facts, Health, NotChecked, Owner, Recovery, Sources, Token};
use serde::de::DeserializeOwned;

use crate::api::app::{self, App};
use crate::api::idp::{self, Idp, IdpType};
use crate::api::ids::AccountId;
use crate::api::policy::{self, Policy};
use crate::api::request::Request;
use crate::api::{Client, ErrorKind, connector, member, organization, token};
use crate::clock::Clock;
use crate::flow::Env;
use crate::idp::Fetcher;
use crate::idp::check::{self, CheckOptions, Subject};

/// How long an identity provider may take to show what it publishes.
const MAX_IDP_CHECK: Duration = Duration::from_secs(10);

/// Reads what belongs to the account. What cannot be read is a fact that says
/// why: this never fails.
pub async fn gather(tools: &Env<'_>, asking: &Sources) -> Facts {
    let (client, account) = (tools.client, tools.account);
    let organization = async { checked(client.send(&organization::get(account)).await) };
    let recovery: OptionFuture<_> =
        asking.recovery.as_ref().map(|second| recovery(second, account)).into();
    let (organization, members, token, recovery, ways_in) = tokio::join!(
        organization,
        list(client, member::list(account)),
        identify(client, account),
        recovery,
        Box::pin(read_sign_in(tools, asking.fetcher.as_ref())),
    );
    let SignInState { idps, health, apps, policies } = ways_in;
    Facts { organization, idps, health, apps, policies, members, token, recovery }
}

struct SignInState {
    idps: Checked<Vec<Idp>>,
    health: Vec<Health>,
    apps: Checked<Vec<App>>,
    policies: Checked<Vec<Policy>>,
}

/// Policies and health hang on what the lists say, and come right after them.
async fn read_sign_in(tools: &Env<'_>, fetcher: Option<&Fetcher>) -> SignInState {
    let (client, account) = (tools.client, tools.account);
    let (idps, apps) =
        tokio::join!(list(client, idp::list(account)), list(client, app::list(account)));
    let sign_in = apps.as_ref().map(|apps| apps.iter().find(|app| app.is_dash_sso()));
    let policies = async {
        match sign_in {
            Ok(Some(app)) => list(client, policy::list(account, &app.id)).await,
            Ok(None) => Ok(Vec::new()),
            Err(unseen) => Err(unseen.clone()),
        }
    };
    let all = idps.as_deref().unwrap_or_default();
    let admitted = allowed_idps(all, sign_in.ok().flatten());
    let pins = all.iter().filter(|idp| idp.kind == IdpType::OneTimePin).count();
    let health = async {
        let Some(fetcher) = fetcher else { return Vec::new() };
        let looks = admitted.into_iter().map(|idp| health(fetcher, idp, pins, tools.clock));
        join_all(looks).await
    };
    let (policies, health) = tokio::join!(policies, health);
    SignInState { idps, health, apps, policies }
}

/// The identity providers that publish something and that the sign-in admits.
fn allowed_idps<'a>(idps: &'a [Idp], sign_in: Option<&App>) -> Vec<&'a Idp> {
    let admits = |idp: &&Idp| sign_in.is_none_or(|app| app.admits(&idp.id));
    let is_outside = |idp: &&Idp| !matches!(idp.kind, IdpType::OneTimePin | IdpType::Cloudflare);
    idps.iter().filter(is_outside).filter(admits).collect()
}

async fn health(fetcher: &Fetcher, idp: &Idp, pins: usize, clock: &Clock) -> Health {
    let empty = Map::new();
    let config = idp.config.as_object().unwrap_or(&empty);
    let subject = Subject { kind: idp.kind.as_str(), config };
    let terms = CheckOptions::new(clock.now(), pins);
    let look = check::check(fetcher, subject, &terms);
    let points = tokio::time::timeout(MAX_IDP_CHECK, look).await.ok().or_else(|| {
        let offline = check::offline(subject, &terms);
        offline.iter().any(check::IdpCheck::is_failure).then_some(offline)
    });
    Health { name: idp.name.clone(), id: idp.id.to_string(), points }
}

async fn recovery(client: &Client, account: &AccountId) -> Recovery {
    let (token, connectors) =
        tokio::join!(identify(client, account), list(client, connector::list(account)));
    Recovery { token, connectors }
}

/// Whose token it is, and what the API says of it: the route of users is asked
/// first, that of the account where it knows no such token.
async fn identify(client: &Client, account: &AccountId) -> Checked<Token> {
    if !client.uses_token() {
        return Ok(Token { owner: Owner::Key, verification: None });
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

fn checked<T>(answer: Result<T, crate::api::Error>) -> Checked<T> {
    answer.map_err(|error| NotChecked::from(&error))
}
