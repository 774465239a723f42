//! The one way in which anything is written: into the journal, out, and into
//! the journal again.

use serde::Serialize;
use serde_json::value::to_raw_value;

use super::journal::Intent;
use super::{Error, Stop, Tools};
use crate::api::request::Request;
use crate::api::{self, Created};

impl Tools<'_> {
    /// Sends a request that changes something. `before` is the object as it was
    /// read, `title` what the request does, in words. Stops before anything is
    /// sent where it cannot be written down.
    pub async fn write<T>(
        &self,
        request: &Request<T>,
        before: Option<&str>,
        title: impl Into<String>,
    ) -> Result<T, Error> {
        self.write_as(request, Intent { title: title.into(), before, undoes: None }).await
    }

    /// Sends a request that must not be carried out twice. If its answer is
    /// lost, `find` looks whether it was carried out all the same.
    pub async fn create<T: Serialize>(
        &self,
        request: &Request<T>,
        find: impl AsyncFn() -> Result<Option<T>, api::Error>,
        title: impl Into<String>,
    ) -> Result<Created<T>, Error> {
        self.create_as(request, find, Intent { title: title.into(), before: None, undoes: None })
            .await
    }

    /// Writes down something seen or said that a later run rests on.
    pub(super) fn note(
        &self,
        title: impl Into<String>,
        image: &impl Serialize,
    ) -> Result<(), Stop> {
        let image = to_raw_value(image).expect("what is noted is plain data");
        self.journal.note(self.client, title.into(), image.get())
    }

    pub(super) async fn write_as<T>(
        &self,
        request: &Request<T>,
        intent: Intent<'_>,
    ) -> Result<T, Error> {
        let ticket = self.journal.begin(self.client, request, &intent)?;
        let answer = self.client.send_seen(request).await;
        self.journal.end(self.client, &ticket, &answer, None);
        Ok(answer?.0)
    }

    pub(super) async fn create_as<T: Serialize>(
        &self,
        request: &Request<T>,
        find: impl AsyncFn() -> Result<Option<T>, api::Error>,
        intent: Intent<'_>,
    ) -> Result<Created<T>, Error> {
        let ticket = self.journal.begin(self.client, request, &intent)?;
        let answer = self.client.create_seen(request, find).await;
        let found = match &answer {
            Ok((Created::Found(found), _)) => to_raw_value(found).ok(),
            _ => None,
        };
        self.journal.end(self.client, &ticket, &answer, found.as_deref());
        Ok(answer?.0)
    }
}
