use std::path::PathBuf;

use super::super::{Outcome, update_output};
use super::body;
use super::secret::{self, Raw, Source};
use crate::api::document::Document;
use crate::context::Context;
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{FlowError, idp};
use crate::idp::{IdpTypeSpec, config, kind};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp rotate-secret Okta
  vault read -field=secret sso/okta | cfsso idp rotate-secret Okta --secret-file - --yes")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,

    /// Read the new secret from a file, `-` for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "secret_env")]
    secret_file: Option<PathBuf>,

    /// Read the new secret from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    secret_env: Option<String>,

    /// Secret field, if the type has several
    #[arg(long, default_value = "client_secret")]
    field: String,

    #[command(flatten)]
    raw: Raw,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let source = args.secret_file.map(Source::File).or(args.secret_env.map(Source::Variable));
    let secret = match source {
        Some(source) => source.read(context, args.raw).await?,
        None if context.screen.can_ask() => secret::ask(context, &args.field, args.raw).await?,
        None => {
            return Err(FlowError::usage("no new secret was specified")
                .hint("`--secret-file FILE`, `--secret-file -` or `--secret-env VARIABLE`")
                .into());
        }
    };
    let env = context.env().await?;
    let found = idp::find(&env, &args.idp).await?;
    if let Some(kind) = kind::find(found.kind.as_str()) {
        check_secret(kind, &args.field, &secret)?;
    }
    let before = found.text().parse::<Document>()?;
    let edit = Update::of(Target::Idp(found.id.clone()), before, |document| {
        Ok(document.set(&["config", &args.field], &secret)?)
    })?;
    update_output::run_update(context, &env, &edit, "replace its secret").await
}

/// Fails if the type has no such secret, or the value cannot be a secret of this type.
fn check_secret(kind: &IdpTypeSpec, field: &str, secret: &str) -> Result<(), FlowError> {
    if kind.secrets().any(|name| name == field) {
        let invalid = config::check_field(kind, field, &secret.into()).err();
        return invalid.map_or(Ok(()), |invalid| Err(body::invalid(kind, [&invalid].into_iter())));
    }
    let fields: Vec<_> = kind.secrets().collect();
    let supported = if fields.is_empty() { "none".to_owned() } else { fields.join(", ") };
    let message = format!("an identity provider of type `{}` has no secret `{field}`", kind.name);
    Err(FlowError::usage(message).cause(format!("secrets of this type: {supported}")))
}
