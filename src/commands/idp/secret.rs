//! Where a secret comes from: a file, standard input, a variable, or a person.
//! Never the command line, which every process of the machine can read.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::flow::{Stop, StopKind};
use crate::output::Text;

/// Where a secret is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file; `-` is standard input.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl Source {
    /// Reads the secret, without the line's end.
    pub async fn read(&self, context: &Context) -> anyhow::Result<String> {
        let (text, from) = match self {
            Self::File(file) if file == Path::new("-") => {
                (context.screen.read_line().await?.unwrap_or_default(), "standard input".to_owned())
            }
            Self::File(file) => {
                let from = format!("`{}`", file.display());
                let text = std::fs::read_to_string(file).map_err(|error| {
                    Stop::new(StopKind::Usage, format!("cannot read the secret in {from}"))
                        .cause(error.to_string())
                })?;
                (text, from)
            }
            Self::Variable(name) => {
                let from = format!("the environment variable `{name}`");
                (context.variable(name).unwrap_or_default().to_owned(), from)
            }
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() || secret.contains('\n') {
            let what = if secret.is_empty() { "no secret" } else { "more than one line" };
            return Err(Stop::new(StopKind::Usage, format!("{from} holds {what}")).into());
        }
        Ok(secret.to_owned())
    }
}

/// Asks a person for a secret, or says by which flags to give it.
pub async fn ask(context: &Context, field: &str) -> anyhow::Result<String> {
    let flag = field.replace('_', "-");
    let missing = || {
        Stop::new(StopKind::Usage, format!("`{field}` is missing")).hint(format!(
            "`--{flag}-file FILE`, `--{flag}-file -` for standard input, or `--{flag}-env VARIABLE`"
        ))
    };
    if !context.screen.can_ask() {
        return Err(missing().into());
    }
    let question = Text::strong(field) + " (not shown as it is typed):";
    let answer = context.screen.ask_hidden(question).await?.unwrap_or_default();
    if answer.is_empty() { Err(missing().into()) } else { Ok(answer) }
}
