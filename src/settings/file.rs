//! The configuration file. Errors name file, line and key, for syntax, keys and values alike.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Error;
use crate::api::BaseUrl;
use crate::api::ids::AccountId;
use crate::dns::ServerSpec;
use crate::output::Format;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) profile: Option<String>,
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Profile>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Profile {
    #[serde(deserialize_with = "parse_str")]
    pub(super) account: Option<AccountId>,
    #[serde(deserialize_with = "parse_str")]
    pub(super) base_url: Option<BaseUrl>,
    pub(super) connector: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) token_env: Option<String>,
    pub(super) token_command: Option<Vec<String>>,
    #[serde(deserialize_with = "parse_str")]
    pub(super) output: Option<Format>,
    #[serde(deserialize_with = "all_written")]
    pub(super) dns_servers: Vec<ServerSpec>,
    pub(super) ca_cert: Option<PathBuf>,
}

fn parse_str<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    ParsedStr::deserialize(deserializer).map(|ParsedStr(value)| Some(value))
}

fn all_written<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let all = Vec::deserialize(deserializer)?;
    Ok(all.into_iter().map(|ParsedStr(value)| value).collect())
}

/// A value in text form, parsed while the file is read, so that an error knows its line.
struct ParsedStr<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for ParsedStr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

pub(super) fn read(path: &Path, text: &str) -> Result<File, Error> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let before = text.get(..offset).unwrap_or(text);
        Error::Malformed {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1,
            is_windows_path: is_windows_path(text, offset),
            reason: match key_at(text, offset) {
                Some(key) if !error.message().contains(&format!("`{key}`")) => {
                    format!("`{key}`: {}", error.message())
                }
                _ => error.message().to_owned(),
            },
        }
    })
}

/// Whether the line at `offset` has a drive letter and a backslash in double quotes.
fn is_windows_path(text: &str, offset: usize) -> bool {
    let start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let after_quote = line.split('"').skip(1).map(str::as_bytes);
    after_quote
        .into_iter()
        .any(|it| matches!(it, [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic()))
}

/// The key whose value is at `offset`, or the table that starts there.
fn key_at(text: &str, offset: usize) -> Option<&str> {
    let rest_of_line = text.get(offset..)?.lines().next()?.len();
    text.get(..offset + rest_of_line)?.lines().rev().find_map(|line| {
        let line = line.trim();
        let table = || line.strip_prefix('[')?.strip_suffix(']');
        let key = line.split_once('=').map(|(key, _)| key.trim()).or_else(table)?;
        let is_key = |char: char| char.is_alphanumeric() || "_-.".contains(char);
        (!key.is_empty() && key.chars().all(is_key)).then_some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_configuration_file_is_said_with_its_place_and_key() {
        for (text, line, column, says) in [
            ("[profiles.work]\ntokn_file = \"x\"\n", 2, 1, "unknown field `tokn_file`"),
            ("profile = 3\n", 1, 11, "`profile`: invalid type: integer `3`, expected a string"),
            ("[profiles.work\n", 1, 15, "unclosed table"),
            (
                "[profiles.work]\n\naccount = \"zz\"\n",
                3,
                11,
                "`account`: `zz` is not a valid account ID: expected 32 hexadecimal digits",
            ),
            ("[profiles.work]\noutput = \"xml\"\n", 2, 10, "`output`: "),
            ("[profiles.a]\nbase_url = \"http://api.example\"\n", 2, 12, "`base_url`: "),
            ("[profiles.a]\ntoken_file = \"C:\\Users\\ada\\token\"\n", 2, 19, "`token_file`: "),
            (
                "[profiles.a]\nconnector = \"a\"\ndns_servers = [\n  \"192.0.2.1\",\n  \"https://x/?a=b\",\n]\n",
                3,
                15,
                "`dns_servers`: ",
            ),
        ] {
            let Err(Error::Malformed {
                line: at, column: column_at, reason, is_windows_path, ..
            }) = read(Path::new("config.toml"), text)
            else {
                panic!("{text}")
            };
            assert_eq!((at, column_at), (line, column), "{text}: {reason}");
            assert!(reason.starts_with(says), "{reason}");
            assert_eq!(is_windows_path, text.contains(r"C:\"), "{text}");
        }
    }
}
