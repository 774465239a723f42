//! The journal of a run, and what earlier runs left open.

use std::ffi::OsString;

use super::Context;
use crate::api::Credentials;
use crate::api::ids::AccountId;
use crate::clock::Clock;
use crate::flow::journal::{Actor, Entry, Journal, SANDBOX, command_line};
use crate::flow::rename;
use crate::flow::trial::keep::{self, TrialStatus};
use crate::output::Text;
use crate::settings::{CredentialSource, Settings};

impl Context {
    /// Warns about writes to `account` by earlier runs whose outcome is unknown.
    /// Each is reported once, provided that notes are shown.
    pub fn warn_unknown_outcomes(&self, account: &AccountId) {
        let Ok(store) = self.journal.store() else { return };
        let trials = keep::open_trials_of(&self.journal, account);
        for trial in trials.iter().filter(|trial| !trial.is_live) {
            let trial = TrialStatus::from(trial.clone());
            let [keep, disable] = trial.commands();
            self.screen.warn(Text::prose(format!("{}; `{keep}`, `{disable}`", trial.describe())));
        }
        let mut unfinished = store.unfinished();
        unfinished.retain(|entry| {
            self.journal.is_own(entry, account)
                && trials.iter().all(|trial| trial.entry.run != entry.run)
        });
        let all = if unfinished.is_empty() { None } else { self.journal.read().ok() };
        let all = all.map(|contents| contents.entries).unwrap_or_default();
        for entry in &unfinished {
            self.screen.note(Text::prose(format!(
                "an earlier run was interrupted; outcome unknown: {} (entry {}); \
                 `cfsso journal show {}`, {}",
                entry.title,
                entry.id,
                entry.id,
                self.commands_after(entry, &all, account)
            )));
        }
        if self.screen.shows_notes() && !self.settings.options.dry_run {
            for entry in &unfinished {
                store.set_aside(&entry.run);
            }
        }
    }

    /// What continues or undoes the run of `entry`. The steps of a rename cannot be undone one by one.
    fn commands_after(&self, entry: &Entry, all: &[Entry], account: &AccountId) -> String {
        let refusal = rename::undo_refusal(all, std::slice::from_ref(entry));
        let Some(undo) = refusal.and_then(|refusal| refusal.hint) else {
            return format!("`cfsso journal undo {}`", entry.id);
        };
        let own = all.iter().filter(|entry| self.journal.is_own(entry, account));
        let own: Vec<_> = own.cloned().collect();
        let open = rename::rename_in_progress(&own, account);
        let resume = open.map(|open| format!("`{}`", open.command));
        match resume.filter(|resume| *resume != undo) {
            Some(resume) => format!("{resume}, undo with {undo}"),
            None => undo,
        }
    }
}

/// The journal of the command line `args`; nothing is read or written yet.
pub(super) fn open(settings: &Settings, clock: &Clock, args: &[OsString]) -> Journal<'static> {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let credential = if settings.sandbox {
        "the simulator".to_owned()
    } else {
        match &settings.credentials {
            CredentialSource::Inline(Credentials::Key { email, .. }) => {
                format!("the Global API Key of {email}")
            }
            source => source.to_string(),
        }
    };
    let who = Actor {
        user: settings.user.clone(),
        credential: Some(credential),
        base_url: base_url(settings),
        command: command_line(&args),
    };
    match &settings.journal {
        Some(dir) => Journal::in_directory(dir.clone(), who, clock.clone()),
        None => Journal::unavailable(who, clock.clone()),
    }
}

/// A simulator that ends with the command has a new port each time: its state file identifies it.
fn base_url(settings: &Settings) -> String {
    match settings.sandbox_state() {
        Ok(state) if settings.sandbox => {
            let state = std::path::absolute(&state).unwrap_or(state);
            format!("{SANDBOX}{}", state.display())
        }
        _ => settings.base.to_string(),
    }
}
