use serde::Serialize;

use super::Outcome;
use crate::context::Context;
use crate::output::{Page, Render};

/// `--web`.
#[derive(clap::Args, Debug)]
pub struct WebArgs {
    /// Open the page of the dashboard and print its link
    #[arg(long, visible_alias = "open")]
    web: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Place {
    Connectors,
    Apps,
    Idps,
}

#[derive(Serialize)]
struct Link {
    url: String,
}

impl WebArgs {
    pub async fn open(&self, place: Place, context: &Context) -> anyhow::Result<Option<Outcome>> {
        if !self.web {
            return Ok(None);
        }
        let url = place.url(context.account().await?.as_str());
        context.open_in_browser(&url);
        Ok(Some(Outcome::done(Link { url })))
    }
}

impl Place {
    fn url(self, account: &str) -> String {
        match self {
            Self::Connectors => format!("https://dash.cloudflare.com/{account}/members"),
            Self::Apps => {
                format!("https://one.dash.cloudflare.com/{account}/access-controls/apps")
            }
            Self::Idps => {
                format!("https://one.dash.cloudflare.com/{account}/integrations/identity-providers")
            }
        }
    }
}

impl Render for Link {
    fn show(&self, page: &mut Page) {
        page.literal(&self.url);
    }

    fn names(&self) -> Vec<String> {
        vec![self.url.clone()]
    }
}
