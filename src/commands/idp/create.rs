//! `cfsso idp create`: lists first, so that none is created twice.

use serde_json::{Map, Value};

use super::super::{Outcome, plan_output};
use super::ask::{self, Asker};
use super::body::{Args, build_body, merge};
use super::get;
use super::view::View;
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::context::Context;
use crate::flow::target::Target;
use crate::flow::{Env, FlowError, diff, idp};
use crate::idp::check::{self, CheckOptions, IdpCheck, Subject};
use crate::idp::vendor::Vendor;

use crate::interview::{Answers, Interview, Question, declined};
use crate::output::{Status, Text};
use crate::shell::{self};

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    match args.missing(context)? {
        Missing::Nothing => {}
        Missing::Vendor => return by_questions(None, &args, context).await,
        Missing::FieldsOf(vendor) => return by_questions(Some(vendor), &args, context).await,
    }
    let body = build_body(&args, context).await?;
    let env = context.env().await?;
    let (idps, failed) = tokio::join!(idp::list(&env), check_endpoints(&args, &body, context));
    if let Some(existing) = idp::find_existing(&idps?, &body)? {
        if args.if_not_exists {
            let differences = differences(existing, &body)?;
            if !differences.is_empty() {
                context.screen.warn(Text::prose(format!(
                    "`{}` already exists and was not changed; requested differences: {}",
                    existing.name,
                    differences.join(", ")
                )));
            }
            return Ok(Outcome::done(View::of(existing.clone())));
        }
        return Err(idp::already_exists_error(existing).into());
    }
    for point in failed? {
        context.screen.warn_of_check(point.id.as_str(), &point.detail, point.fix.as_deref());
    }
    args.keep.ensure_file_given(None, &body)?;
    let changes = vec![idp::create_action(&env, &body).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "creating")? {
        return Ok(outcome);
    }
    let (created, unsaved) = create(&args, &env, &body, context).await?;
    print_setup_steps(&created, &env, context).await;
    Ok(Outcome::done(View::of(created)).failed(unsaved))
}

impl Args {
    /// What to ask the user for if at most the type was given.
    fn missing(&self, context: &Context) -> Result<Missing, FlowError> {
        let is_bare = self.fields.is_empty()
            && self.published.kind().is_none()
            && self.config_file.is_none()
            && self.name.is_none()
            && !self.if_not_exists;
        let asks = is_bare && context.asks() && !context.settings.options.dry_run;
        match &self.kind {
            None if asks => Ok(Missing::Vendor),
            None if self.config_file.is_none() => Err(FlowError::usage("no type was specified")
                .hint("`cfsso idp create <TYPE>`; `cfsso idp types` lists the types")),
            Some(kind) if asks => {
                Ok(ask::vendor_of_type(kind).map_or(Missing::Nothing, Missing::FieldsOf))
            }
            _ => Ok(Missing::Nothing),
        }
    }
}

enum Missing {
    Nothing,
    /// The vendor and all its fields.
    Vendor,
    FieldsOf(&'static Vendor),
}

async fn by_questions(
    vendor: Option<&'static Vendor>,
    args: &Args,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let (idps, team) = tokio::join!(idp::list(&env), get::team(&env));
    let (idps, team) = (idps?, team.ok());
    let interview = Interview::new(context, Answers::default());
    let asker = Asker::new(context, &interview, &idps, team.as_deref());
    let new = interview
        .walk(async || {
            let vendor = match vendor {
                Some(vendor) => vendor,
                None => ask::ask_vendor(&interview).await?,
            };
            let new = asker.ask(vendor, None).await?;
            let question = Question::yes_no(
                "apply",
                format!("Create the identity provider {}?", new.name),
                "It appears on the sign-in page of the applications that allow it",
            );
            let wanted = interview.confirm(&question.agreeing()).await?;
            Ok(wanted.then_some(new))
        })
        .await?;
    let Some(new) = new else { return Err(declined("nothing was sent").into()) };
    args.keep.ensure_file_given(None, &new.body)?;
    let (created, unsaved) = create(args, &env, &new.body, context).await?;
    context
        .screen
        .note(Text::prose(format!("without questions: `cfsso {}`", shell::line(&new.words))));
    context.screen.note(Text::prose(format!(
        "sign-in not tested; `cfsso idp test {}` shows how",
        created.id
    )));
    Ok(Outcome::done(View::of(created)).failed(unsaved))
}

/// Returns also why its SCIM secret is not in a file.
async fn create(
    args: &Args,
    env: &Env<'_>,
    body: &Document,
    context: &Context,
) -> anyhow::Result<(Idp, Option<anyhow::Error>)> {
    let file = args.keep.prepare(None, body)?;
    let mut saved = Ok(());
    let created = idp::create(env, body, |answer| saved = file.save(answer, context)).await?;
    Ok((created, saved.err().map(Into::into)))
}

pub async fn run_silently(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let body = build_body(args, context).await?;
    let created = idp::create(&context.env().await?, &body, |_| ()).await?;
    context.screen.step(Status::Done, &created.name, format!("created  {}", created.id));
    Ok(Outcome::silent())
}

/// The fields in which the existing identity provider differs from the requested one. Secrets
/// cannot be compared.
pub fn differences(existing: &Idp, body: &Document) -> Result<Vec<String>, FlowError> {
    let Ok(before) = existing.text().parse::<Document>() else { return Ok(Vec::new()) };
    let mut wanted = before.clone();
    merge(&mut wanted, body)?;
    let target = Target::Idp(existing.id.clone());
    let differences = diff::diff(&before, &wanted);
    let differences = differences
        .iter()
        .filter(|difference| !target.is_equal(difference) && !difference.is_of_secret());
    Ok(differences.map(ToString::to_string).collect())
}

/// Endpoints from a discovery document are not tested again.
async fn check_endpoints(
    args: &Args,
    body: &Document,
    context: &Context,
) -> anyhow::Result<Vec<IdpCheck>> {
    let kind: String = body.parse_at(&["type"]).unwrap_or_default();
    if kind != "oidc" || args.published.kind().is_some() {
        return Ok(Vec::new());
    }
    let config: Map<String, Value> = body.parse_at(&["config"]).unwrap_or_default();
    let options = CheckOptions::new(context.clock.now(), 0);
    let subject = Subject::new(&kind, &config);
    let points = check::check(&context.fetcher().await?, subject, &options).await;
    Ok(points.into_iter().filter(IdpCheck::is_failure).collect())
}

/// Only warns if the team's domain cannot be read, since the identity provider exists already.
async fn print_setup_steps(created: &Idp, env: &Env<'_>, context: &Context) {
    context.screen.note(Text::prose(format!(
        "sign-in not tested; `cfsso idp check {}` tests what is possible without signing in",
        created.id
    )));
    if !context.screen.shows_notes() {
        return;
    }
    match get::team(env).await {
        Ok(team) => {
            let (_, guide) = get::setup(created, &team);
            context.screen.show(&|page| {
                get::draw(&guide, page);
                page.blank();
            });
        }
        Err(error) => {
            context.screen.warn(format!("the values to enter there are not available: {error}"));
        }
    }
}
