//! The only path for changes of identity providers, applications, policies and the
//! organization: read, edit, show, read again, replace, confirm by a last read.

use super::journal::{Title, WriteIntent, irreversible_reason};
use super::journaled::Written;
use super::plan::{Change, Difference, shorten};
use super::target::Target;
use super::{Env, Error, FlowError, diff};
use crate::api::document::Document;
use crate::api::request::WriteRequest;

#[derive(Debug)]
pub struct Update {
    pub target: Target,
    pub before: Document,
    pub desired: Document,
    pub requested: Vec<Difference>,
}

#[derive(Debug)]
pub struct UpdateResult {
    pub document: Document,
    pub changed: Vec<Difference>,
    /// Other changes by the API: times, versions, new fields.
    pub changed_by_api: Vec<Difference>,
    /// Fields whose new value is neither the previous nor the requested one.
    pub unexpected: Vec<Difference>,
    /// Secrets that were sent: the API never returns them.
    pub not_returned: Vec<String>,
}

impl Update {
    pub async fn prepare(
        env: &Env<'_>,
        target: Target,
        edit: impl FnOnce(&mut Document) -> Result<(), FlowError>,
    ) -> Result<Self, Error> {
        let before = env.client.send(&target.read(env.account)).await?;
        Ok(Self::of(target, before, edit)?)
    }

    pub fn of(
        target: Target,
        before: Document,
        edit: impl FnOnce(&mut Document) -> Result<(), FlowError>,
    ) -> Result<Self, FlowError> {
        let mut wanted = before.clone();
        edit(&mut wanted)?;
        Target::ensure_no_masked_secrets(&before, &wanted)?;
        let asked: Vec<_> = diff::diff(&before, &wanted)
            .into_iter()
            .filter(|difference| !target.is_equal(difference))
            .collect();
        if !asked.is_empty() {
            target.ensure_writable(&before, &asked)?;
        }
        Ok(Self { target, before, desired: wanted, requested: asked })
    }

    pub fn is_empty(&self) -> bool {
        self.requested.is_empty()
    }

    pub fn name(&self) -> String {
        let name: Option<String> = self.before.parse_at(&["name"]);
        name.filter(|name| !name.is_empty()).unwrap_or_else(|| self.target.noun().to_owned())
    }

    pub fn changes(&self, env: &Env<'_>) -> Vec<Change> {
        if self.is_empty() {
            return Vec::new();
        }
        let title = format!("change the {} {}", self.target.noun(), self.name());
        let request = self.request(env);
        let reason = irreversible_reason(&request, Some(self.before.to_raw().get()), None);
        let change = Change::new(title, &request, self.requested.clone());
        vec![Change { irreversible_reason: reason, ..change }]
    }

    /// The response is passed to `answered` before the object is read again.
    pub async fn apply(
        &self,
        env: &Env<'_>,
        answered: impl FnOnce(Option<&Document>),
    ) -> Result<UpdateResult, Error> {
        let now = env.client.send(&self.target.read(env.account)).await?;
        self.ensure_unchanged(&now)?;
        let title = format!("change the {} {}", self.target.noun(), self.name());
        self.send(env, title, None, answered).await
    }

    /// Does not read the object again first: in a lockout each round trip counts. `undoes` is the
    /// journal entry that the edit undoes.
    pub(super) async fn send(
        &self,
        env: &Env<'_>,
        title: impl Into<Title>,
        undoes: Option<&str>,
        answered: impl FnOnce(Option<&Document>),
    ) -> Result<UpdateResult, Error> {
        if let Some(dry_run) = env.dry_run() {
            dry_run.add(self.changes(env));
            return Ok(self.compare_with(self.desired.clone())?);
        }
        let before = self.before.to_raw();
        let intent = WriteIntent { undoes, ..WriteIntent::new(title.into(), Some(before.get())) };
        let find = async || self.find_applied(env).await;
        let answer = match env.send_write_or_find(&self.request(env), intent, find).await? {
            Written::Answered(answer) => answer,
            Written::Found(applied) => {
                answered(None);
                return Ok(applied);
            }
        };
        answered(answer.as_ref());
        let seen = env.client.send(&self.target.read(env.account)).await;
        let seen = seen.map_err(|error| {
            FlowError::not_confirmed(format!(
                "{} was sent, but could not be confirmed",
                self.subject()
            ))
            .causes(error.sentences())
            .hint(self.target.show_command())
        })?;
        Ok(self.compare_with(seen)?)
    }

    /// Sends the object as it was read: the API rejects that if the token cannot change it.
    pub(super) async fn send_unchanged(
        env: &Env<'_>,
        target: Target,
        title: &str,
    ) -> Result<(), Error> {
        let same = Self::prepare(env, target, |_| Ok(())).await?;
        if let Some(dry_run) = env.dry_run() {
            dry_run.add([Change::new(title, &same.request(env), Vec::new())]);
            return Ok(());
        }
        let before = same.before.to_raw();
        let intent = WriteIntent::new(title.into(), Some(before.get()));
        env.send_write(&same.request(env), intent).await.map(drop)
    }

    /// What became of a change whose response was lost: in a lockout, what was applied
    /// must not look like a failure. `None` where the object does not show all of it.
    async fn find_applied(&self, env: &Env<'_>) -> Option<UpdateResult> {
        let seen = env.client.send(&self.target.read(env.account)).await.ok()?;
        self.compare_with(seen).ok().filter(|result| result.not_returned.is_empty())
    }

    pub(super) fn record_unsent(
        &self,
        env: &Env<'_>,
        title: impl Into<Title>,
    ) -> Result<(), FlowError> {
        let before = self.before.to_raw();
        let intent = WriteIntent::new(title.into(), Some(before.get()));
        env.record_unsent(&self.request(env), &intent)
    }

    fn request(&self, env: &Env<'_>) -> WriteRequest<Option<Document>> {
        self.target.replace(env.account, &self.desired)
    }

    fn subject(&self) -> String {
        format!("the change of `{}`", self.name())
    }

    fn ensure_unchanged(&self, now: &Document) -> Result<(), FlowError> {
        let moved = diff::diff(&self.before, now);
        if moved.is_empty() {
            return Ok(());
        }
        let message = format!("`{}` changed since it was read; nothing was sent", self.name());
        Err(FlowError::conflict(message)
            .causes(moved.iter().map(Difference::brief))
            .hint(format!("{}, then run the same command again", self.target.show_command())))
    }

    pub fn compare_with(&self, seen: Document) -> Result<UpdateResult, FlowError> {
        let mut edited = UpdateResult {
            changed: self.requested.clone(),
            changed_by_api: Vec::new(),
            unexpected: Vec::new(),
            not_returned: Vec::new(),
            document: seen,
        };
        let mut missed = Vec::new();
        for difference in diff::diff(&self.desired, &edited.document) {
            let field = difference.field.as_str();
            if self.target.is_equal(&difference) {
                continue;
            }
            if self.is_requested(field) && !self.is_added(&difference) {
                missed.push(difference);
            } else if difference.is_of_secret() {
                // Returned at one time and hidden at another: not a change.
            } else if self.target.is_bookkeeping(field) || difference.before.is_null() {
                edited.changed_by_api.push(difference);
            } else {
                edited.unexpected.push(difference);
            }
        }
        missed.retain(|difference| !difference.is_of_secret());
        let secrets = self.requested.iter().filter(|asked| asked.is_of_secret());
        edited.not_returned = secrets.map(|asked| asked.field.clone()).collect();
        if missed.is_empty() {
            Ok(edited)
        } else {
            Err(self.not_confirmed_error(&missed, &edited.unexpected))
        }
    }

    fn is_requested(&self, field: &str) -> bool {
        self.requested
            .iter()
            .any(|asked| is_within(field, &asked.field) || is_within(&asked.field, field))
    }

    /// Whether the API added it to an object of the request.
    fn is_added(&self, difference: &Difference) -> bool {
        let field = difference.field.as_str();
        let path: Vec<_> = field.split('.').collect();
        self.requested.iter().all(|asked| asked.field != field) && self.desired.get(&path).is_none()
    }

    fn not_confirmed_error(&self, missed: &[Difference], unexpected: &[Difference]) -> FlowError {
        FlowError::not_confirmed(format!("{} was sent, but the result differs", self.subject()))
            .causes(missed.iter().map(|missed| {
                let [before, after] =
                    [&missed.before, &missed.after].map(|it| shorten(&it.to_string()));
                format!("`{}`: sent {before}, now {after}", missed.field)
            }))
            .causes(
                unexpected.iter().map(|difference| format!("unexpected: {}", difference.brief())),
            )
            .hint(format!("{}, or undo with `cfsso journal undo`", self.target.show_command()))
    }
}

impl UpdateResult {
    pub fn unexpected_change_error(&self, edit: &Update) -> Option<FlowError> {
        if self.unexpected.is_empty() {
            return None;
        }
        let message = format!("{} was applied, but other fields changed too", edit.subject());
        Some(
            FlowError::not_confirmed(message)
                .causes(self.unexpected.iter().map(Difference::brief))
                .hint("`cfsso journal undo`"),
        )
    }
}

fn is_within(field: &str, parent: &str) -> bool {
    field.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::idp::IdpType;
    use crate::flow::FlowErrorKind;

    const BEFORE: &str = r#"{"id":"p1","name":"Okta","type":"okta","version":"v1","config":{"client_id":"a","big":12345678901234567890123,"claims":null}}"#;

    fn edit(path: &[&str], value: &str) -> Update {
        let target = Target::Idp("p1".parse().unwrap());
        Update::of(target, BEFORE.parse().unwrap(), |idp| {
            idp.set(path, &value).unwrap();
            Ok(())
        })
        .unwrap()
    }

    fn fields(differences: &[Difference]) -> Vec<&str> {
        differences.iter().map(|difference| difference.field.as_str()).collect()
    }

    proptest! {
        #[test]
        fn what_is_sent_differs_from_what_was_read_in_the_asked_field_alone(
            unknown in prop::collection::btree_map("[a-z]{6,9}", "-?[1-9][0-9]{0,30}|[0-9][.][0-9]{1,9}|null|\\[\\]|\\{\"b\":null\\}", 0..6),
            kind in 0usize..IdpType::ALL.len(),
        ) {
            let members: Vec<_> = unknown.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
            let members = members.concat();
            let kind = IdpType::ALL[kind].as_str();
            let object = |id: &str| format!(r#"{{"id":"p1","type":"{kind}","name":"n"{members},"config":{{"client_id":"{id}"{members}}}}}"#);
            let edit = Update::of(Target::Idp("p1".parse().unwrap()), object("a").parse().unwrap(), |idp| {
                idp.set(&["config", "client_id"], &"b").unwrap();
                Ok(())
            });
            let edit = edit.unwrap();
            let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
            let request = edit.target.replace(&account, &edit.desired);
            prop_assert_eq!(request.body_text().unwrap(), object("b"));
            prop_assert_eq!(fields(&edit.requested), ["config.client_id"]);
        }
    }

    #[test]
    fn an_edit_that_changes_nothing_is_empty() {
        assert!(edit(&["name"], "Okta").is_empty());
        assert_eq!(fields(&edit(&["name"], "Other").requested), ["name"]);
    }

    #[test]
    fn an_edit_of_a_read_only_one_that_changes_nothing_is_no_error() {
        let before = r#"{"read_only":true,"name":"a"}"#.parse().unwrap();
        let target = Target::Idp("p1".parse().unwrap());
        assert!(Update::of(target, before, |_| Ok(())).unwrap().is_empty());
    }

    #[test]
    fn a_change_in_between_stops_with_what_changed() {
        let edit = edit(&["name"], "New");
        for (from, to, conflict) in [
            ("", "", None),
            (r#""claims":null"#, r#""claims":[]"#, Some("`config.claims`: none -> []")),
            (
                r"123,",
                r"124,",
                Some("`config.big`: 12345678901234567890123 -> 12345678901234567890124"),
            ),
            ("v1", "v2", Some("`version`: v1 -> v2")),
        ] {
            let now = BEFORE.replace(from, to).parse().unwrap();
            let error = edit.ensure_unchanged(&now).err();
            assert_eq!(
                error.as_ref().map(|error| error.kind),
                conflict.map(|_| FlowErrorKind::Conflict)
            );
            assert_eq!(error.and_then(|error| error.causes.first().cloned()).as_deref(), conflict);
        }
    }

    #[test]
    fn what_reads_back_is_told_apart() {
        let edit = edit(&["config", "client_id"], "b");
        let sent = BEFORE.replace(r#""a""#, r#""b""#);
        for (from, to, besides, unexpected) in [
            ("", "", &[][..], &[][..]),
            ("v1", "v2", &["version"], &[]),
            (r#""claims":null"#, r#""claims":["x"]"#, &["config.claims"], &[]),
            (r#","claims":null"#, "", &[], &[]),
            ("0123,", "0124,", &[], &["config.big"]),
            (r#""Okta""#, r#""okta""#, &[], &["name"]),
            (r#""name":"Okta","#, "", &[], &["name"]),
        ] {
            let edited = edit.compare_with(sent.replace(from, to).parse().unwrap()).unwrap();
            assert_eq!(fields(&edited.changed_by_api), besides, "{from}");
            assert_eq!(fields(&edited.unexpected), unexpected, "{from}");
            assert_eq!(
                edited.unexpected_change_error(&edit).is_some(),
                !unexpected.is_empty(),
                "{from}"
            );
        }
    }

    #[test]
    fn what_was_asked_and_does_not_read_back_is_an_error() {
        let edit = edit(&["config", "client_id"], "b");
        let error = edit.compare_with(BEFORE.parse().unwrap()).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::NotConfirmed);
        assert_eq!(error.causes, [r#"`config.client_id`: sent "b", now "a""#]);
    }

    #[test]
    fn a_secret_that_was_sent_is_not_claimed_to_be_seen() {
        let edit = edit(&["config", "client_secret"], "s3cret");
        for config in [r#""a""#, r#""a","client_secret":"****""#, r#""a","client_secret":null"#] {
            let edited =
                edit.compare_with(BEFORE.replace(r#""a""#, config).parse().unwrap()).unwrap();
            assert_eq!(edited.not_returned, ["config.client_secret"]);
            assert_eq!(fields(&edited.unexpected), Vec::<&str>::new());
            assert!(!format!("{:?}", edited.changed).contains("s3cret"));
        }
    }
}
