//! `cfsso idp list`: identity providers and applications at once.

use serde::{Serialize, Serializer};

use super::super::Outcome;
use super::view::View;
use crate::api::app::App;
use crate::context::Context;
use crate::flow::{app, idp};
use crate::output::{Page, Show, Text};

/// Arguments of `idp list`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp list
  cfsso idp list -o json | jq -r '.[] | select(.type == \"okta\") | .id'")]
pub struct Args {}

/// Identity providers, by name. Programs read them as the API sent them.
pub struct List {
    idps: Vec<View>,
    /// The dashboard's sign-in, where there is one and it may be read.
    app: Option<App>,
}

/// Lists the account's identity providers.
pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    let (idps, apps) = tokio::join!(idp::list(&tools), app::list(&tools));
    let idps = idps?;
    if idps.is_empty() {
        context.screen.note(
            "this account has no identity providers; `cfsso idp create onetimepin` makes the simplest",
        );
    }
    let app = match apps {
        Ok(apps) => app::dash_sso(&apps).ok().cloned(),
        Err(error) => {
            context
                .screen
                .warn(format!("which of them the dashboard admits is not checked: {error}"));
            None
        }
    };
    Ok(Outcome::done(List { idps: idps.into_iter().map(View::of).collect(), app }))
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.idps.serialize(serializer)
    }
}

impl Show for List {
    fn show(&self, page: &mut Page) {
        if self.idps.is_empty() {
            return;
        }
        let yes_no = |yes: bool| Text::plain(if yes { "yes" } else { "no" });
        let rows: Vec<_> = self
            .idps
            .iter()
            .map(|view| {
                let idp = view.idp();
                let admitted = self.app.as_ref().map(|app| app.admits(&idp.id));
                vec![
                    Text::strong(&idp.name),
                    Text::plain(idp.kind.as_str()),
                    admitted.map_or_else(|| Text::dim("not known"), yes_no),
                    yes_no(idp.has_scim()),
                    yes_no(idp.is_read_only()),
                    Text::dim(idp.id.as_str()),
                ]
            })
            .collect();
        page.table(&["NAME", "TYPE", "DASHBOARD", "SCIM", "READ-ONLY", "ID"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.idps.iter().map(|view| view.idp().name.clone()).collect()
    }
}
