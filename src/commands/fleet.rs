//! A read in one account or in several at once. A failed account does not hide the others.

use futures_util::stream::{self, StreamExt as _};
use schemars::JsonSchema;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Outcome;
use crate::context::{Context, NamedAccount};
use crate::error_report::to_failure;
use crate::flow::dry_run::Writes;
use crate::flow::{Env, FlowError, FlowErrorKind};
use crate::output::{self, ErrorReport, ExitCode, Page, Render, Status, Text};
use crate::plural::count_noun;

/// Accounts read at once. Their requests share one rate limit.
const MAX_CONCURRENT: usize = 8;

/// The result of a command for several accounts.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// The command, such as `connector list`.
    command: &'static str,
    /// Whether every account was read and has no findings.
    ok: bool,
    /// The number of accounts that could not be read.
    failed: usize,
    /// The result of each account, ordered by name and ID.
    accounts: Vec<AccountResult>,
}

/// The result for one account.
#[derive(Serialize, JsonSchema)]
struct AccountResult {
    /// The ID of the account.
    account: String,
    /// The name of the account; `null` if the token cannot list accounts.
    name: Option<String>,
    /// What it is called on screen: the name, with the ID if other accounts share it.
    #[serde(skip)]
    label: String,
    /// The exit code of the command for this account alone.
    exit_code: ExitCode,
    /// The output of the command for this account alone; `null` if it failed.
    #[schemars(with = "Option<serde_json::Value>")]
    result: Option<Printed>,
    /// The error; `null` if the command succeeded.
    error: Option<ErrorReport>,
}

struct Printed(Box<dyn output::Report>);

impl Serialize for Printed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = self.0.json().and_then(RawValue::from_string);
        json.map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Fails if several accounts are selected and `option` is given, which works on one.
pub fn ensure_one(context: &Context, is_given: bool, option: &str) -> Result<(), FlowError> {
    match context.settings.accounts.option_of_several() {
        Some(several) if is_given => {
            let message = format!("`{option}` is for one account, not for `{several}`");
            Err(FlowError::usage(message).hint("`--account <ACCOUNT>`, once"))
        }
        _ => Ok(()),
    }
}

/// In columns.
const BAR: usize = 20;

/// If one of several accounts fails, the error is part of the outcome. `command`: for messages.
pub async fn run(
    context: &Context,
    command: &'static str,
    read: impl AsyncFn(&Env<'_>) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let Some(accounts) = context.several_accounts().await? else {
        return read(&context.env().await?).await;
    };
    let total = accounts.len();
    context.screen.start_progress(progress(command, 0, total));
    let reads =
        accounts.into_iter().map(async |account| read_account(context, account, &read).await);
    let mut reads = stream::iter(reads).buffered(MAX_CONCURRENT);
    let mut done = Vec::new();
    while let Some(result) = reads.next().await {
        done.push(result);
        context.screen.start_progress(progress(command, done.len(), total));
    }
    let (accounts, errors): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    Ok(conclude(command, accounts, errors.into_iter().flatten().next()))
}

/// Such as `doctor [#####---------------] 25 of 100 accounts`.
fn progress(command: &str, done: usize, total: usize) -> String {
    let filled = BAR * done / total.max(1);
    let (full, rest) = ("#".repeat(filled), "-".repeat(BAR - filled));
    format!("{command} [{full}{rest}] {done} of {}", count_noun(total, "account"))
}

/// Creates and drops a client per account, so that only the report is kept.
async fn read_account(
    context: &Context,
    NamedAccount { id, name }: NamedAccount,
    read: &impl AsyncFn(&Env<'_>) -> anyhow::Result<Outcome>,
) -> (AccountResult, Option<anyhow::Error>) {
    let outcome = async {
        let client = context.client().await?.for_account();
        let env = Env {
            client: &client,
            account: &id,
            resolver: context.resolver().await?,
            clock: &context.clock,
            journal: context.journal(),
            writes: Writes::Refuse,
        };
        context.warn_unknown_outcomes(&id);
        let outcome = read(&env).await;
        let odd = client.odd_records(None);
        if let Some(first) = odd.first() {
            let label = name.as_deref().unwrap_or(id.as_str());
            let records = count_noun(odd.len(), "invalid record");
            let text = format!("{label}: {records} left out: {}", first.describe());
            context.screen.warn(Text::plain(text));
        }
        outcome
    };
    let (result, exit_code, error) = match outcome.await {
        Ok(Outcome { report, exit, failure: None }) => (report, exit, None),
        Ok(Outcome { report, failure: Some(error), .. }) => {
            (report, ExitCode::Failure, Some(error))
        }
        Err(error) => (None, ExitCode::Failure, Some(error)),
    };
    let failure = error.as_ref().map(to_failure);
    let exit_code = failure.as_ref().map_or(exit_code, |failure| failure.exit_code);
    let account = id.to_string();
    let label = name.clone().unwrap_or_else(|| account.clone());
    (
        AccountResult {
            account,
            name,
            label,
            exit_code,
            result: result.map(Printed),
            error: failure,
        },
        error,
    )
}

/// A failed account fails the command. A missing object does only if no account has it.
fn conclude(
    command: &'static str,
    mut accounts: Vec<AccountResult>,
    first_error: Option<anyhow::Error>,
) -> Outcome {
    distinguish(&mut accounts);
    let failed: Vec<_> = accounts.iter().filter(|account| account.has_failed()).collect();
    let first = accounts.first().map_or(ExitCode::Done, |account| account.exit_code);
    let is_alike = accounts.iter().all(|it| it.error.is_some() && it.exit_code == first);
    let failure = match first_error {
        Some(_) if is_alike && first == ExitCode::NotFound && accounts.len() > 1 => {
            let message = format!("not found in any of {}", count_noun(accounts.len(), "account"));
            Some(FlowError::not_found(message).causes(causes(&accounts)).into())
        }
        Some(error) if is_alike => Some(error),
        _ if failed.is_empty() => None,
        _ => {
            let message =
                format!("{} of {} failed", failed.len(), count_noun(accounts.len(), "account"));
            let error = FlowError::new(FlowErrorKind::Unreachable, message);
            let hint = format!("`cfsso {command} --account {}`", failed[0].account);
            Some(error.causes(causes(failed.iter().copied())).hint(hint).into())
        }
    };
    let read = accounts.iter().filter(|account| account.error.is_none());
    let exit = read.map(|account| account.exit_code).find(|exit| *exit != ExitCode::Done);
    let exit = exit.unwrap_or(ExitCode::Done);
    let ok = failure.is_none() && exit == ExitCode::Done;
    let report = Report { schema: "cfsso/fleet/v1", command, ok, failed: failed.len(), accounts };
    Outcome::done(report).exit(exit).failed(failure)
}

const MOST: usize = 10;

fn causes<'a>(accounts: impl IntoIterator<Item = &'a AccountResult>) -> Vec<String> {
    let accounts: Vec<_> = accounts.into_iter().collect();
    let why = |account: &&AccountResult| {
        let error = account.error.as_ref();
        let said = error.map(|error| {
            [error.message.as_str()].into_iter().chain(error.causes.first().map(String::as_str))
        });
        let said: Vec<_> = said.into_iter().flatten().collect();
        format!("{}: {}", account.label, said.join(": "))
    };
    let more = accounts.len().saturating_sub(MOST);
    let more = (more > 0).then(|| format!("{more} more"));
    accounts.iter().take(MOST).map(why).chain(more).collect()
}

/// Adds the ID to names that several accounts have.
fn distinguish(accounts: &mut [AccountResult]) {
    let names: Vec<_> = accounts.iter().map(|account| account.label.clone()).collect();
    for account in accounts {
        if names.iter().filter(|name| **name == account.label).count() > 1 {
            account.label = format!("{} ({})", account.label, account.account);
        }
    }
}

impl AccountResult {
    /// Whether it could not be read. A missing object (`NotFound`) counts as read.
    fn has_failed(&self) -> bool {
        self.error.is_some() && self.exit_code != ExitCode::NotFound
    }

    /// The cell of an account that has no rows.
    fn state(&self) -> Text {
        match &self.error {
            Some(error) if self.has_failed() => {
                Status::Failed.paint(&format!("failed: {}", error.kind.replace('-', " ")))
            }
            Some(_) => Text::dim("not found"),
            None => Text::dim("none"),
        }
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let (mut headers, mut rows) = (vec!["ACCOUNT", "RESULT"], Vec::new());
        for account in &self.accounts {
            let label = Text::strong(&account.label);
            let own = account.result.as_ref().map(|report| report.0.rows(page)).unwrap_or_default();
            if own.cells.is_empty() {
                rows.push(vec![label, account.state()]);
                continue;
            }
            headers.splice(1.., own.headers);
            let own = own.cells.into_iter();
            rows.extend(own.map(|cells| [label.clone()].into_iter().chain(cells).collect()));
        }
        page.table(&headers, &rows);
        page.blank();
        let failed = (self.failed > 0).then(|| format!(", {} failed", self.failed));
        let total = count_noun(self.accounts.len(), "account") + &failed.unwrap_or_default();
        page.line(Text::strong(total));
        page.line(
            Text::plain("One account: ")
                + Text::prose(format!("`cfsso {} --account <ACCOUNT>`", self.command)),
        );
    }

    fn names(&self) -> Vec<String> {
        let reports = self.accounts.iter().filter_map(|account| account.result.as_ref());
        reports.flat_map(|report| report.0.names()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_from_left_to_right() {
        for (done, total, expected) in [
            (0, 100, "doctor [--------------------] 0 of 100 accounts"),
            (25, 100, "doctor [#####---------------] 25 of 100 accounts"),
            (2, 3, "doctor [#############-------] 2 of 3 accounts"),
            (1, 1, "doctor [####################] 1 of 1 account"),
            (0, 0, "doctor [--------------------] 0 of 0 accounts"),
        ] {
            assert_eq!(progress("doctor", done, total), expected);
        }
    }
}
