use serde::Serialize;

use super::super::Outcome;
use super::view::View;
use crate::api::app::App;
use crate::context::Context;
use crate::flow::{app, idp};
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp list
  cfsso idp list -o json | jq -r '.[] | select(.type == \"okta\") | .id'")]
pub struct Args {}

/// By name. Serialized as the API sent them.
#[derive(Serialize)]
#[serde(transparent)]
pub struct List {
    idps: Vec<View>,
    #[serde(skip)]
    dashboard: Dashboard,
}

enum Dashboard {
    App(Box<App>),
    /// No link: the text says why.
    None(String),
    NotChecked,
}

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let (idps, apps) = tokio::join!(idp::list(&env), app::list(&env));
    let idps = idps?;
    if idps.is_empty() && env.client.odd_records(Some("identity provider")).is_empty() {
        context
            .screen
            .note(Text::prose("No identity providers. Create one: `cfsso idp create onetimepin`"));
    }
    let dashboard = match apps {
        Ok(apps) => match app::dash_sso(&apps) {
            Ok(app) => Dashboard::App(Box::new(app.clone())),
            Err(error) => Dashboard::None(error.message),
        },
        Err(error) => {
            context
                .screen
                .warn(format!("allowed identity providers not checked: {}", error.line()));
            Dashboard::NotChecked
        }
    };
    Ok(Outcome::list(
        env.client,
        "identity provider",
        List { idps: idps.into_iter().map(View::of).collect(), dashboard },
    ))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.idps.is_empty() {
            return;
        }
        // Most accounts have no such provider, and a terminal has room for five columns.
        let some_read_only = self.idps.iter().any(|view| view.idp.is_read_only());
        let yes_no = |yes: bool| Text::plain(if yes { "yes" } else { "no" });
        let rows: Vec<_> = self
            .idps
            .iter()
            .map(|view| {
                let idp = &view.idp;
                let allowed = match &self.dashboard {
                    Dashboard::App(app) => Some(yes_no(app.admits(&idp.id))),
                    Dashboard::None(_) => None,
                    Dashboard::NotChecked => Some(Text::dim("not checked")),
                };
                let read_only = some_read_only.then(|| yes_no(idp.is_read_only()));
                let name = [Text::strong(&idp.name), Text::plain(idp.kind.as_str())];
                let scim = yes_no(idp.has_scim());
                let id = Text::dim(idp.id.as_str());
                let rest = allowed.into_iter().chain([scim]).chain(read_only).chain([id]);
                name.into_iter().chain(rest).collect()
            })
            .collect();
        let has_app = !matches!(self.dashboard, Dashboard::None(_));
        let headers = [
            ("NAME", true),
            ("TYPE", true),
            ("ALLOWED", has_app),
            ("SCIM", true),
            ("READ-ONLY", some_read_only),
            ("ID", true),
        ];
        let headers = headers.into_iter().filter_map(|(name, is_shown)| is_shown.then_some(name));
        page.table(&headers.collect::<Vec<_>>(), &rows);
        if let Dashboard::None(reason) = &self.dashboard {
            page.blank();
            let text = format!("Allowed identity providers not shown: {reason}");
            page.paragraph(Text::prose(text));
        }
    }

    fn names(&self) -> Vec<String> {
        self.idps.iter().map(|view| view.idp.name.clone()).collect()
    }
}
