//! `cfsso idp update`: a read, and the one read-modify-write.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::super::{Outcome, update_output};
use super::fields::Fields;
use super::scim::ScimSecretArgs;
use super::secret::Raw;
use super::{create, file};
use crate::api::document::{Document, members};
use crate::context::Context;
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{FlowError, FlowErrorKind, idp};
use crate::idp::config;
use crate::idp::kind;

/// Arguments of `idp update`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp update Okta --name Staff
  cfsso idp update okta --claims groups,department --dry-run
  cfsso idp update Okta --config-file change.yaml --yes

Only the fields that are given change; a secret that is not given is kept.")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,

    /// New name on the sign-in page
    #[arg(long)]
    name: Option<String>,

    /// Read the fields to change from a file (JSON, YAML, TOML), `-` for stdin
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,

    #[command(flatten)]
    raw: Raw,

    #[command(flatten)]
    keep: ScimSecretArgs,

    #[command(flatten)]
    fields: Fields,
}

/// Changes an identity provider.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let file = match &args.config_file {
        Some(file) => Some(file::read(context, file, args.raw).await?),
        None => None,
    };
    let fields = args.fields.read(context, args.raw).await?;
    if file.is_none() && fields.is_empty() && args.name.is_none() {
        return Err(FlowError::new(FlowErrorKind::Usage, "nothing to change was specified")
            .hint("`cfsso idp update --help`")
            .into());
    }
    let tools = context.tools().await?;
    let found = idp::find(&tools, &args.idp).await?;
    let before = found.text().parse::<Document>()?;
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
        return Err(create::invalid(kind, std::iter::once(&wrong)).into());
    }
    update_output::run_update_with_secret(context, &tools, &edit, "change it", &args.keep).await
}

/// Stops where a field that is given is none of the type's. Fields that the
/// object has already are known to the API.
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
    if problems.is_empty() { Ok(()) } else { Err(create::invalid(kind, problems.iter())) }
}

/// Takes over what the file says, field by field; `config` and `scim_config`
/// one level deeper, so that what they do not name is kept.
fn merge(document: &mut Document, file: &Document) -> Result<(), FlowError> {
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
