//! The SCIM secret, the only secret that the API returns: once, when provisioning is enabled. It is
//! written to a file of its own; without one, provisioning is not enabled.

use std::io;
use std::path::PathBuf;

use super::super::secret_file::PendingSecretFile;
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

/// Where the secret of a change goes.
#[derive(Debug)]
pub struct SecretFile {
    file: Option<(PathBuf, PendingSecretFile)>,
    /// Whether the change enables provisioning, so that a secret is returned.
    is_expected: bool,
}

impl ScimSecretArgs {
    /// Without a file, the secret returned when provisioning is enabled would be lost.
    pub fn ensure_file_given(
        &self,
        before: Option<&Document>,
        wanted: &Document,
    ) -> Result<(), FlowError> {
        if self.scim_secret_file.is_some() || !switches_on(before, wanted) {
            return Ok(());
        }
        Err(FlowError::usage("this enables SCIM, and the secret is returned only once")
            .cause(
                "the identity provider needs the secret; it is not printed and not in the journal",
            )
            .hint("`--scim-secret-file FILE` (a new file, readable only by you)"))
    }

    /// Creates the file before anything is sent, since afterwards the secret could be lost.
    pub fn prepare(
        &self,
        before: Option<&Document>,
        wanted: &Document,
    ) -> Result<SecretFile, FlowError> {
        let is_expected = switches_on(before, wanted);
        let Some(path) = &self.scim_secret_file else {
            return Ok(SecretFile { file: None, is_expected });
        };
        let file = PendingSecretFile::create(path).map_err(|error| {
            let message =
                format!("cannot create `{}` for the SCIM secret; nothing was sent", path.display());
            let failure = FlowError::usage(message).cause(error.to_string());
            match error.kind() {
                io::ErrorKind::AlreadyExists => failure.hint("choose a file that does not exist"),
                _ => failure,
            }
        })?;
        Ok(SecretFile { file: Some((path.clone(), file)), is_expected })
    }
}

fn switches_on(before: Option<&Document>, wanted: &Document) -> bool {
    let is_on = |idp: &Document| idp.parse_at(&["scim_config", "enabled"]) == Some(true);
    is_on(wanted) && !before.is_some_and(is_on)
}

impl SecretFile {
    /// Writes the secret of the response. Fails if an expected secret is not saved.
    pub fn save(self, answer: Option<&Document>, context: &Context) -> Result<(), FlowError> {
        let secret: Option<String> =
            answer.and_then(|idp| idp.parse_at(&["scim_config", "secret"]));
        let secret = secret.filter(|secret| !secret.is_empty() && !is_mask(secret));
        let not_saved = |cause: String| {
            FlowError::half_done("SCIM is enabled, but its secret was not saved")
                .cause(cause)
                .hint("create another secret in the dashboard: edit the identity provider, SCIM")
        };
        match (self.file, secret) {
            (Some((path, file)), Some(secret)) => {
                let path = path.display();
                file.commit(&secret)
                    .map_err(|error| not_saved(format!("cannot write `{path}`: {error}")))?;
                context.screen.note(format!("SCIM secret written to `{path}`"));
            }
            (None, Some(_)) => {
                return Err(not_saved("`--scim-secret-file` was not specified".to_owned()));
            }
            (_, None) if self.is_expected => {
                return Err(not_saved(
                    "the API returns it once, and the response that had it was lost".to_owned(),
                ));
            }
            (Some(_), None) => context.screen.warn(
                "no SCIM secret was returned: the API does so when SCIM is enabled for the first \
                 time",
            ),
            (None, None) => {}
        }
        Ok(())
    }
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
            let error = keep.ensure_file_given(before.as_ref(), &wanted.parse().unwrap()).is_err();
            assert_eq!(error, is_stopped, "{keep:?} {before:?} {wanted}");
        }
    }
}
