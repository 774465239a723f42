use serde::Serialize;

use super::super::Outcome;
use crate::context::Context;
use crate::flow::desired::facts::{self, Parts, Unread};
use crate::flow::desired::{Desired, export, terraform};
use crate::output::{Page, Render, Text, pretty_json, yaml_from_json};

/// Arguments of `export`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso export > sso.yaml
  cfsso export --format terraform > sso.tf

Secrets are not exported; the API never returns them.")]
pub struct Args {
    /// Format of the file
    #[arg(long, value_enum, default_value_t, conflicts_with = "output")]
    format: Format,
}

/// Formats of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// YAML, for `plan` and `apply`
    #[default]
    Yaml,
    /// JSON, for `plan` and `apply`
    Json,
    /// Resources and import blocks of the Cloudflare provider
    Terraform,
}

#[derive(Serialize)]
struct Export {
    #[serde(flatten)]
    desired: Desired,
    #[serde(skip)]
    text: String,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let parts = Parts { access: true, federation: true };
    let (facts, unread) = facts::read(&env, parts).await?;
    for Unread { what, reason } in &unread {
        context.screen.warn(Text::prose(format!("not exported: {what}: {reason}")));
    }
    let has_access = !unread.iter().any(|unread| unread.what == facts::ACCESS);
    let (desired, left_out) = export::export(&facts, has_access);
    for what in &left_out {
        context.screen.warn(Text::prose(format!("not exported: {what}")));
    }
    let text = match args.format {
        Format::Json => pretty_json(&serde_json::to_string(&desired)?),
        Format::Terraform => terraform::render(env.account, &facts, &desired),
        Format::Yaml => {
            let yaml =
                yaml_from_json(&serde_json::to_string(&desired)?).map_err(anyhow::Error::msg)?;
            let left_out =
                left_out.iter().map(|what| format!("# Not exported: {}\n", one_line(what)));
            let left_out: String = left_out.collect();
            format!("# Account {}. The format: cfsso schema config\n{left_out}{yaml}", env.account)
        }
    };
    Ok(Outcome::done(Export { desired, text }))
}

/// Names are from the server: a line end would end the comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Render for Export {
    fn show(&self, page: &mut Page) {
        page.literal(&self.text);
    }

    fn names(&self) -> Vec<String> {
        self.desired.connectors().iter().map(|connector| connector.domain.clone()).collect()
    }
}
