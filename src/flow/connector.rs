//! Finding, creating and deleting connectors. A lost response never creates two.

use std::str::FromStr;

use serde_json::json;

use super::action::Action;
use super::journaled::Written;
use super::plan::Difference;
use super::{Env, Error, FlowError};
use crate::api::connector::{self, BeginVerification, Connector};
use crate::api::document::Document;
use crate::api::ids::{ConnectorId, InvalidId};
use crate::api::request::Request;
use crate::api::{self, ErrorKind};
use crate::dns::PREFIX;
use crate::domain::{EmailDomain, InvalidDomain};

#[derive(Clone, Debug)]
pub enum Selector {
    Id(ConnectorId),
    Domain(EmailDomain),
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidSelector {
    #[error(transparent)]
    Domain(#[from] InvalidDomain),
    #[error(transparent)]
    Id(#[from] InvalidId),
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        let text = text.trim();
        let is_id = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_id { Ok(Self::Id(text.parse()?)) } else { Ok(Self::Domain(text.parse()?)) }
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
        }
    }
}

pub async fn list(env: &Env<'_>) -> Result<Vec<Connector>, Error> {
    let mut connectors = env.client.list(&connector::list(env.account)).await?;
    connectors
        .sort_by(|a, b| (&a.email_domain, a.id.as_str()).cmp(&(&b.email_domain, b.id.as_str())));
    Ok(connectors)
}

/// A wrong ID fails with the list of existing connectors.
pub async fn find(env: &Env<'_>, selector: &Selector) -> Result<Connector, Error> {
    match selector {
        Selector::Domain(_) => {
            let connectors = list(env).await?;
            Ok(select(&connectors, selector)?.clone())
        }
        Selector::Id(id) => match env.client.send(&connector::get(env.account, id)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => match list(env).await {
                Ok(connectors) => Err(not_found_error(selector, &connectors).into()),
                Err(_) => Err(error.into()),
            },
            answer => Ok(answer?),
        },
    }
}

/// A connector whose other fields are invalid can be disabled nevertheless.
pub(super) async fn find_leniently(env: &Env<'_>, selector: &Selector) -> Result<Connector, Error> {
    match (find(env, selector).await, selector) {
        (Err(Error::Api(error)), Selector::Id(id)) if error.kind() == ErrorKind::Unreadable => {
            Ok(read_leniently(env, id).await?)
        }
        (found, _) => found,
    }
}

async fn read_leniently(env: &Env<'_>, id: &ConnectorId) -> Result<Connector, api::Error> {
    let path = ["accounts", env.account.as_str(), "sso_connectors", id.as_str()];
    Ok(parse_leniently(&env.client.send(&Request::<Document>::get(&path)).await?, id))
}

/// The ID stands for a domain that is invalid.
fn parse_leniently(object: &Document, id: &ConnectorId) -> Connector {
    serde_json::from_str(object.to_raw().get()).unwrap_or_else(|_| {
        let domain = object.parse_at::<String>(&["email_domain"]);
        let connector = json!({
            "id": id,
            "email_domain": domain.unwrap_or_else(|| id.to_string()),
            "enabled": object.parse_at::<bool>(&["enabled"]),
        });
        serde_json::from_str(&connector.to_string()).expect("it has an ID and a domain")
    })
}

pub fn select<'a>(
    connectors: &'a [Connector],
    selector: &Selector,
) -> Result<&'a Connector, FlowError> {
    let found = match selector {
        Selector::Domain(domain) => select_by_domain(connectors, domain)?,
        Selector::Id(id) => connectors.iter().find(|connector| connector.id == *id),
    };
    found.ok_or_else(|| not_found_error(selector, connectors))
}

/// A new connector in a dry run: the API chooses its ID and code.
pub fn placeholder(domain: &EmailDomain, begin: BeginVerification) -> Connector {
    let status = if begin == BeginVerification::Now { "pending" } else { "awaiting" };
    let connector = json!({
        "id": "NEW-CONNECTOR",
        "email_domain": domain.as_str(),
        "enabled": false,
        "verification": { "code": format!("{PREFIX}<chosen by the API>"), "status": status },
    });
    serde_json::from_str(&connector.to_string()).expect("it has an ID and a domain")
}

/// Several connectors of one domain are an error that lists them.
pub fn select_by_domain<'a>(
    connectors: &'a [Connector],
    domain: &EmailDomain,
) -> Result<Option<&'a Connector>, FlowError> {
    let mut of_domain = connectors.iter().filter(|connector| is_of(connector, domain));
    let Some(first) = of_domain.next() else { return Ok(None) };
    let others: Vec<_> = of_domain.map(|connector| connector.id.as_str()).collect();
    if others.is_empty() {
        return Ok(Some(first));
    }
    Err(FlowError::conflict(format!("`{domain}` has {} connectors", others.len() + 1))
        .cause(format!("IDs: {}, {}", first.id, others.join(", ")))
        .hint(format!("`cfsso connector get {}`", first.id)))
}

fn is_of(connector: &Connector, domain: &EmailDomain) -> bool {
    domain.is_named(&connector.email_domain)
}

fn not_found_error(selector: &Selector, connectors: &[Connector]) -> FlowError {
    let what = match selector {
        Selector::Id(id) => format!("no connector with the ID {id}"),
        Selector::Domain(domain) => format!("no connector for {domain}"),
    };
    let error = FlowError::not_found(what);
    if connectors.is_empty() {
        let domain = match selector {
            Selector::Domain(domain) => domain.as_str(),
            Selector::Id(_) => "<DOMAIN>",
        };
        return error
            .cause("the account has no connectors")
            .hint(format!("`cfsso setup {domain}`"));
    }
    let domains: Vec<_> =
        connectors.iter().map(|connector| connector.email_domain.as_str()).collect();
    error.cause(format!("connectors: {}", domains.join(", "))).hint("`cfsso connector list`")
}

pub fn ensure_eligible(domain: &EmailDomain) -> Result<(), FlowError> {
    let Some(reason) = domain.ineligible() else { return Ok(()) };
    Err(FlowError::refused(format!("cannot set up SSO for {domain}"))
        .cause(reason.to_string())
        .hint("use your own domain, or `--force`"))
}

pub fn create_action(
    env: &Env<'_>,
    domain: &EmailDomain,
    begin: BeginVerification,
    fedramp: Option<bool>,
) -> Action<Connector> {
    let fedramp_diff = fedramp.map(|it| Difference::new("use_fedramp_language", (), it));
    Action::new(
        format!("create the connector of {domain}"),
        connector::create(env.account, domain, begin, fedramp),
        [Difference::new("email_domain", (), domain.as_str())].into_iter().chain(fedramp_diff),
    )
    .after(env.is_dry_run().then(|| placeholder(domain, begin).text().to_owned()))
}

pub async fn create(
    env: &Env<'_>,
    domain: &EmailDomain,
    begin: BeginVerification,
    fedramp: Option<bool>,
) -> Result<Connector, Error> {
    let find = async || {
        let connectors = env.client.list(&connector::list(env.account)).await?;
        Ok(connectors.into_iter().find(|connector| is_of(connector, domain)))
    };
    let action = create_action(env, domain, begin, fedramp);
    Ok(env.execute_once(&action, find).await?.into_inner())
}

pub fn enable_action(
    env: &Env<'_>,
    domain: &EmailDomain,
    connector: &Connector,
) -> Action<Connector> {
    enforcement_action(env, connector, true, format!("enable SSO for {domain}"))
}

fn enforcement_action(
    env: &Env<'_>,
    connector: &Connector,
    enabled: bool,
    title: String,
) -> Action<Connector> {
    let after = || {
        let mut after: Document = connector.text().parse().ok()?;
        after.set(&["enabled"], &enabled).ok()?;
        Some(after.to_raw().get().to_owned())
    };
    Action::new(
        title,
        connector::set_enabled(env.account, &connector.id, enabled),
        [Difference::new("enabled", connector.enabled, enabled)],
    )
    .before(connector.text())
    .after(env.is_dry_run().then(after).flatten())
    .shown_by(format!("cfsso connector get {}", connector.id))
}

pub async fn enable(
    env: &Env<'_>,
    domain: &EmailDomain,
    connector: &Connector,
) -> Result<Connector, Error> {
    let action = enable_action(env, domain, connector);
    let read = connector::get(env.account, &connector.id);
    env.execute_and_confirm(&action, &read, |it| it.is_enabled()).await
}

pub fn disable_action(env: &Env<'_>, connector: &Connector) -> Action<Connector> {
    let title = format!("disable SSO for {}", connector.email_domain);
    enforcement_action(env, connector, false, title)
}

pub async fn disable(env: &Env<'_>, connector: &Connector) -> Result<Connector, Error> {
    execute_disabling(env, &connector.id, &disable_action(env, connector)).await
}

/// Reads the connector again if the answer is lost or does not contain `enabled`.
pub(super) async fn execute_disabling(
    env: &Env<'_>,
    id: &ConnectorId,
    disabling: &Action<Connector>,
) -> Result<Connector, Error> {
    let is_disabled = |now: &Connector| now.enabled == Some(false);
    let find = async || read_leniently(env, id).await.ok().filter(is_disabled);
    let mut connector = match env.execute_or_find(disabling, find).await {
        Ok(Written::Answered(connector) | Written::Found(connector)) => connector,
        Err(Error::Api(error)) if error.kind() == ErrorKind::Unreadable => {
            let observed = "the API accepted the request, but its record of the connector is \
                            invalid: sign in in a private window to confirm";
            return Err(disabling.not_confirmed(observed).causes(error.sentences()).into());
        }
        Err(error) => return Err(error),
    };
    if connector.enabled.is_none() {
        connector = read_leniently(env, id).await?;
    }
    if is_disabled(&connector) {
        return Ok(connector);
    }
    Err(disabling.not_confirmed("the connector is still enabled after the request").into())
}

pub fn delete_action(env: &Env<'_>, connector: &Connector) -> Action<()> {
    Action::new(
        format!("delete the connector of {}", connector.email_domain),
        connector::delete(env.account, &connector.id),
        [Difference::new("id", connector.id.as_str(), ())],
    )
    .before(connector.text())
    .shown_by("cfsso connector list")
}

pub async fn delete(env: &Env<'_>, connector: &Connector) -> Result<(), Error> {
    let read = connector::get(env.account, &connector.id);
    env.execute_deletion(&delete_action(env, connector), &read).await
}

pub fn fedramp_action(env: &Env<'_>, connector: &Connector, fedramp: bool) -> Action<Connector> {
    Action::new(
        format!("change the FedRAMP language of {}", connector.email_domain),
        connector::set_fedramp(env.account, &connector.id, fedramp),
        [Difference::new("use_fedramp_language", connector.use_fedramp_language, fedramp)],
    )
    .before(connector.text())
    .shown_by(format!("cfsso connector get {}", connector.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    fn connector(id: &str, domain: &str) -> Connector {
        serde_json::from_str(&format!(r#"{{"id":"{id}","email_domain":"{domain}"}}"#)).unwrap()
    }

    #[test]
    fn a_selector_is_an_id_or_a_domain() {
        for (text, read) in [
            ("68ca8b1a3e6c4f8d9c1e2f3a4b5c6d7", "id"),
            ("abc", "id"),
            ("cool.cats", "domain"),
            ("COOL.cats.", "domain"),
            ("bücher.example", "domain"),
            ("", "error"),
            ("a@cool.cats", "error"),
            ("https://cool.cats", "error"),
            ("../zones", "error"),
        ] {
            let seen = match text.parse::<Selector>() {
                Ok(Selector::Id(_)) => "id",
                Ok(Selector::Domain(_)) => "domain",
                Err(_) => "error",
            };
            assert_eq!(seen, read, "{text:?}");
        }
    }

    #[test]
    fn of_an_invalid_record_the_rest_is_left_out() {
        let id = "c1".parse().unwrap();
        for (record, domain, enabled) in [
            (r#"{"id":"c1","email_domain":"a.example","enabled":true}"#, "a.example", Some(true)),
            (r#"{"id":"c1","email_domain":"a.example","enabled":"yes"}"#, "a.example", None),
            (r#"{"id":"c1","email_domain":null,"enabled":true}"#, "c1", Some(true)),
            (r#"{"id":7,"email_domain":[],"enabled":false}"#, "c1", Some(false)),
            ("{}", "c1", None),
        ] {
            let found = parse_leniently(&record.parse().unwrap(), &id);
            assert_eq!((&*found.email_domain, found.enabled), (domain, enabled), "{record}");
            assert_eq!(found.id, id, "{record}");
        }
    }

    #[test]
    fn a_domain_finds_its_connector_however_it_is_written() {
        let connectors = [connector("c1", "Cool.Cats"), connector("c2", "xn--bcher-kva.example")];
        for (domain, id) in
            [("cool.cats", Some("c1")), ("bücher.example", Some("c2")), ("dogs.example", None)]
        {
            let picked = select_by_domain(&connectors, &domain.parse().unwrap()).unwrap();
            assert_eq!(picked.map(|connector| connector.id.as_str()), id, "{domain}");
        }
    }

    #[test]
    fn two_connectors_of_one_domain_are_an_error_that_lists_them() {
        let connectors = [connector("c1", "cool.cats"), connector("c2", "cool.cats")];
        let error = select_by_domain(&connectors, &"cool.cats".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::Conflict);
        assert_eq!(error.causes, ["IDs: c1, c2"]);
    }

    #[test]
    fn an_unknown_connector_is_answered_with_those_there_are() {
        let selector = "dogs.example".parse().unwrap();
        let error = not_found_error(
            &selector,
            &[connector("c1", "a.example"), connector("c2", "b.example")],
        );
        assert_eq!(error.causes, ["connectors: a.example, b.example"]);
        let error = not_found_error(&selector, &[]);
        assert_eq!(error.hint.as_deref(), Some("`cfsso setup dogs.example`"));
    }
}
