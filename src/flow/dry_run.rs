//! A dry run of a flow: its writes are listed instead of sent, each assumed to succeed.

use std::cell::RefCell;

use super::Env;
use super::plan::Change;

/// What becomes of the writes of a command.
#[derive(Clone, Copy)]
pub enum Writes<'a> {
    Send,
    /// In a dry run: the command lists its changes itself.
    Refuse,
    /// In the dry run of a flow.
    List(&'a DryRun),
}

#[derive(Default)]
pub struct DryRun {
    changes: RefCell<Vec<Change>>,
    /// The objects before the changes, which a run would have in its journal.
    objects: RefCell<Vec<String>>,
}

impl DryRun {
    pub(super) fn add(&self, changes: impl IntoIterator<Item = Change>) {
        self.changes.borrow_mut().extend(changes);
    }

    pub(super) fn add_object(&self, before: &str) {
        self.objects.borrow_mut().push(before.to_owned());
    }

    pub(super) fn objects(&self) -> Vec<String> {
        self.objects.borrow().clone()
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.changes.into_inner()
    }
}

impl Env<'_> {
    pub(super) fn with_dry_run<'d>(&'d self, dry_run: &'d DryRun) -> Env<'d> {
        Env { writes: Writes::List(dry_run), ..*self }
    }

    /// Where a flow lists its writes.
    pub(super) fn dry_run(&self) -> Option<&DryRun> {
        match self.writes {
            Writes::List(dry_run) => Some(dry_run),
            Writes::Send | Writes::Refuse => None,
        }
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run().is_some()
    }
}
