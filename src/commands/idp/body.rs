//! The identity provider to create, from options, a file, discovery and questions for secrets.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::discovery_args::DiscoveryArgs;
use super::fields::{self, Fields};
use super::scim::ScimSecretArgs;
use super::secret::Raw;
use super::{copy, file, secret, types};
use crate::api::document::{Document, members};
use crate::context::Context;
use crate::flow::FlowError;
use crate::idp::config::{self, Purpose};
use crate::idp::{IdpTypeSpec, Value as Type, discovery, kind};
use crate::input::value;
use crate::output::Text;
use crate::shell::quoted;

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
    pub(super) kind: Option<String>,

    /// Name on the sign-in page
    #[arg(long, value_parser = value::name)]
    pub(super) name: Option<String>,

    /// Read the identity provider from a file (JSON, YAML, TOML), `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub(super) config_file: Option<PathBuf>,

    /// Return the existing one of the same name and type
    #[arg(long)]
    pub(super) if_not_exists: bool,

    #[command(flatten)]
    pub(super) published: DiscoveryArgs,

    #[command(flatten)]
    pub(super) raw: Raw,

    #[command(flatten)]
    pub(super) keep: ScimSecretArgs,

    #[command(flatten)]
    pub(super) fields: Fields,
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

/// `config` and `scim_config` are merged one level deeper.
pub(super) fn merge(document: &mut Document, file: &Document) -> Result<(), FlowError> {
    for (name, value) in file.members() {
        match members(value) {
            Some(inner) if ["config", "scim_config"].contains(&name) => {
                for (field, value) in inner {
                    document.set(&[name, &field], &value)?;
                }
            }
            _ => document.set(&[name], &value)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let mut document = r#"{"id":"p","name":"a","config":{"x":1.0,"y":null,"z":{"k":1}},"scim_config":{"enabled":true}}"#
            .parse::<Document>()
            .unwrap();
        let file =
            r#"{"name":"b","config":{"y":2,"z":{}},"scim_config":{"user_deprovision":true}}"#;
        merge(&mut document, &file.parse().unwrap()).unwrap();
        assert_eq!(
            document.to_raw().get(),
            r#"{"id":"p","name":"b","config":{"x":1.0,"y":2,"z":{}},"scim_config":{"enabled":true,"user_deprovision":true}}"#
        );
    }
}
