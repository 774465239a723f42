//! `cfsso idp rotate-secret`: one field through the one read-modify-write.

use std::path::PathBuf;

use super::super::{Outcome, edit};
use super::secret::{self, Source};
use crate::api::document::Document;
use crate::context::Context;
use crate::flow::edit::Edit;
use crate::flow::target::Target;
use crate::flow::{Stop, StopKind, idp};
use crate::idp::kind;

/// Arguments of `idp rotate-secret`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp rotate-secret Okta
  vault read -field=secret sso/okta | cfsso idp rotate-secret Okta --secret-file - --yes")]
pub struct Args {
    /// Name, ID or type of the identity provider
    idp: String,

    /// Read the new secret from a file, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "secret_env")]
    secret_file: Option<PathBuf>,

    /// Read the new secret from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    secret_env: Option<String>,

    /// Secret field of the type, where it has several
    #[arg(long, default_value = "client_secret")]
    field: String,
}

/// Gives an identity provider a new secret.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    let found = idp::find(&tools, &args.idp).await?;
    if let Some(kind) = kind::find(found.kind.as_str())
        && !kind.secrets().any(|field| field == args.field)
    {
        let fields: Vec<_> = kind.secrets().collect();
        let stop = Stop::new(
            StopKind::Usage,
            format!("an identity provider of type `{}` has no secret `{}`", kind.name, args.field),
        );
        let told = if fields.is_empty() { "none".to_owned() } else { fields.join(", ") };
        return Err(stop.cause(format!("the secrets of this type: {told}")).into());
    }
    let source = args.secret_file.map(Source::File).or(args.secret_env.map(Source::Variable));
    let secret = match source {
        Some(source) => source.read(context).await?,
        None if context.screen.can_ask() => secret::ask(context, &args.field).await?,
        None => {
            return Err(Stop::new(StopKind::Usage, "no new secret was given")
                .hint("`--secret-file FILE`, `--secret-file -` or `--secret-env VARIABLE`")
                .into());
        }
    };
    let before = found.text().parse::<Document>()?;
    let edit = Edit::of(Target::Idp(found.id.clone()), before, |document| {
        Ok(document.set(&["config", &args.field], &secret)?)
    })?;
    edit::make(context, &tools, &edit, "replace its secret").await
}
