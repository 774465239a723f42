//! `cfsso status`: three requests at once, and one more for the policies.

use super::Outcome;
use crate::context::Context;
use crate::flow::bypass::status::BypassStatus;
use crate::flow::journal;
use crate::flow::rename::RenameInProgress;
use crate::flow::status::{self, Domain, Link, LinkState, NotChecked, RecentChange, Report, Role};
use crate::output::{Page, Render, Status, Text, ago};

/// Arguments of `status`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Nothing is changed.

Examples:
  cfsso status
  cfsso status -o json | jq -r '.next[]'")]
pub struct Args {}

/// Shows what each domain's sign-in goes through.
pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    Ok(Outcome::done(status::look(&tools).await?))
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        if self.bypass.active == Some(true) {
            show_bypass(page, &self.bypass);
            page.blank();
        }
        if let Some(rename) = &self.rename {
            show_rename(page, rename);
            page.blank();
        }
        match self.domains.as_deref() {
            None => {
                page.line(Text::strong("dashboard SSO"));
                tree(page, &self.shared);
            }
            Some([]) => page.line("This account has no SSO connectors."),
            Some(domains) => {
                for (index, domain) in domains.iter().enumerate() {
                    if index > 0 {
                        page.blank();
                    }
                    show_domain(page, domain);
                }
            }
        }
        if !self.not_checked.is_empty() {
            page.blank();
        }
        self.not_checked.iter().for_each(|gap| show_gap(page, gap));
        if !self.journal.is_empty() {
            page.blank();
            show_journal(page, &self.journal);
        }
        if !self.next.is_empty() {
            page.blank();
            for (index, command) in self.next.iter().enumerate() {
                let label = if index == 0 { "next: " } else { "      " };
                page.labeled(Text::strong(label), Text::prose(format!("`{command}`")));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.domains.iter().flatten().map(|domain| domain.domain.clone()).collect()
    }
}

fn show_bypass(page: &mut Page, bypass: &BypassStatus) {
    let since = bypass.since.map(|at| format!(" since {}", ago(at, page.now())));
    let words = format!("a bypass is in force{}", since.unwrap_or_default());
    page.status_line(Status::Warning, Text::strong(words));
    for one in &bypass.bypasses {
        let words = format!("{}: {}", one.title, one.state.label());
        page.labeled(format!("{:11}", ""), Text::prose(words));
    }
}

fn show_rename(page: &mut Page, rename: &RenameInProgress) {
    let since = ago(rename.since, page.now());
    let words = format!("a rename to {} began {since}", rename.goal);
    page.status_line(Status::Warning, Text::strong(words));
    if let Some(since) = rename.sso_off_since {
        let words = format!("it keeps SSO off, since {}", ago(since, page.now()));
        page.labeled(format!("{:11}", ""), Text::plain(words));
    }
}

fn show_domain(page: &mut Page, domain: &Domain) {
    let changed = domain.changed_on.as_deref().and_then(|text| text.parse().ok());
    let changed = changed.map(|then| format!("  changed {}", ago(then, page.now())));
    page.line(Text::strong(&domain.domain) + Text::dim(changed.unwrap_or_default()));
    tree(page, &domain.chain);
}

/// Connector, application, and below it policy and identity providers.
fn tree(page: &mut Page, links: &[Link]) {
    let depth = |link: &Link| match link.role {
        Role::Connector => 0,
        Role::App => 1,
        Role::Policy | Role::Idp => 2,
    };
    let least = links.first().map_or(0, depth);
    for (index, link) in links.iter().enumerate() {
        let is_last = links.get(index + 1).is_none_or(|next| depth(next) != depth(link));
        let words = Text::plain(format!("{}: {}", noun(link.role), link.words));
        page.tree_item(depth(link) - least, is_last, mark(link.state), words);
    }
}

fn noun(role: Role) -> &'static str {
    match role {
        Role::Connector => "connector",
        Role::App => "SSO app",
        Role::Policy => "policy",
        Role::Idp => "IdP",
    }
}

fn mark(state: LinkState) -> Status {
    match state {
        LinkState::Ok => Status::Passed,
        LinkState::Pending => Status::Pending,
        LinkState::Warning => Status::Warning,
        LinkState::Error => Status::Failed,
        LinkState::NotChecked => Status::NotChecked,
    }
}

fn show_gap(page: &mut Page, gap: &NotChecked) {
    let needs = gap.dashboard.as_ref().map(|name| format!(": the token lacks `{name}`"));
    let words = format!("not checked, {}{}", gap.what, needs.unwrap_or_default());
    page.status_line(Status::NotChecked, Text::prose(words));
}

fn show_journal(page: &mut Page, entries: &[RecentChange]) {
    let now = page.now();
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            let fate = match (&entry.undone_by, entry.outcome) {
                (Some(_), _) => Text::plain("undone"),
                (None, journal::Outcome::Done) => Text::good("done"),
                (None, journal::Outcome::Failed) => Text::bad("failed"),
                (None, journal::Outcome::Unknown) => Text::warn("unknown"),
                (None, journal::Outcome::Unfinished) => Text::warn("unfinished"),
            };
            vec![Text::plain(&entry.title), Text::plain(ago(entry.at, now)), fate]
        })
        .collect();
    page.table(&["CHANGED FROM HERE", "WHEN", "OUTCOME"], &rows);
}
