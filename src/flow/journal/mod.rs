//! Journal of writes: the object before is on disk before a write is sent, the outcome follows.
//! The only path for writes is [`Env::execute`](super::Env::execute).

mod entry;
mod intent;
pub(super) mod inverse;
pub(super) mod origin;
pub(super) mod recreate;
mod redact;
pub(super) mod resource;
mod store;
pub mod ticket;
pub mod transfer;
mod trial;

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

pub use entry::{Cause, Entry, Outcome, TrialTerms};
pub use intent::Title;
pub(super) use intent::WriteIntent;
pub(super) use inverse::irreversible_reason;
pub use inverse::{Inverse, NotUndoable, inverse};
pub use origin::{SANDBOX, by_origin};
pub use redact::{NOT_KEPT, command_line};
pub use resource::ResourceKind;
pub use store::{Contents, EnablingLock, PruneReport, Store};
pub use trial::{ClosedTrial, OpenTrial};

use self::entry::{FORMAT, Finished, Record, Started};
use self::redact::{Redacted, redact};
use self::resource::Resource;
use self::store::{Files, RunFile};
use super::FlowError;
use crate::api::ids::AccountId;
use crate::api::request::WriteRequest;
use crate::api::{Client, Error, ResponseMeta};
use crate::clock::Clock;
use crate::input::permissions::Exposure;

#[derive(Clone, Debug, Default)]
pub struct Actor {
    pub user: Option<String>,
    pub credential: Option<String>,
    /// The API's base URL, or [`SANDBOX`] and the state file of a simulator that ends with the
    /// command.
    pub base_url: String,
    pub command: String,
}

pub struct Journal<'p> {
    storage: Storage,
    actor: Actor,
    clock: Clock,
    run: RefCell<Option<RunFile>>,
    ticket: Option<ticket::Writer<'p>>,
    allows_unrecorded: Cell<bool>,
    write_errors: RefCell<Vec<String>>,
    /// Of all runs, as first read: a long journal takes a while to read.
    connector_entries: OnceCell<Option<Vec<Entry>>>,
}

enum Storage {
    Store(Store),
    /// Only an undo ticket; the number counts its entries.
    Ticket(Cell<u32>),
    Unavailable,
}

#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub client: &'a Client,
    pub account: &'a AccountId,
}

/// `None` for a write that is not recorded.
pub(super) struct PendingEntry(Option<u32>);

impl<'p> Journal<'p> {
    /// The directory is created with the first entry.
    pub fn in_directory(dir: PathBuf, actor: Actor, clock: Clock) -> Self {
        Self::new(Storage::Store(Store::new(dir)), actor, clock)
    }

    /// No place for a journal: every write fails.
    pub fn unavailable(actor: Actor, clock: Clock) -> Self {
        Self::new(Storage::Unavailable, actor, clock)
    }

    /// Only an undo ticket, on request.
    pub fn to_ticket(sink: ticket::Sink<'p>, actor: Actor, clock: Clock) -> Self {
        Self::new(Storage::Ticket(Cell::new(0)), actor, clock).with_ticket(sink)
    }

    pub fn with_ticket(mut self, sink: ticket::Sink<'p>) -> Self {
        self.ticket = Some(ticket::Writer::new(sink));
        self
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn with_full_disk(dir: PathBuf, clock: Clock) -> Self {
        let full = |_: &Path| std::fs::File::options().write(true).open("/dev/full");
        Self::new(Storage::Store(Store::with_files(dir, full)), Actor::default(), clock)
    }

    fn new(storage: Storage, actor: Actor, clock: Clock) -> Self {
        Self {
            storage,
            actor,
            clock,
            run: RefCell::default(),
            ticket: None,
            allows_unrecorded: Cell::default(),
            write_errors: RefCell::default(),
            connector_entries: OnceCell::new(),
        }
    }

    /// From now on, a write that cannot be recorded is sent nevertheless, and is one of
    /// [`Self::write_errors`]. For changes that an undo ticket describes: it must work on a machine
    /// where nothing can be written.
    pub fn allow_unrecorded(&self) {
        self.allows_unrecorded.set(true);
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// `None` until the run has written.
    pub fn run(&self) -> Option<String> {
        self.run.borrow().as_ref().filter(|run| run.next() > 1).map(|run| run.id.clone())
    }

    /// Whether an entry of this run can be undone.
    pub fn is_undoable(&self) -> bool {
        let entries = self.own_entries();
        // Where a lock is more than advice, this run's file cannot be read yet.
        entries.is_empty() || entries.iter().any(|entry| inverse(entry).is_ok())
    }

    /// The entries of this run so far.
    pub(super) fn own_entries(&self) -> Vec<Entry> {
        match (&self.storage, self.run()) {
            (Storage::Store(store), Some(run)) => store.entries_of(&run),
            _ => Vec::new(),
        }
    }

    /// The entries about connectors; those of other runs are read once. `None` if [`Self::read`]
    /// fails.
    pub(super) fn connector_entries(&self) -> Option<Vec<Entry>> {
        let of_connectors = |mut entries: Vec<Entry>| {
            entries.retain(|entry| entry.resource == Some(ResourceKind::Connector));
            entries
        };
        let read = || self.read().ok().map(|contents| of_connectors(contents.entries));
        let known = self.connector_entries.get_or_init(read).as_ref()?;
        Some([known.clone(), of_connectors(self.own_entries())].concat())
    }

    pub fn last_entry(&self) -> Option<String> {
        let run = self.run.borrow();
        run.as_ref()
            .filter(|run| run.next() > 1)
            .map(|run| format!("{}.{}", run.id, run.next() - 1))
    }

    /// Without secrets.
    pub fn command(&self) -> &str {
        &self.actor.command
    }

    /// The run becomes history when it ends.
    pub(super) fn settle_trial(&self) {
        if let Some(run) = &mut *self.run.borrow_mut() {
            run.settle_trial();
        }
    }

    /// Outcomes, and writes if [`Self::allow_unrecorded`], that could not be recorded.
    pub fn write_errors(&self) -> Vec<String> {
        self.write_errors.borrow().clone()
    }

    pub fn store(&self) -> Result<&Store, FlowError> {
        match &self.storage {
            Storage::Store(store) => Ok(store),
            Storage::Ticket(_) | Storage::Unavailable => Err(no_directory_error("no journal")),
        }
    }

    pub fn read(&self) -> Result<Contents, FlowError> {
        let store = self.store()?;
        let message = format!("the journal in {} cannot be read", store.dir().display());
        let exposed = store.exposure(Files::Every);
        let readable = exposed.as_ref().map(|(exposure, path)| exposure.describe(path));
        if let Some((exposure, path)) = exposed.filter(|(exposure, _)| exposure.is_writable()) {
            return Err(exposed_error(message, exposure, &path));
        }
        match store.read() {
            Ok(reading) => Ok(Contents { readable, ..reading }),
            Err(error) => Err(FlowError::journal(message).cause(error.to_string()).hint(REMEDY)),
        }
    }

    /// Whether the next write could be recorded. Writes nothing.
    pub fn ensure_writable(&self) -> Result<(), FlowError> {
        let store = self.store()?;
        let message = "the journal cannot be written";
        match store.exposure(Files::New) {
            Some((exposure, path)) if exposure.is_writable() => {
                Err(exposed_error(message, exposure, &path))
            }
            _ => store.try_write().map_err(|error| not_writable_error(message, store, &error)),
        }
    }

    /// A request may be sent only if this succeeds.
    pub(super) fn begin<T>(
        &self,
        api: Api<'_>,
        request: &WriteRequest<T>,
        intent: &WriteIntent<'_>,
    ) -> Result<PendingEntry, FlowError> {
        let request = to_raw_value(request).expect("a request is plain data");
        self.append_start(self.start_record(api, &request, intent))
    }

    /// If this fails, nothing that depends on it may be sent.
    pub(super) fn note(&self, api: Api<'_>, intent: &WriteIntent<'_>) -> Result<(), FlowError> {
        let none = raw(entry::NO_REQUEST).expect("an empty object is JSON");
        let ticket = self.append_start(self.start_record(api, &none, intent))?;
        self.append_finish(&ticket, Finished::success(&ResponseMeta::default()));
        Ok(())
    }

    fn append_start(&self, started: Started) -> Result<PendingEntry, FlowError> {
        let title = started.title.clone();
        match self.append_entry(started) {
            Err(error) if self.allows_unrecorded.get() => {
                let reason = error.causes.join(": ");
                let text = format!("not recorded in the journal: {title} ({reason})");
                self.write_errors.borrow_mut().push(text);
                Ok(PendingEntry(None))
            }
            number => Ok(PendingEntry(Some(number?))),
        }
    }

    fn append_entry(&self, mut started: Started) -> Result<u32, FlowError> {
        let store = match &self.storage {
            Storage::Store(store) => store,
            Storage::Ticket(entries) => {
                started.entry = entries.get() + 1;
                entries.set(started.entry);
                let number = started.entry;
                self.start_ticket(&Record::Started(started), None)?;
                return Ok(number);
            }
            Storage::Unavailable => {
                return Err(no_directory_error("no journal; nothing was sent"));
            }
        };
        let mut run = self.run.borrow_mut();
        if run.is_none()
            && let Some((exposure, path)) = store.exposure(Files::New)
            && exposure.is_writable()
        {
            return Err(exposed_error(NOT_SENT, exposure, &path));
        }
        let run = match &mut *run {
            Some(run) => run,
            none => none.insert(
                store
                    .begin_run(self.clock.now())
                    .map_err(|error| not_writable_error(NOT_SENT, store, &error))?,
            ),
        };
        started.entry = run.next();
        let (number, is_trial) = (started.entry, started.trial.is_some());
        let record = Record::Started(started);
        self.start_ticket(&record, Some(&run.id))?;
        run.begin(&record, is_trial)
            .map_err(|error| not_writable_error(NOT_SENT, store, &error))?;
        Ok(number)
    }

    /// If this fails, nothing may be sent.
    fn start_ticket(&self, record: &Record, run: Option<&str>) -> Result<(), FlowError> {
        let Some(ticket) = &self.ticket else { return Ok(()) };
        ticket.add(record, run).map_err(|error| {
            let message = "cannot write the undo ticket; nothing was sent";
            FlowError::journal(message).cause(error.to_string()).hint(ticket::REMEDY)
        })
    }

    pub(super) fn end<T>(
        &self,
        client: &Client,
        ticket: &PendingEntry,
        answer: &Result<(T, ResponseMeta), Error>,
        found: Option<&RawValue>,
    ) {
        let mut ended = match answer {
            Ok((_, meta)) => Finished::success(meta),
            Err(error) => Finished::failure(error),
        };
        let result = answer.as_ref().ok().and_then(|(_, meta)| raw(meta.result.as_deref()?));
        let after = result.or_else(|| found.map(ToOwned::to_owned));
        ended.after = after
            .filter(|after| after.get() != "null")
            .map(|after| redact_for_journal(client, &after).value);
        self.append_finish(ticket, ended);
    }

    /// The response was lost, and the object shows that the write was applied.
    pub(super) fn end_found(&self, ticket: &PendingEntry) {
        self.append_finish(ticket, Finished::found());
    }

    fn append_finish(&self, ticket: &PendingEntry, mut ended: Finished) {
        let Some(number) = ticket.0 else { return };
        ended.entry = number;
        ended.finished_at = self.clock.now();
        let record = Record::Finished(ended);
        let mut write_errors = self.write_errors.borrow_mut();
        if let Some(undo) = &self.ticket
            && let Err(error) = undo.add(&record, None)
        {
            write_errors.push(format!("cannot record an outcome in the undo ticket: {error}"));
        }
        let Some(run) = &mut *self.run.borrow_mut() else { return };
        if let Err(error) = run.end(&record) {
            write_errors
                .push(format!("cannot record the outcome of entry {}.{number}: {error}", run.id));
        }
    }

    fn start_record(&self, api: Api<'_>, request: &RawValue, intent: &WriteIntent<'_>) -> Started {
        let Api { client, account } = api;
        let path = serde_json::from_str::<Value>(request.get()).unwrap_or_default();
        let resource = path["path"].as_str().and_then(|path| Resource::parse(account, path));
        let Redacted { value: request, mut not_kept } = redact_for_journal(client, request);
        let before = intent.before.and_then(raw).map(|before| redact_for_journal(client, &before));
        let before = before.map(|before| {
            not_kept.extend(before.not_kept.iter().map(|field| format!("before.{field}")));
            before.value
        });
        Started {
            format: FORMAT,
            entry: 0,
            started_at: self.clock.now(),
            user: self.actor.user.clone(),
            credential: self.actor.credential.clone(),
            account: Some(account.clone()),
            base_url: Some(client.mask(&self.actor.base_url)),
            resource: resource.map(|resource| resource.kind()),
            cause: intent.title.cause,
            command: client.mask(&self.actor.command),
            title: client.mask(&intent.title.text),
            request,
            before,
            redacted_fields: not_kept,
            undoes: intent.undoes.map(str::to_owned),
            trial: intent.trial,
        }
    }
}

impl Drop for Journal<'_> {
    fn drop(&mut self) {
        if let Some(run) = self.run.get_mut().take() {
            run.close();
        }
    }
}

fn redact_for_journal(client: &Client, value: &RawValue) -> Redacted {
    redact(value, &|text| client.mask(text))
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

const NOT_SENT: &str = "cannot write the journal; nothing was sent";

const REMEDY: &str = "`export CFSSO_JOURNAL=DIR`";

fn no_directory_error(message: &str) -> FlowError {
    FlowError::journal(message).cause("no home directory for the journal").hint(REMEDY)
}

fn exposed_error(message: impl Into<String>, exposure: Exposure, path: &Path) -> FlowError {
    FlowError::journal(message).cause(exposure.describe(path)).hint(exposure.remedy(path))
}

fn not_writable_error(message: &str, store: &Store, error: &io::Error) -> FlowError {
    FlowError::journal(message)
        .cause(format!("{}: {error}", store.dir().display()))
        .hint(format!("free space there, or {REMEDY}"))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jiff::Timestamp;
    use secrecy::SecretString;

    use super::*;
    use crate::api::{Config, Credentials};
    use crate::flow::FlowErrorKind;

    const SECRET: &str = "0ldT0kenOfAnyLook";

    fn client(clock: &Clock) -> Client {
        let token = Credentials::Token(SecretString::from(SECRET));
        Client::new(Config::new(token), clock.clone())
    }

    fn api(client: &Client) -> Api<'_> {
        static ACCOUNT: LazyLock<AccountId> =
            LazyLock::new(|| "0123456789abcdef0123456789abcdef".parse().unwrap());
        Api { client, account: &ACCOUNT }
    }

    fn request() -> WriteRequest<()> {
        WriteRequest::patch(&["accounts", "a"])
            .body(&serde_json::json!({"client_secret": "S3", "note": SECRET}))
    }

    fn intent() -> WriteIntent<'static> {
        WriteIntent::new("t".into(), Some(r#"{"a":1}"#))
    }

    #[test]
    fn no_secret_is_written_down() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let dir = tempfile::tempdir().unwrap();
        let actor = Actor { command: format!("cfsso {SECRET}"), ..Actor::default() };
        let journal = Journal::in_directory(dir.path().to_owned(), actor, clock.clone());
        let before = format!(r#"{{"x":"{SECRET}","password":"S3"}}"#);
        let intent = WriteIntent::new(SECRET.into(), Some(&before));
        let client = client(&clock);
        let ticket = journal.begin(api(&client), &request(), &intent).unwrap();
        let mut meta = ResponseMeta::default();
        meta.result = Some(before.clone());
        journal.end(&client, &ticket, &Ok(((), meta)), None);
        drop(journal);
        let path = dir.path().join("runs/19700101-000000.ndjson");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains(SECRET) && !text.contains("S3"), "{text}");
        let reading = Store::new(dir.path().to_owned()).read().unwrap();
        assert_eq!(
            reading.entries[0].redacted_fields,
            ["body.client_secret", "body.note", "before.x", "before.password"]
        );
    }

    #[test]
    fn without_a_place_nothing_may_be_sent() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let journal = Journal::unavailable(Actor::default(), clock.clone());
        let error = journal.begin(api(&client(&clock)), &request(), &intent()).err().unwrap();
        assert_eq!(error.kind, FlowErrorKind::Journal);
        assert!(error.hint.unwrap().contains("CFSSO_JOURNAL"));
    }

    #[test]
    fn without_a_journal_the_state_before_is_printed_or_nothing_is_sent() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let printed = RefCell::new(String::new());
        let print = |text: &str, _| {
            printed.borrow_mut().push_str(text);
            Ok(())
        };
        let journal = Journal::to_ticket(Box::new(print), Actor::default(), clock.clone());
        assert!(journal.begin(api(&client(&clock)), &request(), &intent()).is_ok());
        assert!(printed.borrow().contains(r#""before":{"a":1}"#), "{}", printed.borrow());
        assert!(!printed.borrow().contains("S3"));

        let broken = |_: &str, _| Err(io::Error::from(io::ErrorKind::BrokenPipe));
        let journal = Journal::to_ticket(Box::new(broken), Actor::default(), clock.clone());
        assert!(journal.begin(api(&client(&clock)), &request(), &intent()).is_err());
    }

    #[test]
    fn what_a_run_writes_about_connectors_is_known_although_history_is_read_once() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            ["accounts", api(&client(&clock)).account.as_str(), name].map(str::to_owned)
        };
        let write = |journal: &Journal<'_>, name: &str| {
            let path = path(name);
            let request = WriteRequest::<()>::post(&path.each_ref().map(String::as_str));
            let client = client(&clock);
            let ticket = journal.begin(api(&client), &request, &intent()).unwrap();
            journal.end(&client, &ticket, &Ok(((), ResponseMeta::default())), None);
        };
        let open = || Journal::in_directory(dir.path().to_owned(), Actor::default(), clock.clone());
        write(&open(), "sso_connectors");
        let journal = open();
        let known = || journal.connector_entries().map(|entries| entries.len());
        assert_eq!(known(), Some(1));
        write(&journal, "sso_connectors");
        write(&journal, "shares");
        write(&open(), "sso_connectors");
        assert_eq!(known(), Some(2), "another process is not waited for");
        assert_eq!(
            Journal::unavailable(Actor::default(), clock.clone())
                .connector_entries()
                .map(|it| it.len()),
            None
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_stops_the_write() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::with_full_disk(dir.path().to_owned(), clock.clone());
        let error = journal.begin(api(&client(&clock)), &request(), &intent()).err().unwrap();
        assert_eq!(error.message, "cannot write the journal; nothing was sent");
        assert!(error.causes[0].contains("No space left"), "{error:?}");
        assert_eq!(journal.run(), None);
    }
}
