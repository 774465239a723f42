//! Where the credential comes from, and where it may be sent.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

use super::directories::path;
use super::file::Profile;
use super::{Error, Options, non_empty_env};
use crate::api::Credentials;
use crate::output::Environment;

/// Where the token comes from. It is read when a request needs it.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    Inline(Credentials),
    File(PathBuf),
    Stdin,
    Command(Vec<String>),
    Missing,
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("the environment"),
            Self::File(file) => write!(f, "the token file {}", file.display()),
            Self::Stdin => f.write_str("standard input"),
            Self::Command(command) => {
                write!(f, "the output of the token command `{}`", command.join(" "))
            }
            Self::Missing => f.write_str("the configuration"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Environment(&'static str),
    Profile,
    /// The built-in default, or no value.
    Default,
}

/// The first credential of flags, environment and profile.
pub(super) fn resolve(
    options: &Options,
    env: &Environment,
    profile: &Profile,
) -> Result<(CredentialSource, Origin), Error> {
    let token =
        |text: String| CredentialSource::Inline(Credentials::Token(SecretString::from(text)));
    if options.token_stdin {
        return Ok((CredentialSource::Stdin, Origin::Flag));
    }
    if let Some(file) = &options.token_file {
        return Ok((CredentialSource::File(file.clone()), Origin::Flag));
    }
    if let Some(text) = non_empty_env(env, "CLOUDFLARE_API_TOKEN") {
        return Ok((token(text), Origin::Environment("CLOUDFLARE_API_TOKEN")));
    }
    if let Some(file) = path(env, "CLOUDFLARE_API_TOKEN_FILE") {
        let origin = Origin::Environment("CLOUDFLARE_API_TOKEN_FILE");
        return Ok((CredentialSource::File(file), origin));
    }
    if let (Some(email), Some(key)) =
        (non_empty_env(env, "CLOUDFLARE_EMAIL"), non_empty_env(env, "CLOUDFLARE_API_KEY"))
    {
        let key = Credentials::Key { email, key: SecretString::from(key) };
        return Ok((CredentialSource::Inline(key), Origin::Environment("CLOUDFLARE_API_KEY")));
    }
    if let Some(file) = &profile.token_file {
        return Ok((CredentialSource::File(file.clone()), Origin::Profile));
    }
    if let Some(name) = &profile.token_env {
        let text = non_empty_env(env, name).ok_or_else(|| Error::Value {
            origin: "`token_env` of the profile".to_owned(),
            reason: format!("the environment variable `{name}` is not set"),
        })?;
        return Ok((token(text), Origin::Profile));
    }
    Ok(match profile.token_command.clone() {
        Some(command) => (CredentialSource::Command(command), Origin::Profile),
        None => (CredentialSource::Missing, Origin::Default),
    })
}

/// Whether a credential may be sent to a base URL from another source. A credential from the
/// environment must not go to a base URL that only a profile names, nor the credential of a profile
/// with its own base URL to one from the environment.
pub(super) fn may_be_sent(credential: &Origin, base: &Origin, is_profiles_base: bool) -> bool {
    match (credential, base) {
        (Origin::Environment(_), Origin::Profile) => false,
        (Origin::Profile, Origin::Environment(_)) => is_profiles_base,
        _ => true,
    }
}
