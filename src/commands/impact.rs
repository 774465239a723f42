//! `cfsso impact`: who is affected by enforcing SSO for a domain. Works without a connector.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::Outcome;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::impact::{self, AffectedMember, Effect, Enforcement, Report};
use crate::input::time::duration;
use crate::output::{Page, Render, Status, Text, ago, csv, time};
use crate::plural::count_noun;

const CSV: [&str; 8] = [
    "email",
    "effect",
    "super_administrator",
    "accounts",
    "roles",
    "signed_in",
    "last_sign_in",
    "through",
];

/// Suffix of the super administrator role's name, which is cut off.
const ALL_PRIVILEGES: &str = " - All Privileges";

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso impact cool.cats
  cfsso impact cool.cats --format csv > announcement.csv
  cfsso impact cool.cats -o json | jq -r '.members[] | select(.effect == \"sso\") | .email'

SSO follows the email address: members of every account that the token can list are
included, sign-ins from the logs of the account in use. Sub-domains are not covered.
Permissions: Account Settings Read; Access: Audit Logs Read for the sign-ins,
Access: Apps and Policies Read for the policies.")]
pub struct Args {
    /// Email domain
    domain: EmailDomain,

    /// Maximum age of a sign-in that counts as recent
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = duration)]
    login_within: Duration,

    /// Print a file for a spreadsheet or a mail merge
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["output", "jq", "output_fields"])]
    format: Option<FileFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FileFormat {
    /// Comma-separated values, a row for each member
    Csv,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    context.screen.start_progress("reading members and logs");
    let since = context.clock.now().saturating_sub(args.login_within).unwrap_or(Timestamp::MIN);
    let report = Box::pin(impact::read(&env, &args.domain, since)).await?;
    let Some(FileFormat::Csv) = args.format else { return Ok(Outcome::done(report)) };
    for gap in &report.not_checked {
        context.screen.warn(Text::prose(format!("not checked, {gap}")));
    }
    let affected = report.members.iter().filter(|member| member.effect != Effect::Outside);
    context.screen.literal(&csv(&CSV, affected.map(csv_row)))?;
    Ok(Outcome::silent())
}

fn csv_row(member: &AffectedMember) -> [String; 8] {
    [
        member.email.clone(),
        serde_json::to_value(member.effect)
            .ok()
            .and_then(|word| word.as_str().map(str::to_owned))
            .unwrap_or_default(),
        yes_or_no(Some(member.super_administrator)),
        accounts(member).join("; "),
        roles(member).join("; "),
        yes_or_no(member.signed_in),
        member.last_sign_in.map(time).unwrap_or_default(),
        member.through.clone().unwrap_or_default(),
    ]
}

fn yes_or_no(state: Option<bool>) -> String {
    let word = match state {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    word.to_owned()
}

fn accounts(member: &AffectedMember) -> Vec<&str> {
    let accounts = member.memberships.iter();
    accounts.map(|one| one.account_name.as_deref().unwrap_or(&one.account)).collect()
}

fn roles(member: &AffectedMember) -> Vec<&str> {
    let roles: BTreeSet<_> = member.memberships.iter().flat_map(|one| &one.roles).collect();
    roles.into_iter().map(String::as_str).collect()
}

impl Effect {
    fn text(self) -> Text {
        match self {
            Self::Sso => Text::good("uses SSO"),
            Self::CannotSignIn => Status::Failed.paint("cannot sign in"),
            Self::Denied => Status::Failed.paint("denied"),
            Self::Invited => Text::plain("invited"),
            Self::NotCovered => Status::Warning.paint("not covered"),
            Self::Outside => Text::dim("not affected"),
        }
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        if !self.members.is_empty() {
            show_members(page, self);
            page.blank();
        }
        for gap in &self.not_checked {
            page.status_line(Status::NotChecked, Text::prose(format!("not checked, {gap}")));
        }
        let counts = &self.counts;
        for (count, words) in [
            (counts.cannot_sign_in, "with a plus address cannot use SSO: invite without the plus"),
            (counts.denied, "that no policy of the SSO App allows (`cfsso app policies`)"),
            (counts.not_covered, "at a sub-domain: it needs a connector of its own"),
        ] {
            if count > 0 {
                page.status_line(
                    Status::Warning,
                    format!("{} {words}", count_noun(count, "member")),
                );
            }
        }
        if counts.super_administrators_outside == 0 {
            page.status_line(Status::Warning, "no super administrator stays outside SSO");
        }
        let affected = count_noun(counts.affected, "member");
        let accounts = self.accounts.iter().filter(|account| account.affected.unwrap_or(0) > 0);
        let accounts = count_noun(accounts.count(), "account");
        let words = format!("{}: {affected} affected, in {accounts}", self.domain);
        page.line(Text::strong(words));
        page.line(match self.sso {
            Some(Enforcement::Enforced) => "SSO is enforced for the domain.",
            Some(Enforcement::Off) => "SSO is off for the domain.",
            Some(Enforcement::NoConnector) => "The domain has no connector in this account.",
            None => "Whether SSO is enforced is unknown.",
        });
        let others =
            (counts.others > 0).then(|| format!(", {}", count_noun(counts.others, "other member")));
        page.line(format!("Not affected: API tokens{}", others.unwrap_or_default()));
    }

    fn names(&self) -> Vec<String> {
        let is_affected = |member: &&AffectedMember| {
            !matches!(member.effect, Effect::NotCovered | Effect::Outside)
        };
        self.members.iter().filter(is_affected).map(|member| member.email.clone()).collect()
    }
}

fn show_members(page: &mut Page, report: &Report) {
    let named: BTreeSet<_> = report.members.iter().flat_map(accounts).collect();
    let has_accounts = named.len() > 1;
    let mut headers = vec!["ADDRESS", "EFFECT", "SIGNED IN", "ROLES"];
    headers.extend(has_accounts.then_some("ACCOUNTS"));
    let now = page.now();
    let rows = report.members.iter().map(|member| {
        let mut row = vec![
            Text::strong(&member.email),
            member.effect.text(),
            sign_in(member, now),
            Text::plain(roles(member).join(", ").replace(ALL_PRIVILEGES, "")),
        ];
        row.extend(has_accounts.then(|| Text::plain(accounts(member).join(", "))));
        row
    });
    page.table(&headers, &rows.collect::<Vec<_>>());
}

fn sign_in(member: &AffectedMember, now: Timestamp) -> Text {
    match (member.last_sign_in, member.signed_in) {
        (Some(at), _) => {
            let through = member.through.as_ref().map(|idp| format!(" ({idp})"));
            Text::plain(ago(at, now) + &through.unwrap_or_default())
        }
        (None, Some(false)) => Text::plain("no"),
        (None, _) => Text::dim("unknown"),
    }
}
