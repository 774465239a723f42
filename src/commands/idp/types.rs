use serde::Serialize;

use super::super::Outcome;
use crate::flow::FlowError;
use crate::idp::IdpTypeSpec;
use crate::idp::kind::{self, Requirement};
use crate::idp::preset::Preset;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp types
  cfsso idp types okta")]
pub struct Args {
    /// Show only the fields of this type
    #[arg(value_name = "TYPE")]
    kind: Option<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Types(Vec<&'static IdpTypeSpec>);

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Some(name) = &args.kind else {
        return Ok(Outcome::done(Types(kind::all().iter().collect())));
    };
    let found = kind::find(name).ok_or_else(|| unknown(name))?;
    Ok(Outcome::done(Types(vec![found])))
}

pub(super) fn unknown(name: &str) -> FlowError {
    let names: Vec<_> = kind::all().iter().map(|kind| kind.name).collect();
    let error = FlowError::usage(format!("unknown type `{name}`"));
    if name.parse::<Preset>().is_ok() {
        return error
            .cause(format!("`{name}` is a preset of the type `oidc`"))
            .hint(format!("`cfsso idp create oidc --preset {name} --issuer <URL>`"));
    }
    let error = match kind::nearest(name) {
        Some(near) => error.cause(format!("did you mean `{}`", near.name)),
        None => error,
    };
    error
        .cause(format!("types: {}", names.join(", ")))
        .hint("`cfsso idp types`; newer types are accepted from `--config-file`")
}

/// How the fields are given on the command line.
fn show_options(kind: &IdpTypeSpec, page: &mut Page) {
    let option = |secret: bool| {
        let field = kind.input_fields().find(|field| field.secret == secret)?;
        Some(format!("--{}", field.name.replace('_', "-")))
    };
    let plain = option(false).map(|option| format!("a field is an option, such as `{option}`"));
    let secret =
        option(true).map(|option| format!("a secret comes from `{option}-file` or `{option}-env`"));
    let both: Vec<_> = plain.into_iter().chain(secret).collect();
    if !both.is_empty() {
        page.line(Text::prose(format!("  Options: {}", both.join("; "))));
    }
}

impl Render for Types {
    fn show(&self, page: &mut Page) {
        for (number, kind) in self.0.iter().enumerate() {
            if number > 0 {
                page.blank();
            }
            page.line(Text::strong(kind.name) + Text::dim(format!("  {}", kind.title)));
            let rows: Vec<_> = kind
                .input_fields()
                .map(|field| {
                    let need =
                        if field.need == Requirement::Needed { "needed" } else { "optional" };
                    let secret = if field.secret { "secret" } else { "" };
                    vec![
                        Text::plain(format!("  {}", field.name)),
                        Text::plain(need),
                        Text::warn(secret),
                        Text::prose(field.help),
                    ]
                })
                .collect();
            if rows.is_empty() {
                page.line("  no fields");
            } else {
                page.table(&["  FIELD", "NEED", "SECRET", "WHAT IT IS"], &rows);
            }
        }
        if let [only] = self.0.as_slice() {
            show_options(only, page);
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|kind| kind.name.to_owned()).collect()
    }
}
