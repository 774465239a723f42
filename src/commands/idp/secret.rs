//! Sources of a secret. Never the command line, which every process can read.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::flow::FlowError;
use crate::input;
use crate::input::secret::{Unfit, accept};
use crate::input::secret_name::is_variable_name;
use crate::input::text::{Undecodable, decode};
use crate::output::Text;

/// Whether secrets are stored as they were pasted.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Raw {
    /// Store secrets exactly as given, including spaces and quotes
    #[arg(long)]
    raw_secret: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `-` is standard input.
    File(PathBuf),
    Variable(String),
}

#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    pub secret: String,
    pub removed: Vec<&'static str>,
}

/// Why a pasted text is rejected as a secret. Never contains a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Text(#[from] Undecodable),
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl Raw {
    pub fn in_bytes(self, bytes: &[u8]) -> Result<Given, Refused> {
        let has_mark = bytes.starts_with(b"\xEF\xBB\xBF")
            || bytes.starts_with(b"\xFF\xFE")
            || bytes.starts_with(b"\xFE\xFF");
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if self.raw_secret => text.to_owned(),
            _ => decode(bytes)?,
        };
        let mut given = self.in_text(&text)?;
        if has_mark && !self.raw_secret {
            given.removed.insert(0, "byte-order mark");
        }
        Ok(given)
    }

    pub fn in_text(self, text: &str) -> Result<Given, Unfit> {
        let cleaned = accept(text, self.raw_secret)?;
        let removed = cleaned.removed_line_end.then_some("line end");
        Ok(Given { secret: cleaned.secret.to_owned(), removed: removed.into_iter().collect() })
    }
}

impl Source {
    pub async fn read(&self, context: &Context, raw: Raw) -> anyhow::Result<String> {
        let (given, from) = match self {
            Self::File(file) if file == Path::new("-") && context.screen.can_ask() => {
                let text = context.screen.ask_hidden(question("secret")).await?;
                let given = raw.in_text(&text.unwrap_or_default()).map_err(Refused::from);
                (given, "standard input".to_owned())
            }
            Self::File(file) if file == Path::new("-") => {
                let from = "standard input".to_owned();
                let bytes = context.screen.read_to_end().await;
                (raw.in_bytes(&bytes.map_err(|error| unreadable(&from, &error))?), from)
            }
            Self::File(file) => {
                context.ensure_private(file, "secret")?;
                let from = format!("`{}`", file.display());
                let bytes = input::file::read(file, input::file::MAX_SIZE)
                    .map_err(|error| unreadable(&from, &error))?;
                (raw.in_bytes(&bytes), from)
            }
            Self::Variable(name) => {
                let text = variable(name, context)?;
                let from = format!("the environment variable `{name}`");
                (raw.in_text(text).map_err(Refused::from), from)
            }
        };
        Ok(accept_given(given, &format!("the secret in {from}"), context)?)
    }
}

fn unreadable(from: &str, error: &dyn std::fmt::Display) -> FlowError {
    FlowError::usage(format!("cannot read the secret in {from}")).cause(error.to_string())
}

/// The error does not repeat an invalid name, because it may be the secret itself.
fn variable<'a>(name: &str, context: &'a Context) -> Result<&'a str, FlowError> {
    if !is_variable_name(name) {
        return Err(FlowError::usage("this is not the name of an environment variable")
            .hint("the option takes the name of a variable, not the secret"));
    }
    match context.variable(name) {
        None => Err(FlowError::usage(format!("the environment variable `{name}` is not set"))),
        Some("") => Err(FlowError::usage(format!("the environment variable `{name}` is empty"))),
        Some(text) => Ok(text),
    }
}

/// `what` is the name of the secret in messages.
pub fn accept_given(
    given: Result<Given, Refused>,
    what: &str,
    context: &Context,
) -> Result<String, FlowError> {
    let given = given.map_err(|refused| rejected_error(&refused, what))?;
    if context.is_own_credential(&given.secret) {
        let message = format!("{what} is a credential of Cloudflare");
        return Err(FlowError::refused(message)
            .cause("the operator of the identity provider's token URL would receive it"));
    }
    if !given.removed.is_empty() {
        let removed = given.removed.join(" and ");
        context.screen.note(Text::prose(format!("removed from {what}: {removed}")));
    }
    Ok(given.secret)
}

fn rejected_error(refused: &Refused, what: &str) -> FlowError {
    match refused {
        Refused::Text(error) => {
            FlowError::usage(format!("cannot read {what}")).cause(error.to_string())
        }
        Refused::Unfit(unfit) => {
            let failure = FlowError::usage(format!("{what} {unfit}"));
            match unfit {
                Unfit::Empty => failure,
                Unfit::Mask => {
                    failure.hint("pass the secret, or leave it out to keep the stored one")
                }
                _ => failure.hint("remove it; `--raw-secret` stores the secret as it is"),
            }
        }
    }
}

pub async fn ask(context: &Context, field: &str, raw: Raw) -> anyhow::Result<String> {
    if !context.screen.can_ask() {
        return Err(missing(field).into());
    }
    let answer = context.screen.ask_hidden(question(field)).await?.unwrap_or_default();
    if answer.is_empty() {
        return Err(missing(field).into());
    }
    let given = raw.in_text(&answer).map_err(Refused::from);
    Ok(accept_given(given, &format!("`{field}`"), context)?)
}

pub fn missing(field: &str) -> FlowError {
    let flag = field.replace('_', "-");
    FlowError::usage(format!("`{field}` is missing")).hint(format!(
        "`--{flag}-file FILE`, `--{flag}-file -` for standard input, or `--{flag}-env VARIABLE`"
    ))
}

fn question(field: &str) -> Text {
    Text::strong(field) + " (hidden):"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::input::character::is_invisible;

    const CHECKED: Raw = Raw { raw_secret: false };
    const RAW: Raw = Raw { raw_secret: true };

    #[test]
    fn a_file_of_any_editor_is_read_and_what_is_removed_is_named() {
        for (bytes, expected) in [
            (&b"s3cret"[..], Ok(("s3cret", vec![]))),
            (b"s3cret\n", Ok(("s3cret", vec!["line end"]))),
            (b"\xEF\xBB\xBFs3cret\r\n", Ok(("s3cret", vec!["byte-order mark", "line end"]))),
            (b"\xFF\xFEs\x003\0\r\0\n\0", Ok(("s3", vec!["byte-order mark", "line end"]))),
            (b"s\x003\x00", Err("it is UTF-16 without a byte-order mark; save it as UTF-8")),
            (b"caf\xE9", Err("it is not UTF-8 (byte 0xE9 at offset 3); save it as UTF-8")),
            (b"s3\ncret\n", Err("has more than one line (line break at position 3)")),
            (
                b"\xEF\xBB\xBF\xEF\xBB\xBFs",
                Err("starts with a byte-order mark (U+FEFF) at position 1"),
            ),
            (b"\n", Err("is empty")),
            (b"********\n", Err("is a mask, not a secret")),
        ] {
            let given = CHECKED.in_bytes(bytes);
            let given = given.map(|given| (given.secret, given.removed));
            let expected = expected
                .map(|(secret, removed)| (secret.to_owned(), removed))
                .map_err(str::to_owned);
            assert_eq!(given.map_err(|error| error.to_string()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_raw_secret_is_kept_byte_for_byte() {
        for bytes in [&b"\xEF\xBB\xBF 's3\n cret'\r\n"[..], b" s\n"] {
            let given = RAW.in_bytes(bytes).ok().unwrap();
            assert_eq!((given.secret.as_bytes(), given.removed), (bytes, vec![]));
        }
        assert!(RAW.in_bytes(b"***").is_err() && RAW.in_bytes(b"").is_err());
    }

    proptest! {
        #[test]
        fn an_invisible_character_at_an_end_is_never_part_of_a_secret(
            character in any::<char>().prop_filter("invisible", |c| is_invisible(*c)),
            secret in "[!-~]{1,20}",
        ) {
            for text in [format!("{character}{secret}"), format!("{secret}{character}")] {
                for given in [
                    CHECKED.in_text(&text).map_err(Refused::from),
                    CHECKED.in_bytes(text.as_bytes()),
                ] {
                    let secret = given.map_or_else(|_| String::new(), |given| given.secret);
                    prop_assert!(!secret.contains(character), "{text:?}");
                }
                let raw = RAW.in_text(&text).map_or_else(|_| text.clone(), |given| given.secret);
                prop_assert_eq!(raw, text);
            }
        }
    }
}
