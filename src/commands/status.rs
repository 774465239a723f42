use super::{Outcome, fleet};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::bypass::status::BypassStatus;
use crate::flow::connector::Selector;
use crate::flow::rename::RenameInProgress;
use crate::flow::status::{self, Domain, Link, LinkState, NotChecked, RecentChange, Report, Role};
use crate::flow::trial::keep::TrialStatus;
use crate::flow::{Env, FlowError, FlowErrorKind, journal};
use crate::output::{Page, Render, Rows, Status, Text, ago};

#[derive(clap::Args, Debug, Default)]
#[command(after_help = "Examples:
  cfsso status
  cfsso status cool.cats
  cfsso status -o json | jq -r '.next[]'")]
pub struct Args {
    /// Domain or ID of a connector (default: all)
    connector: Option<Selector>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    fleet::run(context, "status", async |env| read(&args, env, context).await).await
}

async fn read(args: &Args, env: &Env<'_>, context: &Context) -> anyhow::Result<Outcome> {
    let mut report = status::read(env).await?;
    // Scripts run them as they are.
    let invocation = context.screen.invocation();
    for command in &mut report.next {
        *command = invocation.with_global_flags(command);
    }
    let Some(selector) = &args.connector else { return Ok(Outcome::done(report)) };
    if let Some(domains) = &mut report.domains {
        domains.retain(|domain| is_selected(domain, selector));
        if domains.is_empty() {
            let message = format!("no connector for {selector}");
            return Err(FlowError::not_found(message).hint("`cfsso connector list`").into());
        }
    }
    let failure = report.domains.is_none().then(|| not_checked_error(selector, &report).into());
    Ok(Outcome::done(report).failed(failure))
}

fn not_checked_error(selector: &Selector, report: &Report) -> FlowError {
    let gaps = report.not_checked.iter().filter(|gap| gap.area == status::CONNECTORS);
    let message = format!("{selector} was not checked: its connector cannot be read");
    FlowError::new(FlowErrorKind::Forbidden, message)
        .causes(gaps.map(gap_text))
        .hint("`cfsso token check`")
}

fn is_selected(domain: &Domain, selector: &Selector) -> bool {
    match selector {
        Selector::Id(id) => domain.connector == id.as_str(),
        Selector::Domain(name) => {
            domain.domain.parse().is_ok_and(|other: EmailDomain| other == *name)
        }
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        if self.bypass.active == Some(true) {
            show_bypass(page, &self.bypass);
            page.blank();
        }
        if !self.trials.is_empty() {
            show_trials(page, &self.trials);
            page.blank();
        }
        if let Some(rename) = &self.rename {
            show_rename(page, rename);
            page.blank();
        }
        match self.domains.as_deref() {
            None => show_links(page, "Account", &self.shared.iter().collect::<Vec<_>>()),
            Some([]) => page.line("No SSO connectors."),
            Some(domains) => show_domains(page, domains),
        }
        if !self.not_checked.is_empty() {
            page.blank();
        }
        for gap in &self.not_checked {
            page.status_line(Status::NotChecked, Text::prose(gap_text(gap)));
        }
        if !self.journal.is_empty() {
            page.blank();
            show_journal(page, &self.journal);
        }
        if !self.next.is_empty() {
            page.blank();
            for (index, command) in self.next.iter().enumerate() {
                let label = if index == 0 { "Next: " } else { "      " };
                page.labeled(Text::strong(label), Text::prose(format!("`{command}`")));
            }
        }
        if self.ok && self.domains.as_deref().is_some_and(|domains| !domains.is_empty()) {
            page.blank();
            page.line(Text::prose(
                "No problems found in the settings. Sign-in not tested: `cfsso doctor`",
            ));
        }
    }

    fn names(&self) -> Vec<String> {
        self.domains.iter().flatten().map(|domain| domain.domain.clone()).collect()
    }

    fn rows(&self, page: &Page) -> Rows {
        let of_all =
            |state, detail: String| vec![Text::dim("all"), page.mark(state), Text::plain(detail)];
        let mut cells: Vec<_> =
            self.domains.iter().flatten().map(|domain| domain_row(domain, page)).collect();
        let bypass = (self.bypass.active == Some(true))
            .then(|| of_all(Status::Warning, "bypass active".to_owned()));
        let trials = self.trials.iter().map(|trial| {
            let (state, detail) = if trial.running {
                (Status::Running, "SSO is on trial".to_owned())
            } else {
                (Status::Failed, trial.describe())
            };
            vec![Text::strong(&trial.domain), page.mark(state), Text::plain(detail)]
        });
        let rename = self
            .rename
            .iter()
            .map(|rename| of_all(Status::Warning, format!("rename to {} incomplete", rename.goal)));
        cells.extend(bypass.into_iter().chain(trials).chain(rename));
        let gaps = self.not_checked.iter().map(|gap| of_all(Status::NotChecked, gap_text(gap)));
        cells.extend(gaps);
        Rows { headers: vec!["DOMAIN", "STATE", "DETAIL"], cells }
    }
}

fn show_bypass(page: &mut Page, bypass: &BypassStatus) {
    let since = bypass.since.map(|at| format!(" since {}", ago(at, page.now())));
    let words = format!("bypass active{}", since.unwrap_or_default());
    page.status_line(Status::Warning, Text::strong(words));
    for one in &bypass.bypasses {
        let words = format!("{}: {}", one.title, one.state.label());
        page.labeled("  ", Text::prose(words));
    }
}

/// A trial without a running process is an error.
pub fn show_trials(page: &mut Page, trials: &[TrialStatus]) {
    for trial in trials {
        if trial.running {
            let time_left = ago(trial.until, page.now());
            let words = format!("SSO is on trial for {}: it ends {time_left}", trial.domain);
            page.status_line(Status::Running, Text::strong(words));
            continue;
        }
        page.status_line(Status::Failed, Text::strong(format!("trial-open: {}", trial.describe())));
        for command in trial.commands() {
            page.fix("", &format!("`{command}`"));
        }
    }
}

fn show_rename(page: &mut Page, rename: &RenameInProgress) {
    let since = ago(rename.since, page.now());
    let words = format!("rename to {} incomplete since {since}", rename.goal);
    page.status_line(Status::Warning, Text::strong(words));
    if let Some(since) = rename.sso_off_since {
        let words = format!("SSO is off since {}", ago(since, page.now()));
        page.labeled("  ", Text::plain(words));
    }
}

/// Links that all domains share are shown once, at the end.
fn show_domains(page: &mut Page, domains: &[Domain]) {
    let is_common = |link: &Link| {
        domains.len() > 1
            && matches!(link.role, Role::App | Role::Idp)
            && domains.iter().all(|domain| domain.chain.iter().any(|other| is_same(other, link)))
    };
    for domain in domains {
        let own: Vec<_> = domain.chain.iter().filter(|link| !is_common(link)).collect();
        show_domain(page, domain, &own);
    }
    let first = domains.iter().take(1).flat_map(|domain| &domain.chain);
    let common: Vec<_> = first.filter(|link| is_common(link)).collect();
    if !common.is_empty() {
        show_links(page, "All domains", &common);
    }
}

fn is_same(one: &Link, other: &Link) -> bool {
    (one.role, one.state, &one.summary) == (other.role, other.state, &other.summary)
}

fn show_domain(page: &mut Page, domain: &Domain, links: &[&Link]) {
    let changed = domain.changed_on.as_deref().and_then(|text| text.parse().ok());
    let changed = changed.map(|then| format!(", changed {}", ago(then, page.now())));
    let (connector, below): (Vec<_>, Vec<_>) =
        links.iter().copied().partition(|link| link.role == Role::Connector);
    for link in connector {
        let detail = Text::strong(&link.summary) + Text::dim(changed.clone().unwrap_or_default());
        page.step(mark(link.state), &domain.domain, detail);
    }
    for link in below {
        show_link(page, link);
    }
    let (allowed, denied) = (domain.last_allowed, domain.last_denied);
    let words = [(allowed, "allowed"), (denied, "denied")]
        .into_iter()
        .filter_map(|(at, word)| Some(format!("last {word} {}", ago(at?, page.now()))));
    let words: Vec<_> = words.collect();
    if !words.is_empty() {
        // Denied after the last allowed sign-in: a user cannot sign in.
        let state = if denied > allowed { Status::Warning } else { Status::Passed };
        page.step(state, "  Sign-ins", words.join(", "));
    }
}

fn show_links(page: &mut Page, title: &str, links: &[&Link]) {
    page.line(Text::strong(title));
    for link in links {
        show_link(page, link);
    }
}

fn show_link(page: &mut Page, link: &Link) {
    page.step(mark(link.state), &format!("  {}", noun(link.role)), Text::prose(&link.summary));
}

fn noun(role: Role) -> &'static str {
    match role {
        Role::Connector => "Connector",
        Role::App => "SSO App",
        Role::Policy => "Policy",
        Role::Idp => "Identity provider",
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

fn gap_text(gap: &NotChecked) -> String {
    let needs = gap.dashboard.as_ref().map(|name| format!(": missing permission {name}"));
    let needs = needs.or_else(|| gap.error.as_ref().map(|error| format!(": {error}")));
    format!("not checked, {}{}", gap.area, needs.unwrap_or_default())
}

fn domain_row(domain: &Domain, page: &Page) -> Vec<Text> {
    let connector = domain.chain.iter().find(|link| link.role == Role::Connector);
    let worst = domain.chain.iter().find(|link| link.state == LinkState::Error);
    let problem = worst.or_else(|| domain.chain.iter().find(|link| link.state != LinkState::Ok));
    let state = problem.map_or(Status::Passed, |link| mark(link.state));
    let detail = connector.map(|link| link.summary.clone()).into_iter();
    let problem = problem.filter(|link| link.role != Role::Connector);
    let problem = problem.map(|link| format!("{}: {}", noun(link.role), link.summary));
    let detail = detail.chain(problem).collect::<Vec<_>>().join("; ");
    vec![Text::strong(&domain.domain), page.mark(state), Text::prose(detail)]
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
            vec![Text::plain(&entry.title), Text::plain(ago(entry.started_at, now)), fate]
        })
        .collect();
    page.table(&["RECENT CHANGES (THIS MACHINE)", "WHEN", "OUTCOME"], &rows);
}
