use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use super::super::connector::view::age;
use crate::api::organization::{self, Organization, OrganizationFields};
use crate::context::Context;
use crate::idp::guide::{self, Values};
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso team show
  cfsso team show -o json | jq -r .urls.callback")]
pub struct Args {}

/// The Zero Trust organization and the URLs of its team domain.
#[derive(Serialize, JsonSchema)]
pub struct Team {
    /// The organization as the API returns it.
    #[schemars(with = "OrganizationFields")]
    organization: Organization,
    /// The values to enter at identity providers, derived from the team domain.
    urls: Option<Values>,
}

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let organization = env.client.send(&organization::get(env.account)).await?;
    let urls = organization.auth_domain.as_deref().map(|domain| guide::values(domain, None));
    Ok(Outcome::done(Team { organization, urls }))
}

impl Render for Team {
    fn show(&self, page: &mut Page) {
        let team: &OrganizationFields = &self.organization;
        let text = |value: &Option<String>| {
            value.as_deref().map_or_else(|| Text::dim("unknown"), Text::plain)
        };
        let mut fields = vec![
            (
                "team domain",
                team.auth_domain.as_deref().map_or_else(|| Text::dim("unknown"), Text::strong),
            ),
            ("name", text(&team.name)),
            ("dashboard", read_only(team)),
            ("session", text(&team.session_duration)),
            ("login design", design(team)),
            ("created", age(team.created_at.as_deref(), page.now(), true)),
            ("updated", age(team.updated_at.as_deref(), page.now(), true)),
        ];
        if let Some(urls) = &self.urls {
            let derived = |url: &str| Text::code(url) + Text::dim("  (derived)");
            fields.push(("callback URL", derived(&urls.callback)));
            fields.push(("SAML metadata", derived(&urls.metadata)));
            fields.push(("signing keys", derived(&urls.certs)));
        }
        page.fields(&fields);
    }

    fn names(&self) -> Vec<String> {
        self.organization.auth_domain.clone().into_iter().collect()
    }
}

fn read_only(team: &OrganizationFields) -> Text {
    match team.is_ui_read_only {
        Some(true) => {
            let why = team.ui_read_only_toggle_reason.as_deref().filter(|why| !why.is_empty());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            Text::warn("read-only") + format!(", the API is not{why}")
        }
        Some(false) => Text::plain("allows changes"),
        None => Text::dim("unknown"),
    }
}

fn design(team: &OrganizationFields) -> Text {
    let Some(design) = &team.login_design else { return Text::dim("default") };
    let parts = [
        ("header", &design.header_text),
        ("footer", &design.footer_text),
        ("logo", &design.logo_path),
        ("background", &design.background_color),
        ("text", &design.text_color),
    ];
    let settings: Vec<_> = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref().filter(|text| !text.is_empty())?)))
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if settings.is_empty() { Text::dim("default") } else { Text::plain(settings.join(", ")) }
}
