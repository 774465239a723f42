//! The recovery folder. It contains no secret.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::to_raw_value;

use super::card::{CardFile, CardFormat};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::document::masked;
use crate::api::idp::Idp;
use crate::api::policy::Policy;
use crate::context::Context;
use crate::flow::doctor::RecoveryFacts;
use crate::flow::journal::Journal;
use crate::flow::recovery::card::Card;
use crate::flow::recovery::rehearsal::{self, AccessLists};
use crate::flow::{Env, FlowError, FlowErrorKind};
use crate::{private_file, rfc3339, sha256};

const PROGRAM: &str = if cfg!(windows) { "cfsso.exe" } else { "cfsso" };
/// Written last: the folder is complete if it exists.
const CHECKSUMS: &str = "SHA256SUMS";

pub struct Bundle<'a> {
    pub folder: &'a Path,
    pub card: &'a Card,
    pub read: &'a RecoveryFacts,
    pub access: &'a AccessLists,
    pub fingerprint: &'a str,
}

/// The objects that both bypasses change, as the API sent them, without secrets.
#[derive(Serialize)]
struct State<'a> {
    schema: &'static str,
    #[serde(serialize_with = "rfc3339::time")]
    made_at: Timestamp,
    account: &'a str,
    fingerprint: &'a str,
    connectors: Option<&'a [Connector]>,
    sso_app: Option<&'a App>,
    policies: Option<&'a [Policy]>,
    identity_providers: Option<&'a [Idp]>,
}

pub fn ensure_empty(folder: &Path) -> Result<(), FlowError> {
    private_file::ensure_empty(folder).map_err(|error| failed(folder, &error))
}

impl Bundle<'_> {
    pub fn write(&self, context: &Context, env: &Env<'_>) -> Result<Vec<PathBuf>, FlowError> {
        private_file::empty_folder(self.folder).map_err(|error| failed(self.folder, &error))?;
        let mut files = Vec::new();
        for format in CardFormat::ALL {
            let file = CardFile::in_folder(self.folder, format);
            file.write(self.card)?;
            files.push(file.path);
        }
        let mut texts = vec![("state.json", self.state(env))];
        let disable =
            |recorder: &Env<'_>| rehearsal::record_disable(recorder, &self.read.connectors);
        let otp = |recorder: &Env<'_>| rehearsal::record_otp(recorder, self.access);
        texts.extend(ticket(context, env, disable)?.map(|text| ("undo-disable.json", text)));
        texts.extend(ticket(context, env, otp)?.map(|text| ("undo-otp.json", text)));
        for (name, text) in texts {
            let file = self.folder.join(name);
            private_file::replace(&file, &(text + "\n")).map_err(|error| failed(&file, &error))?;
            files.push(file);
        }
        let program = self.folder.join(PROGRAM);
        std::env::current_exe()
            .and_then(|running| private_file::copy_program(&running, &program))
            .map_err(|error| failed(&program, &error))?;
        files.push(program);
        files.push(self.write_checksums(&files)?);
        Ok(files)
    }

    fn state(&self, env: &Env<'_>) -> String {
        let RecoveryFacts { connectors, facts } = self.read;
        let state = State {
            schema: "cfsso/recovery-state/v1",
            made_at: env.clock.now(),
            account: env.account.as_str(),
            fingerprint: self.fingerprint,
            connectors: connectors.as_deref().ok(),
            sso_app: facts.sso_app().ok().flatten(),
            policies: facts.policies.as_deref().ok(),
            identity_providers: facts.idps.as_deref().ok(),
        };
        let state = to_raw_value(&state).expect("a state is plain data");
        masked(&state).get().to_owned()
    }

    fn write_checksums(&self, files: &[PathBuf]) -> Result<PathBuf, FlowError> {
        let line = |file: &PathBuf| {
            let hash = sha256::of_file(file).map_err(|error| failed(file, &error))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            Ok(format!("{hash}  {name}\n"))
        };
        let lines = files.iter().map(line).collect::<Result<Vec<_>, FlowError>>()?;
        let file = self.folder.join(CHECKSUMS);
        private_file::replace(&file, &lines.concat()).map_err(|error| failed(&file, &error))?;
        Ok(file)
    }
}

/// The undo ticket of the changes that `record` records; `None` if there are none.
fn ticket(
    context: &Context,
    env: &Env<'_>,
    record: impl FnOnce(&Env<'_>) -> Result<bool, FlowError>,
) -> Result<Option<String>, FlowError> {
    let text = RefCell::new(String::new());
    let keep = |line: &str| {
        line.clone_into(&mut text.borrow_mut());
        Ok(())
    };
    let actor = context.journal().actor().clone();
    let journal = Journal::to_ticket(Box::new(|line, _| keep(line)), actor, context.clock.clone());
    let recorder = Env { journal: &journal, ..*env };
    let has_writes = record(&recorder)?;
    drop(journal);
    Ok(has_writes.then(|| text.into_inner()))
}

fn failed(file: &Path, error: &io::Error) -> FlowError {
    let exists = error.kind() == io::ErrorKind::AlreadyExists;
    let kind = if exists { FlowErrorKind::Conflict } else { FlowErrorKind::Usage };
    FlowError::new(kind, format!("cannot write {}", file.display()))
        .cause(error.to_string())
        .hint("`--bundle DIR` takes a new or an empty folder")
}
