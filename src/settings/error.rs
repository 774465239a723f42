use std::path::{Path, PathBuf};

use super::credentials::Origin;
use crate::api::BaseUrl;
use crate::api::ids::InvalidId;
use crate::input::text::Undecodable;
use crate::plural::code_list;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{origin}: {reason}")]
    Account { origin: &'static str, reason: InvalidId },
    #[error("{origin}: {reason}")]
    Value { origin: String, reason: String },
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("cannot read the configuration file {}", path.display())]
    Undecodable { path: PathBuf, source: Undecodable },
    /// Other users may change the configuration file, which may name a program to run.
    #[error("{0}")]
    Exposed(String),
    /// A credential that belongs to another base URL.
    #[error("{credential} would be sent to {base}, {origin}")]
    CredentialForOtherBase {
        credential: String,
        base: String,
        origin: String,
        /// How to confirm that this is intended.
        hint: String,
    },
    #[error("configuration file {}, line {line}, column {column}: {reason}", path.display())]
    Malformed {
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        reason: String,
        /// Whether it is a Windows path, whose backslashes TOML reads as escapes.
        is_windows_path: bool,
    },
    #[error("no profile `{name}` in the configuration file {} (profiles: {})", path.display(), code_list(known))]
    NoProfile { path: PathBuf, name: String, known: Vec<String> },
    #[error("no configuration file for profile `{name}`{}", at(path.as_deref()))]
    NoFile {
        name: String,
        /// The expected path.
        path: Option<PathBuf>,
    },
    #[error("no home directory for the state of the simulator")]
    NoHome,
}

impl Error {
    pub(super) fn credential_for_other_base(
        credential: &Origin,
        base_origin: &Origin,
        profile: &str,
        base: &BaseUrl,
    ) -> Self {
        let name = |origin: &Origin, what: &str| match origin {
            Origin::Environment(variable) => format!("`{variable}`"),
            Origin::Flag | Origin::Profile | Origin::Default => {
                format!("the {what} of profile `{profile}`")
            }
        };
        let hint = match credential {
            Origin::Environment(variable) => format!(
                "add `token_env = \"{variable}\"` to profile `{profile}`, or pass `--token-file FILE`"
            ),
            _ => format!("unset the variable, or pass `--token-file FILE` for {base}"),
        };
        Self::CredentialForOtherBase {
            credential: name(credential, "token"),
            base: base.to_string(),
            origin: name(base_origin, "base URL"),
            hint,
        }
    }
}

fn at(path: Option<&Path>) -> String {
    path.map(|path| format!(" at {}", path.display())).unwrap_or_default()
}
