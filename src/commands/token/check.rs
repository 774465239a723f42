//! `cfsso token check`: ten parallel requests, all of them reads.

use super::super::Outcome;
use super::super::connector::view::age;
use crate::context::Context;
use crate::flow::token::{self, ReadAccess, Report};
use crate::flow::{FlowError, FlowErrorKind};
use crate::output::{Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Write access is not tested: only a write
would tell.

Examples:
  cfsso token check
  cfsso token check --token-file break-glass.token
  cfsso token check -o json | jq '.reads[] | select(.allowed | not)'")]
pub struct Args {}

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let client = context.client().await?;
    let named = context.named_account().await?;
    let mut report = token::examine(client, named.as_ref()).await?;
    let Some(reads) = &report.reads else {
        context.screen.note(Text::prose("permissions not tested: pass `--account <ID>`"));
        return Ok(into_outcome(report));
    };
    let lacks_connectors = reads.first().is_some_and(|read| read.allowed == Some(false));
    let is_known = report.problem.is_none();
    report.ok = is_known && !lacks_connectors;
    if is_known && lacks_connectors {
        let message = "the token cannot read SSO connectors";
        let error = FlowError::new(FlowErrorKind::Forbidden, message).hint(
            "most commands need the permission SSO Connector: Read; \
             `cfsso help permissions` lists what each needs",
        );
        return Ok(Outcome::done(report).failed(Some(error.into())));
    }
    Ok(into_outcome(report))
}

pub fn into_outcome(report: Report) -> Outcome {
    let error = report.error();
    Outcome::done(report).failed(error.map(Into::into))
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let mut fields = vec![(
            "credential",
            self.kind
                .map_or_else(|| Text::bad("not recognized"), |kind| Text::strong(kind.as_str())),
        )];
        if let Some(id) = &self.id {
            fields.push(("id", Text::plain(id)));
        }
        if let Some(status) = &self.status {
            let mark = if status == "active" { Status::Done } else { Status::Failed };
            fields.push(("status", page.state(mark, status)));
            if self.not_before.is_some() {
                fields.push(("from", age(self.not_before.as_deref(), page.now(), true)));
            }
            let end = self.expires_on.as_deref();
            fields.push((
                "expires",
                end.map_or_else(|| Text::plain("never"), |_| age(end, page.now(), true)),
            ));
        }
        fields.push(("account", self.owner_text()));
        fields.push(("sees", self.accounts_text()));
        page.fields(&fields);
        if let Some(reads) = &self.reads {
            page.blank();
            let rows: Vec<_> = reads.iter().map(|read| row(page, read)).collect();
            page.table(&["READS", "ALLOWED", "PERMISSION IN THE DASHBOARD"], &rows);
            page.blank();
            page.paragraph(Text::dim("Write access is not tested."));
        }
    }

    fn names(&self) -> Vec<String> {
        self.id.clone().into_iter().collect()
    }
}

impl Report {
    fn owner_text(&self) -> Text {
        let Some(account) = &self.account else { return Text::dim("none") };
        let mut listed = self.accounts.iter().flatten();
        let name = listed
            .find(|visible| visible.id == *account)
            .and_then(|visible| visible.name.as_deref());
        Text::plain(account) + Text::dim(name.map(|name| format!("  {name}")).unwrap_or_default())
    }

    fn accounts_text(&self) -> Text {
        match self.accounts.as_deref() {
            None => Text::dim("no permission to list accounts"),
            Some([]) => Text::warn("no account"),
            Some(accounts) => {
                let name = |visible: &token::VisibleAccount| {
                    visible.name.clone().unwrap_or_else(|| visible.id.clone())
                };
                let names: Vec<_> = accounts.iter().take(5).map(name).collect();
                let more = accounts.len() - names.len();
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                Text::plain(format!("{}{more}", names.join(", ")))
            }
        }
    }
}

fn row(page: &Page, read: &ReadAccess) -> Vec<Text> {
    let state = match read.allowed {
        Some(true) => page.state(Status::Passed, "read"),
        Some(false) => page.state(Status::Failed, "denied"),
        None => page.state(Status::NotChecked, "unknown"),
    };
    let permission = read.dashboard.as_deref().unwrap_or("-");
    let permission =
        if read.allowed == Some(true) { Text::dim(permission) } else { Text::plain(permission) };
    vec![Text::plain(read.area), state, permission]
}
