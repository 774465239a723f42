//! Identifies the credential in use, and what it can read, by requests: its form shows neither
//! (API reference, section 8.1).

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, FlowError, FlowErrorKind};
use crate::api::account::{self, Account};
use crate::api::ids::AccountId;
use crate::api::permission;
use crate::api::request::Request;
use crate::api::token::{self, Verification};
use crate::api::{self, Client, ErrorKind};

const MOST_ACCOUNTS: usize = 5;

/// The result of `cfsso token check` and `cfsso whoami`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether the credential is active and belongs to the account in use.
    pub ok: bool,
    /// The kind of credential; `null` if the API does not recognize it.
    pub kind: Option<Owner>,
    /// The ID of the token (not a secret).
    pub id: Option<String>,
    /// The state of the token as in the API, such as `active`.
    pub status: Option<String>,
    /// When the token becomes valid (RFC 3339); `null` if it is valid from the start.
    pub not_before: Option<String>,
    /// When the token expires (RFC 3339); `null` if it does not expire.
    pub expires_on: Option<String>,
    /// The ID of the account in use: the specified one, or the only one of the token.
    pub account: Option<String>,
    /// The ID of the account that owns the token; `null` if a user owns it.
    pub owner: Option<String>,
    /// The accounts that the token can list; `null` if it cannot list accounts.
    pub accounts: Option<Vec<VisibleAccount>>,
    /// The result of a read in each area; `null` if not tested.
    pub reads: Option<Vec<ReadAccess>>,
    /// The problem with the credential; `null` if `ok` is true.
    pub problem: Option<String>,
    /// The action that fixes the problem.
    #[serde(skip)]
    pub fix: Option<String>,
    /// What the API said to a credential that it does not recognize.
    #[serde(skip)]
    pub causes: Vec<String>,
}

/// The kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// A user token.
    User,
    /// An account token.
    Account,
    /// The Global API Key of a user.
    GlobalApiKey,
}

/// The ID and name of an account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VisibleAccount {
    /// The ID of the account.
    pub id: String,
    /// The name of the account.
    pub name: Option<String>,
}

/// Whether the token can read an area.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReadAccess {
    /// The name of the area.
    pub area: &'static str,
    /// Whether the token can read the area; `null` if the responses do not show it.
    pub allowed: Option<bool>,
    /// The name in the API of the required permission.
    pub required_permission: Option<&'static str>,
    /// The name of the permission in the dashboard.
    pub dashboard: Option<String>,
    /// The API error, if the read was not allowed.
    pub error: Option<String>,
}

impl Owner {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user API token",
            Self::Account => "account API token",
            Self::GlobalApiKey => "Global API Key",
        }
    }
}

impl Report {
    pub fn error(&self) -> Option<FlowError> {
        let error = FlowError::new(FlowErrorKind::NoToken, self.problem.clone()?)
            .causes(self.causes.iter().cloned());
        Some(match &self.fix {
            Some(remedy) => error.hint(remedy),
            None => error,
        })
    }
}

/// Asks every route that may know the credential, concurrently.
pub async fn identify(client: &Client, account: Option<&AccountId>) -> Result<Report, Error> {
    let listed = account::list();
    let (user, own, accounts) = tokio::join!(
        verify(client, Some(token::verify_user())),
        verify(client, account.map(token::verify_account)),
        client.list(&listed),
    );
    let accounts = match accounts {
        Err(error) if !is_permission_error(&error) => return Err(error.into()),
        accounts => accounts.ok(),
    };
    let (user, own) = (user?, own?);
    let rejections = [user.as_ref().err(), own.as_ref().err()].into_iter().flatten();
    let rejection = rejections.max_by_key(|said| said.len()).cloned().unwrap_or_default();
    let (user, own) = (user.ok(), own.ok());
    let (kind, owner, verification) = if !client.uses_token() {
        (accounts.is_some().then_some(Owner::GlobalApiKey), None, None)
    } else if user.is_some() {
        (Some(Owner::User), None, user)
    } else if own.is_some() {
        (Some(Owner::Account), account.cloned(), own)
    } else {
        match identify_in_other_accounts(client, account, accounts.as_deref()).await? {
            Some((owner, found)) => (Some(Owner::Account), Some(owner), Some(found)),
            None => (None, None, None),
        }
    };
    let known = verification.as_deref();
    let mut report = Report {
        schema: "cfsso/token/v1",
        ok: true,
        kind,
        id: known.and_then(|known| known.id.clone()),
        status: known.and_then(|known| known.status.clone()),
        not_before: known.and_then(|known| known.not_before.clone()),
        expires_on: known.and_then(|known| known.expires_on.clone()),
        account: account.or(owner.as_ref()).map(ToString::to_string),
        owner: owner.map(|owner| owner.to_string()),
        accounts: accounts.map(|accounts| accounts.iter().map(VisibleAccount::of).collect()),
        reads: None,
        problem: None,
        fix: None,
        causes: if kind.is_none() { rejection } else { Vec::new() },
    };
    diagnose(&mut report, client.uses_token());
    Ok(report)
}

/// Fails with what the API said if the route does not know the token.
async fn verify(
    client: &Client,
    request: Option<Request<Verification>>,
) -> Result<Result<Verification, Vec<String>>, Error> {
    let Some(request) = request.filter(|_| client.uses_token()) else {
        return Ok(Err(Vec::new()));
    };
    match client.send(&request).await {
        Err(error) if is_permission_error(&error) => Ok(Err(error.sentences())),
        answer => Ok(Ok(answer?)),
    }
}

/// The account of a token, if it is not `named`.
async fn identify_in_other_accounts(
    client: &Client,
    named: Option<&AccountId>,
    accounts: Option<&[Account]>,
) -> Result<Option<(AccountId, Verification)>, Error> {
    let others = accounts.unwrap_or_default().iter().map(|account| &account.id);
    let others: Vec<_> = others.filter(|id| Some(*id) != named).take(MOST_ACCOUNTS).collect();
    let asked = others.iter().map(|id| verify(client, Some(token::verify_account(id))));
    for (id, answer) in others.iter().zip(join_all(asked).await) {
        if let Ok(found) = answer? {
            return Ok(Some(((*id).clone(), found)));
        }
    }
    Ok(None)
}

/// A credential that cannot be sent is another error.
fn is_permission_error(error: &api::Error) -> bool {
    error.status().is_some()
        && matches!(
            error.kind(),
            ErrorKind::Unauthenticated
                | ErrorKind::UserTokenNeeded
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
        )
}

fn diagnose(report: &mut Report, is_token: bool) {
    let wrong = match (report.kind, report.status.as_deref()) {
        (None, _) if is_token => {
            let place = match &report.account {
                Some(account) => {
                    format!("the token is unknown to users and to the account {account}")
                }
                None => "the token is not a user token, and no account was specified".to_owned(),
            };
            Some((
                place,
                "it is mistyped, expired, disabled or deleted, or belongs to another account: compare it \
                 with the dashboard's lists, My Profile, API Tokens (a user's begin with `cfut_`) and \
                 Manage Account, Account API Tokens (an account's begin with `cfat_`); an account's \
                 is known with `--account <ID>` of that account alone",
            ))
        }
        (None, _) => Some((
            "the Global API Key was rejected".to_owned(),
            "check that CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY belong together",
        )),
        (Some(Owner::GlobalApiKey), _) | (Some(_), Some("active")) => match &report.owner {
            Some(owner) if report.account.as_ref() != Some(owner) => Some((
                format!("this token belongs to the account {owner}, not to the specified one"),
                "pass its account with `--account`, or use a token of the other one",
            )),
            _ => None,
        },
        (Some(_), Some(status)) => Some((
            format!("the token is {status}"),
            "create or enable a token in the dashboard (API Tokens)",
        )),
        (Some(_), None) => Some((
            "the API does not report this token as active".to_owned(),
            "check it in the dashboard (API Tokens)",
        )),
    };
    report.ok = wrong.is_none();
    if let Some((problem, remedy)) = wrong {
        report.problem = Some(problem);
        report.fix = Some(remedy.to_owned());
    }
}

/// `reads` is `None` if the credential sees several accounts.
pub async fn examine(client: &Client, account: Option<&AccountId>) -> Result<Report, Error> {
    if let Some(account) = account {
        let (report, reads) = tokio::join!(identify(client, Some(account)), reads(client, account));
        return Ok(Report { reads: Some(reads), ..report? });
    }
    let mut report = identify(client, None).await?;
    if let Some([only]) = report.accounts.as_deref()
        && let Ok(account) = only.id.parse()
    {
        report.reads = Some(reads(client, &account).await);
        report.account = Some(account.to_string());
    }
    Ok(report)
}

/// Reads each area concurrently, and keeps nothing.
async fn reads(client: &Client, account: &AccountId) -> Vec<ReadAccess> {
    let asked = read_probes(account);
    let answers = asked.iter().map(|(_, request)| client.send(request));
    let answers = join_all(answers).await;
    let permissions = asked.iter().map(|(what, request)| (*what, request.to_string()));
    permissions
        .zip(answers)
        .map(|((what, request), answer)| {
            let permission = permission::required(&request);
            let (allowed, answer) = probe_result(answer.err().as_ref());
            let dashboard = permission.map(permission::in_dashboard);
            ReadAccess {
                area: what,
                allowed,
                required_permission: permission,
                dashboard,
                error: answer,
            }
        })
        .collect()
}

fn read_probes(account: &AccountId) -> [(&'static str, Request<()>); 7] {
    let at = |path: &[&str]| {
        Request::<()>::get(&[&["accounts", account.as_str()], path].concat())
            .with_decoder(|_| Ok(()))
    };
    let zones = Request::<()>::get(&["zones"]).query("account.id", account.as_str());
    [
        ("SSO connectors", at(&["sso_connectors"])),
        ("identity providers", at(&["access", "identity_providers"])),
        ("applications and policies", at(&["access", "apps"])),
        ("Zero Trust organization", at(&["access", "organizations"])),
        ("members", at(&["members"])),
        ("account tokens", at(&["tokens", "permission_groups"])),
        ("zones", zones.with_decoder(|_| Ok(()))),
    ]
}

fn probe_result(error: Option<&api::Error>) -> (Option<bool>, Option<String>) {
    let Some(error) = error else { return (Some(true), None) };
    let cause = std::error::Error::source(error).map(ToString::to_string);
    match error.kind() {
        // Only a token with the permission gets this error.
        ErrorKind::AccessNotEnabled => (Some(true), cause),
        kind if kind == ErrorKind::NotFound || !is_permission_error(error) => (None, cause),
        _ => (Some(false), cause),
    }
}

impl VisibleAccount {
    fn of(account: &Account) -> Self {
        Self { id: account.id.to_string(), name: account.name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(kind: Option<Owner>, status: Option<&str>, owner: Option<&str>) -> Option<String> {
        let mut report = Report {
            schema: "cfsso/token/v1",
            ok: true,
            kind,
            id: None,
            status: status.map(str::to_owned),
            not_before: None,
            expires_on: None,
            account: Some("a".to_owned()),
            owner: owner.map(str::to_owned),
            accounts: None,
            reads: None,
            problem: None,
            fix: None,
            causes: Vec::new(),
        };
        diagnose(&mut report, kind != Some(Owner::GlobalApiKey));
        assert_eq!(report.ok, report.problem.is_none());
        assert_eq!(report.problem.is_some(), report.fix.is_some());
        report.problem
    }

    #[test]
    fn only_what_is_known_and_active_and_of_this_account_is_well() {
        use Owner::{Account, GlobalApiKey, User};
        for (kind, status, owner, problem) in [
            (Some(User), Some("active"), None, None),
            (Some(Account), Some("active"), Some("a"), None),
            (Some(GlobalApiKey), None, None, None),
            (Some(Account), Some("active"), Some("b"), Some("belongs to the account b")),
            (Some(User), Some("expired"), None, Some("is expired")),
            (Some(User), Some("disabled"), None, Some("is disabled")),
            (Some(User), Some("odd"), None, Some("is odd")),
            (Some(User), None, None, Some("does not report")),
            (None, None, None, Some("unknown to users")),
        ] {
            let judged = judged(kind, status, owner);
            let fits = match problem {
                Some(words) => judged.as_ref().is_some_and(|text| text.contains(words)),
                None => judged.is_none(),
            };
            assert!(fits, "{kind:?} {status:?} {owner:?}: {judged:?}");
        }
    }
}
