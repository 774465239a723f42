//! Requests as values: built without I/O or token, shown by dry runs, kept by journals, sent by
//! [`Client`](super::Client).

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// A request whose result is decoded as `T`; `M` marks reads and writes.
pub struct Request<T, M = Read> {
    method: Method,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Box<RawValue>>,
    repeat: RetryMode,
    paging: Option<Paging>,
    decode: Decode<T>,
    marker: PhantomData<fn() -> M>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// By page number (API reference, section 1.5).
    Numbered { size: u32 },
    /// By the cursor of the previous page; an empty one ends the list.
    Cursor { size: u32 },
}

pub enum Read {}

pub enum Write {}

/// A write. Only the executor of actions sends it (a lint of clippy enforces that).
pub type WriteRequest<T> = Request<T, Write>;

/// Decodes `result`, or `null` if there is none.
pub type Decode<T> = fn(&str) -> serde_json::Result<T>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Whether a request may be sent again after its response was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    Idempotent,
    /// It may have been executed: look up the result before sending it again.
    LookUpFirst,
}

impl<T: DeserializeOwned> Request<T> {
    /// `segments` are encoded here.
    pub fn get(segments: &[&str]) -> Self {
        Self::new(Method::Get, segments)
    }
}

impl<T: DeserializeOwned> WriteRequest<T> {
    /// A creation: must not be repeated if its response was lost.
    pub fn post(segments: &[&str]) -> Self {
        Self::new(Method::Post, segments)
    }

    pub fn put(segments: &[&str]) -> Self {
        Self::new(Method::Put, segments)
    }

    pub fn patch(segments: &[&str]) -> Self {
        Self::new(Method::Patch, segments)
    }

    pub fn delete(segments: &[&str]) -> Self {
        Self::new(Method::Delete, segments)
    }
}

impl<T: DeserializeOwned, M> Request<T, M> {
    fn new(method: Method, segments: &[&str]) -> Self {
        Self {
            method,
            segments: segments.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            body: None,
            repeat: if method == Method::Post {
                RetryMode::LookUpFirst
            } else {
                RetryMode::Idempotent
            },
            paging: None,
            decode: |text| serde_json::from_str(text),
            marker: PhantomData,
        }
    }
}

impl<T, M> Request<T, M> {
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: &impl Serialize) -> Self {
        self.body = Some(to_raw_value(body).expect("a body is plain data"));
        self
    }

    /// Read page by page, `size` items each.
    pub fn paged(mut self, size: u32) -> Self {
        self.paging = Some(Paging::Numbered { size });
        self
    }

    /// [`Request::paged`], with a cursor instead of page numbers.
    pub fn paged_by_cursor(mut self, size: u32) -> Self {
        self.paging = Some(Paging::Cursor { size });
        self
    }

    pub fn with_decoder(mut self, decode: Decode<T>) -> Self {
        self.decode = decode;
        self
    }

    pub fn method(&self) -> Method {
        self.method
    }

    /// Not yet encoded.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Without those for paging.
    pub fn query_params(&self) -> &[(&'static str, String)] {
        &self.query
    }

    pub fn body_text(&self) -> Option<&str> {
        self.body.as_deref().map(RawValue::get)
    }

    pub fn retry_mode(&self) -> RetryMode {
        self.repeat
    }

    pub fn paging(&self) -> Option<Paging> {
        self.paging
    }

    pub fn decode(&self, result: &str) -> serde_json::Result<T> {
        (self.decode)(result)
    }
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub fn is_read(self) -> bool {
        self == Self::Get
    }
}

/// Method and path, without the query, which may contain private data.
impl<T, M> fmt::Display for Request<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /{}", self.method.as_str(), self.segments.join("/"))
    }
}

/// One journal line: `{"method":…,"path":…,"query":{…},"body":…}`.
impl<T, M> Serialize for Request<T, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Request", 4)?;
        line.serialize_field("method", &self.method)?;
        line.serialize_field("path", &format!("/{}", self.segments.join("/")))?;
        if self.query.is_empty() {
            line.skip_field("query")?;
        } else {
            line.serialize_field("query", &self.query)?;
        }
        match &self.body {
            Some(body) => line.serialize_field("body", body)?,
            None => line.skip_field("body")?,
        }
        line.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_journal_line() {
        let request = WriteRequest::<()>::patch(&["accounts", "a1", "sso_connectors", "c1"])
            .body(&serde_json::json!({"enabled": false}));
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"method":"PATCH","path":"/accounts/a1/sso_connectors/c1","body":{"enabled":false}}"#
        );
        assert_eq!(request.to_string(), "PATCH /accounts/a1/sso_connectors/c1");
    }

    #[test]
    fn only_a_post_has_to_be_looked_up_before_it_is_repeated() {
        assert_eq!(WriteRequest::<()>::post(&["a"]).retry_mode(), RetryMode::LookUpFirst);
        assert_eq!(Request::<()>::get(&["a"]).retry_mode(), RetryMode::Idempotent);
        for request in [
            WriteRequest::<()>::put(&["a"]),
            WriteRequest::patch(&["a"]),
            WriteRequest::delete(&["a"]),
        ] {
            assert_eq!(request.retry_mode(), RetryMode::Idempotent);
        }
    }
}
