//! Simulated dashboard sign-ins: connector, SSO App, identity provider, policy, log rows. Whether
//! Cloudflare writes both logs is not known: see [`LogRecords`].

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::error::Error;
use super::shared::AppState;
use super::sign_in_attempt::{LogRecords, SignInAttempt, SignInResult};
use super::sso_app;
use super::state::{App, AuditRow, IdentityProvider, Login, Policy, State, derived_uuid};
use crate::api::tls;

/// Not part of the API.
pub(super) const PATH: &str = "/people/sign-in";

/// Runs the sign-ins that are due. If one cannot be stored, the current request fails.
pub(super) fn run_planned(shared: &AppState) -> Result<(), Error> {
    let now = shared.clock.now();
    let due: Vec<_> = shared.planned().extract_if(.., |planned| planned.at <= now).collect();
    due.iter().try_for_each(|planned| run(shared, &planned.attempt, planned.at).map(drop))
}

pub(super) fn run(
    shared: &AppState,
    attempt: &SignInAttempt,
    at: Timestamp,
) -> Result<SignInResult, Error> {
    let down = shared.down().clone();
    let records = shared.log_behavior().records;
    let ray = shared.ray();
    let ray = ray.split('-').next().unwrap_or_default().to_owned();
    let is_down = |provider: &IdentityProvider| is_down(provider, &down);
    let (result, rows) = shared.store.read(|state| walk(state, attempt, &is_down));
    let Some(Rows { account, app, provider, allowed }) = rows else { return Ok(result) };
    shared.store.change(|state| {
        if records != LogRecords::AuditLogOnly {
            state.logins.push(Login {
                account: account.clone(),
                at,
                email: attempt.email.clone(),
                allowed,
                app: app.id.clone(),
                app_domain: app.object.text("domain").unwrap_or_default(),
                app_name: app.object.text("name").unwrap_or_default(),
                provider: provider.id.clone(),
                connection: provider.object.text("type").unwrap_or_default(),
                ray: ray.clone(),
            });
        }
        if allowed && records != LogRecords::LoginLogOnly {
            let id = derived_uuid([&ray, &at.to_string()]);
            let email = attempt.email.clone();
            state.audit.push(AuditRow {
                id,
                account,
                at,
                email,
                ray: ray.clone(),
                description: "SSO_LOGIN".to_owned(),
                method: "POST".to_owned(),
                uri: "/api/v4/login/sso".to_owned(),
            });
        }
        Ok(SignInResult { ray_id: Some(ray), ..result })
    })
}

/// The result of a sign-in now, without writing anything.
pub(super) fn preview(shared: &AppState, attempt: &SignInAttempt) -> SignInResult {
    let down = shared.down().clone();
    shared.store.read(|state| walk(state, attempt, &|provider| is_down(provider, &down))).0
}

pub async fn sign_in_at(url: &str, attempt: &SignInAttempt) -> Result<SignInResult, Error> {
    let ask = async || {
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls::none()).no_proxy();
        let url = reqwest::Url::parse(url)?.join(PATH)?;
        let body = serde_json::to_vec(attempt)?;
        let answer = client.build()?.post(url).body(body).send().await?.error_for_status()?;
        anyhow::Ok(serde_json::from_slice(&answer.bytes().await?)?)
    };
    ask()
        .await
        .map_err(|error| Error::Unreachable { url: url.to_owned(), reason: format!("{error:#}") })
}

/// Whether the configuration uses an issuer that does not answer.
fn is_down(provider: &IdentityProvider, down: &BTreeSet<String>) -> bool {
    let config = provider.object.value("config").map(ToString::to_string).unwrap_or_default();
    down.iter().any(|slug| config.contains(&format!("/{slug}/")))
}

struct Rows {
    account: String,
    app: App,
    provider: IdentityProvider,
    allowed: bool,
}

fn walk(
    state: &State,
    attempt: &SignInAttempt,
    is_down: &dyn Fn(&IdentityProvider) -> bool,
) -> (SignInResult, Option<Rows>) {
    let end = |is_signed_in, idp: Option<&str>, detail: String| SignInResult {
        is_signed_in,
        idp: idp.map(str::to_owned),
        detail,
        ray_id: None,
    };
    let domain = attempt.email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let enforced = state
        .connectors
        .iter()
        .find(|known| known.enabled && known.email_domain.eq_ignore_ascii_case(domain));
    let Some(connector) = enforced else {
        let detail = if attempt.is_password_wrong {
            format!("SSO is off for {domain}; the password is wrong")
        } else {
            format!("SSO is off for {domain}; signed in with a password")
        };
        return (end(!attempt.is_password_wrong, None, detail), None);
    };
    // Documented; at which step the dashboard refuses them is not.
    if attempt.email.split_once('@').is_some_and(|(local, _)| local.contains('+')) {
        return (end(false, None, "plus addresses cannot use SSO".to_owned()), None);
    }
    let Some(app) = sso_app::find(state, &connector.account) else {
        return (end(false, None, "the account has no SSO App".to_owned()), None);
    };
    let provider = match choose(state, app, attempt.idp.as_deref()) {
        Ok(provider) => provider,
        Err(detail) => return (end(false, None, detail), None),
    };
    let name = provider.object.text("name").unwrap_or_default();
    if is_down(provider) {
        return (end(false, Some(&name), format!("{name} does not respond")), None);
    }
    if attempt.is_password_wrong {
        return (end(false, Some(&name), format!("{name} rejected the password")), None);
    }
    if state.rejecting.contains(&provider.id) {
        return (end(false, Some(&name), format!("{name} shows an error page")), None);
    }
    if state.requires_mfa(&connector.account) {
        let detail = "Access asks for a second factor; the user has none".to_owned();
        return (end(false, Some(&name), detail), None);
    }
    let rows = |allowed| Rows {
        account: connector.account.clone(),
        app: app.clone(),
        provider: provider.clone(),
        allowed,
    };
    match deciding_policy(state, app, &attempt.email, &provider.id) {
        Some((policy, true)) => {
            let detail = format!("{name} signed the user in; the policy `{policy}` allows it");
            (end(true, Some(&name), detail), Some(rows(true)))
        }
        Some((policy, false)) => {
            let detail = format!("the policy `{policy}` denies {}", attempt.email);
            (end(false, Some(&name), detail), Some(rows(false)))
        }
        None => {
            let detail = format!("no policy allows {}", attempt.email);
            (end(false, Some(&name), detail), Some(rows(false)))
        }
    }
}

fn choose<'a>(
    state: &'a State,
    app: &App,
    wanted: Option<&str>,
) -> Result<&'a IdentityProvider, String> {
    let listed: Vec<String> = app.object.get("allowed_idps").unwrap_or_default();
    let admitted = |provider: &&IdentityProvider| {
        provider.account == app.account && (listed.is_empty() || listed.contains(&provider.id))
    };
    let is_wanted = |provider: &&IdentityProvider| {
        wanted.is_none_or(|wanted| {
            let has = |field| provider.object.text(field).as_deref() == Some(wanted);
            provider.id == wanted || has("name") || has("type")
        })
    };
    let exists = state.providers.iter().any(|it| it.account == app.account && is_wanted(&it));
    state.providers.iter().filter(admitted).find(is_wanted).ok_or_else(|| match wanted {
        Some(wanted) if !exists => format!("no identity provider `{wanted}` in this account"),
        Some(wanted) => format!("the SSO App does not allow `{wanted}`"),
        None => "the SSO App allows no identity provider".to_owned(),
    })
}

/// The first policy that applies: its name, and whether it allows.
fn deciding_policy(
    state: &State,
    app: &App,
    email: &str,
    provider: &str,
) -> Option<(String, bool)> {
    let mut policies: Vec<_> = state.policies.iter().filter(|it| it.app == app.id).collect();
    policies.sort_by_key(|policy| policy.precedence());
    policies.into_iter().find(|policy| policy.matches(email, provider)).map(|policy| {
        let decision = policy.object.text("decision");
        (policy.object.text("name").unwrap_or_default(), decision.as_deref() == Some("allow"))
    })
}

impl State {
    fn requires_mfa(&self, account: &str) -> bool {
        let known = self.organizations.iter().find(|known| known.account == account);
        known.is_some_and(|known| known.object.get("mfa_required_for_all_apps") == Some(true))
    }
}

impl Policy {
    /// The rules everyone, email, email domain and login method are modelled; others never match.
    fn matches(&self, email: &str, provider: &str) -> bool {
        let rules = |key| self.object.get::<Vec<Value>>(key).unwrap_or_default();
        let holds = |rule: &Value| {
            let (address, domain) = (&rule["email"]["email"], &rule["email_domain"]["domain"]);
            let is_of = |domain: &str| {
                email.rsplit_once('@').is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain))
            };
            rule.get("everyone").is_some()
                || rule["login_method"]["id"] == provider
                || address.as_str().is_some_and(|address| address.eq_ignore_ascii_case(email))
                || domain.as_str().is_some_and(is_of)
        };
        rules("include").iter().any(holds)
            && rules("require").iter().all(holds)
            && !rules("exclude").iter().any(holds)
    }
}
