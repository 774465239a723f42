//! A dry run of a flow: its writes are collected instead of sent, each assumed to succeed.

use std::cell::RefCell;

use super::Env;
use super::plan::Change;

#[derive(Default)]
pub struct DryRun(RefCell<Vec<Change>>);

impl DryRun {
    pub(super) fn add(&self, changes: impl IntoIterator<Item = Change>) {
        self.0.borrow_mut().extend(changes);
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.0.into_inner()
    }
}

impl Env<'_> {
    pub(super) fn with_dry_run<'d>(&'d self, dry_run: &'d DryRun) -> Env<'d> {
        Env { dry_run: Some(dry_run), ..*self }
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run.is_some()
    }
}
