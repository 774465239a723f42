//! Events that affect sign-in, from the logs and the journal, as one list.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::bypass::status::BypassStatus;
use super::changes::Change;
use super::journal::{Entry, Outcome};
use super::login_log::{Filter, Login};
use super::preflight::NotChecked;
use super::{Env, Error, app, connector, idp};
use crate::api::access_log::{self, LoginRow};
use crate::api::audit_log::{self, AuditRow};
use crate::api::document::Document;
use crate::domain::EmailDomain;
use crate::rfc3339;

/// Maximum difference between the times of a journal entry and its audit row.
const JOIN: SignedDuration = SignedDuration::from_secs(10);

const CONNECTORS: &str = "/sso_connectors";

pub struct Options {
    pub since: Timestamp,
    pub until: Timestamp,
    /// Only sign-ins and connectors of this domain.
    pub domain: Option<EmailDomain>,
    pub all: bool,
    pub logins: bool,
}

/// A row of the timeline: a change or a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// When it happened (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub at: Timestamp,
    /// The actor: an email address, a local user or the name of a token.
    pub who: String,
    /// The description of the change or sign-in.
    pub what: String,
    /// The name or ID of the changed object.
    pub object: Option<String>,
    /// The current state of the object, if known; the log does not contain the written values.
    pub now: Option<String>,
    /// The source of the row.
    pub source: RowSource,
    /// The ID of the journal entry on this machine.
    pub journal_entry: Option<String>,
    /// The Cloudflare Ray ID of the request.
    pub ray_id: Option<String>,
}

/// The source of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowSource {
    AuditLog,
    LoginLog,
    Journal,
}

/// The result of `cfsso timeline`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Timeline {
    schema: &'static str,
    /// The start of the time range (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub since: Timestamp,
    /// The end of the time range (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub until: Timestamp,
    /// The rows, oldest first.
    pub rows: Vec<Row>,
    /// When a sign-in was first denied (RFC 3339); `null` if none was.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub first_denied: Option<Timestamp>,
    /// When a sign-in was first allowed after `first_denied` (RFC 3339).
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub first_allowed_after: Option<Timestamp>,
    /// The time of the newest audit log row that was read (RFC 3339). Rows can appear up to
    /// 450 seconds late.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub newest_audit_row: Option<Timestamp>,
    /// The areas that could not be read, each with the reason.
    pub not_checked: Vec<String>,
    /// The open bypasses of this machine, for a post-mortem.
    #[serde(skip)]
    pub bypass: Option<BypassStatus>,
}

type Names = BTreeMap<String, (String, Option<String>)>;

/// Fails if neither log can be read.
pub async fn read(env: &Env<'_>, options: &Options) -> Result<Timeline, Error> {
    // Earlier rows belong to earlier entries, which then match no row of another client.
    let audit_since = options.since.saturating_sub(JOIN).unwrap_or(Timestamp::MIN);
    let audit = audit_log::list(env.account, audit_since, options.until);
    let logins = access_log::list(env.account, options.since, Some(options.until));
    let (audit, logins, connectors, apps, idps) = tokio::join!(
        env.client.list(&audit),
        env.client.list(&logins),
        connector::list(env),
        app::list(env),
        idp::list(env),
    );
    let mut not_checked = Vec::new();
    if let (Err(_), Err(_)) = (&audit, &logins) {
        return Err(audit.err().map(Error::from).expect("it is an error"));
    }
    let mut part = |what: &str, error: &crate::api::Error| {
        not_checked.push(format!("{what}: {}", NotChecked::from(error).reason));
    };
    let audit = audit.inspect_err(|error| part("audit log", error)).unwrap_or_default();
    let logins = logins.inspect_err(|error| part("login log", error)).unwrap_or_default();
    let apps = apps.unwrap_or_default();
    let mut names = Names::new();
    for one in connectors.iter().flatten() {
        let now = if one.is_enabled() { "enabled" } else { "disabled" };
        names.insert(one.id.to_string(), (one.email_domain.clone(), Some(now.to_owned())));
    }
    for one in &apps {
        let now = one.is_dash_sso().then(|| match one.listed_idps().len() {
            0 => "all identity providers allowed".to_owned(),
            count => format!("identity providers allowed: {count}"),
        });
        names.insert(one.id.to_string(), (one.name.clone(), now));
    }
    for one in idps.iter().flatten() {
        names.insert(one.id.to_string(), (one.name.clone(), None));
    }
    let newest_audit_row = audit.iter().filter_map(AuditRow::at).max();
    let change =
        |row: AuditRow| Change::of(&row).or_else(|| options.all.then(|| other(&row)).flatten());
    let changes: Vec<_> = audit.into_iter().filter_map(change).collect();
    let sso_app = app::dash_sso(&apps).ok().cloned();
    if sso_app.is_none() {
        not_checked.push("sign-ins: the SSO App cannot be read".to_owned());
    }
    let filter = Filter {
        app: sso_app,
        email: None,
        denied: false,
        since: options.since,
        until: Some(options.until),
    };
    let logins: Vec<_> =
        logins.into_iter().filter(|row| filter.app.is_some() && filter.admits(row)).collect();
    let entries = env.journal.read().map(|reading| reading.entries).unwrap_or_default();
    let entries = env.own(&entries);
    let sources = Sources { logins: &logins, entries: &entries, names: &names };
    let (rows, first_denied, first_allowed_after) = merge(options, changes, &sources);
    Ok(Timeline {
        schema: "cfsso/timeline/v1",
        since: options.since,
        until: options.until,
        rows,
        first_denied,
        first_allowed_after,
        newest_audit_row,
        not_checked,
        bypass: None,
    })
}

struct Sources<'a> {
    logins: &'a [LoginRow],
    entries: &'a [Entry],
    names: &'a Names,
}

/// Oldest first; with the window in which sign-ins were denied.
fn merge(
    options: &Options,
    changes: Vec<Change>,
    sources: &Sources<'_>,
) -> (Vec<Row>, Option<Timestamp>, Option<Timestamp>) {
    let Sources { logins, entries, names } = sources;
    let domains = Domains::new(names, entries);
    let is_other = |found: Option<String>| match (&options.domain, found) {
        (Some(domain), Some(found)) => !domain.is_named(&found),
        _ => false,
    };
    let mut joined: Vec<&str> = Vec::new();
    let mut rows = Vec::new();
    let matched = match_entries(&changes, entries);
    for (change, entry) in changes.into_iter().zip(matched) {
        if change.at < options.since {
            continue;
        }
        joined.extend(entry.map(|entry| entry.id.as_str()));
        if is_other(domains.of_path(&change.path).or_else(|| domains.of_entry(entry?))) {
            continue;
        }
        let named = change.object.as_ref().and_then(|id| names.get(id));
        rows.push(Row {
            at: change.at,
            who: change.who,
            // The log has no new values: enabling and disabling look the same in it.
            what: entry.map_or(change.what, |entry| entry.title.clone()),
            now: named.and_then(|(_, now)| now.clone()),
            object: named.map(|(name, _)| name.clone()).or(change.object),
            source: RowSource::AuditLog,
            journal_entry: entry.map(|entry| entry.id.clone()),
            ray_id: change.ray_id,
        });
    }
    let is_left = |entry: &&&Entry| {
        !entry.is_note()
            && !joined.contains(&entry.id.as_str())
            && (options.since..=options.until).contains(&entry.started_at)
            && !is_other(domains.of_entry(entry))
    };
    rows.extend(entries.iter().filter(|entry| is_left(&entry)).map(|entry| Row {
        at: entry.started_at,
        who: entry.user.clone().unwrap_or_else(|| "this machine".to_owned()),
        what: format!("{} ({})", entry.title, entry.outcome.label()),
        object: None,
        now: None,
        source: RowSource::Journal,
        journal_entry: Some(entry.id.clone()),
        ray_id: entry.ray_id.clone(),
    }));
    let (sign_ins, denied, allowed) = sign_ins(options, logins);
    rows.extend(sign_ins);
    rows.sort_by_key(|row| row.at);
    (rows, denied, allowed)
}

/// Denied sign-ins, and the first allowed one after each; or all with `options.logins`.
fn sign_ins(
    options: &Options,
    logins: &[LoginRow],
) -> (Vec<Row>, Option<Timestamp>, Option<Timestamp>) {
    let is_of_domain = |row: &&LoginRow| {
        options.domain.as_ref().is_none_or(|domain| domain.has_address(row.email()))
    };
    let mut ordered: Vec<_> =
        logins.iter().filter(|row| row.is_person()).filter(is_of_domain).collect();
    ordered.sort_by_key(|row| row.at());
    let (mut rows, mut first_denied, mut first_allowed) = (Vec::new(), None, None);
    let mut was_denied = false;
    for row in ordered {
        let (Some(at), Some(allowed)) = (row.at(), row.allowed) else { continue };
        let is_shown = options.logins || !allowed || was_denied;
        if !allowed {
            first_denied = first_denied.or(Some(at));
        } else if first_denied.is_some() {
            first_allowed = first_allowed.or(Some(at));
        }
        was_denied = !allowed;
        if is_shown {
            let login = Login::new(row);
            let idp = login.idp_type.map(|idp| format!(" through {idp}")).unwrap_or_default();
            rows.push(Row {
                at,
                who: login.email,
                what: format!("{}{idp}", if allowed { "signed in" } else { "was denied" }),
                object: None,
                now: None,
                source: RowSource::LoginLog,
                journal_entry: None,
                ray_id: login.ray_id,
            });
        }
    }
    (rows, first_denied, first_allowed)
}

/// A change that does not affect sign-in.
fn other(row: &AuditRow) -> Option<Change> {
    let raw = row.raw.as_ref()?;
    let action = row.action.as_ref()?;
    let described = action.description.clone().filter(|text| !text.is_empty());
    let path = raw.uri.clone().unwrap_or_default();
    let method = raw.method.clone().unwrap_or_default();
    Some(Change {
        at: row.at()?,
        who: row.email().to_owned(),
        ip: None,
        what: described.unwrap_or_else(|| format!("{method} {path}")),
        object: None,
        method,
        path,
        ray_id: row.ray_id().map(str::to_owned),
    })
}

/// The domains of connectors, by their IDs, also of deleted ones that the journal has.
struct Domains(BTreeMap<String, String>);

impl Domains {
    fn new(names: &Names, entries: &[Entry]) -> Self {
        let existing = names.iter().map(|(id, (name, _))| (id.clone(), name.clone()));
        let journaled = entries.iter().filter(|entry| entry.request_line().contains(CONNECTORS));
        let journaled = journaled.flat_map(|entry| {
            let objects = [&entry.before, &entry.after].into_iter().flatten();
            objects.filter_map(|object| {
                let object: Document = object.get().parse().ok()?;
                Some((object.parse_at(&["id"])?, object.parse_at(&["email_domain"])?))
            })
        });
        Self(journaled.chain(existing).collect())
    }

    /// `None` if the path is not of a known connector.
    fn of_path(&self, path: &str) -> Option<String> {
        let (_, rest) = path.split_once(CONNECTORS)?;
        self.0.get(rest.trim_start_matches('/').split('/').next()?).cloned()
    }

    /// `None` if the write is not to a connector or its TXT record.
    fn of_entry(&self, entry: &Entry) -> Option<String> {
        let line = entry.request_line();
        let field = match line.as_str() {
            line if line.contains(CONNECTORS) => "email_domain",
            line if line.contains("/dns_records") => "name",
            _ => return None,
        };
        let sent = entry.sent()["body"][field].as_str().map(str::to_owned);
        let before = || {
            let object: Document = entry.before.as_ref()?.get().parse().ok()?;
            object.parse_at(&[field])
        };
        self.of_path(&line).or(sent).or_else(before)
    }
}

/// How a journal entry and a change are known to be the same write; the strongest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    RayId,
    /// Same method and path, with this difference in time.
    Time(SignedDuration),
}

/// The journal entry of each change; `None` if another client made it. Each entry has at most one
/// change, the one with the strongest evidence.
fn match_entries<'a>(changes: &[Change], entries: &'a [Entry]) -> Vec<Option<&'a Entry>> {
    let is_applied = |entry: &&Entry| !entry.is_note() && entry.outcome != Outcome::Failed;
    let sent: Vec<_> =
        entries.iter().filter(is_applied).map(|entry| (entry, entry.request_line())).collect();
    let mut pairs = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let of_change = sent.iter().filter_map(|(entry, line)| {
            evidence(change, entry, line).map(|evidence| (evidence, index, *entry))
        });
        pairs.extend(of_change);
    }
    pairs.sort_by_key(|(evidence, ..)| *evidence);
    let mut found = vec![None; changes.len()];
    let mut matched = BTreeSet::new();
    for (_, index, entry) in pairs {
        if found[index].is_none() && matched.insert(&entry.id) {
            found[index] = Some(entry);
        }
    }
    found
}

/// `line`: method and path of the entry.
fn evidence(change: &Change, entry: &Entry, line: &str) -> Option<Evidence> {
    if let (Some(of_change), Some(of_entry)) = (&change.ray_id, &entry.ray_id) {
        return audit_log::is_same_ray(of_change, of_entry).then_some(Evidence::RayId);
    }
    let (method, path) = line.split_once(' ')?;
    let difference = entry.started_at.duration_until(change.at).abs();
    let is_same = method == change.method && change.path.ends_with(path) && difference <= JOIN;
    is_same.then_some(Evidence::Time(difference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(email: &str, allowed: bool, minute: u8) -> LoginRow {
        let row = format!(
            r#"{{"user_email":"{email}","allowed":{allowed},"created_at":"2026-03-01T12:{minute:02}:00Z","connection":"oidc"}}"#
        );
        serde_json::from_str(&row).unwrap()
    }

    fn options(logins: bool, domain: Option<&str>) -> Options {
        Options {
            since: "2026-03-01T00:00:00Z".parse().unwrap(),
            until: "2026-03-02T00:00:00Z".parse().unwrap(),
            domain: domain.map(|domain| domain.parse().unwrap()),
            all: false,
            logins,
        }
    }

    #[test]
    fn denied_sign_ins_and_the_first_allowed_after_them_are_told() {
        let logins = [
            login("a@cool.cats", true, 1),
            login("a@cool.cats", false, 2),
            login("x@dogs.test", false, 3),
            login("a@cool.cats", true, 4),
            login("a@cool.cats", true, 5),
        ];
        for (all, domain, expected) in [
            (false, None, vec![2, 3, 4]),
            (false, Some("cool.cats"), vec![2, 4]),
            (true, Some("cool.cats"), vec![1, 2, 4, 5]),
            (false, Some("dogs.test"), vec![3]),
        ] {
            let (rows, denied, allowed) = sign_ins(&options(all, domain), &logins);
            let minutes: Vec<_> = rows
                .iter()
                .map(|row| row.at.strftime("%M").to_string().parse::<i32>().unwrap())
                .collect();
            assert_eq!(minutes, expected, "{all} {domain:?}");
            assert!(denied.is_some());
            assert_eq!(allowed.is_some(), domain != Some("dogs.test"));
        }
    }

    #[test]
    fn an_entry_has_its_own_audit_row_by_ray_id_else_by_method_path_and_time() {
        let change = |(ray, method, second): (&str, &str, u8)| {
            let row = format!(
                r#"{{"action":{{"time":"1970-01-01T00:00:{second:02}Z"}},"raw":{{"cf_ray_id":{ray},
                    "method":"{method}","uri":"/client/v4/accounts/a/sso_connectors/c1"}}}}"#
            );
            Change::of(&serde_json::from_str(&row).unwrap()).unwrap()
        };
        let entry = |(ray, outcome, second): (Option<&str>, Outcome, u32)| {
            let request = r#"{"method":"PATCH","path":"/accounts/a/sso_connectors/c1","body":{}}"#;
            let ray_id = ray.map(str::to_owned);
            Entry { outcome, ray_id, ..Entry::sample("r", second, request) }
        };
        let (own, other, none) = (r#""8c5a""#, r#""ffff""#, "null");
        let known = (Some("8c5a-FRA"), Outcome::Done, 1);
        let lost = |second| (None, Outcome::Unknown, second);
        let failed = |second| (None, Outcome::Failed, second);
        for (rows, entries, expected) in [
            (vec![(own, "PATCH", 50)], vec![known], vec![Some(1)]),
            (vec![(other, "PATCH", 1)], vec![known], vec![None]),
            (vec![(none, "PATCH", 5)], vec![known], vec![Some(1)]),
            (vec![(own, "PATCH", 5)], vec![lost(1)], vec![Some(1)]),
            (vec![(none, "PATCH", 50)], vec![known], vec![None]),
            (vec![(none, "DELETE", 1)], vec![known], vec![None]),
            // The row of another client comes first, or the entry that failed.
            (vec![(other, "PATCH", 1), (own, "PATCH", 2)], vec![known], vec![None, Some(1)]),
            (vec![(none, "PATCH", 1), (own, "PATCH", 2)], vec![known], vec![None, Some(1)]),
            (vec![(none, "PATCH", 1), (none, "PATCH", 4)], vec![lost(4)], vec![None, Some(4)]),
            (vec![(none, "PATCH", 2)], vec![failed(1)], vec![None]),
            (
                vec![(none, "PATCH", 2), (none, "PATCH", 4)],
                vec![failed(1), lost(2), lost(4)],
                vec![Some(2), Some(4)],
            ),
        ] {
            let changes: Vec<_> = rows.iter().copied().map(change).collect();
            let entries: Vec<_> = entries.into_iter().map(entry).collect();
            let matched = match_entries(&changes, &entries).into_iter();
            let seconds: Vec<_> =
                matched.map(|entry| entry.map(|entry| entry.started_at.as_second())).collect();
            assert_eq!(seconds, expected, "{rows:?}");
        }
    }
}
