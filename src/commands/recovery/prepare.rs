use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::doctor::{Level, is_failure, show_finding};
use super::super::token::create_break_glass::{self as break_glass, TokenOptions};
use super::super::{Outcome, plan_output};
use super::bundle::{self, Bundle};
use super::card::CardFile;
use super::need_administrator;
use crate::api::base::BaseUrl;
use crate::api::mask::mask;
use crate::api::{self, Client};
use crate::context::Context;
use crate::flow::check::CheckState;
use crate::flow::doctor::{Finding, RecoveryFacts, check_recovery, read_recovery};
use crate::flow::plan::Change;
use crate::flow::preflight::{Sources, Thresholds};
use crate::flow::recovery::card::Card;
use crate::flow::recovery::rehearsal::{self, PermissionProof, Rehearsal};
use crate::flow::recovery::state::{CardFacts, RecoveryState, TokenFacts};
use crate::flow::{Env, FlowError, FlowErrorKind};
use crate::input::time::duration;
use crate::output::{ExitCode, Page, Render, Status, Text};
use crate::private_file;
use crate::shell::quoted;

const TOKEN_NAME: &str = "cfsso break-glass";

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso recovery prepare
  cfsso recovery prepare --token-out /media/usb/token --card card.html --yes
  cfsso recovery prepare --token-file emergency-token --bundle /media/usb/recovery

Without --token-out, --token-file or --recovery-token-file it asks for the token.
Neither card nor bundle has a secret in it. Exits 10 on findings at or above --fail-on.")]
pub struct Args {
    /// Create an emergency token in this new file
    #[arg(long, value_name = "FILE", conflicts_with = "recovery_token_file")]
    token_out: Option<PathBuf>,

    /// Existing emergency token, if --token-file is another one
    #[arg(long, value_name = "FILE")]
    recovery_token_file: Option<PathBuf>,

    /// Validity of a new token (90d)
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = duration)]
    expires: Duration,

    /// Write the recovery card (.html, .md or .txt; repeatable)
    #[arg(long, value_name = "FILE")]
    card: Vec<CardFile>,

    /// Write card, state, undo tickets and this program to a new folder
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,

    /// Where the token is kept, for the card
    #[arg(long, value_name = "TEXT", value_parser = location)]
    token_location: Option<String>,

    /// Required remaining validity of the token, in days
    #[arg(long, value_name = "DAYS", default_value_t = Thresholds::MIN_TOKEN_DAYS)]
    min_days: u32,

    /// Exit 10 on findings of this severity or higher
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: Level,
}

/// The result of `cfsso recovery prepare`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether there is no finding at or above `fail_on`.
    ok: bool,
    /// Whether this was a dry run: nothing was created or written.
    dry_run: bool,
    /// The lowest severity that makes the command fail.
    fail_on: Level,
    /// The ID of the account.
    account: String,
    /// The emergency token.
    token: Token,
    /// The recovery checks, including passed checks.
    findings: Vec<Finding>,
    /// The requests of both bypasses, prepared with the emergency token but not sent.
    rehearsal: Vec<Rehearsal>,
    /// With `--dry-run`: the requests that would be sent.
    changes: Vec<Change>,
    /// The fingerprint of the recovery state on the card; `null` if no card could be made.
    fingerprint: Option<String>,
    /// The files that were written, or would be written with `--dry-run`.
    files: Vec<String>,
}

/// The emergency token.
#[derive(Debug, Serialize, JsonSchema)]
struct Token {
    /// The path of the file with the token.
    file: String,
    /// Whether this run created the token, or would create it with `--dry-run`.
    created: bool,
    /// The ID of the token (not a secret).
    id: Option<String>,
    /// When the token expires (RFC 3339); `null` if it does not expire or this is unknown.
    expires_on: Option<String>,
    /// The permissions that the bypasses need. If a dry run would create the token, those of
    /// the token in use.
    permissions: Vec<PermissionProof>,
}

#[derive(Clone, Debug)]
enum TokenSource {
    Existing(PathBuf),
    New(PathBuf),
}

impl TokenSource {
    fn file(&self) -> &Path {
        match self {
            Self::Existing(file) | Self::New(file) => file,
        }
    }

    fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let source = token_source(&args, context).await?;
    for file in args.card.iter().map(|card| &card.path).chain(&args.bundle) {
        existing_folder(file)?;
    }
    if let Some(folder) = &args.bundle {
        bundle::ensure_empty(folder)?;
    }
    if context.asks() && args.card.is_empty() && args.bundle.is_none() {
        ask_for_card(&mut args, context).await?;
    }
    args.card.iter().try_for_each(CardFile::ensure_replaceable)?;
    let env = context.env().await?;
    let is_dry_run = context.settings.options.dry_run;
    let (emergency, changes) = emergency_client(&source, &args, context, &env).await?;
    let sources = Sources { fetcher: None, recovery: emergency, audit_log: false };
    let client = sources.recovery.as_ref().unwrap_or(env.client);
    let emergency_env = Env { client, ..env };
    let (read, access) =
        tokio::join!(read_recovery(&env, &sources), rehearsal::read_access(&emergency_env));
    let access = access.map_err(|error| rejected(source.file(), &error))?;
    let read = read?;
    let connectors = match &read.facts.recovery {
        Some(second) => &second.connectors,
        None => &read.connectors,
    };
    let rehearsal = rehearsal::rehearse(&emergency_env, connectors, &access);
    let thresholds = Thresholds::new(context.clock.now(), args.min_days);
    let odd = env.client.odd_records(None);
    let mut findings = check_recovery(&read, &thresholds, &odd).findings;
    findings.push(rehearsal::finding(&rehearsal));
    if context.settings.options.token_file.as_deref() == Some(source.file()) {
        need_administrator(&mut findings);
    }
    let (id, expires_on) = identity(&read);
    let token = Token {
        file: source.file().display().to_string(),
        created: source.is_new(),
        id,
        expires_on,
        permissions: rehearsal::permissions(connectors, &access, source.is_new() && !is_dry_run),
    };
    let state = RecoveryState::of(env.account, &read, &odd);
    let fingerprint = state.connectors.is_ok().then(|| state.fingerprint().to_string());
    let facts = card_facts(state, &token, &args, context);
    let files = match &fingerprint {
        None => Vec::new(),
        Some(_) if is_dry_run => {
            args.card.iter().map(|file| file.path.clone()).chain(args.bundle.clone()).collect()
        }
        Some(fingerprint) => {
            let card = Card::of(&facts);
            let mut files = write_cards(&args.card, &card)?;
            if let Some(folder) = &args.bundle {
                let (read, access) = (&read, &access);
                let bundle = Bundle { folder, card: &card, read, access, fingerprint };
                files.extend(bundle.write(context, &env)?);
            }
            files
        }
    };
    let ok = !findings.iter().any(|finding| is_failure(finding, args.fail_on));
    let would_change = context.settings.options.detailed_exitcode && !changes.is_empty();
    let exit = if ok && !would_change { ExitCode::Done } else { ExitCode::Findings };
    let report = Report {
        schema: "cfsso/recovery-prepare/v1",
        ok,
        dry_run: is_dry_run,
        fail_on: args.fail_on,
        account: env.account.to_string(),
        token,
        findings,
        rehearsal,
        changes,
        fingerprint,
        files: files.iter().map(|file| file.display().to_string()).collect(),
    };
    Ok(Outcome::done(report).exit(exit))
}

fn rejected(file: &Path, error: &api::Error) -> FlowError {
    let file = file.display().to_string();
    FlowError::new(FlowErrorKind::NoToken, format!("the API rejected the emergency token {file}"))
        .causes(error.sentences())
        .hint(format!("`cfsso token check --token-file {}`", quoted(&file)))
}

fn write_cards(files: &[CardFile], card: &Card) -> Result<Vec<PathBuf>, FlowError> {
    let write = |file: &CardFile| file.write(card).map(|()| file.path.clone());
    files.iter().map(write).collect()
}

async fn token_source(args: &Args, context: &Context) -> Result<TokenSource, FlowError> {
    let of_options = &context.settings.options.token_file;
    let source = match (&args.token_out, &args.recovery_token_file, of_options) {
        (Some(new), _, _) => TokenSource::New(new.clone()),
        (None, Some(file), _) | (None, None, Some(file)) => TokenSource::Existing(file.clone()),
        (None, None, None) if context.asks() => {
            let question = "File of the emergency token (a new name creates a token):";
            let read = |answer: &str| (!answer.is_empty()).then(|| PathBuf::from(answer));
            let file = context.ask_until(&Text::plain(question), "a file name", read).await?;
            if file.exists() { TokenSource::Existing(file) } else { TokenSource::New(file) }
        }
        (None, None, None) => {
            return Err(FlowError::usage("no emergency token was specified")
                .hint("`--token-out FILE` creates one; `--token-file FILE` uses an existing one"));
        }
    };
    if let TokenSource::New(file) = &source {
        ensure_outside_git(file)?;
    }
    Ok(source)
}

/// Fails for a file in a Git work tree: a commit would publish the token.
fn ensure_outside_git(file: &Path) -> Result<(), FlowError> {
    let folder = existing_folder(file)?;
    match folder.ancestors().find(|folder| folder.join(".git").exists()) {
        None => Ok(()),
        Some(tree) => {
            let message = format!("{} is in the Git work tree {}", file.display(), tree.display());
            Err(FlowError::refused(message)
                .cause("a commit would publish the token; nothing was sent")
                .hint("`--token-out FILE` outside of it, such as on removable media"))
        }
    }
}

/// Fails if the folder does not exist, before anything is created.
fn existing_folder(file: &Path) -> Result<PathBuf, FlowError> {
    private_file::folder_of(file).canonicalize().map_err(|error| {
        let message = format!("cannot write to {}; nothing was sent", file.display());
        FlowError::usage(message).cause(error.to_string())
    })
}

async fn ask_for_card(args: &mut Args, context: &Context) -> Result<(), FlowError> {
    let question = Text::plain("Card (.html, .md or .txt; empty for none):");
    let read = |answer: &str| match answer {
        "" => Some(Vec::new()),
        answer => answer.parse().ok().map(|file| vec![file]),
    };
    args.card =
        context.ask_until(&question, "a name that ends in .html, .md or .txt", read).await?;
    if args.card.is_empty() || args.token_location.is_some() {
        return Ok(());
    }
    let question = Text::plain("Where is the token kept? (for the card; empty: the file name)");
    let read = |answer: &str| location(answer).ok();
    let answer = context.ask_until(&question, "a place, not the token", read).await?;
    args.token_location = Some(answer).filter(|answer| !answer.is_empty());
    Ok(())
}

/// Where the token is kept, in words. Refuses a secret: the card must not contain one.
fn location(text: &str) -> Result<String, String> {
    if mask(text) == text {
        Ok(text.to_owned())
    } else {
        Err("it contains a secret; name the place where the token is kept".to_owned())
    }
}

/// A dry run returns no client, but the request that would create the token.
async fn emergency_client(
    source: &TokenSource,
    args: &Args,
    context: &Context,
    env: &Env<'_>,
) -> anyhow::Result<(Option<Client>, Vec<Change>)> {
    let TokenSource::New(file) = source else {
        return Ok((Some(context.client_by_file(source.file()).await?), Vec::new()));
    };
    let wanted =
        TokenOptions { name: TOKEN_NAME.to_owned(), expires: args.expires, with_access: true };
    let planned = break_glass::plan(env, context, &wanted).await?;
    let change = planned.action.change();
    if context.settings.options.dry_run {
        return Ok((None, vec![change]));
    }
    if context.asks() {
        context.screen.show(&|page| plan_output::show_question(&change, page));
    }
    context.confirm("token", &format!("create an emergency token in {}", file.display())).await?;
    let created = break_glass::create_in(env, context, &planned, file).await?;
    if let Some(failure) = break_glass::test_token(env, created.value).await {
        return Err(failure.into());
    }
    Ok((Some(context.client_by_file(file).await?), Vec::new()))
}

fn identity(read: &RecoveryFacts) -> (Option<String>, Option<String>) {
    let second = read.facts.recovery.as_ref().and_then(|second| second.token.as_ref().ok());
    let known = second.and_then(|token| token.verification.as_ref());
    known.map_or((None, None), |known| (known.id.clone(), known.expires_on.clone()))
}

fn card_facts(state: RecoveryState, token: &Token, args: &Args, context: &Context) -> CardFacts {
    let file = std::path::absolute(&token.file);
    let base = &context.settings.base;
    let mut environment = Vec::new();
    if context.settings.sandbox {
        environment.push(("CFSSO_SANDBOX", "1".to_owned()));
    } else if *base != BaseUrl::default() {
        environment.push(("CLOUDFLARE_BASE_URL", base.to_string()));
    }
    CardFacts {
        state,
        token: TokenFacts {
            location: args.token_location.clone(),
            file: file.ok().map(|file| file.display().to_string()),
            id: token.id.clone(),
            expires_on: token.expires_on.clone(),
        },
        environment,
        made_at: context.clock.now(),
    }
}

impl Report {
    fn failed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.state != CheckState::Passed)
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let token = &self.token;
        let title = "Emergency token";
        let state = match (token.created, self.dry_run) {
            (true, true) => "would be created in",
            (true, false) => "created in",
            (false, _) => "in",
        };
        let mark = if token.created && self.dry_run { Status::Pending } else { Status::Done };
        page.step(mark, title, Text::plain(format!("{state} {}", token.file)));
        let rows: Vec<_> = token.permissions.iter().map(|proof| row(page, proof)).collect();
        page.table(&["PERMISSION", "READ", "WRITE"], &rows);
        if token.permissions.iter().any(|proof| proof.write != "granted") {
            page.paragraph(Text::dim("Write access is not tested: only a write shows it."));
        }
        page.blank();
        for finding in &self.findings {
            if finding.state != CheckState::Passed || page.is_verbose() {
                show_finding(finding, page);
            }
        }
        for one in &self.rehearsal {
            let title = format!("Rehearsal: {}", one.method);
            match &one.error {
                Some(error) => page.step(Status::Failed, &title, Text::prose(error)),
                None if one.changes.is_empty() => {
                    page.step(Status::Passed, &title, "nothing to change now");
                }
                None => {
                    page.step(Status::Passed, &title, "not sent");
                    for change in &one.changes {
                        plan_output::show_question(change, page);
                    }
                }
            }
        }
        for file in &self.files {
            let mark = if self.dry_run { Status::Pending } else { Status::Done };
            page.step(mark, "File", Text::plain(file));
        }
        let count = self.findings.len() - self.failed().count();
        page.blank();
        page.line(Text::strong(format!("{count} of {} checks passed", self.findings.len())));
        let is_card = |file: &&String| file.parse::<CardFile>().is_ok();
        if let (Some(card), false) = (self.files.iter().find(is_card), self.dry_run) {
            let line = format!(
                "cfsso recovery check --token-file {} --card {}",
                quoted(&token.file),
                quoted(card)
            );
            page.labeled("Next: ", Text::prose(format!("print the card; on a schedule: `{line}`")));
        }
    }

    fn names(&self) -> Vec<String> {
        self.files.clone()
    }
}

fn row(page: &Page, proof: &PermissionProof) -> Vec<Text> {
    let read = match proof.read {
        Some(true) => page.state(Status::Passed, "confirmed"),
        Some(false) => page.state(Status::Failed, "missing"),
        None => page.state(Status::NotChecked, "not checked"),
    };
    let write = if proof.write == "granted" { "granted" } else { "not tested" };
    vec![Text::plain(proof.permission), read, Text::plain(write)]
}
