//! What a run has done so far, and what an interrupt has to say of it.

use super::Context;
use crate::api::Client;

/// How to undo the changes of a run.
pub struct UndoHint {
    /// The run, as the journal names it.
    pub run: String,
    pub command: String,
}

impl Context {
    /// Remembers that a step was done, for what an interrupt has to say.
    pub fn record_step(&self, title: &'static str) {
        self.steps_done.borrow_mut().push(title);
    }

    /// Sets the command that undoes the changes of this one, if that is not
    /// `cfsso journal undo`.
    pub fn record_undo_hint(&self, command: impl Into<String>) {
        *self.way_back.borrow_mut() = Some(command.into());
    }

    /// Remembers what is the case until the command has done all it does.
    pub fn set_interrupted_note(&self, what: Option<&'static str>) {
        self.meanwhile.set(what);
    }

    /// The command does not end at a signal: it has listened to them itself.
    pub fn handle_signals(&self) {
        self.handles_signals.set(true);
    }

    /// A signal ends the program again.
    pub fn release_signals(&self) {
        self.handles_signals.set(false);
    }

    /// Whether signals are the command's own affair.
    pub fn handles_signals(&self) -> bool {
        self.handles_signals.get()
    }

    /// What is the case until the command has done all it does.
    pub fn interrupted_note(&self) -> Option<&'static str> {
        self.meanwhile.get()
    }

    /// How to undo the changes of this run; `None` if it has not written anything.
    pub fn way_back(&self) -> Option<UndoHint> {
        let run = self.journal.run()?;
        let own = self.way_back.borrow().clone();
        let command = own.unwrap_or_else(|| format!("cfsso journal undo {run}"));
        Some(UndoHint { run, command })
    }

    /// The steps done so far.
    pub fn steps_done(&self) -> Vec<&'static str> {
        self.steps_done.borrow().clone()
    }

    /// Writes whose answers did not come: what an interrupt leaves open.
    pub fn unanswered(&self) -> Vec<String> {
        self.client.get().map(Client::unanswered_writes).unwrap_or_default()
    }
}
