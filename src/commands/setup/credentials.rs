//! The first questions of a guided set-up: token and account.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::super::secret_file::PendingSecretFile;
use super::super::token::create_url;
use crate::api::Credentials;
use crate::api::account;
use crate::api::ids::AccountId;
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::token::{self, ReadAccess};
use crate::input::text;
use crate::interview::{Choice, Interview, Question};
use crate::output::{Render as _, Text};
use crate::private_file;
use crate::settings::{self, TokenSource};

/// The profile that is used if none is named.
const DEFAULT_PROFILE: &str = "default";

/// Prefix of user tokens (Cloudflare API, "Token formats").
const USER_TOKEN: &str = "cfut_";

pub async fn ask(interview: &Interview<'_>, context: &Context) -> anyhow::Result<()> {
    if !context.lacks_credentials() {
        return ask_account(interview, context).await;
    }
    let (token, account) = interview.walk(async || ask_token(interview, context).await).await?;
    context.use_token(token.clone());
    if let Some(account) = &account {
        context.use_account(account);
    }
    let profile = if context.settings.options.dry_run {
        None
    } else {
        keep_token(interview, context, &token).await?
    };
    match (&profile, &account) {
        (Some(profile), _) => {
            let named = Some(profile.as_str()).filter(|name| *name != DEFAULT_PROFILE);
            context.screen.set_option("--profile", named);
        }
        (None, Some(account)) => {
            context.screen.set_option("--account", Some(account.as_str()));
        }
        (None, None) => {}
    }
    Ok(())
}

/// Asks for a token, tests what it can read, and asks for the account if it has access to several.
async fn ask_token(
    interview: &Interview<'_>,
    context: &Context,
) -> anyhow::Result<(SecretString, Option<AccountId>)> {
    let url = create_url::for_setup();
    interview.show(&|page| {
        page.paragraph("No API token was found. Create one in the dashboard:");
        page.line(Text::code(&url));
        page.paragraph("The form is filled in; add the permission `SSO Connector: Edit` by hand.");
        page.blank();
    });
    let help = "An API token of Cloudflare, as the dashboard shows it once. It is used for this \
                run, and stored only if you say so";
    let question = Question::text("token", "API token (hidden)", help).hidden();
    let read = |text: &str| {
        let text = text::decode(text.as_bytes()).map_err(|error| error.to_string())?;
        let token = SecretString::from(text.trim());
        let checked = Credentials::Token(token.clone()).check();
        checked.map(|()| token).map_err(|error| error.to_string())
    };
    let token = interview.ask(&question, read).await?;
    let client = context.client_by(Credentials::Token(token.clone())).await?;
    let examine = async |account: Option<&AccountId>| {
        context.screen.start_progress("checking the token");
        let report = token::examine(&client, account).await;
        context.screen.end_progress();
        report
    };
    let given = context.settings.account.as_ref();
    let mut report = examine(given).await?;
    let mut chosen = None;
    let may_be_of_account = !token.expose_secret().starts_with(USER_TOKEN);
    if report.problem.is_some() && !may_be_of_account {
        return Err(Interview::rejected("token", rejection(&report.causes)));
    }
    if report.problem.is_some() && given.is_none() {
        let text = format!("{}, as the token of a user", rejection(&report.causes));
        interview.show(&|page| page.paragraph(Text::warn("warning: ") + text.as_str()));
        let help = "A token of an account is recognized only together with the account's ID: on \
                    the overview page of a zone, or in the address of the dashboard";
        let question = Question::text("account", "Account ID", help);
        let account = interview.ask(&question, read_account).await?;
        report = examine(Some(&account)).await?;
        chosen = Some(account);
    }
    if let Some(problem) = &report.problem {
        return Err(Interview::rejected("token", problem));
    }
    if let (None, Some([_, _, ..])) = (&report.reads, report.accounts.as_deref()) {
        let accounts = report.accounts.iter().flatten();
        let question = account_question(accounts.map(|one| (&*one.id, one.name.as_deref())));
        let account = interview.ask(&question, read_account).await?;
        report = examine(Some(&account)).await?;
        chosen = Some(account);
    }
    context.screen.show(&|page| {
        report.show(page);
        page.blank();
    });
    let lacks = report.reads.iter().flatten().filter(|read| read.allowed == Some(false));
    let lacks: Vec<_> = lacks.filter_map(|read: &ReadAccess| read.dashboard.clone()).collect();
    if !lacks.is_empty() {
        let text = "Go on without these permissions?";
        let help = format!("The token lacks: {}", lacks.join("; "));
        context.screen.warn(Text::prose(&help));
        let question = Question::yes_no("token.anyway", text, help).with_default("no");
        if !interview.confirm(&question).await? {
            return Err(Interview::rejected("token", ""));
        }
    }
    Ok((token, chosen))
}

fn rejection(causes: &[String]) -> String {
    let cause = causes.first().map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("the API does not accept this token{cause}")
}

async fn ask_account(interview: &Interview<'_>, context: &Context) -> anyhow::Result<()> {
    if context.named_account().await?.is_some() {
        return Ok(());
    }
    let client = context.client().await?;
    let Ok(accounts) = client.list(&account::list()).await else { return Ok(()) };
    let account = match accounts.as_slice() {
        [] => return Ok(()),
        [only] => only.id.clone(),
        several => {
            let several = several.iter().map(|one| (one.id.as_str(), one.name.as_deref()));
            let question = account_question(several);
            interview.walk(async || interview.ask(&question, read_account).await).await?
        }
    };
    interview.begin();
    context.use_account(&account);
    if accounts.len() > 1 {
        context.screen.set_option("--account", Some(account.as_str()));
    }
    Ok(())
}

fn account_question<'a>(accounts: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Question {
    let help = "The account whose members are to sign in through the identity provider";
    let choice =
        |(id, name): (&str, Option<&str>)| Choice::new(id, format!("{}  {id}", name.unwrap_or("")));
    Question::text("account", "Account", help).with_choices(accounts.map(choice))
}

fn read_account(id: &str) -> Result<AccountId, String> {
    id.parse().map_err(|error: crate::api::ids::InvalidId| error.to_string())
}

/// Returns the name of the profile that keeps the token.
async fn keep_token(
    interview: &Interview<'_>,
    context: &Context,
    token: &SecretString,
) -> anyhow::Result<Option<String>> {
    let Some(config) = context.settings.config.clone() else { return Ok(None) };
    let help = "Without this, the next command needs `CLOUDFLARE_API_TOKEN` or `--token-file`";
    let question =
        Question::text("keep_token", "Keep the token", help).with_default("no").with_choices([
            Choice::new("no", "no: for this run only"),
            Choice::new("file", "in a file that only you can read, as a profile"),
            Choice::new(
                "command",
                "in your password manager: a command that prints it, as a profile",
            ),
        ]);
    interview.begin();
    let account = context.account().await?.clone();
    let (name, source) = loop {
        let choice = interview.ask(&question, |answer| Ok(answer.to_owned())).await?;
        if choice == "no" {
            return Ok(None);
        }
        let name = ask_profile(interview, context).await?;
        match choice.as_str() {
            "file" => {
                let file = config.with_file_name(format!("{name}.token"));
                break (name, store(&file, token)?);
            }
            _ => match ask_command(interview, context, token).await? {
                Ok(command) => break (name, TokenSource::Command(command)),
                Err(reason) => context.screen.warn(reason),
            },
        }
    };
    settings::add_profile(&config, &name, &account, &source).map_err(|error| {
        let message = format!("cannot write {}", config.display());
        FlowError::usage(message).cause(error.to_string())
    })?;
    interview.begin();
    context.screen.note(Text::prose(format!("profile `{name}` in {}", config.display())));
    Ok(Some(name))
}

async fn ask_profile(interview: &Interview<'_>, context: &Context) -> anyhow::Result<String> {
    let known = context.profiles();
    let default =
        if known.iter().any(|name| name == DEFAULT_PROFILE) { "sso" } else { DEFAULT_PROFILE };
    let help = "`--profile NAME` uses it; the profile `default` is used without that";
    let question = Question::text("profile", "Name of the profile", help).with_default(default);
    let read = |name: &str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if known.iter().any(|other| other == name) {
            return Err(format!("the profile `{name}` exists"));
        }
        if name.chars().all(is_word) {
            Ok(name.to_owned())
        } else {
            Err("letters, digits, - and _".into())
        }
    };
    interview.ask(&question, read).await
}

/// Returns the reason why the command cannot be kept.
async fn ask_command(
    interview: &Interview<'_>,
    context: &Context,
    token: &SecretString,
) -> anyhow::Result<Result<Vec<String>, String>> {
    let help = "For example `op read op://Private/cfsso/token`, `pass show cfsso` or \
                `security find-generic-password -s cfsso -w`. It is run without a shell";
    let question = Question::text("token_command", "Command that prints the token", help);
    let read = |line: &str| shell_words::split(line).map_err(|error| error.to_string());
    let command = interview.ask(&question, read).await?;
    Ok(match context.token_of_command(&command).await {
        Ok(printed) if printed.expose_secret() == token.expose_secret() => Ok(command),
        Ok(_) => Err("the command did not print this token".to_owned()),
        Err(error) => Err(format!("{error:#}")),
    })
}

fn store(file: &Path, token: &SecretString) -> Result<TokenSource, FlowError> {
    let write = || {
        private_file::create_folder(private_file::folder_of(file))?;
        PendingSecretFile::create(file)?.commit(token.expose_secret())
    };
    write().map_err(|error| {
        FlowError::usage(format!("cannot write {}", file.display())).cause(error.to_string())
    })?;
    Ok(TokenSource::File(PathBuf::from(file)))
}
