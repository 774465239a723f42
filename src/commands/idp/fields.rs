//! The options for the fields of all types. No option takes a secret as its value.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value as Json, json};

use super::secret::{self, Raw, Source};
use crate::context::Context;
use crate::flow::FlowError;
use crate::idp::certificate::{self, Certificate};
use crate::idp::kind::{self, Field, IdpTypeSpec, Requirement, Value};
use crate::input;

#[derive(Clone, Debug, Default)]
pub struct Fields {
    plain: Vec<(&'static Field, Vec<String>)>,
    secrets: Vec<(&'static str, Source)>,
    typed: Vec<(String, SecretString)>,
}

/// Without the field's old name for one certificate, which only files can contain.
fn all_fields() -> Vec<(&'static Field, Vec<&'static IdpTypeSpec>)> {
    let mut every: Vec<(&'static Field, Vec<&'static IdpTypeSpec>)> = Vec::new();
    for kind in kind::all() {
        for field in kind.input_fields().filter(|field| field.name != "idp_public_cert") {
            match every.iter_mut().find(|(known, _)| known.name == field.name) {
                Some((_, kinds)) => kinds.push(kind),
                None => every.push((field, vec![kind])),
            }
        }
    }
    every
}

fn flag(field: &Field) -> String {
    field.name.replace('_', "-")
}

fn field_args(field: &'static Field, kinds: &[&IdpTypeSpec]) -> Vec<Arg> {
    let types: Vec<_> = kinds.iter().map(|kind| kind.name).collect();
    let types = if types.len() > 4 { "most types".to_owned() } else { types.join(", ") };
    let upper = field.name.to_ascii_uppercase();
    let base = |long: String| {
        Arg::new(format!("field:{long}"))
            .long(long)
            .hide_short_help(true)
            .help_heading("Fields of the types")
    };
    if field.secret {
        let help = |from: &str| format!("{}, read from {from} ({types})", field.help);
        return vec![
            base(format!("{}-file", flag(field)))
                .value_name("FILE")
                .help(help("a file, or `-` for standard input")),
            base(format!("{}-env", flag(field)))
                .value_name("VARIABLE")
                .help(help("this environment variable")),
        ];
    }
    let arg = base(flag(field)).help(format!("{} ({types})", field.help));
    vec![match field.value {
        Value::Text
        | Value::Identifier
        | Value::Uuid
        | Value::NotUuid
        | Value::Domain
        | Value::Url
        | Value::Origin
        | Value::Number { .. } => arg.value_name(upper),
        Value::Choice(words) => arg.value_name(words.join("|")),
        Value::Boolean => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("true|false")
            .value_parser(["true", "false"]),
        Value::List => arg.action(ArgAction::Append).value_delimiter(',').value_name(upper),
        Value::Certificates => arg.action(ArgAction::Append).value_name("FILE"),
        Value::Headers => arg.action(ArgAction::Append).value_name("ATTRIBUTE=HEADER"),
    }]
}

impl clap::Args for Fields {
    fn augment_args(command: Command) -> Command {
        let arguments =
            all_fields().into_iter().flat_map(|(field, kinds)| field_args(field, &kinds));
        command.args(arguments)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Fields {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut fields = Self::default();
        fields.update_from_arg_matches(matches)?;
        Ok(fields)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let texts = |long: &str| -> Option<Vec<String>> {
            let values = matches.get_many::<String>(&format!("field:{long}"))?;
            Some(values.cloned().collect())
        };
        for (field, _) in all_fields() {
            let long = flag(field);
            if !field.secret {
                self.plain.extend(texts(&long).map(|values| (field, values)));
                continue;
            }
            let file = texts(&format!("{long}-file")).and_then(|mut file| file.pop());
            let env = texts(&format!("{long}-env")).and_then(|mut env| env.pop());
            let source = match (file, env) {
                (Some(_), Some(_)) => {
                    let message =
                        format!("--{long}-file and --{long}-env cannot be used together\n");
                    return Err(clap::Error::raw(ErrorKind::ArgumentConflict, message));
                }
                (Some(file), None) => Source::File(PathBuf::from(file)),
                (None, Some(name)) => Source::Variable(name),
                (None, None) => continue,
            };
            self.secrets.push((field.name, source));
        }
        Ok(())
    }
}

impl Fields {
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.secrets.is_empty() && self.typed.is_empty()
    }

    pub fn with_value(mut self, field: &'static Field, value: String) -> Self {
        self.plain.push((field, vec![value]));
        self
    }

    pub fn with_secret(mut self, field: &str, secret: SecretString) -> Self {
        self.typed.push((field.to_owned(), secret));
        self
    }

    /// The fields as in `config`; files and secrets are read.
    pub async fn read(&self, context: &Context, raw: Raw) -> anyhow::Result<Map<String, Json>> {
        let mut config = Map::new();
        for (field, texts) in &self.plain {
            config.insert(field.name.to_owned(), value(field, texts, context.clock.now())?);
        }
        for (name, source) in &self.secrets {
            config.insert((*name).to_owned(), source.read(context, raw).await?.into());
        }
        for (field, secret) in &self.typed {
            let given = raw.in_text(secret.expose_secret()).map_err(Into::into);
            let secret = secret::accept_given(given, &format!("`{field}`"), context)?;
            config.insert(field.clone(), secret.into());
        }
        Ok(config)
    }
}

pub fn missing_secrets(
    kind: &'static IdpTypeSpec,
    known: &Map<String, Json>,
) -> impl Iterator<Item = &'static str> {
    let needed =
        kind.input_fields().filter(|field| field.secret && field.need == Requirement::Needed);
    needed.map(|field| field.name).filter(|name| !known.contains_key(*name))
}

fn value(field: &Field, texts: &[String], now: Timestamp) -> Result<Json, FlowError> {
    let last = || texts.last().cloned().unwrap_or_default();
    let invalid = |message: String| FlowError::usage(message);
    Ok(match field.value {
        Value::Text
        | Value::Identifier
        | Value::Uuid
        | Value::NotUuid
        | Value::Domain
        | Value::Url
        | Value::Origin
        | Value::Choice(_) => last().into(),
        Value::Boolean => (last() == "true").into(),
        Value::Number { .. } => {
            let number = last().parse::<u64>();
            number
                .map_err(|_| {
                    invalid(format!("--{} must be a whole number, not `{}`", flag(field), last()))
                })?
                .into()
        }
        Value::List => {
            texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect()
        }
        Value::Certificates => {
            let read: Result<Vec<_>, _> = texts.iter().map(|file| certificates(file)).collect();
            let all: Vec<_> = read?.into_iter().flatten().collect();
            let last = all.iter().max_by_key(|certificate| certificate.not_after);
            if let Some(expired) = last.filter(|last| last.is_expired(now)) {
                let message = format!("the certificate expired on {}", expired.not_after);
                return Err(invalid(message).cause(format!("`{}`", expired.subject)));
            }
            all.iter().map(Certificate::pem).collect()
        }
        Value::Headers => texts
            .iter()
            .map(|pair| match pair.split_once('=') {
                Some((attribute, header)) => {
                    Ok(json!({"attribute_name": attribute, "header_name": header}))
                }
                None => Err(invalid(format!(
                    "--{} must be ATTRIBUTE=HEADER, not `{pair}`",
                    flag(field)
                ))),
            })
            .collect::<Result<_, _>>()?,
    })
}

fn certificates(file: &str) -> Result<Vec<Certificate>, FlowError> {
    let unreadable = |cause: String| {
        FlowError::usage(format!("cannot read the certificate `{file}`")).cause(cause)
    };
    let bytes = input::file::read(Path::new(file), input::file::MAX_SIZE)
        .map_err(|error| unreadable(error.to_string()))?;
    certificate::read_file(&bytes).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    fn command() -> Command {
        Fields::augment_args(Command::new("test"))
    }

    fn parsed(line: &str) -> Result<Fields, clap::Error> {
        let words = std::iter::once("test").chain(line.split_whitespace());
        Fields::from_arg_matches(&command().try_get_matches_from(words)?)
    }

    fn config(line: &str) -> Json {
        let fields = parsed(line).unwrap();
        fields
            .plain
            .iter()
            .map(|(field, texts)| {
                (field.name.to_owned(), value(field, texts, Timestamp::UNIX_EPOCH).unwrap())
            })
            .collect()
    }

    #[test]
    fn no_flag_takes_a_secret() {
        let names: Vec<_> = all_fields()
            .into_iter()
            .filter(|(field, _)| field.secret)
            .map(|(field, _)| flag(field))
            .collect();
        assert!(!names.is_empty());
        let longs: Vec<_> =
            command().get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
        for name in names {
            assert!(!longs.contains(&name), "{name}");
            assert!(
                longs.contains(&format!("{name}-file")) && longs.contains(&format!("{name}-env")),
                "{name}"
            );
        }
    }

    #[test]
    fn every_other_field_has_a_flag_of_its_kind() {
        assert_eq!(
            config(
                "--client-id i --support-groups --claims a,b --claims c --use-login-hint=false --max-sso-url-length 9 --header-attributes a=X-A"
            ),
            json!({
                "client_id": "i",
                "support_groups": true,
                "use_login_hint": false,
                "claims": ["a", "b", "c"],
                "max_sso_url_length": 9,
                "header_attributes": [{"attribute_name": "a", "header_name": "X-A"}],
            })
        );
        let plain = all_fields().into_iter().filter(|(field, _)| !field.secret);
        for (field, _) in plain {
            assert!(
                command().get_arguments().any(|arg| arg.get_long() == Some(&flag(field))),
                "{}",
                field.name
            );
        }
    }

    #[test]
    fn certificates_are_read_however_they_were_saved() {
        let make = || {
            let key = rcgen::KeyPair::generate().unwrap();
            rcgen::CertificateParams::default().self_signed(&key).unwrap()
        };
        let (one, two) = (make(), make());
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let wide = |text: &str| -> Vec<u8> {
            std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        };
        for (bytes, count) in [
            (one.der().to_vec(), Some(1)),
            ([one.der().as_ref(), two.der().as_ref()].concat(), Some(2)),
            (
                format!("\u{feff}subject=CN=a\r\n{}", one.pem().replace('\n', "\r\n")).into(),
                Some(1),
            ),
            (wide(&one.pem()), Some(1)),
            (format!("{}subject=CN=b\n{}", one.pem(), two.pem()).into(), Some(2)),
            (b"\xff\x01".to_vec(), None),
            (b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----".to_vec(), None),
        ] {
            std::fs::write(file.path(), &bytes).unwrap();
            let found = certificates(path).ok();
            assert_eq!(found.as_ref().map(Vec::len), count);
        }
    }

    #[test]
    fn a_secret_comes_from_one_place() {
        assert!(parsed("--client-secret-file a --client-secret-env B").is_err());
        assert!(parsed("--client-secret s").is_err());
        assert_eq!(parsed("--client-secret-env B").unwrap().secrets.len(), 1);
    }
}
