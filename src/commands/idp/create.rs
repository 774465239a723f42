//! `cfsso idp create`: lists first, so that none is created twice.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::super::{Outcome, plan_output};
use super::ask::{self, Asker};
use super::discovery_args::DiscoveryArgs;
use super::fields::{self, Fields};
use super::scim::ScimSecretArgs;
use super::secret::Raw;
use super::view::View;
use super::{copy, file, get, secret, types, update};
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::context::Context;
use crate::flow::target::Target;
use crate::flow::{Env, FlowError, diff, idp};
use crate::idp::check::{self, CheckOptions, IdpCheck, Subject};
use crate::idp::config::{self, Purpose};
use crate::idp::vendor::Vendor;
use crate::idp::{IdpTypeSpec, Value as Type};
use crate::input::secret_name::is_secret_name;

use crate::idp::{discovery, kind};
use crate::input::value;
use crate::interview::{Answers, Interview, Question, declined};
use crate::output::{Status, Text};
use crate::shell::{self, quoted};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp create onetimepin
  cfsso idp create cloudflare --restrict-to-account-members
  cfsso idp create okta --name Okta --client-id 0oa1 --client-secret-file - --okta-account https://cats.okta.com
  cfsso idp create oidc --preset authentik --issuer https://authentik.company/application/o/cloudflare/ --name authentik --client-id cf --client-secret-env SECRET
  cfsso idp create saml --name AD --metadata metadata.xml
  cfsso idp create --config-file idp.yaml
  cfsso idp get Okta -o json | cfsso idp create --config-file - --name Copy --client-secret-env SECRET

`cfsso idp types okta` lists the fields of a type and shows their options.")]
pub struct Args {
    /// Type of the identity provider (or from --config-file; asks on a terminal)
    #[arg(value_name = "TYPE")]
    kind: Option<String>,

    /// Name on the sign-in page
    #[arg(long, value_parser = value::name)]
    name: Option<String>,

    /// Read the identity provider from a file (JSON, YAML, TOML), `-` for stdin
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,

    /// Return the existing one of the same name and type
    #[arg(long)]
    if_not_exists: bool,

    #[command(flatten)]
    pub(super) published: DiscoveryArgs,

    #[command(flatten)]
    raw: Raw,

    #[command(flatten)]
    keep: ScimSecretArgs,

    #[command(flatten)]
    pub(super) fields: Fields,
}

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
            warn_of_differences(existing, &body, context)?;
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

/// Names the fields in which the existing identity provider is not what was asked for;
/// secrets cannot be compared.
fn warn_of_differences(
    existing: &Idp,
    body: &Document,
    context: &Context,
) -> Result<(), FlowError> {
    let Ok(before) = existing.text().parse::<Document>() else { return Ok(()) };
    let mut wanted = before.clone();
    update::merge(&mut wanted, body)?;
    let target = Target::Idp(existing.id.clone());
    let is_secret = |field: &str| field.rsplit('.').next().is_some_and(is_secret_name);
    let differences: Vec<_> = diff::diff(&before, &wanted)
        .iter()
        .filter(|difference| !target.is_equal(difference) && !is_secret(&difference.field))
        .map(ToString::to_string)
        .collect();
    if !differences.is_empty() {
        context.screen.warn(Text::prose(format!(
            "`{}` exists and is left as it is; what was asked for would change it: {}",
            existing.name,
            differences.join(", ")
        )));
    }
    Ok(())
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

/// Validates all given values before anything is fetched.
pub(super) async fn build_body(args: &Args, context: &Context) -> anyhow::Result<Document> {
    let mut body = match &args.config_file {
        Some(file) => file::read(context, file, args.raw).await?,
        None => "{}".parse()?,
    };
    let named = args.kind.clone().or_else(|| body.parse_at(&["type"]));
    let named = named.ok_or_else(|| {
        FlowError::usage("the file has no `type`").hint("`cfsso idp create <TYPE>`")
    })?;
    let known = kind::find(&named);
    if known.is_none() && args.config_file.is_none() {
        return Err(types::unknown(&named).into());
    }
    let kind_name = known.map_or(named.as_str(), |kind| kind.name);
    ensure_compatible(&args.published, kind_name)?;
    let given = args.fields.read(context, args.raw).await?;
    let copy = copy::of(&body, known);
    body = copy.body;
    if !copy.left_out.is_empty() {
        let fields = copy.left_out.join(", ");
        context.screen.note(Text::prose(format!("not copied (read-only or hidden): {fields}")));
    }
    if known.is_none() {
        copy::ensure_masks_replaced(&copy.masks, &given)?;
    }
    body.set(&["type"], &kind_name)?;
    if let Some(name) = &args.name {
        body.set(&["name"], name)?;
    } else if body.get(&["name"]).is_none() {
        body.set(&["name"], &known.map_or(kind_name, |kind| kind.title))?;
    }
    if body.get(&["config"]).is_none() {
        body.set(&["config"], &Map::<String, Value>::new())?;
    }
    set(&mut body, &given)?;
    if let Some(kind) = known {
        ensure_complete(kind, &body, args, context)?;
    }
    set(&mut body, &args.published.read(context, &given).await?)?;
    set(&mut body, &given)?;
    // Without scopes the API chooses its own; the email address is always needed.
    if kind_name == "oidc" && body.get(&["config", "scopes"]).is_none() {
        body.set(&["config", "scopes"], &discovery::SCOPES)?;
    }
    if let Some(kind) = known {
        prompt_missing(&mut body, kind, args, context).await?;
    }
    Ok(body)
}

fn set(body: &mut Document, config: &Map<String, Value>) -> Result<(), FlowError> {
    config.iter().try_for_each(|(name, value)| Ok(body.set(&["config", name], value)?))
}

fn has_no_wrong_field(kind: &IdpTypeSpec, body: &Document) -> Result<(), FlowError> {
    let config: Map<String, Value> = body.parse_at(&["config"]).unwrap_or_default();
    let wrong: Vec<_> = config::fields(kind, &config).collect();
    if wrong.is_empty() { Ok(()) } else { Err(invalid(kind, wrong.iter())) }
}

/// Ignores fields that discovery fills, and secrets that the user can be asked for.
fn ensure_complete(
    kind: &'static IdpTypeSpec,
    body: &Document,
    args: &Args,
    context: &Context,
) -> Result<(), FlowError> {
    let config: Map<String, Value> = body.parse_at(&["config"]).unwrap_or_default();
    let secrets: Vec<_> = fields::missing_secrets(kind, &config).collect();
    let comes_later = |field: &str| {
        args.published.filled_fields().contains(&field)
            || (context.screen.can_ask() && secrets.contains(&field))
    };
    let problems = config::problems(kind, &config, Purpose::Create);
    let problems: Vec<_> = problems.iter().filter(|problem| !comes_later(&problem.field)).collect();
    match problems.as_slice() {
        [] => Ok(()),
        // This error names the options that pass the secret.
        [only] if secrets.contains(&only.field.as_str()) => Err(secret::missing(&only.field)),
        _ => Err(invalid(kind, problems.into_iter())),
    }
}

/// Asks for missing secrets, and fails if any other required field is missing.
async fn prompt_missing(
    body: &mut Document,
    kind: &'static IdpTypeSpec,
    args: &Args,
    context: &Context,
) -> anyhow::Result<()> {
    let given: Map<String, Value> = body.parse_at(&["config"]).unwrap_or_default();
    let problems = config::problems(kind, &given, Purpose::Create);
    let missing: Vec<_> = fields::missing_secrets(kind, &given).collect();
    let rest: Vec<_> =
        problems.iter().filter(|problem| !missing.contains(&problem.field.as_str())).collect();
    if !rest.is_empty() {
        return Err(invalid(kind, rest.into_iter()).into());
    }
    for field in missing {
        let secret = secret::ask(context, field, args.raw).await?;
        body.set(&["config", field], &secret)?;
    }
    Ok(has_no_wrong_field(kind, body)?)
}

/// The hint contains the values that were probably meant.
pub(super) fn invalid<'a>(
    kind: &IdpTypeSpec,
    problems: impl Iterator<Item = &'a config::FieldError>,
) -> FlowError {
    let problems: Vec<_> = problems.collect();
    let is_list = |name: &str| kind.field(name).is_some_and(|field| field.value == Type::List);
    let fixes: Vec<_> = problems
        .iter()
        .filter(|problem| !is_list(&problem.field))
        .filter_map(|problem| Some((problem.field.replace('_', "-"), problem.suggestion()?)))
        .map(|(flag, suggestion)| format!("--{flag} {}", quoted(suggestion)))
        .collect();
    let error = FlowError::usage(format!("not a valid {} configuration", kind.name))
        .causes(problems.iter().map(ToString::to_string));
    if fixes.is_empty() {
        error.hint(format!("`cfsso idp types {}` lists its fields", kind.name))
    } else {
        error.hint(format!("`{}`", fixes.join(" ")))
    }
}

fn ensure_compatible(published: &DiscoveryArgs, kind: &str) -> Result<(), FlowError> {
    match published.kind() {
        Some(wanted) if wanted != kind => Err(FlowError::usage(format!(
            "discovery fills the fields of type `{wanted}`, not of `{kind}`"
        ))
        .hint(format!("`cfsso idp create {wanted}`"))),
        _ => Ok(()),
    }
}
