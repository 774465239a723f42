//! What of the bypasses is in force, by the journal and the server, and putting
//! back just what they changed.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{TITLE, otp};
use crate::api::app::{self, App};
use crate::api::document::Document;
use crate::api::idp;
use crate::api::ids::{AccountId, AppId};
use crate::flow::edit::Edit;
use crate::flow::journal::undo::{self as journal, Inverse, Prospect, Seen, Why};
use crate::flow::journal::{Entry, Outcome};
use crate::flow::plan::{Change, Difference};
use crate::flow::target::Target;
use crate::flow::{Error, Stop, StopKind, Tools, diff};

/// The fields of an application that a bypass changes.
const FIELDS: [&str; 2] = ["allowed_idps", "auto_redirect_to_identity"];

/// One write of a bypass, and how it stands.
pub struct Measure {
    /// The write, as the journal has it.
    pub entry: Entry,
    /// How it stands, or why that cannot be told.
    pub standing: Result<Standing, Error>,
    deed: Deed,
}

/// How a write of a bypass stands.
pub enum Standing {
    /// It is as the bypass left it; this puts it back.
    InForce(Change),
    /// Somebody changed it since, in this.
    Changed(Change, Vec<String>),
    /// It is as it was before the bypass.
    PutBack(String),
    /// It cannot be put back.
    Blocked(Stop),
}

enum Deed {
    /// What the journal itself knows to put back: a connector, the PIN.
    Known(Inverse),
    /// The sign-in's application, of which only [`FIELDS`] are put back.
    Opened(AppId),
    /// Nothing that was made, or nothing that is known.
    Nothing,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    path: String,
    body: Option<Box<RawValue>>,
}

impl Measure {
    /// The identifier of what was changed; none where something was made.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        let sent = sent(&self.entry).filter(|sent| sent.method != "POST")?;
        sent.path.rsplit('/').next().map(str::to_owned)
    }
}

/// The writes of bypasses in `account` that are not put back, the latest first.
/// Pure.
#[must_use]
pub fn open(entries: &[Entry], account: &AccountId) -> Vec<Entry> {
    let below = format!("/accounts/{account}/");
    let is_open = |at: usize| {
        let entry = &entries[at];
        is_bypass(entry)
            && entry.undone_by.is_none()
            && entry.outcome != Outcome::Failed
            && sent(entry).is_some_and(|sent| sent.path.starts_with(&below))
            && !entries[at + 1..].iter().any(|later| settles(later, entry, entries))
    };
    (0..entries.len()).rev().filter(|&at| is_open(at)).map(|at| entries[at].clone()).collect()
}

fn is_bypass(entry: &Entry) -> bool {
    entry.title.starts_with(TITLE) && entry.undoes.is_none()
}

fn sent(entry: &Entry) -> Option<Sent> {
    serde_json::from_str(entry.request.get()).ok()
}

/// Whether `later` shows that there is nothing left of `entry` to put back.
fn settles(later: &Entry, entry: &Entry, all: &[Entry]) -> bool {
    let (Some(of_later), Some(of_entry)) = (sent(later), sent(entry)) else { return false };
    if of_later.path != of_entry.path || of_later.method != of_entry.method {
        return false;
    }
    if is_bypass(later) {
        // It found what `entry` had found: `entry`, whose answer never came,
        // was not carried out.
        return entry.outcome != Outcome::Done && same_before(later, entry);
    }
    let undoes_bypass = later
        .undoes
        .as_ref()
        .is_some_and(|id| all.iter().any(|other| other.id == *id && is_bypass(other)));
    // Whoever enabled or disabled the connector here since has decided anew.
    of_later.method == "PATCH" && later.outcome == Outcome::Done && !undoes_bypass
}

fn same_before(a: &Entry, b: &Entry) -> bool {
    let fields = |entry: &Entry| {
        let before: Option<Document> = entry.before.as_deref().and_then(document);
        before.map(|before| {
            let read = |name| before.get(&[name]).map(|value: &RawValue| value.get().to_owned());
            [read("enabled"), read(FIELDS[0]), read(FIELDS[1])]
        })
    };
    fields(a) == fields(b)
}

fn document(text: &RawValue) -> Option<Document> {
    text.get().parse().ok()
}

/// Looks at what each of `entries`, the latest first, left behind. Each is
/// judged as if those before it had been put back.
pub async fn survey(tools: &Tools<'_>, entries: Vec<Entry>) -> Vec<Measure> {
    let mut seen = Seen::new();
    let mut measures = Vec::new();
    for entry in entries {
        measures.push(measure(tools, entry, &mut seen).await);
    }
    measures
}

async fn measure(tools: &Tools<'_>, mut entry: Entry, seen: &mut Seen) -> Measure {
    let settled = |entry, standing| Measure { entry, standing, deed: Deed::Nothing };
    match find_created(tools, &mut entry).await {
        Err(error) => return settled(entry, Err(error)),
        Ok(false) => {
            let text = "there is no one-time PIN: it was never created".to_owned();
            return settled(entry, Ok(Standing::PutBack(text)));
        }
        Ok(true) => {}
    }
    let deed = match deed(&entry) {
        Ok(deed) => deed,
        Err(Why::Nothing(text)) => return settled(entry, Ok(Standing::PutBack(text))),
        Err(Why::Impossible(text)) => {
            let stop = Stop::new(StopKind::Refused, format!("entry {} cannot be undone", entry.id));
            return settled(entry, Ok(Standing::Blocked(stop.cause(text))));
        }
    };
    let standing = match &deed {
        Deed::Known(inverse) => stand(tools, &entry, inverse, seen).await,
        Deed::Opened(app) => opened(tools, &entry, app, seen).await,
        Deed::Nothing => Ok(Standing::PutBack("nothing was changed".to_owned())),
    };
    Measure { entry, standing, deed }
}

/// Looks for the PIN of a creation whose answer never came: there is one at
/// most. Whether there is something to put back.
async fn find_created(tools: &Tools<'_>, entry: &mut Entry) -> Result<bool, Error> {
    let is_creation = sent(entry).is_some_and(|sent| sent.method == "POST");
    if !is_creation || entry.after.is_some() {
        return Ok(true);
    }
    let idps = tools.client.list(&idp::list(tools.account)).await?;
    let name: Option<String> = otp::body().read(&["name"]);
    let Some(pin) = otp::pin(&idps).filter(|pin| Some(&pin.name) == name.as_ref()) else {
        return Ok(false);
    };
    entry.after = RawValue::from_string(pin.text().to_owned()).ok();
    Ok(true)
}

fn deed(entry: &Entry) -> Result<Deed, Why> {
    let sent = sent(entry);
    if let Some(sent) = sent.filter(|sent| sent.method == "PUT") {
        let id = sent.path.rsplit('/').next().and_then(|id| id.parse().ok());
        return id.map(Deed::Opened).ok_or_else(|| Why::Impossible("its path is odd".to_owned()));
    }
    journal::inverse(entry).map(Deed::Known)
}

async fn stand(
    tools: &Tools<'_>,
    entry: &Entry,
    inverse: &Inverse,
    seen: &mut Seen,
) -> Result<Standing, Error> {
    let now = inverse.look(tools).await?;
    let prospect = inverse.judge(entry, now.as_ref());
    let (ready, mut drift) = match prospect {
        Prospect::AsBefore(text) => return Ok(Standing::PutBack(text)),
        Prospect::Blocked(stop) => return Ok(Standing::Blocked(stop)),
        Prospect::Ready(ready) => (ready, Vec::new()),
        Prospect::Drifted(ready, drift) => (ready, drift),
    };
    if ready.after().is_none() {
        drift.extend(users(tools, now.as_ref(), seen).await?);
    }
    Ok(standing(ready.change(), drift))
}

fn standing(change: Change, drift: Vec<String>) -> Standing {
    if drift.is_empty() { Standing::InForce(change) } else { Standing::Changed(change, drift) }
}

/// The applications that would still name the PIN when it is deleted.
async fn users(
    tools: &Tools<'_>,
    pin: Option<&Document>,
    seen: &Seen,
) -> Result<Vec<String>, Error> {
    let pin = pin.and_then(|pin| pin.read::<String>(&["id"])).unwrap_or_default();
    let apps = tools.client.list(&app::list(tools.account)).await?;
    let listed = |app: &App| {
        let put_back = seen.get(app.id.as_str()).and_then(Option::as_ref);
        let list = put_back.map(|app| app.read::<Vec<String>>(&["allowed_idps"]));
        list.unwrap_or_else(|| Some(app.listed_idps().iter().map(ToString::to_string).collect()))
    };
    let names = apps.iter().filter(|app| listed(app).is_some_and(|list| list.contains(&pin)));
    Ok(names.map(|app| format!("the application `{}` admits the one-time PIN", app.name)).collect())
}

async fn opened(
    tools: &Tools<'_>,
    entry: &Entry,
    id: &AppId,
    seen: &mut Seen,
) -> Result<Standing, Error> {
    let now = match seen.get(id.as_str()).cloned().flatten() {
        Some(now) => now,
        None => tools.client.send(&app::document(tools.account, id)).await?,
    };
    let closing = closing(entry, id, now)?;
    seen.insert(id.to_string(), Some(closing.edit.wanted.clone()));
    let Some(change) = closing.edit.changes(tools).pop() else {
        return Ok(Standing::PutBack("it reads as it did before".to_owned()));
    };
    Ok(standing(change, closing.drift))
}

/// What closes the sign-in again, and what somebody changed since.
struct Closing {
    edit: Edit,
    drift: Vec<String>,
}

/// Pure: the fields that the bypass changed become what they were, the others
/// stay what they are.
fn closing(entry: &Entry, id: &AppId, now: Document) -> Result<Closing, Stop> {
    let target = Target::App(id.clone());
    let unknown = || {
        Stop::new(StopKind::Refused, format!("entry {} cannot be undone", entry.id))
            .cause("the application before it is not recorded")
    };
    let before = entry.before.as_deref().and_then(document).ok_or_else(unknown)?;
    let body = sent(entry).and_then(|sent| document(&sent.body?)).ok_or_else(unknown)?;
    let own: Vec<_> = FIELDS
        .into_iter()
        .filter(|field| !differing(&target, &before, &body, field).is_empty())
        .collect();
    let open: Vec<_> = own
        .into_iter()
        .filter(|field| !differing(&target, &now, &before, field).is_empty())
        .collect();
    let drift = open
        .iter()
        .flat_map(|field| differing(&target, &body, &now, field))
        .map(|difference| format!("since then, {difference}"))
        .collect();
    let edit = Edit::of(target, now, |wanted| {
        for field in &open {
            match before.get(&[field]) {
                Some(value) => wanted
                    .set(&[field], &value)
                    .map_err(|error| Stop::new(StopKind::Conflict, error.to_string()))?,
                None => {
                    wanted.remove(&[field]);
                }
            }
        }
        Ok(())
    })?;
    Ok(Closing { edit, drift })
}

fn differing(target: &Target, a: &Document, b: &Document, field: &str) -> Vec<Difference> {
    let mut found = diff::between(a, b);
    found.retain(|difference| {
        difference.field.split('.').next() == Some(field) && !target.is_same(difference)
    });
    found
}

impl Measure {
    /// Reads again, judges again, puts it back and sees that it is back. None
    /// where there is nothing to put back by now.
    pub async fn put_back(&self, tools: &Tools<'_>, force: bool) -> Result<Option<String>, Error> {
        match &self.deed {
            Deed::Nothing => Ok(None),
            Deed::Known(inverse) => journal::apply(tools, &self.entry, inverse, force).await,
            Deed::Opened(id) => self.close(tools, id, force).await,
        }
    }

    async fn close(
        &self,
        tools: &Tools<'_>,
        id: &AppId,
        force: bool,
    ) -> Result<Option<String>, Error> {
        let now = tools.client.send(&app::document(tools.account, id)).await?;
        let Closing { edit, drift } = closing(&self.entry, id, now)?;
        if edit.is_empty() {
            return Ok(None);
        }
        if !drift.is_empty() && !force {
            return Err(self.drifted(&drift).into());
        }
        let title = format!("undo {}: put {} back", self.entry.id, edit.name());
        let edited = edit.send(tools, title.clone(), Some(&self.entry.id), |_| {}).await?;
        edited.alarm(&edit).map_or(Ok(Some(title)), |stop| Err(stop.into()))
    }

    /// The stop for what somebody changed since.
    #[must_use]
    pub fn drifted(&self, drift: &[String]) -> Stop {
        let message =
            format!("what entry {} wrote was changed since: nothing was sent", self.entry.id);
        Stop::new(StopKind::Conflict, message)
            .causes(drift.iter().cloned())
            .hint("`cfsso bypass undo --force` puts it back all the same")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

    fn entry(number: u32, title: &str, outcome: Outcome) -> Entry {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let request = format!(
            r#"{{"method":"PATCH","path":"/accounts/{ACCOUNT}/sso_connectors/c","body":{{"enabled":false}}}}"#
        );
        Entry {
            title: title.to_owned(),
            before: Some(raw(r#"{"id":"c","enabled":true}"#)),
            outcome,
            ..Entry::sample("r", number, &request)
        }
    }

    fn open_ones(entries: &[Entry]) -> String {
        let open = open(entries, &ACCOUNT.parse().unwrap());
        open.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_in_force_is_what_was_neither_undone_nor_decided_anew() {
        use Outcome::{Done, Failed, Unfinished, Unknown};
        for (entries, expected) in [
            (vec![entry(1, "bypass: x", Done)], "r.1"),
            (vec![entry(1, "x", Done)], ""),
            (vec![entry(1, "bypass: x", Failed)], ""),
            (vec![entry(1, "bypass: x", Unknown)], "r.1"),
            (vec![entry(1, "bypass: x", Done), entry(2, "enable", Done)], ""),
            (vec![entry(1, "bypass: x", Done), entry(2, "enable", Failed)], "r.1"),
            (vec![entry(1, "bypass: x", Unfinished), entry(2, "bypass: x", Done)], "r.2"),
            (vec![entry(1, "bypass: x", Done), entry(2, "bypass: x", Done)], "r.2 r.1"),
        ] {
            assert_eq!(open_ones(&entries), expected, "{entries:?}");
        }
        let mut undone = [entry(1, "bypass: x", Done), entry(2, "undo r.1", Done)];
        undone[1].undoes = Some("r.1".to_owned());
        assert_eq!(open_ones(&undone), "r.1", "undoing decides nothing anew");
        undone[0].undone_by = Some("r.2".to_owned());
        assert_eq!(open_ones(&undone), "");
        assert!(open(&[entry(1, "bypass: x", Done)], &"f".repeat(32).parse().unwrap()).is_empty());
    }

    #[test]
    fn just_what_the_bypass_changed_is_put_back() {
        let object = |fields: &str| format!(r#"{{"id":"a","name":"S",{fields}}}"#);
        let mut opened = entry(1, "bypass: x", Outcome::Done);
        let body = object(r#""allowed_idps":["o","p"],"auto_redirect_to_identity":false"#);
        let request = format!(
            r#"{{"method":"PUT","path":"/accounts/{ACCOUNT}/access/apps/a","body":{body}}}"#
        );
        opened.request = RawValue::from_string(request).unwrap();
        let before = object(r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#);
        opened.before = RawValue::from_string(before).ok();
        for (now, wanted, drifted) in [
            (
                r#""allowed_idps":["o","p"],"auto_redirect_to_identity":false,"x":1.0"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true,"x":1.0"#,
                false,
            ),
            (
                r#""allowed_idps":["p","o"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                false,
            ),
            (
                r#""allowed_idps":["q"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                true,
            ),
            (
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                false,
            ),
        ] {
            let now = object(now).parse().unwrap();
            let closing = closing(&opened, &"a".parse().unwrap(), now).unwrap();
            assert_eq!(closing.edit.wanted.to_raw().get(), object(wanted));
            assert_eq!(!closing.drift.is_empty(), drifted, "{wanted}: {:?}", closing.drift);
        }
    }
}
