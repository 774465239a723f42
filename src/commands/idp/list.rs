//! `cfsso idp list`: identity providers and applications at once.

use serde::{Serialize, Serializer};

use super::super::Outcome;
use super::view::View;
use crate::api::app::App;
use crate::context::Context;
use crate::flow::{app, idp};
use crate::output::{Page, Render, Text};

/// Arguments of `idp list`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp list
  cfsso idp list -o json | jq -r '.[] | select(.type == \"okta\") | .id'")]
pub struct Args {}

/// Identity providers, by name. Programs read them as the API sent them.
pub struct List {
    idps: Vec<View>,
    dashboard: Dashboard,
}

/// The dashboard's sign-in.
enum Dashboard {
    App(Box<App>),
    /// None, or several: nothing is said of which.
    None,
    NotChecked,
}

/// Lists the account's identity providers.
pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    let (idps, apps) = tokio::join!(idp::list(&tools), app::list(&tools));
    let idps = idps?;
    if idps.is_empty() && tools.client.odd_records(Some("identity provider")).is_empty() {
        context
            .screen
            .note(Text::prose("No identity providers. Create one: `cfsso idp create onetimepin`"));
    }
    let dashboard = match apps {
        Ok(apps) => match app::dash_sso(&apps) {
            Ok(app) => Dashboard::App(Box::new(app.clone())),
            Err(_) => Dashboard::None,
        },
        Err(error) => {
            context
                .screen
                .warn(format!("allowed identity providers not checked: {}", error.line()));
            Dashboard::NotChecked
        }
    };
    Ok(Outcome::list(
        tools.client,
        "identity provider",
        List { idps: idps.into_iter().map(View::of).collect(), dashboard },
    ))
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.idps.serialize(serializer)
    }
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.idps.is_empty() {
            return;
        }
        // Most accounts have none, and five columns fit a terminal.
        let some_read_only = self.idps.iter().any(|view| view.idp().is_read_only());
        let yes_no = |yes: bool| Text::plain(if yes { "yes" } else { "no" });
        let rows: Vec<_> = self
            .idps
            .iter()
            .map(|view| {
                let idp = view.idp();
                let admitted = match &self.dashboard {
                    Dashboard::App(app) => yes_no(app.admits(&idp.id)),
                    Dashboard::None => Text::dim("no SSO App"),
                    Dashboard::NotChecked => Text::dim("not checked"),
                };
                let mut row = vec![
                    Text::strong(&idp.name),
                    Text::plain(idp.kind.as_str()),
                    admitted,
                    yes_no(idp.has_scim()),
                    Text::dim(idp.id.as_str()),
                ];
                if some_read_only {
                    row.insert(4, yes_no(idp.is_read_only()));
                }
                row
            })
            .collect();
        let mut headers = vec!["NAME", "TYPE", "ALLOWED", "SCIM", "ID"];
        if some_read_only {
            headers.insert(4, "READ-ONLY");
        }
        page.table(&headers, &rows);
    }

    fn names(&self) -> Vec<String> {
        self.idps.iter().map(|view| view.idp().name.clone()).collect()
    }
}
