use std::path::PathBuf;

use serde_json::{Map, Value};

use super::super::{Outcome, update_output};
use super::body::{self, merge};
use super::fields::Fields;
use super::scim::ScimSecretArgs;
use super::secret::Raw;
use super::{check, copy, file};
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::context::Context;
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{Env, FlowError, app, connector, idp};
use crate::idp::config;
use crate::idp::kind::{self, Requirement, Value as Type};
use crate::input::value;
use crate::interview::{Answers, Choice, Interview, Question};
use crate::output::Text;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp update Okta --name Staff
  cfsso idp update okta --claims groups,department --dry-run
  cfsso idp update Okta --config-file change.yaml --yes

Only the fields that are given change; a secret that is not given is kept.
`cfsso idp types okta` lists the fields of a type and shows their options.")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,

    /// New name on the sign-in page
    #[arg(long, value_parser = value::name)]
    name: Option<String>,

    /// Read the fields to change from a file (JSON, YAML, TOML), `-` for stdin
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,

    /// Update even if a check finds that users could not sign in through it
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    raw: Raw,

    #[command(flatten)]
    keep: ScimSecretArgs,

    #[command(flatten)]
    fields: Fields,
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let is_bare = args.config_file.is_none() && args.fields.is_empty() && args.name.is_none();
    if is_bare && context.screen.can_ask() {
        ask_change(&mut args, context).await?;
    }
    let mut file = match &args.config_file {
        Some(file) => Some(file::read(context, file, args.raw).await?),
        None => None,
    };
    let fields = args.fields.read(context, args.raw).await?;
    if file.is_none() && fields.is_empty() && args.name.is_none() {
        return Err(FlowError::usage("nothing to change was specified")
            .hint("`--name`, `--config-file`, or the options of `cfsso idp types <TYPE>`")
            .into());
    }
    let env = context.env().await?;
    let found = idp::find(&env, &args.idp).await?;
    let before = found.text().parse::<Document>()?;
    if let Some(file) = &mut file {
        copy::remove_server_fields(file, kind::find(found.kind.as_str()));
    }
    validate_fields(found.kind.as_str(), &before, file.as_ref(), &fields)?;
    let edit = Update::of(Target::Idp(found.id.clone()), before, |document| {
        if let Some(file) = &file {
            merge(document, file)?;
        }
        for (name, value) in &fields {
            document.set(&["config", name], value)?;
        }
        if let Some(name) = &args.name {
            document.set(&["name"], name)?;
        }
        Ok(())
    })?;
    let config: Map<String, Value> = edit.desired.parse_at(&["config"]).unwrap_or_default();
    let concerns_email = |field: &str| ["scopes", "email_claim_name"].contains(&field);
    let asked = edit.requested.iter().filter_map(|asked| asked.field.strip_prefix("config."));
    if asked.map(|field| field.split('.').next().unwrap_or(field)).any(concerns_email)
        && let Some(wrong) = config::lacks_email(found.kind.as_str(), &config)
        && let Some(kind) = kind::find(found.kind.as_str())
    {
        return Err(body::invalid(kind, std::iter::once(&wrong)).into());
    }
    let changes_config = edit.requested.iter().any(|asked| asked.field.starts_with("config."));
    if changes_config && !args.force {
        ensure_sign_in_survives(context, &env, &found, &edit).await?;
    }
    let outcome =
        update_output::run_update_with_secret(context, &env, &edit, "change it", &args.keep)
            .await?;
    // More claims cannot end the sign-in.
    let is_of_sign_in = |field: &str| field.starts_with("config.") && field != "config.claims";
    let changes_sign_in = edit.requested.iter().any(|asked| is_of_sign_in(&asked.field));
    if changes_sign_in && !context.settings.options.dry_run {
        context.screen.note(Text::prose(format!(
            "sign-in not tested; `cfsso idp test {}` shows how, `cfsso logins --watch` shows sign-ins",
            found.id
        )));
    }
    Ok(outcome)
}

/// Checks the changed identity provider if users sign in to the dashboard through it now.
/// Skipped if the token cannot read the SSO App or the connectors.
async fn ensure_sign_in_survives(
    context: &Context,
    env: &Env<'_>,
    found: &Idp,
    edit: &Update,
) -> anyhow::Result<()> {
    let (apps, connectors) = tokio::join!(app::list(env), connector::list(env));
    let (Ok(apps), Ok(connectors)) = (apps, connectors) else { return Ok(()) };
    let is_allowed = app::dash_sso(&apps).is_ok_and(|app| app.admits(&found.id));
    if !is_allowed || !connectors.iter().any(|connector| connector.is_enabled()) {
        return Ok(());
    }
    check::ensure_still_works(context, edit, 1).await
}

async fn ask_change(args: &mut Args, context: &Context) -> anyhow::Result<()> {
    let found = idp::find(&context.env().await?, &args.idp).await?;
    let fields = kind::find(found.kind.as_str()).map_or(&[][..], |kind| kind.fields);
    let fields = fields.iter().filter(|field| field.need != Requirement::Returned);
    let fields: Vec<_> = fields.filter(|field| field.value != Type::Headers).collect();
    let name = Choice::new("name", "name: on the sign-in page");
    let choices = fields
        .iter()
        .map(|field| Choice::new(field.name, format!("{}: {}", field.name, field.help)));
    let help = "`cfsso idp types` lists the fields; options change several in one update";
    let which = Question::text("field", "Field to change", help)
        .with_choices(std::iter::once(name).chain(choices));
    let interview = Interview::new(context, Answers::default());
    let (field, value) = interview
        .walk(async || {
            let field = interview.ask(&which, |name| Ok(name.to_owned())).await?;
            let known = fields.iter().find(|known| known.name == field);
            let is_secret = known.is_some_and(|field| field.secret);
            let help = known.map_or("What users see on the sign-in page", |field| field.help);
            let text =
                if is_secret { format!("New {field} (hidden)") } else { format!("New {field}") };
            let mut question = Question::text("value", text, help);
            question.secret = is_secret;
            let words: &[&str] = match known.map(|field| field.value) {
                Some(Type::Boolean) => &["true", "false"],
                Some(Type::Choice(words)) => words,
                _ => &[],
            };
            question.choices = words.iter().map(|word| Choice::new(*word, "")).collect();
            let value = interview.ask(&question, |value| Ok(value.to_owned())).await?;
            Ok((field, value))
        })
        .await?;
    match fields.iter().find(|known| known.name == field) {
        None => args.name = Some(value),
        Some(known) if known.secret => {
            args.fields = std::mem::take(&mut args.fields).with_secret(known.name, value.into());
        }
        Some(known) => args.fields = std::mem::take(&mut args.fields).with_value(known, value),
    }
    Ok(())
}

/// Accepts unknown fields that the object already has: the API knows them.
fn validate_fields(
    kind: &str,
    before: &Document,
    file: Option<&Document>,
    fields: &Map<String, Value>,
) -> Result<(), FlowError> {
    let Some(kind) = kind::find(kind) else { return Ok(()) };
    let mut given: Map<String, Value> =
        file.and_then(|file| file.parse_at(&["config"])).unwrap_or_default();
    given.extend(fields.clone());
    let problems: Vec<_> = given
        .iter()
        .filter(|(name, _)| kind.field(name).is_some() || before.get(&["config", name]).is_none())
        .filter_map(|(name, value)| config::check_field(kind, name, value).err())
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(body::invalid(kind, problems.iter())) }
}
