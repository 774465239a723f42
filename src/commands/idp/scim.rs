//! The SCIM secret, which the API shows once, when provisioning is switched on:
//! the only secret that comes back. It goes to a file of its own, or the switch
//! is not touched.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::api::document::Document;
use crate::context::Context;
use crate::flow::FlowError;
use crate::input::secret::is_mask;

/// Where the SCIM secret goes.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ScimSecretArgs {
    /// Write the SCIM secret (returned once) to this new file
    #[arg(long, value_name = "FILE")]
    scim_secret_file: Option<PathBuf>,
}

#[derive(Debug)]
pub struct SecretFile(Option<(PathBuf, File)>);

impl ScimSecretArgs {
    /// The secret that comes of switching provisioning on would be lost.
    pub fn ensure_file_given(
        &self,
        before: Option<&Document>,
        wanted: &Document,
    ) -> Result<(), FlowError> {
        let is_on = |idp: &Document| idp.parse_at(&["scim_config", "enabled"]) == Some(true);
        if self.scim_secret_file.is_some() || !is_on(wanted) || before.is_some_and(is_on) {
            return Ok(());
        }
        Err(FlowError::usage("this enables SCIM, and the secret is returned only once")
            .cause(
                "the identity provider needs the secret; it is not printed and not in the journal",
            )
            .hint("`--scim-secret-file FILE` (a new file, readable only by you)"))
    }

    /// Makes the file, before anything is sent: afterwards would be too late.
    pub fn prepare(&self) -> Result<SecretFile, FlowError> {
        let Some(path) = &self.scim_secret_file else { return Ok(SecretFile(None)) };
        let file = create_private(path).map_err(|error| {
            let message =
                format!("cannot create `{}` for the SCIM secret; nothing was sent", path.display());
            let stop = FlowError::usage(message).cause(error.to_string());
            match error.kind() {
                io::ErrorKind::AlreadyExists => stop.hint("choose a file that does not exist"),
                _ => stop,
            }
        })?;
        Ok(SecretFile(Some((path.clone(), file))))
    }
}

impl SecretFile {
    /// Keeps the secret of an answer. Takes the file away where there is none.
    pub fn save(self, answer: Option<&Document>, context: &Context) {
        let secret: Option<String> =
            answer.and_then(|idp| idp.parse_at(&["scim_config", "secret"]));
        let secret = secret.filter(|secret| !secret.is_empty() && !is_mask(secret));
        match (self.0, secret) {
            (Some((path, mut file)), Some(secret)) => {
                let written = writeln!(file, "{secret}").and_then(|()| file.sync_all());
                match written {
                    Ok(()) => {
                        context.screen.note(format!("SCIM secret written to `{}`", path.display()));
                    }
                    Err(error) => context.screen.warn(not_saved_error(&path, &error)),
                }
            }
            (Some((path, file)), None) => {
                drop(file);
                // Empty as it is, it says nothing if it stays.
                let _ = std::fs::remove_file(&path);
                context.screen.warn(
                    "the API returned no SCIM secret: it does so when SCIM is enabled for the \
                     first time; create another in the dashboard",
                );
            }
            (None, Some(_)) => context.screen.warn(
                "the API returned a SCIM secret that was not saved: create another in the dashboard",
            ),
            (None, None) => {}
        }
    }
}

fn not_saved_error(path: &Path, error: &io::Error) -> String {
    format!(
        "cannot write the SCIM secret to `{}` ({error}): create another in the dashboard",
        path.display()
    )
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_would_be_lost_stops_the_switch() {
        const ON: &str = r#"{"scim_config":{"enabled":true}}"#;
        const OFF: &str = r#"{"scim_config":{"enabled":false}}"#;
        let file = ScimSecretArgs { scim_secret_file: Some("secret".into()) };
        for (keep, before, wanted, is_stopped) in [
            (ScimSecretArgs::default(), None, ON, true),
            (ScimSecretArgs::default(), Some(OFF), ON, true),
            (ScimSecretArgs::default(), Some("{}"), ON, true),
            (ScimSecretArgs::default(), Some(ON), ON, false),
            (ScimSecretArgs::default(), Some(ON), OFF, false),
            (ScimSecretArgs::default(), None, "{}", false),
            (file, None, ON, false),
        ] {
            let before: Option<Document> = before.map(|text| text.parse().unwrap());
            let stop = keep.ensure_file_given(before.as_ref(), &wanted.parse().unwrap()).is_err();
            assert_eq!(stop, is_stopped, "{keep:?} {before:?} {wanted}");
        }
    }
}
