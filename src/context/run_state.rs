//! What a run has done so far, for messages after an interrupt.

use super::Context;
use crate::api::Client;

pub struct UndoHint {
    /// The ID of the run in the journal.
    pub run: String,
    /// `None` if nothing of it can be undone.
    pub command: Option<String>,
}

impl Context {
    /// Records a finished step for the message after an interrupt.
    pub fn record_step(&self, title: &'static str) {
        self.steps_done.borrow_mut().push(title);
    }

    /// Sets the command that undoes this run's changes, if it is not `cfsso journal undo`.
    pub fn record_undo_hint(&self, command: impl Into<String>) {
        *self.undo_command.borrow_mut() = Some(command.into());
    }

    /// Sets the command that resumes this run, if it is not the same one.
    pub fn record_resume_command(&self, command: String) {
        *self.resume_command.borrow_mut() = Some(command);
    }

    pub fn resume_command(&self) -> Option<String> {
        self.resume_command.borrow().clone()
    }

    /// Sets the state that an interrupt reports while the command is running.
    pub fn set_interrupted_note(&self, what: Option<&'static str>) {
        self.interrupted_note.set(what);
    }

    /// From now on the command handles signals itself, so that they do not end it.
    pub fn handle_signals(&self) {
        self.handles_signals.set(true);
    }

    /// A signal ends the program again.
    pub fn release_signals(&self) {
        self.handles_signals.set(false);
    }

    pub fn handles_signals(&self) -> bool {
        self.handles_signals.get()
    }

    pub fn interrupted_note(&self) -> Option<&'static str> {
        self.interrupted_note.get()
    }

    /// How to undo the changes of this run; `None` if it has not written anything.
    pub fn undo_hint(&self) -> Option<UndoHint> {
        let run = self.journal.run()?;
        let own = self.undo_command.borrow().clone();
        let by_journal = || self.journal.is_undoable().then(|| format!("cfsso journal undo {run}"));
        let command = own.or_else(by_journal);
        Some(UndoHint { run, command })
    }

    pub fn steps_done(&self) -> Vec<&'static str> {
        self.steps_done.borrow().clone()
    }

    /// Writes without a response, whose outcome an interrupt leaves unknown.
    pub fn unanswered(&self) -> Vec<String> {
        self.client.get().map(Client::unanswered_writes).unwrap_or_default()
    }
}
