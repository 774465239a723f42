use reqwest::Url;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::super::Outcome;
use crate::context::Context;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "The link only fills in the form. Cloudflare documents no key for the SSO Connector
permissions: add them by hand, as the output says.

Examples:
  cfsso token create-url --for setup
  cfsso token create-url --for bypass --account-token -o json | jq -r .url"
)]
pub struct Args {
    /// Purpose of the token
    #[arg(long = "for", value_name = "PURPOSE", default_value = "setup")]
    purpose: Purpose,

    /// Link to an account token instead of a user token
    #[arg(long)]
    account_token: bool,

    /// Open the link in the browser
    #[arg(long, visible_alias = "web")]
    open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    /// Set up SSO, with identity providers and DNS
    Setup,
    /// Status, checks and audits
    Read,
    /// Recovery from a lockout
    Bypass,
    /// Manage connectors from a pipeline
    Ci,
}

/// A dashboard link to create a token, and the permissions that it cannot preselect.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    purpose: Purpose,
    url: String,
    /// The permissions to add in the form by hand.
    add_by_hand: Vec<&'static str>,
}

pub fn run(args: &Args, context: &Context) -> Outcome {
    let url = url(args.purpose, args.account_token);
    if args.open {
        context.open_in_browser(&url);
    }
    Outcome::done(Report { purpose: args.purpose, url, add_by_hand: args.purpose.by_hand() })
}

pub fn for_setup() -> String {
    url(Purpose::Setup, false)
}

impl Purpose {
    /// Keys of the form and their types (documentation of token template URLs).
    fn keys(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Setup => &[
                ("access", "edit"),
                ("access_acct", "edit"),
                ("account_settings", "read"),
                ("zone", "read"),
                ("dns", "edit"),
            ],
            Self::Read => &[
                ("access", "read"),
                ("access_acct", "read"),
                ("account_settings", "read"),
                ("access_audit_log", "read"),
            ],
            Self::Bypass => &[("access", "edit"), ("access_acct", "edit")],
            Self::Ci => &[
                ("access", "read"),
                ("access_acct", "read"),
                ("account_settings", "read"),
                ("zone", "read"),
                ("dns", "edit"),
            ],
        }
    }

    fn by_hand(self) -> Vec<&'static str> {
        match self {
            Self::Read => vec!["SSO Connector: Read"],
            Self::Setup | Self::Bypass | Self::Ci => vec!["SSO Connector: Edit"],
        }
    }

    fn token_name(self) -> &'static str {
        match self {
            Self::Setup => "cfsso setup",
            Self::Read => "cfsso read",
            Self::Bypass => "cfsso emergency",
            Self::Ci => "cfsso CI",
        }
    }
}

fn url(purpose: Purpose, account_token: bool) -> String {
    let keys: Vec<_> =
        purpose.keys().iter().map(|(key, kind)| json!({ "key": key, "type": kind })).collect();
    let base = if account_token {
        "https://dash.cloudflare.com/?to=/:account/api-tokens"
    } else {
        "https://dash.cloudflare.com/profile/api-tokens"
    };
    let mut url = Url::parse(base).expect("a literal that is a URL");
    let mut query = url.query_pairs_mut();
    query.append_pair("permissionGroupKeys", &json!(keys).to_string());
    if !account_token {
        query.append_pair("accountId", "*").append_pair("zoneId", "all");
    }
    query.append_pair("name", purpose.token_name());
    drop(query);
    url.into()
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        page.literal(&self.url);
        page.blank();
        for permission in &self.add_by_hand {
            page.line(Text::plain("Add by hand: ") + Text::strong(*permission));
        }
        page.line(
            Text::plain("Then: ")
                + Text::prose("`export CLOUDFLARE_API_TOKEN=<TOKEN>`, `cfsso whoami`"),
        );
    }

    fn names(&self) -> Vec<String> {
        vec![self.url.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_filled_in_as_documented() {
        for purpose in [Purpose::Setup, Purpose::Read, Purpose::Bypass, Purpose::Ci] {
            let user = Url::parse(&url(purpose, false)).unwrap();
            let pairs: Vec<_> = user.query_pairs().collect();
            let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_ref()).collect();
            assert_eq!(names, ["permissionGroupKeys", "accountId", "zoneId", "name"]);
            let keys: Vec<serde_json::Value> = serde_json::from_str(&pairs[0].1).unwrap();
            assert_eq!(keys.len(), purpose.keys().len());
            assert!(keys.iter().all(|key| key["key"].is_string() && key["type"].is_string()));
            let account = url(purpose, true);
            assert!(account.starts_with(
                "https://dash.cloudflare.com/?to=/:account/api-tokens&permissionGroupKeys="
            ));
            assert!(!account.contains("accountId"), "{account}");
        }
    }
}
