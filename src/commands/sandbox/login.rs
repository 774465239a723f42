//! `cfsso sandbox login`: simulates a user's dashboard sign-in.

use std::time::Duration;

use serde::Serialize;

use super::super::Outcome;
use crate::context::Context;
use crate::output::{ExitCode, Page, Render, Status};
use crate::sandbox::{self, LockOwner, SignInAttempt, SignInResult};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso sandbox login tom@cool.cats
  cfsso sandbox login tom@cool.cats --password-wrong

It reaches a simulator that another command is using as well. Exit code 10 if the
user cannot sign in.")]
pub struct Args {
    /// Email address of the user
    email: String,

    /// Identity provider: ID, name or type [default: the first allowed one]
    #[arg(long, value_name = "IDP")]
    idp: Option<String>,

    /// Enter a wrong password or PIN
    #[arg(long)]
    password_wrong: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Report(SignInResult);

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let Args { email, idp, password_wrong } = args;
    let attempt = SignInAttempt { email, idp, is_password_wrong: password_wrong };
    let result = sign_in(&attempt, context).await?;
    let exit = if result.is_signed_in { ExitCode::Done } else { ExitCode::Findings };
    Ok(Outcome::done(Report(result)).exit(exit))
}

async fn sign_in(attempt: &SignInAttempt, context: &Context) -> anyhow::Result<SignInResult> {
    let settings = &context.settings;
    if let Some(url) = settings.base.plain_http_origin().filter(|_| !settings.sandbox) {
        return Ok(sandbox::sign_in_at(&url, attempt).await?);
    }
    let options = |lock_wait| sandbox::Options {
        lock_wait,
        clock: context.clock.clone(),
        ..sandbox::Options::default()
    };
    let state = settings.sandbox_state()?;
    let start = async |lock_wait| {
        sandbox::start(sandbox::Options { state: Some(state.clone()), ..options(lock_wait) }).await
    };
    let started = match start(Duration::ZERO).await {
        Err(sandbox::Error::Locked { holder: LockOwner { url: Some(url), .. }, .. }) => {
            return Ok(sandbox::sign_in_at(&url, attempt).await?);
        }
        Err(sandbox::Error::Locked { .. }) => start(sandbox::Options::default().lock_wait).await,
        started => started,
    };
    Ok(started?.sign_in(attempt)?)
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let mark = if self.0.is_signed_in { Status::Done } else { Status::Failed };
        page.status_line(mark, &self.0.detail);
    }

    fn names(&self) -> Vec<String> {
        self.0.ray_id.iter().cloned().collect()
    }
}
