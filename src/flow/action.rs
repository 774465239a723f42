//! Writes as values: what a dry run lists is what the executor sends.

use serde::Serialize;

use super::journal::{Cause, Title, TrialTerms, WriteIntent, irreversible_reason};
use super::journaled::Written;
use super::plan::{Change, Difference};
use super::{Env, Error, FlowError};
use crate::api::request::{Request, WriteRequest};
use crate::api::{Created, Error as ApiError, ErrorKind};

pub struct Action<T> {
    title: String,
    request: WriteRequest<T>,
    diff: Vec<Difference>,
    before: Option<String>,
    after: Option<String>,
    show_command: Option<String>,
    cause: Option<Cause>,
    undoes: Option<String>,
    trial: Option<TrialTerms>,
}

impl<T> Action<T> {
    /// `title` is an imperative, such as "delete the share x".
    pub fn new(
        title: impl Into<String>,
        request: WriteRequest<T>,
        diff: impl IntoIterator<Item = Difference>,
    ) -> Self {
        let diff = diff.into_iter().collect();
        Self {
            title: title.into(),
            request,
            diff,
            before: None,
            after: None,
            show_command: None,
            cause: None,
            undoes: None,
            trial: None,
        }
    }

    /// The object as it was read: undo restores it.
    pub fn before(mut self, object: &str) -> Self {
        self.before = Some(object.to_owned());
        self
    }

    /// The object that a dry run assumes afterwards.
    pub fn after(mut self, object: Option<String>) -> Self {
        self.after = object;
        self
    }

    /// The command that shows the object, for a write that is not confirmed.
    pub fn shown_by(mut self, command: impl Into<String>) -> Self {
        self.show_command = Some(command.into());
        self
    }

    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    pub fn undoing(mut self, entry: Option<String>) -> Self {
        self.undoes = entry;
        self
    }

    /// On trial: reverted unless kept.
    pub fn on_trial(mut self, terms: TrialTerms) -> Self {
        self.trial = Some(terms);
        self
    }

    pub fn change(&self) -> Change {
        let reason = irreversible_reason(&self.request, self.before.as_deref(), self.cause);
        let change = Change::new(&self.title, &self.request, self.diff.clone());
        Change { irreversible_reason: reason, ..change }
    }

    pub fn not_confirmed(&self, observed: impl Into<String>) -> FlowError {
        let message = format!("not confirmed: {}", self.title);
        let error = FlowError::not_confirmed(message).cause(observed);
        match &self.show_command {
            Some(command) => error.hint(format!("`{command}`")),
            None => error,
        }
    }

    /// The assumed response in a dry run, which lists the change.
    fn assumed<R, M>(
        &self,
        env: &Env<'_>,
        response: &Request<R, M>,
    ) -> Option<Result<R, FlowError>> {
        let dry_run = env.dry_run()?;
        dry_run.add([self.change()]);
        if let Some(before) = &self.before {
            dry_run.add_object(before);
        }
        let object = response.decode(self.after.as_deref().unwrap_or("null"));
        Some(object.map_err(|error| {
            FlowError::refused(format!("no dry run of: {}", self.title)).cause(error.to_string())
        }))
    }

    pub(super) fn record_unsent(&self, env: &Env<'_>) -> Result<(), FlowError> {
        env.record_unsent(&self.request, &self.intent())
    }

    fn intent(&self) -> WriteIntent<'_> {
        let title = Title { text: self.title.clone(), cause: self.cause };
        WriteIntent {
            title,
            before: self.before.as_deref(),
            undoes: self.undoes.as_deref(),
            trial: self.trial,
        }
    }
}

impl Env<'_> {
    /// Journals the write, sends it and journals the outcome.
    pub async fn execute<T>(&self, action: &Action<T>) -> Result<T, Error> {
        if let Some(assumed) = action.assumed(self, &action.request) {
            return Ok(assumed?);
        }
        self.send_write(&action.request, action.intent()).await
    }

    /// [`Env::execute`] for a non-repeatable write; `find` looks for the result of a lost response.
    pub async fn execute_once<T: Serialize>(
        &self,
        action: &Action<T>,
        find: impl AsyncFn() -> Result<Option<T>, ApiError>,
    ) -> Result<Created<T>, Error> {
        if let Some(assumed) = action.assumed(self, &action.request) {
            return Ok(Created::New(assumed?));
        }
        self.send_create(&action.request, find, action.intent()).await
    }

    /// [`Env::execute`]; `find` reads the object if the response is lost.
    pub(super) async fn execute_or_find<T, R>(
        &self,
        action: &Action<T>,
        find: impl AsyncFnOnce() -> Option<R>,
    ) -> Result<Written<T, R>, Error> {
        if let Some(assumed) = action.assumed(self, &action.request) {
            return Ok(Written::Answered(assumed?));
        }
        self.send_write_or_find(&action.request, action.intent(), find).await
    }

    pub async fn execute_and_confirm<T, R>(
        &self,
        action: &Action<T>,
        read: &Request<R>,
        is_as_sent: impl Fn(&R) -> bool,
    ) -> Result<R, Error> {
        if let Some(assumed) = action.assumed(self, read) {
            return Ok(assumed?);
        }
        let find = async || self.client.send(read).await.ok().filter(&is_as_sent);
        let object = match self.execute_or_find(action, find).await? {
            Written::Answered(_) => self.client.send(read).await?,
            Written::Found(object) => object,
        };
        if is_as_sent(&object) {
            return Ok(object);
        }
        Err(action.not_confirmed("the API accepted the request, but the value differs").into())
    }

    pub async fn execute_deletion<R>(
        &self,
        action: &Action<()>,
        read: &Request<R>,
    ) -> Result<(), Error> {
        let is_deleted = |error: &ApiError| error.kind() == ErrorKind::NotFound;
        let find = async || self.client.send(read).await.err().filter(is_deleted);
        let written = self.execute_or_find(action, find).await?;
        if self.is_dry_run() || matches!(written, Written::Found(_)) {
            return Ok(());
        }
        match self.client.send(read).await {
            Err(error) if is_deleted(&error) => Ok(()),
            Err(error) => {
                let failure = action
                    .not_confirmed("the API accepted the request, but reading the object failed");
                Err(failure.causes(error.sentences()).into())
            }
            Ok(_) => Err(action
                .not_confirmed("the API accepted the request, but the object still exists")
                .into()),
        }
    }
}
