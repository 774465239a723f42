//! The lines of a journal. Pure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::resource::ResourceKind;
use crate::api::ids::AccountId;
use crate::api::{Error, ResponseMeta};
use crate::input::depth;
use crate::rfc3339;

/// Raised when an older program would misread the lines.
pub(super) const FORMAT: u32 = 2;

/// The request of a note, for which nothing was sent.
pub(super) const NO_REQUEST: &str = "{}";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    #[serde(alias = "begun")]
    Started(Started),
    #[serde(alias = "ended")]
    Finished(Finished),
}

impl Record {
    pub fn entry(&self) -> u32 {
        match self {
            Self::Started(started) => started.entry,
            Self::Finished(finished) => finished.entry,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the keys of the file")]
pub(super) struct Started {
    pub format: u32,
    pub entry: u32,
    #[serde(alias = "at")]
    pub started_at: Timestamp,
    pub user: Option<String>,
    pub credential: Option<String>,
    pub account: Option<AccountId>,
    pub base_url: Option<String>,
    pub resource: Option<ResourceKind>,
    pub cause: Option<Cause>,
    pub command: String,
    pub title: String,
    pub request: Box<RawValue>,
    pub before: Option<Box<RawValue>>,
    #[serde(alias = "not_kept")]
    pub redacted_fields: Vec<String>,
    pub undoes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialTerms>,
}

/// The terms of a trial of SSO: it is disabled again at the end unless it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialTerms {
    /// When the trial ends (RFC 3339).
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// Whether only the user can keep SSO enabled (`--keep-on confirm`).
    pub keep_on_confirm: bool,
    /// Whether a sign-in with a one-time PIN counts (`--accept-otp`).
    pub accept_otp: bool,
}

/// The operation that a write is part of, if it is undone together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A bypass; `cfsso bypass undo` undoes it.
    Bypass,
}

#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the keys of the file")]
pub(super) struct Finished {
    pub entry: u32,
    #[serde(alias = "at")]
    pub finished_at: Timestamp,
    pub outcome: Outcome,
    pub status: Option<u16>,
    #[serde(alias = "ray")]
    pub ray_id: Option<String>,
    pub after: Option<Box<RawValue>>,
    pub error: Option<String>,
}

/// The outcome of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The API reported success.
    Done,
    /// The request failed: nothing was changed.
    Failed,
    /// The response was lost: the change may have been applied.
    Unknown,
    /// The command ended before a response arrived: the change may have been applied.
    Unfinished,
}

/// A journal entry: one write.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// The ID of the entry: the run ID, a dot and the number within the run.
    pub id: String,
    /// The ID of the run.
    pub run: String,
    /// When the request was about to be sent (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub started_at: Timestamp,
    /// The local user; `null` if unknown.
    pub user: Option<String>,
    /// The source of the credential, never the credential itself.
    pub credential: Option<String>,
    /// The ID of the account; `null` in entries of format 1.
    #[schemars(with = "Option<String>")]
    pub account: Option<AccountId>,
    /// The base URL of the API, or `sandbox:` and a state file; `null` in entries of format 1.
    pub base_url: Option<String>,
    /// The kind of object; `null` for a note and in entries of format 1.
    pub resource: Option<ResourceKind>,
    /// The operation that the write is part of.
    pub cause: Option<Cause>,
    /// The command line, without secrets.
    pub command: String,
    /// The description of the change.
    pub title: String,
    /// The request, without secrets; `{}` for a note.
    #[schemars(with = "Value")]
    pub request: Box<RawValue>,
    /// The object before the change; `null` if it did not exist.
    #[schemars(with = "Value")]
    pub before: Option<Box<RawValue>>,
    /// The fields whose secret values were removed.
    pub redacted_fields: Vec<String>,
    /// The outcome of the write.
    pub outcome: Outcome,
    /// When the outcome was recorded (RFC 3339); `null` if there is none.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub finished_at: Option<Timestamp>,
    /// The HTTP status of the response.
    pub status: Option<u16>,
    /// The Cloudflare Ray ID of the response (`cf-ray`).
    pub ray_id: Option<String>,
    /// The object after the change, as the API returned it.
    #[schemars(with = "Value")]
    pub after: Option<Box<RawValue>>,
    /// The error, if the write failed or its response was lost.
    pub error: Option<String>,
    /// The ID of the entry that this entry undoes.
    pub undoes: Option<String>,
    /// The terms of the trial that this write started or resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialTerms>,
    /// The ID of the entry that undid this entry.
    pub undone_by: Option<String>,
    /// The ID of a later entry with the same write. It determines the current state even
    /// if the outcome of this entry is unknown.
    pub resolved_by: Option<String>,
    /// The reason why this entry cannot be undone; `null` if it can be undone.
    pub irreversible_reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CorruptLine {
    /// Counted from 1.
    pub number: usize,
    pub reason: String,
}

impl Outcome {
    pub fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "response lost",
            Self::Unfinished => "unfinished",
        }
    }
}

impl Finished {
    pub fn success(meta: &ResponseMeta) -> Self {
        Self { status: meta.status, ray_id: meta.ray.clone(), ..Self::with(Outcome::Done) }
    }

    /// The text of `error` contains no secrets.
    pub fn failure(error: &Error) -> Self {
        let outcome = if error.outcome_unknown() { Outcome::Unknown } else { Outcome::Failed };
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        Self {
            status: error.status(),
            ray_id: error.ray().map(str::to_owned),
            error: Some(format!("{error}{}", cause.unwrap_or_default())),
            ..Self::with(outcome)
        }
    }

    pub fn found() -> Self {
        Self::with(Outcome::Done)
    }

    fn with(outcome: Outcome) -> Self {
        Self {
            entry: 0,
            finished_at: Timestamp::UNIX_EPOCH,
            outcome,
            status: None,
            ray_id: None,
            after: None,
            error: None,
        }
    }
}

/// Lines that cannot be read do not prevent reading the others.
pub(super) fn parse(run: &str, text: &[u8]) -> (Vec<Entry>, Vec<CorruptLine>) {
    let mut entries: Vec<(u32, Entry)> = Vec::new();
    let mut bad = Vec::new();
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut refuse = |reason: String| bad.push(CorruptLine { number: index + 1, reason });
        if let Err(error) = depth::check(line) {
            refuse(error.to_string());
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(Record::Started(started)) if started.format > FORMAT => {
                refuse(format!("a later version of cfsso wrote it, in format {}", started.format));
            }
            Ok(Record::Started(started)) => entries.push((started.entry, started.into_entry(run))),
            Ok(Record::Finished(ended)) => {
                match entries.iter_mut().find(|(number, _)| *number == ended.entry) {
                    Some((_, entry)) => entry.end(ended),
                    None => {
                        refuse(format!("it finishes entry {}, which does not exist", ended.entry));
                    }
                }
            }
            Err(error) if error.is_eof() => refuse("it is cut off".to_owned()),
            Err(error) => refuse(format!("it cannot be read: {error}")),
        }
    }
    (entries.into_iter().map(|(_, entry)| entry).collect(), bad)
}

impl Started {
    fn into_entry(self, run: &str) -> Entry {
        Entry {
            id: format!("{run}.{}", self.entry),
            run: run.to_owned(),
            started_at: self.started_at,
            user: self.user,
            credential: self.credential,
            account: self.account,
            base_url: self.base_url,
            resource: self.resource,
            cause: self.cause,
            command: self.command,
            title: self.title,
            request: self.request,
            before: self.before,
            redacted_fields: self.redacted_fields,
            outcome: Outcome::Unfinished,
            finished_at: None,
            status: None,
            ray_id: None,
            after: None,
            error: None,
            undoes: self.undoes,
            trial: self.trial,
            undone_by: None,
            resolved_by: None,
            irreversible_reason: None,
        }
    }
}

impl Entry {
    fn end(&mut self, ended: Finished) {
        self.outcome = ended.outcome;
        self.finished_at = Some(ended.finished_at);
        self.status = ended.status;
        self.ray_id = ended.ray_id;
        self.after = ended.after;
        self.error = ended.error;
    }

    /// Time of the run, its number in that second, number of the entry in the run.
    pub(in crate::flow) fn order(&self) -> (String, u32, u32) {
        let mut parts = self.run.splitn(3, '-');
        let stamp = [parts.next(), parts.next()].map(Option::unwrap_or_default).concat();
        let of_second = parts.next().and_then(|number| number.parse().ok()).unwrap_or(1);
        let number = self.id.rsplit('.').next().and_then(|number| number.parse().ok());
        (stamp, of_second, number.unwrap_or_default())
    }

    /// A note records an observation or a statement; nothing was sent.
    pub fn is_note(&self) -> bool {
        self.request.get() == NO_REQUEST
    }

    /// Whether it sent the organization as it was: a test of the token's permission.
    pub fn changes_nothing(&self) -> bool {
        let request = self.sent();
        let before = self.before.as_ref().and_then(|it| serde_json::from_str(it.get()).ok());
        let without_times = |object: &Value| {
            let mut object = object.as_object().cloned().unwrap_or_default();
            object.retain(|name, _| !["created_at", "updated_at"].contains(&name.as_str()));
            object
        };
        self.resource == Some(ResourceKind::Organization)
            && request["method"] == "PUT"
            && self.redacted_fields.is_empty()
            && before.is_some_and(|it| without_times(&it) == without_times(&request["body"]))
    }

    pub fn has_unknown_outcome(&self) -> bool {
        matches!(self.outcome, Outcome::Unfinished | Outcome::Unknown)
    }

    /// Whether this later write determines the state, whether or not `earlier` was applied. A
    /// different creation or a change of other fields does not.
    pub(super) fn resolves(&self, earlier: &Self) -> bool {
        let line = earlier.request_line();
        if self.outcome != Outcome::Done || self.request_line() != line {
            return false;
        }
        let (wrote, body) = (&self.sent()["body"], &earlier.sent()["body"]);
        if line.starts_with("POST ") {
            return wrote == body;
        }
        let has = |field: &String| wrote.get(field).is_some();
        !line.starts_with("PATCH ") || body.as_object().is_none_or(|body| body.keys().all(has))
    }

    /// The request with its method, path and body; null if it is invalid.
    pub(in crate::flow) fn sent(&self) -> Value {
        serde_json::from_str(self.request.get()).unwrap_or_default()
    }

    /// Method and path; empty for a note.
    pub fn request_line(&self) -> String {
        if self.is_note() {
            return String::new();
        }
        let request = self.sent();
        let part = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", part("method"), part("path"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::resource::Resource;
    use super::*;

    const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

    impl Entry {
        /// A successful write in second `number`.
        pub fn sample(run: &str, number: u32, request: &str) -> Self {
            let at = Timestamp::from_second(i64::from(number)).unwrap();
            let account: AccountId = ACCOUNT.parse().unwrap();
            let sent: Value = serde_json::from_str(request).unwrap();
            let resource = sent["path"].as_str().and_then(|path| Resource::parse(&account, path));
            let resource = resource.map(|resource| resource.kind());
            let started = Started {
                format: FORMAT,
                entry: number,
                started_at: at,
                user: None,
                credential: None,
                account: Some(account),
                base_url: Some("https://api.example".to_owned()),
                resource,
                cause: None,
                command: String::new(),
                title: String::new(),
                request: RawValue::from_string(request.to_owned()).unwrap(),
                before: None,
                redacted_fields: Vec::new(),
                undoes: None,
                trial: None,
            };
            Self { outcome: Outcome::Done, ..started.into_entry(run) }
        }
    }

    /// The two lines of a disabling; only the first if not `finished`.
    pub fn lines(number: u32, finished: bool) -> String {
        let started = format!(
            r#"{{"started":{{"format":1,"entry":{number},"at":"2026-03-01T12:00:00Z","user":"ada","credential":null,"token_id":null,"command":"cfsso disable é","title":"t","request":{{"method":"PATCH","path":"/accounts/a/sso_connectors/c1","body":{{"enabled":false}}}},"before":{{"id":"c1","enabled":true}},"not_kept":[],"undoes":null}}}}"#
        );
        let ended = format!(
            r#"{{"finished":{{"entry":{number},"at":"2026-03-01T12:00:01Z","outcome":"done","status":200,"ray":"r","after":{{"id":"c1","enabled":false}},"error":null}}}}"#
        );
        if finished { format!("{started}\n{ended}\n") } else { format!("{started}\n") }
    }

    #[test]
    fn a_lost_write_is_settled_by_a_later_one_of_the_same() {
        let entry = |number, method: &str, path: &str, body: &str| {
            let request = format!(r#"{{"method":"{method}","path":"{path}","body":{body}}}"#);
            Entry::sample("r", number, &request)
        };
        let (cats, dogs) = (r#"{"email_domain":"cool.cats"}"#, r#"{"email_domain":"cool.dogs"}"#);
        let (off, on, words) =
            (r#"{"enabled":false}"#, r#"{"enabled":true}"#, r#"{"use_fedramp_language":true}"#);
        for (lost, later, is_settled) in [
            (entry(1, "POST", "/c", cats), entry(2, "POST", "/c", cats), true),
            (entry(1, "POST", "/c", cats), entry(2, "POST", "/c", dogs), false),
            (entry(1, "PATCH", "/c/1", off), entry(2, "PATCH", "/c/1", on), true),
            (entry(1, "PATCH", "/c/1", off), entry(2, "PATCH", "/c/1", words), false),
            (entry(1, "PATCH", "/c/1", off), entry(2, "PATCH", "/c/2", off), false),
            (entry(1, "PUT", "/o", cats), entry(2, "PUT", "/o", dogs), true),
            (entry(1, "DELETE", "/c/1", "null"), entry(2, "DELETE", "/c/1", "null"), true),
            (entry(1, "DELETE", "/c/1", "null"), entry(2, "PATCH", "/c/1", on), false),
        ] {
            let (line, then) = (lost.request.get(), later.request.get());
            assert_eq!(later.resolves(&lost), is_settled, "{line} then {then}");
            let refused = Entry { outcome: Outcome::Failed, ..later.clone() };
            assert!(!refused.resolves(&lost), "{line} then {then}, refused");
        }
    }

    #[test]
    fn an_organization_that_was_sent_as_it_was_changes_nothing() {
        let before = r#"{"auth_domain":"a","name":"n","updated_at":"1"}"#;
        for (request, expected) in [
            (r#""method":"PUT","body":{"auth_domain":"a","name":"n"}"#, true),
            (r#""method":"PUT","body":{"auth_domain":"b","name":"n"}"#, false),
            (r#""method":"PUT","body":{"auth_domain":"a"}"#, false),
            (r#""method":"PATCH","body":{"auth_domain":"a","name":"n"}"#, false),
        ] {
            let path = format!("/accounts/{ACCOUNT}/access/organizations");
            let entry = Entry::sample("r", 1, &format!(r#"{{"path":"{path}",{request}}}"#));
            let before = RawValue::from_string(before.to_owned()).ok();
            assert_eq!(Entry { before, ..entry }.changes_nothing(), expected, "{request}");
        }
    }

    #[test]
    fn an_entry_is_unfinished_until_its_end_is_there() {
        let text = format!("{}{}", lines(1, true), lines(2, false));
        let (entries, bad) = parse("r1", text.as_bytes());
        let seen: Vec<_> = entries.iter().map(|entry| (entry.id.as_str(), entry.outcome)).collect();
        assert_eq!(seen, [("r1.1", Outcome::Done), ("r1.2", Outcome::Unfinished)]);
        assert_eq!(bad, []);
        assert_eq!(entries[0].request_line(), "PATCH /accounts/a/sso_connectors/c1");
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_is_read() {
        let later = r#"{"started":{"format":3,"entry":7,"at":"2026-03-01T12:00:00Z","user":null,"credential":null,"token_id":null,"command":"","title":"","request":{},"before":null,"not_kept":[],"undoes":null}}"#;
        let text = format!("{}garbage\n{later}\n\n{}", lines(1, true), lines(3, true));
        let (entries, bad) = parse("r1", text.as_bytes());
        assert_eq!(entries.len(), 2);
        let numbers: Vec<_> = bad.iter().map(|bad| bad.number).collect();
        assert_eq!(numbers, [3, 4]);
        assert!(bad[1].reason.contains("a later version"), "{bad:?}");
    }

    #[test]
    fn a_file_cut_at_any_byte_is_read_up_to_there() {
        let text = format!("{}{}", lines(1, true), lines(2, true));
        let ends: Vec<_> = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').collect();
        for cut in 0..=text.len() {
            let (entries, bad) = parse("r1", &text.as_bytes()[..cut]);
            // A line without its newline is complete.
            let whole = ends.iter().filter(|(end, _)| *end <= cut).count();
            assert_eq!(entries.len(), whole.div_ceil(2), "at {cut}");
            let done = entries.iter().filter(|entry| entry.outcome == Outcome::Done).count();
            assert_eq!(done, whole / 2, "at {cut}");
            let is_torn = cut > 0 && !ends.iter().any(|(end, _)| cut == *end || cut == end + 1);
            assert_eq!(bad.len(), usize::from(is_torn), "at {cut}");
        }
    }
}
