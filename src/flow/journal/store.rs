//! The journal's directory: one file per run, in `open/` while a write has no outcome, then in
//! `runs/`. Unfinished runs are found without reading history; concurrent runs share no file.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::OpenTrial;
use super::entry::{self, Entry, Outcome, Record};
use crate::api::ids::ConnectorId;
use crate::input::permissions::{Exposure, exposure};
use crate::private_file;

const OPEN: &str = "open";
const RUNS: &str = "runs";
const SUFFIX: &str = ".ndjson";

#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    create: fn(&Path) -> io::Result<File>,
}

#[derive(Debug, Default)]
pub struct Contents {
    pub entries: Vec<Entry>,
    pub damaged: Vec<String>,
    /// A warning that other users can read it, with the command that prevents it.
    pub readable: Option<String>,
    /// What makes it readable, if it cannot be read at all.
    pub remedy: Option<String>,
}

/// The result of `cfsso journal prune`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PruneReport {
    schema: &'static str,
    /// Whether this was a dry run: nothing was deleted.
    pub dry_run: bool,
    /// The IDs of the deleted runs.
    pub deleted: Vec<String>,
    /// The runs that are old enough to delete but were retained.
    pub retained: Vec<RetainedRun>,
}

/// A run that was retained.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RetainedRun {
    /// The ID of the run.
    pub run: String,
    /// The reason why the run was retained.
    pub reason: String,
}

#[derive(Debug)]
pub(super) struct RunFile {
    pub id: String,
    dir: PathBuf,
    file: File,
    entries: u32,
    unfinished: u32,
    /// Contains a trial that is not over.
    has_trial: bool,
    is_new: bool,
    is_torn: bool,
}

impl Store {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, create: create_private }
    }

    #[cfg(test)]
    pub(super) fn with_files(dir: PathBuf, create: fn(&Path) -> io::Result<File>) -> Self {
        Self { dir, create }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A folder that other users can use, or with `Files::Every` a file that they can change. In a
    /// private folder, no file is exposed.
    pub(super) fn exposure(&self, files: Files) -> Option<(Exposure, PathBuf)> {
        let mut paths = vec![self.dir.clone(), self.dir.join(OPEN), self.dir.join(RUNS)];
        if files == Files::Every {
            for folder in [OPEN, RUNS] {
                let runs = self.runs(folder).unwrap_or_default();
                paths.extend(runs.iter().map(|run| self.path(folder, run)));
            }
        }
        let exposed = |path: PathBuf| Some((exposure(&path)?, path));
        let is_writable = |(exposure, _): &(Exposure, PathBuf)| exposure.is_writable();
        paths
            .into_iter()
            .filter_map(exposed)
            .find(is_writable)
            .or_else(|| exposed(self.dir.clone()))
    }

    /// Tries a file without a name in the folder of new runs, or where that would be created.
    pub(super) fn try_write(&self) -> io::Result<()> {
        let folder = self.dir.join(OPEN);
        let folder = folder.ancestors().find(|folder| folder.exists());
        let folder = folder.map_or(Path::new("."), |folder| folder);
        tempfile::tempfile_in(folder).map(drop)
    }

    pub(super) fn begin_run(&self, now: Timestamp) -> io::Result<RunFile> {
        for folder in [OPEN, RUNS] {
            create_folder(&self.dir.join(folder))?;
        }
        let stamp = now.strftime("%Y%m%d-%H%M%S").to_string();
        let mut number = 1;
        loop {
            let id = if number == 1 { stamp.clone() } else { format!("{stamp}-{number}") };
            number += 1;
            let path = self.path(OPEN, &id);
            let file = match (self.create)(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            // The name belongs to a run that ended and was moved before.
            if self.path(RUNS, &id).exists() {
                fs::remove_file(&path)?;
                continue;
            }
            // Without locks, a run in progress looks unfinished to other processes.
            let _ = file.lock();
            return Ok(RunFile {
                id,
                dir: self.dir.clone(),
                file,
                entries: 0,
                unfinished: 0,
                has_trial: false,
                is_new: true,
                is_torn: false,
            });
        }
    }

    pub fn read(&self) -> io::Result<Contents> {
        let mut reading = Contents::default();
        for folder in [RUNS, OPEN] {
            for run in self.runs(folder)? {
                self.read_run(folder, &run, &mut reading);
            }
        }
        reading.entries.sort_by_key(Entry::order);
        // A run may be moved while the folders are read.
        reading.entries.dedup_by(|a, b| a.id == b.id);
        connect(&mut reading.entries);
        Ok(reading)
    }

    /// The entries of one run, as far as they can be read.
    pub(super) fn entries_of(&self, run: &str) -> Vec<Entry> {
        let mut reading = Contents::default();
        for folder in [OPEN, RUNS] {
            if reading.entries.is_empty() {
                self.read_run(folder, run, &mut reading);
            }
        }
        connect(&mut reading.entries);
        reading.entries
    }

    /// Reads only `open/`, without runs in progress.
    pub fn unfinished(&self) -> Vec<Entry> {
        let mut reading = Contents::default();
        for run in self.runs(OPEN).unwrap_or_default() {
            if !is_locked(&self.path(OPEN, &run)) {
                self.read_run(OPEN, &run, &mut reading);
            }
        }
        reading.entries.retain(|entry| entry.outcome == Outcome::Unfinished);
        reading.entries.sort_by_key(Entry::order);
        reading.entries
    }

    /// The right to enable SSO of a connector, which one process has at a time; `None` while another
    /// has it.
    pub fn lock_enabling(&self, connector: &ConnectorId) -> io::Result<Option<EnablingLock>> {
        create_folder(&self.dir)?;
        let name: String = connector.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
        let file = private_file::options()
            .append(true)
            .create(true)
            .open(self.dir.join(format!("enabling-{name}.lock")))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(EnablingLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub fn open_trials(&self) -> Vec<OpenTrial> {
        let mut trials = Vec::new();
        for run in self.runs(OPEN).unwrap_or_default() {
            let is_live = is_locked(&self.path(OPEN, &run));
            let mut reading = Contents::default();
            self.read_run(OPEN, &run, &mut reading);
            trials.extend(OpenTrial::find(&reading.entries, is_live));
        }
        trials
    }

    pub fn request_keep(&self, trial: &OpenTrial) -> io::Result<()> {
        create_private(&self.keep_request(&trial.entry.run)).map(drop).or_else(|error| {
            if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
        })
    }

    /// Returns whether there was a request to keep the trial of this run, and deletes it.
    pub fn take_keep_request(&self, run: &str) -> bool {
        fs::remove_file(self.keep_request(run)).is_ok()
    }

    /// Without locks, another process may take a run in progress for a finished one.
    pub fn is_set_aside(&self, run: &str) -> bool {
        self.path(RUNS, run).exists()
    }

    fn keep_request(&self, run: &str) -> PathBuf {
        self.dir.join(OPEN).join(format!("{run}.keep"))
    }

    /// Runs in progress, including this one.
    pub fn pending_runs(&self) -> Vec<String> {
        let mut runs = self.runs(OPEN).unwrap_or_default();
        runs.retain(|run| is_locked(&self.path(OPEN, run)));
        runs
    }

    /// Moves a run to history after it was reported as unfinished.
    pub fn set_aside(&self, run: &str) {
        // If it cannot be moved, it is reported once more.
        let _ = fs::rename(self.path(OPEN, run), self.path(RUNS, run));
    }

    /// Removes every run, whatever its outcome: the objects no longer exist.
    pub fn clear(&self) -> io::Result<()> {
        for folder in [RUNS, OPEN] {
            for run in self.runs(folder)? {
                fs::remove_file(self.path(folder, &run))?;
            }
        }
        Ok(())
    }

    /// Keeps what is unfinished, in progress, unreadable, or in `needed`: runs with the reason.
    pub fn prune(
        &self,
        limit: Timestamp,
        needed: &BTreeMap<String, &str>,
        dry_run: bool,
    ) -> io::Result<PruneReport> {
        let mut pruned = PruneReport {
            schema: "cfsso/journal-prune/v1",
            dry_run,
            deleted: Vec::new(),
            retained: Vec::new(),
        };
        for folder in [RUNS, OPEN] {
            for run in self.runs(folder)? {
                let path = self.path(folder, &run);
                match self.age_of(folder, &run, limit) {
                    Age::Young => {}
                    Age::Kept(reason) => pruned.retained.push(RetainedRun { run, reason }),
                    Age::Old if needed.contains_key(&run) => {
                        let reason = needed[&run].to_owned();
                        pruned.retained.push(RetainedRun { run, reason });
                    }
                    Age::Old => {
                        if !dry_run {
                            fs::remove_file(&path)?;
                        }
                        pruned.deleted.push(run);
                    }
                }
            }
        }
        pruned.deleted.sort();
        Ok(pruned)
    }

    fn age_of(&self, folder: &str, run: &str, limit: Timestamp) -> Age {
        let mut reading = Contents::default();
        self.read_run(folder, run, &mut reading);
        let last = |entry: &Entry| entry.finished_at.unwrap_or(entry.started_at);
        if is_locked(&self.path(folder, run))
            || reading.entries.iter().map(last).max().is_some_and(|last| last >= limit)
        {
            return Age::Young;
        }
        if let Some(damage) = reading.damaged.into_iter().next() {
            return Age::Kept(damage);
        }
        let unfinished = reading.entries.iter().find(|entry| {
            entry.outcome == Outcome::Unfinished || folder == OPEN && entry.trial.is_some()
        });
        match unfinished {
            Some(entry) => Age::Kept(format!("entry {} is unfinished", entry.id)),
            None if reading.entries.is_empty() => Age::Young,
            None => Age::Old,
        }
    }

    fn read_run(&self, folder: &str, run: &str, into: &mut Contents) {
        let path = self.path(folder, run);
        let mut text = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut text)) {
            Ok(_) => {}
            // Moved or removed since the folder was read.
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => {
                return into.damaged.push(format!("{} cannot be read: {error}", path.display()));
            }
        }
        let (entries, bad) = entry::parse(run, &text);
        into.entries.extend(entries);
        into.damaged.extend(
            bad.iter()
                .map(|bad| format!("{}, line {}: {}", path.display(), bad.number, bad.reason)),
        );
    }

    fn runs(&self, folder: &str) -> io::Result<Vec<String>> {
        let files = match fs::read_dir(self.dir.join(folder)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let mut runs = Vec::new();
        for file in files {
            let name = file?.file_name();
            runs.extend(
                name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).map(str::to_owned),
            );
        }
        runs.sort();
        Ok(runs)
    }

    pub(super) fn lines(&self, run: &str) -> io::Result<Vec<String>> {
        let text = match fs::read_to_string(self.path(RUNS, run)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::read_to_string(self.path(OPEN, run))?
            }
            text => text?,
        };
        Ok(text.lines().map(str::to_owned).collect())
    }

    pub(super) fn has(&self, run: &str) -> bool {
        [RUNS, OPEN].iter().any(|folder| self.path(folder, run).exists())
    }

    pub(super) fn add(&self, run: &str, text: &str) -> io::Result<()> {
        create_folder(&self.dir.join(RUNS))?;
        let mut file = (self.create)(&self.path(RUNS, run))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    fn path(&self, folder: &str, run: &str) -> PathBuf {
        path(&self.dir, folder, run)
    }
}

/// Its file stays: if it were deleted, two processes could lock two files of one name.
#[derive(Debug)]
pub struct EnablingLock(File);

impl Drop for EnablingLock {
    fn drop(&mut self) {
        // A child process that another thread starts may have it open for a while.
        let _ = self.0.unlock();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// No existing file: a run writes to a new one.
    New,
    Every,
}

enum Age {
    Young,
    Old,
    Kept(String),
}

impl RunFile {
    pub fn next(&self) -> u32 {
        self.entries + 1
    }

    /// Returns when the line is on disk.
    pub fn begin(&mut self, line: &Record, is_trial: bool) -> io::Result<()> {
        self.append(line)?;
        self.file.sync_data()?;
        if self.is_new {
            private_file::sync_folder(&self.dir.join(OPEN))?;
            self.is_new = false;
        }
        self.entries += 1;
        self.unfinished += 1;
        self.has_trial |= is_trial;
        Ok(())
    }

    pub fn settle_trial(&mut self) {
        self.has_trial = false;
    }

    /// If it is lost, the entry counts as unfinished, never as done.
    pub fn end(&mut self, line: &Record) -> io::Result<()> {
        self.append(line)?;
        self.unfinished -= 1;
        Ok(())
    }

    fn append(&mut self, line: &Record) -> io::Result<()> {
        let mut text = if self.is_torn { "\n".to_owned() } else { String::new() };
        text += &serde_json::to_string(line)?;
        text.push('\n');
        self.is_torn = true;
        self.file.write_all(text.as_bytes())?;
        self.is_torn = false;
        Ok(())
    }

    /// A run without unfinished entries becomes history.
    pub fn close(self) {
        let Self { id, dir, file, entries, unfinished, has_trial, .. } = self;
        // A child process that another thread starts may have it open for a while.
        let _ = file.unlock();
        drop(file);
        let open = path(&dir, OPEN, &id);
        // If either fails, the file stays in `open/`, and reads the same.
        let _ = match (entries, unfinished) {
            (0, _) => fs::remove_file(open),
            (_, 0) if !has_trial => fs::rename(open, path(&dir, RUNS, &id)),
            _ => Ok(()),
        };
    }
}

/// Links each entry to the one that undid it or wrote the same later. `entries`: oldest first.
fn connect(entries: &mut [Entry]) {
    for at in 0..entries.len() {
        let (earlier, later) = entries.split_at_mut(at + 1);
        if let Some(entry) = earlier.last_mut().filter(|entry| entry.has_unknown_outcome()) {
            let settles = later.iter().find(|later| later.resolves(entry));
            entry.resolved_by = settles.map(|later| later.id.clone());
        }
    }
    let undone: Vec<_> = entries
        .iter()
        .filter(|entry| entry.outcome == Outcome::Done)
        .filter_map(|entry| Some((entry.undoes.clone()?, entry.id.clone())))
        .collect();
    for entry in entries {
        entry.undone_by =
            undone.iter().rev().find(|(of, _)| *of == entry.id).map(|(_, by)| by.clone());
    }
}

fn path(dir: &Path, folder: &str, run: &str) -> PathBuf {
    dir.join(folder).join(format!("{run}{SUFFIX}"))
}

fn is_locked(path: &Path) -> bool {
    let locked = File::open(path).map(|file| file.try_lock_shared());
    matches!(locked, Ok(Err(TryLockError::WouldBlock)))
}

fn create_private(path: &Path) -> io::Result<File> {
    private_file::options().append(true).create_new(true).open(path)
}

fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    private_file::create_folder(path)?;
    path.parent().map_or(Ok(()), private_file::sync_folder)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::lines;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn written(dir: &Path, folder: &str, run: &str, text: &str) {
        create_folder(&dir.join(folder)).unwrap();
        fs::write(path(dir, folder, run), text).unwrap();
    }

    #[test]
    fn runs_of_one_second_get_names_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join("journal"));
        let first = store.begin_run(at(0)).unwrap();
        let second = store.begin_run(at(0)).unwrap();
        written(store.dir(), RUNS, "19700101-000000-3", &lines(1, true));
        let third = store.begin_run(at(0)).unwrap();
        let ids = [&first, &second, &third].map(|run| run.id.as_str());
        assert_eq!(ids, ["19700101-000000", "19700101-000000-2", "19700101-000000-4"]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join("journal"));
        let run = store.begin_run(at(0)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.dir()), 0o700);
        assert_eq!(mode(&store.dir().join(OPEN)), 0o700);
        assert_eq!(mode(&store.path(OPEN, &run.id)), 0o600);
    }

    #[test]
    fn a_run_that_never_wrote_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().to_owned());
        store.begin_run(at(0)).unwrap().close();
        assert_eq!(store.runs(OPEN).unwrap(), [""; 0]);
        assert_eq!(store.read().unwrap().entries.len(), 0);
    }

    #[test]
    fn what_another_process_is_at_work_on_is_not_unfinished() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().to_owned());
        let mut run = store.begin_run(at(0)).unwrap();
        run.file.write_all(lines(1, false).as_bytes()).unwrap();
        assert_eq!(store.unfinished().len(), 0);
        drop(run);
        assert_eq!(store.unfinished().len(), 1);
        store.set_aside("19700101-000000");
        assert_eq!(store.unfinished().len(), 0);
        assert_eq!(store.read().unwrap().entries[0].outcome, Outcome::Unfinished);
    }

    #[test]
    fn one_process_at_a_time_may_enable_sso_of_a_connector() {
        let dir = tempfile::tempdir().unwrap();
        let store = || Store::new(dir.path().join("journal"));
        let lock = |id: &str| store().lock_enabling(&id.parse().unwrap()).unwrap();
        let first = lock("c1");
        assert!(first.is_some());
        assert!(lock("c1").is_none());
        assert!(lock("c2").is_some());
        drop(first);
        assert!(lock("c1").is_some());
    }

    #[test]
    fn pruning_keeps_what_is_young_needed_unfinished_or_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().to_owned());
        written(dir.path(), RUNS, "old", &lines(1, true));
        written(dir.path(), RUNS, "needed", &lines(1, true));
        written(dir.path(), RUNS, "torn", &lines(1, true)[..60]);
        written(dir.path(), OPEN, "half", &lines(1, false));
        let last: Timestamp = "2026-03-01T12:00:01Z".parse().unwrap();
        let needed = BTreeMap::from([("needed".to_owned(), "an undo needs it")]);
        assert_eq!(store.prune(last, &needed, false).unwrap().deleted, [""; 0]);
        let later = "2026-03-01T12:00:02Z".parse().unwrap();
        for dry_run in [true, false] {
            let pruned = store.prune(later, &needed, dry_run).unwrap();
            assert_eq!(pruned.deleted, ["old"]);
            let kept: Vec<_> = pruned.retained.iter().map(|kept| kept.run.as_str()).collect();
            assert_eq!(kept, ["needed", "torn", "half"]);
            assert_eq!(pruned.retained[0].reason, "an undo needs it");
        }
        assert_eq!(store.runs(RUNS).unwrap(), ["needed", "torn"]);
    }
}
