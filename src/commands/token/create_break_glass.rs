use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::super::connector::view::age;
use super::super::secret_file::PendingSecretFile;
use super::super::{Outcome, plan_output};
use crate::api::Credentials;
use crate::api::token::{self, CreatedToken};
use crate::context::Context;
use crate::flow::action::Action;
use crate::flow::break_glass::{self, TokenPermission};
use crate::flow::plan::Difference;
use crate::flow::{Env, Error, FlowError, FlowErrorKind};
use crate::input::time::duration;
use crate::input::value;
use crate::interview::{self, Question};
use crate::output::{Format, Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Keep the token where it can be reached without the dashboard.
The token in use needs Account API Tokens: Edit, and the permissions that it passes on.

Examples:
  cfsso token create-break-glass --output-file break-glass.token
  cfsso token create-break-glass --with-access --expires 90d
  cfsso token check --token-file break-glass.token")]
pub struct Args {
    /// Validity of the token (90d)
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = duration)]
    expires: Duration,

    /// Write the token to this new file instead of printing it
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,

    /// Also allow `bypass otp`
    #[arg(long)]
    with_access: bool,

    /// Name of the token in the dashboard
    #[arg(long, value_name = "NAME", default_value = "cfsso break-glass", value_parser = value::name)]
    name: String,
}

/// The result of `cfsso token create-break-glass`.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether a test confirmed that the token works.
    ok: bool,
    /// The ID of the token (not a secret).
    id: String,
    /// The name of the token.
    name: String,
    /// When the token expires (RFC 3339).
    expires_on: Option<String>,
    /// The names of the token's permissions.
    permissions: Vec<&'static str>,
    /// The secret token; `null` if it was written to a file.
    value: Option<String>,
    /// The path of the file with the token; `null` if the token was printed.
    file: Option<String>,
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let asks_for_file = context.asks() && context.settings.format == Format::Table;
    if args.output_file.is_none() && asks_for_file {
        args.output_file = ask_file(context).await?;
    }
    if args.output_file.is_none() && context.settings.format == Format::Name {
        return Err(FlowError::usage("`-o name` prints the ID and not the token")
            .hint("add `--output-file FILE`, or print it with `-o json`")
            .into());
    }
    if args.expires < Duration::from_hours(30 * 24) {
        let text = "the token is valid for less than 30 days; an outage may come later";
        context.screen.warn(text);
    }
    let env = context.env().await?;
    let wanted =
        TokenOptions { name: args.name, expires: args.expires, with_access: args.with_access };
    let planned = plan(&env, context, &wanted).await?;
    let changes = vec![planned.action.change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "this")? {
        return Ok(outcome);
    }
    if args.output_file.is_none() && !asks_for_file {
        confirm_printing(&wanted.name, context).await?;
    }
    let created = if let Some(file) = &args.output_file {
        create_in(&env, context, &planned, file).await?
    } else {
        planned.warn_of_fallback_ids(context);
        env.execute(&planned.action).await?
    };
    let file = args.output_file.as_ref().map(|file| file.display().to_string());
    let value = created.value.expose_secret().to_owned();
    let failure = test_token(&env, created.value.clone()).await;
    let id = created.id.clone();
    let report = Report {
        schema: "cfsso/break-glass/v1",
        ok: failure.is_none(),
        id: created.id,
        name: wanted.name,
        expires_on: created.expires_on,
        permissions: planned.permissions(),
        value: file.is_none().then_some(value),
        file,
    };
    if report.file.is_none()
        && let Err(error) = context.screen.deliver(&report)
    {
        return Err(revoke_after_error(&env, &id, "standard output", &error).await.into());
    }
    let outcome = match report.file {
        Some(_) => Outcome::done(report),
        None => Outcome::silent(),
    };
    Ok(outcome.failed(failure.map(Into::into)))
}

/// Printed where no one reads it, such as in the log of a job, the token is lost or exposed.
async fn confirm_printing(name: &str, context: &Context) -> Result<(), Error> {
    let confirmed = context.confirm(name, "create the token and print it").await;
    confirmed.map_err(|error| match error {
        Error::Flow(error) if !context.screen.can_ask() => {
            error.hint("`--output-file FILE`, or `--yes` to print the token").into()
        }
        error => error,
    })
}

/// `None`: the token is printed.
async fn ask_file(context: &Context) -> anyhow::Result<Option<PathBuf>> {
    let help = "A new file that only you can read; move it where it can be reached without the \
                dashboard. `-` prints the token instead";
    let question = Question::text("output_file", "File for the token", help)
        .with_default("cfsso-emergency.token");
    let read = |file: &str| match file {
        "-" => Ok(None),
        file if Path::new(file).exists() => Err(format!("{file} exists")),
        file => Ok(Some(PathBuf::from(file))),
    };
    interview::ask_missing(context, &question, "`--output-file FILE`", read).await
}

pub struct TokenOptions {
    pub name: String,
    pub expires: Duration,
    pub with_access: bool,
}

pub struct PlannedToken {
    granted: Vec<TokenPermission>,
    pub action: Action<CreatedToken>,
}

impl PlannedToken {
    pub fn permissions(&self) -> Vec<&'static str> {
        self.granted.iter().map(|granted| granted.name).collect()
    }

    fn warn_of_fallback_ids(&self, context: &Context) {
        for granted in self.granted.iter().filter(|granted| !granted.looked_up) {
            context.screen.warn(Text::prose(format!(
                "the API does not list the permission {}; using its documented ID",
                granted.name
            )));
        }
    }
}

pub async fn plan(
    env: &Env<'_>,
    context: &Context,
    wanted: &TokenOptions,
) -> anyhow::Result<PlannedToken> {
    let granted = break_glass::permissions(env, wanted.with_access).await?;
    let end = expires_at(context.clock.now(), wanted.expires)?;
    let action = creation(env, &wanted.name, &granted, &end);
    Ok(PlannedToken { granted, action })
}

/// A token whose value cannot be saved is deleted again.
pub async fn create_in(
    env: &Env<'_>,
    context: &Context,
    planned: &PlannedToken,
    file: &Path,
) -> Result<CreatedToken, Error> {
    planned.warn_of_fallback_ids(context);
    let draft = create_file(file)?;
    let created = env.execute(&planned.action).await?;
    match draft.commit(created.value.expose_secret()) {
        Ok(()) => Ok(created),
        Err(error) => {
            let file = file.display().to_string();
            Err(revoke_after_error(env, &created.id, &file, &error).await.into())
        }
    }
}

/// To the second, the resolution of the API's times.
fn expires_at(now: Timestamp, lasting: Duration) -> anyhow::Result<String> {
    let end = now.checked_add(lasting).context("`--expires` is too large")?;
    Ok(Timestamp::from_second(end.as_second())?.to_string())
}

fn creation(
    env: &Env<'_>,
    name: &str,
    granted: &[TokenPermission],
    end: &str,
) -> Action<CreatedToken> {
    let ids: Vec<_> = granted.iter().map(|granted| granted.id.clone()).collect();
    let names: Vec<_> = granted.iter().map(|granted| granted.name).collect();
    Action::new(
        format!("create the token {name} with: {}", names.join("; ")),
        token::create(env.account, name, &ids, end),
        [Difference::new("token", (), name)],
    )
}

fn create_file(target: &Path) -> Result<PendingSecretFile, FlowError> {
    PendingSecretFile::create(target).map_err(|error| {
        let exists = error.kind() == std::io::ErrorKind::AlreadyExists;
        let kind = if exists { FlowErrorKind::Conflict } else { FlowErrorKind::Usage };
        let message = format!("cannot write to {}; nothing was sent", target.display());
        FlowError::new(kind, message)
            .cause(error.to_string())
            .hint("choose a file that does not exist")
    })
}

/// Deletes a token whose value could not be saved: no one can use it.
async fn revoke_after_error(
    env: &Env<'_>,
    id: &str,
    file: &str,
    error: &std::io::Error,
) -> FlowError {
    let request = token::delete(env.account, id);
    let removal = Action::new("delete the token that could not be saved", request, []);
    let removed = env.execute(&removal).await;
    let (kind, fate) = match removed {
        Ok(()) => (FlowErrorKind::NotConfirmed, "it was deleted again".to_owned()),
        Err(error) => (
            FlowErrorKind::HalfDone,
            format!("token {} exists, but its value was lost; delete it", error.line()),
        ),
    };
    FlowError::new(kind, format!("the new token {id} cannot be written to {file}"))
        .causes([error.to_string(), fate])
        .hint("dashboard: Manage Account, Account API Tokens")
}

pub async fn test_token(env: &Env<'_>, value: SecretString) -> Option<FlowError> {
    let client = env.client.with_credentials(Credentials::Token(value));
    let error = break_glass::test_token(&client, env.account, env.clock).await.err()?;
    Some(
        FlowError::not_confirmed("token created, but it was rejected when tried")
            .causes(error.sentences())
            .hint("`cfsso token check --token-file FILE`"),
    )
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let (mark, words) = if self.ok {
            (Status::Done, "token created; it can list connectors")
        } else {
            (Status::Failed, "token created, not tested")
        };
        page.status_line(mark, words);
        page.blank();
        page.fields(&[
            ("name", Text::strong(&self.name)),
            ("id", Text::plain(&self.id)),
            ("may", Text::plain(self.permissions.join("; "))),
            ("expires", age(self.expires_on.as_deref(), page.now(), true)),
        ]);
        if let Some(file) = &self.file {
            page.fields(&[("in the file", Text::plain(file))]);
        }
        if let Some(value) = &self.value {
            page.blank();
            page.line("The token, shown only once:");
            page.line(Text::strong(value));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.clone()]
    }
}
