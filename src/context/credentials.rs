use std::path::Path;

use secrecy::SecretString;

use super::Context;
use super::token_command::{self, no_token};
use crate::api::Credentials;
use crate::flow::FlowError;
use crate::input;
use crate::input::permissions::exposure;
use crate::input::text;
use crate::settings::CredentialSource;

impl Context {
    pub(super) async fn credentials(&self) -> anyhow::Result<Credentials> {
        let source = &self.settings.credentials;
        let bytes = match source {
            CredentialSource::Inline(credentials) => return Ok(credentials.clone()),
            CredentialSource::File(file) => return Ok(self.token_in(file)?),
            CredentialSource::Stdin => {
                self.screen.read_line().await?.unwrap_or_default().into_bytes()
            }
            CredentialSource::Command(command) => {
                token_command::output(command, self.remaining()).await?
            }
            CredentialSource::Missing => {
                if let Some(token) = self.typed_token.get() {
                    return Ok(Credentials::Token(token.clone()));
                }
                let mut others = self.profiles();
                others.retain(|name| Some(name) != self.settings.profile.as_ref());
                return Err(missing(self.settings.config.as_deref(), &others).into());
            }
        };
        Ok(Credentials::Token(token(&bytes, &source.to_string())?))
    }

    /// Fails if other users can change a file that contains `what`, and warns if they can read it.
    pub(crate) fn ensure_private(&self, file: &Path, what: &str) -> Result<(), FlowError> {
        match exposure(file) {
            Some(exposure) if exposure.is_writable() => {
                return Err(FlowError::refused(exposure.describe(file))
                    .hint(format!("a {what} that other users own or can change is not used")));
            }
            Some(exposure) => self.screen.warn(exposure.describe(file)),
            None => {}
        }
        Ok(())
    }

    /// Whether a text is an API token or key, in particular the one of this run.
    pub fn is_own_credential(&self, text: &str) -> bool {
        let is = |credentials: &Credentials| credentials.is(text);
        Credentials::has_prefix(text)
            || match &self.settings.credentials {
                CredentialSource::Inline(credentials) => is(credentials),
                CredentialSource::File(file) => self.token_in(file).is_ok_and(|token| is(&token)),
                CredentialSource::Stdin
                | CredentialSource::Command(_)
                | CredentialSource::Missing => false,
            }
    }

    /// Fails if other users can change the file.
    pub(super) fn token_in(&self, file: &Path) -> Result<Credentials, FlowError> {
        self.ensure_private(file, "token")?;
        let bytes = input::file::read(file, input::file::MAX_SIZE).map_err(|error| {
            no_token(format!("cannot read the token file {}", file.display()))
                .cause(error.to_string())
        })?;
        let source = CredentialSource::File(file.to_owned()).to_string();
        token(&bytes, &source).map(Credentials::Token)
    }
}

/// The token in the first line.
pub(super) fn token(bytes: &[u8], source: &str) -> Result<SecretString, FlowError> {
    let text = text::decode(bytes)
        .map_err(|error| no_token(format!("{source} is not text")).cause(error.to_string()))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(no_token(format!("no token in {source}")));
    }
    Ok(SecretString::from(token))
}

fn missing(config: Option<&Path>, profiles: &[String]) -> FlowError {
    let file = match config {
        Some(file) => format!("in the configuration file {}", file.display()),
        None => "(no configuration file: HOME is not set)".to_owned(),
    };
    let mut hint = "`cfsso token create-url` links to the token page; then `export CLOUDFLARE_API_TOKEN=<TOKEN>`, or use `--sandbox`".to_owned();
    if !profiles.is_empty() {
        hint = format!("{hint}\n`--profile <NAME>`: {}", profiles.join(", "));
    }
    no_token("no API token")
        .cause(format!(
            "searched: --token-file, --token-stdin, CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_TOKEN_FILE, \
             CLOUDFLARE_EMAIL with CLOUDFLARE_API_KEY, and the profile {file}"
        ))
        .hint(hint)
}
