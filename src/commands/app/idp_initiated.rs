//! `cfsso app idp-initiated`: values to enter at an identity provider that starts the sign-in. No
//! public API returns them for the dashboard, so each names its source (API reference, section 4).

use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use crate::api::app::{AppFields, AppType};
use crate::api::organization;
use crate::context::Context;
use crate::flow::{FlowError, app};
use crate::output::{Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app idp-initiated
  cfsso app idp-initiated -o json | jq -r .sso_endpoint.value")]
pub struct Args {
    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,
}

/// The values to enter at an identity provider for IdP-initiated sign-in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Values {
    /// The "SSO Endpoint URL" in the dashboard.
    sso_endpoint: SourcedValue,
    /// The "Access Entity ID or Issuer" in the dashboard.
    entity_id: SourcedValue,
    /// The URL of the SAML metadata.
    metadata: SourcedValue,
    /// The steps for Okta over SAML.
    steps: Vec<String>,
}

/// A value and its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct SourcedValue {
    value: String,
    source: Origin,
    /// The API field that the value is, or is derived from.
    from: &'static str,
}

/// The source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// The API returned the value.
    Api,
    /// The value is derived from a value that the API returned.
    Derived,
    /// The value follows the pattern of other applications: compare it with the dashboard.
    Guessed,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let organization = organization::get(env.account);
    let (app, organization) =
        tokio::join!(app::find(&env, args.app.as_deref()), env.client.send(&organization));
    let app = app?;
    let (team, unread) = match organization {
        Ok(organization) => (organization.auth_domain.clone(), None),
        Err(error) => (None, Some(error)),
    };
    match values(&app, team.as_deref()) {
        Some(values) => Ok(Outcome::done(values)),
        // Nothing can be built without the team's domain: report why it could not be read.
        None => match unread {
            _ if !may_have_endpoint(&app) => Err(FlowError::not_found(format!(
                "`{}` is of type `{}`: only the SSO App and SaaS applications have an SSO endpoint",
                app.name,
                app.type_name()
            ))
            .into()),
            Some(error) => Err(error.into()),
            None => Err(FlowError::not_found(format!(
                "the API returned too little of `{}` to derive its endpoint",
                app.name
            ))
            .hint("dashboard: Zero Trust, Access, Applications, SSO App")
            .into()),
        },
    }
}

fn values(app: &AppFields, team: Option<&str>) -> Option<Values> {
    let sso_endpoint = endpoint(app, team)?;
    let entity_id = entity_id(app, team, &sso_endpoint);
    let metadata = SourcedValue {
        value: format!("{}/saml-metadata", sso_endpoint.value.trim_end_matches('/')),
        source: sso_endpoint.source.max_doubt(Origin::Derived),
        from: "the endpoint",
    };
    let steps = okta(&sso_endpoint.value, &entity_id.value);
    Some(Values { sso_endpoint, entity_id, metadata, steps })
}

fn endpoint(app: &AppFields, team: Option<&str>) -> Option<SourcedValue> {
    if let Some(read) = app.saas_app.as_ref().and_then(|saas| saas.sso_endpoint.clone()) {
        return Some(SourcedValue {
            value: read,
            source: Origin::Api,
            from: "saas_app.sso_endpoint",
        });
    }
    if let Some(domain) = app.domain.as_ref().filter(|at| at.contains("/cdn-cgi/access/sso/")) {
        let value = format!("https://{domain}");
        return Some(SourcedValue { value, source: Origin::Derived, from: "domain" });
    }
    if !may_have_endpoint(app) {
        return None;
    }
    let value = format!("https://{}/cdn-cgi/access/sso/saml/{}", team?, app.aud.as_ref()?);
    Some(SourcedValue { value, source: Origin::Guessed, from: "auth_domain and aud" })
}

fn may_have_endpoint(app: &AppFields) -> bool {
    match &app.kind {
        None | Some(AppType::DashSso) => true,
        Some(AppType::Other(name)) => name == "saas",
    }
}

fn entity_id(app: &AppFields, team: Option<&str>, endpoint: &SourcedValue) -> SourcedValue {
    if let Some(read) = app.saas_app.as_ref().and_then(|saas| saas.idp_entity_id.clone()) {
        return SourcedValue { value: read, source: Origin::Api, from: "saas_app.idp_entity_id" };
    }
    if let Some(team) = team {
        let value = format!("https://{team}");
        return SourcedValue { value, source: Origin::Guessed, from: "auth_domain" };
    }
    let host = endpoint.value.split("/cdn-cgi/").next().unwrap_or_default().to_owned();
    SourcedValue { value: host, source: Origin::Guessed, from: "the endpoint" }
}

impl Origin {
    fn max_doubt(self, other: Self) -> Self {
        if self == Self::Guessed { self } else { other }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Api => "from the API",
            Self::Derived => "derived",
            Self::Guessed => "guessed: compare it with the dashboard",
        }
    }
}

fn okta(endpoint: &str, entity_id: &str) -> Vec<String> {
    vec![
        "In the Okta admin console, under Applications, create an app integration with SAML 2.0"
            .to_owned(),
        format!("Single sign-on URL: `{endpoint}`, used for recipient and destination as well"),
        format!("Audience URI (SP Entity ID): `{entity_id}`"),
        "Name ID format: EmailAddress; Application username: Email".to_owned(),
        "Assign the users, and start from the tile of the app".to_owned(),
    ]
}

impl Render for Values {
    fn show(&self, page: &mut Page) {
        let value = |value: &SourcedValue| {
            let words = format!("  ({}, {})", value.source.label(), value.from);
            let label = match value.source {
                Origin::Guessed => Status::Warning.paint(&words),
                Origin::Api | Origin::Derived => Text::dim(words),
            };
            Text::code(&value.value) + label
        };
        page.fields(&[
            ("SSO Endpoint URL", value(&self.sso_endpoint)),
            ("Access Entity ID or Issuer", value(&self.entity_id)),
            ("metadata", value(&self.metadata)),
        ]);
        page.blank();
        page.line(Text::strong("With Okta over SAML:"));
        page.numbered(&self.steps);
    }

    fn names(&self) -> Vec<String> {
        vec![self.sso_endpoint.value.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_says_where_it_comes_from() {
        const PATH: &str = "cats.cloudflareaccess.com/cdn-cgi/access/sso/saml/f00";
        let domain = format!(r#","domain":"{PATH}""#);
        let derived = format!("https://{PATH}");
        for (rest, team, endpoint, entity) in [
            (
                r#","saas_app":{"sso_endpoint":"https://e","idp_entity_id":"https://i"}"#,
                None,
                Some(("https://e", Origin::Api)),
                ("https://i", Origin::Api),
            ),
            (
                domain.as_str(),
                None,
                Some((derived.as_str(), Origin::Derived)),
                ("https://cats.cloudflareaccess.com", Origin::Guessed),
            ),
            (
                r#","aud":"f00""#,
                Some("cats.cloudflareaccess.com"),
                Some((derived.as_str(), Origin::Guessed)),
                ("https://cats.cloudflareaccess.com", Origin::Guessed),
            ),
            (r#","aud":"f00""#, None, None, ("", Origin::Api)),
            (
                r#","domain":"cats.example/app""#,
                Some("cats.cloudflareaccess.com"),
                None,
                ("", Origin::Api),
            ),
        ] {
            let app: crate::api::app::App =
                serde_json::from_str(&format!(r#"{{"id":"a1"{rest}}}"#)).unwrap();
            let found = values(&app, team);
            assert_eq!(found.is_some(), endpoint.is_some(), "{rest}");
            if let (Some(found), Some((url, source))) = (found, endpoint) {
                assert_eq!(
                    (found.sso_endpoint.value.as_str(), found.sso_endpoint.source),
                    (url, source)
                );
                assert_eq!((found.entity_id.value.as_str(), found.entity_id.source), entity);
                assert_eq!(found.metadata.value, format!("{url}/saml-metadata"));
                assert_eq!(found.metadata.source == Origin::Guessed, source == Origin::Guessed);
            }
        }
    }
}
