//! The only path for writes: intent to the journal, request, outcome to the journal.

use serde::Serialize;
use serde_json::value::to_raw_value;

use super::dry_run::Writes;
use super::journal::{Api, PendingEntry, Title, TrialTerms, WriteIntent};
use super::{Env, Error, FlowError};
use crate::api::request::WriteRequest;
use crate::api::{self, Created};

/// What a write led to: its answer, or the object that was read because the answer was lost.
pub(super) enum Written<T, R> {
    Answered(T),
    Found(R),
}

impl Env<'_> {
    /// Records an observation or statement that a later run depends on.
    pub(super) fn record_note(
        &self,
        title: impl Into<Title>,
        image: &impl Serialize,
    ) -> Result<(), FlowError> {
        let image = to_raw_value(image).expect("what is noted is plain data");
        self.note(&WriteIntent::new(title.into(), Some(image.get())))
    }

    /// [`Env::record_note`] for a resumed trial; `connector` is its object.
    pub(super) fn record_resumed_trial(
        &self,
        title: impl Into<Title>,
        connector: &str,
        terms: TrialTerms,
    ) -> Result<(), FlowError> {
        let intent = WriteIntent::new(title.into(), Some(connector));
        self.note(&WriteIntent { trial: Some(terms), ..intent })
    }

    /// For a ticket: undone if the state shows that another client made the change.
    pub(super) fn record_unsent<T>(
        &self,
        request: &WriteRequest<T>,
        intent: &WriteIntent<'_>,
    ) -> Result<(), FlowError> {
        self.begin(request, intent).map(drop)
    }

    fn begin<T>(
        &self,
        request: &WriteRequest<T>,
        intent: &WriteIntent<'_>,
    ) -> Result<PendingEntry, FlowError> {
        self.ensure_sends(intent)?;
        self.journal.begin(self.api(), request, intent)
    }

    fn note(&self, intent: &WriteIntent<'_>) -> Result<(), FlowError> {
        if self.is_dry_run() {
            return Ok(());
        }
        self.ensure_sends(intent)?;
        self.journal.note(self.api(), intent)
    }

    fn ensure_sends(&self, intent: &WriteIntent<'_>) -> Result<(), FlowError> {
        match self.writes {
            Writes::Send => Ok(()),
            Writes::Refuse | Writes::List(_) => {
                let message = format!("not done in a dry run: {}", intent.title.text);
                Err(FlowError::refused(message))
            }
        }
    }

    fn api(&self) -> Api<'_> {
        Api { client: self.client, account: self.account }
    }

    pub(super) async fn send_write<T>(
        &self,
        request: &WriteRequest<T>,
        intent: WriteIntent<'_>,
    ) -> Result<T, Error> {
        match self.send_write_or_find(request, intent, async || None::<T>).await? {
            Written::Answered(answer) | Written::Found(answer) => Ok(answer),
        }
    }

    /// If the response is lost, `find` reads the object, and returns it if it shows the change:
    /// what was applied must not look like a failure, least of all in a lockout.
    pub(super) async fn send_write_or_find<T, R>(
        &self,
        request: &WriteRequest<T>,
        intent: WriteIntent<'_>,
        find: impl AsyncFnOnce() -> Option<R>,
    ) -> Result<Written<T, R>, Error> {
        let ticket = self.begin(request, &intent)?;
        #[expect(clippy::disallowed_methods, reason = "this is the executor")]
        let answer = self.client.write(request).await;
        if let Err(error) = &answer
            && error.outcome_unknown()
            && let Some(found) = find().await
        {
            self.journal.end_found(&ticket);
            return Ok(Written::Found(found));
        }
        self.journal.end(self.client, &ticket, &answer, None);
        Ok(Written::Answered(answer?.0))
    }

    pub(super) async fn send_create<T: Serialize>(
        &self,
        request: &WriteRequest<T>,
        find: impl AsyncFn() -> Result<Option<T>, api::Error>,
        intent: WriteIntent<'_>,
    ) -> Result<Created<T>, Error> {
        let ticket = self.begin(request, &intent)?;
        #[expect(clippy::disallowed_methods, reason = "this is the executor")]
        let answer = self.client.write_once(request, find).await;
        let found = match &answer {
            Ok((Created::Existing(found), _)) => to_raw_value(found).ok(),
            _ => None,
        };
        self.journal.end(self.client, &ticket, &answer, found.as_deref());
        Ok(answer?.0)
    }
}
