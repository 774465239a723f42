//! The state of dashboard SSO as a whole, as far as the token may see it.

mod chain;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use chain::{Link, LinkState, Role};

use super::bypass::status::{self, BypassStatus};
use super::idp_test::{self, TestedAt};
use super::journal::{Entry, Outcome};
use super::preflight::Thresholds;
use super::rename::{RenameInProgress, rename_in_progress};
use super::trial::keep::{self, TrialStatus};
use super::{Env, Error, app, connector, idp};
use crate::api::access_log::{self, LoginRow};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::idp::Idp;
use crate::api::ids::AccountId;
use crate::api::odd::OddRecord;
use crate::api::policy::{self, Policy};
use crate::api::{self, ErrorKind, permission};
use crate::domain::EmailDomain;
use crate::rfc3339;

const RECENT: usize = 3;

/// The area of the connectors.
pub const CONNECTORS: &str = "SSO connectors";

/// The result of `cfsso status`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether everything was checked and no problem was found.
    pub ok: bool,
    /// The ID of the account.
    pub account: String,
    /// The state of each domain; `null` if connectors cannot be read.
    pub domains: Option<Vec<Domain>>,
    /// The links that all domains share; used if the connectors cannot be read.
    pub shared: Vec<Link>,
    /// The state of the bypasses made on this machine.
    pub bypass: BypassStatus,
    /// The team rename that was started on this machine and has not ended; `null` if none.
    pub rename: Option<RenameInProgress>,
    /// The trials of SSO that have not ended.
    pub trials: Vec<TrialStatus>,
    /// The areas that could not be checked.
    pub not_checked: Vec<NotChecked>,
    /// Records that the API returned and that could not be parsed.
    pub odd_records: Vec<String>,
    /// The latest changes from this machine, newest first.
    pub journal: Vec<RecentChange>,
    /// The commands to run next.
    pub next: Vec<String>,
}

/// A domain and its sign-in chain.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the field is called so in JSON")]
pub struct Domain {
    /// The email domain.
    pub domain: String,
    /// The ID of the connector.
    pub connector: String,
    /// Whether SSO is enabled.
    pub enforced: Option<bool>,
    /// The state of the domain's verification.
    pub verification: Option<String>,
    /// Whether the latest attempt from this machine to enable SSO failed with a conflict.
    pub enabling_conflicted: bool,
    /// When the connector was last changed (RFC 3339).
    pub changed_on: Option<String>,
    /// When a sign-in was last allowed (RFC 3339); `null` if none was found.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub last_allowed: Option<Timestamp>,
    /// When a sign-in was last denied (RFC 3339); `null` if none was found.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub last_denied: Option<Timestamp>,
    /// The links of the chain: connector, SSO App, policy, identity providers.
    pub chain: Vec<Link>,
}

/// An area that could not be checked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotChecked {
    /// The name of the area.
    pub area: &'static str,
    /// The name in the API of the required permission; `null` if none is known.
    pub required_permission: Option<&'static str>,
    /// The name of the permission in the dashboard; `null` if none is known.
    pub dashboard: Option<String>,
    /// The error, if the request failed for another reason than a missing permission.
    pub error: Option<String>,
}

/// A recent journal entry.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecentChange {
    /// The ID of the entry.
    pub id: String,
    /// When the request was about to be sent (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub started_at: Timestamp,
    /// The description of the change.
    pub title: String,
    /// The outcome of the write.
    pub outcome: Outcome,
    /// The ID of the entry that undid it; `null` if it is not undone.
    pub undone_by: Option<String>,
}

/// `None` if the objects cannot be read.
type Part<T> = Option<Vec<T>>;

pub(super) struct Facts {
    pub apps: Part<App>,
    /// Of the SSO App.
    pub policies: Part<Policy>,
    pub idps: Part<Idp>,
    /// The IDs of identity providers whose records are invalid.
    pub invalid_idps: Vec<String>,
    pub lacks_access: bool,
    pub logins: Vec<LoginRow>,
    pub hand_tests: Vec<TestedAt>,
    /// Connectors whose latest enabling from this machine was a conflict.
    pub conflicts: Vec<String>,
}

/// Two rounds: policies need the ID of their application.
pub async fn read(env: &Env<'_>) -> Result<Report, Error> {
    // An unreadable journal does not prevent a report of the rest.
    let entries = env.journal.read().map(|reading| reading.entries).unwrap_or_default();
    let entries = env.own(&entries);
    let now = env.clock.now();
    let since = now.saturating_sub(Thresholds::LOGIN_WITHIN).unwrap_or(Timestamp::MIN);
    let newest = access_log::newest(env.account, since);
    let (connectors, apps, idps, logins, bypass) = tokio::join!(
        connector::list(env),
        app::list(env),
        idp::list(env),
        env.client.list(&newest),
        Box::pin(status::read_status(env, &entries)),
    );
    let mut gaps = Gaps::default();
    // There is nothing to show without connectors, unless only the permission is missing.
    let connectors = match connectors {
        Err(Error::Api(error))
            if !matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::AccessNotEnabled) =>
        {
            return Err(error.into());
        }
        connectors => gaps.record(CONNECTORS, connectors)?,
    };
    let apps = gaps.record("applications", apps)?;
    let idps = gaps.record("identity providers", idps)?;
    if gaps.errors.len() == 3 {
        return Err(gaps.errors.swap_remove(0).into());
    }
    let policies = policies(env, apps.as_deref(), &mut gaps).await?;
    let logins = match logins {
        Ok(logins) => logins,
        // Missing permissions are reported by `preflight` and `doctor`.
        Err(error)
            if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::AccessNotEnabled) =>
        {
            Vec::new()
        }
        Err(error) => gaps.record("sign-ins", Err(error.into()))?.unwrap_or_default(),
    };
    let invalid = env.client.odd_records(Some("identity provider"));
    let facts = Facts {
        apps,
        policies,
        idps,
        invalid_idps: invalid.into_iter().filter_map(|odd| odd.id).collect(),
        lacks_access: gaps.lacks_access,
        logins,
        hand_tests: idp_test::latest(&entries),
        conflicts: conflicts(&entries),
    };
    let mut not_checked = gaps.list();
    if bypass.active.is_none() {
        not_checked.push(NotChecked {
            area: "bypass status",
            required_permission: None,
            dashboard: None,
            error: None,
        });
    }
    let odd = env.client.odd_records(None);
    if let Some(all) = &connectors {
        let is_complete = odd.is_empty();
        keep::end_obsolete(env, &all.iter().collect::<Vec<_>>(), is_complete);
    }
    let domains =
        connectors.map(|connectors| connectors.iter().map(|one| domain(one, &facts)).collect());
    let shared = if domains.is_some() { Vec::new() } else { chain::shared(&facts) };
    let odd = odd.iter().map(OddRecord::describe).collect();
    let trials = keep::open_trials(env).into_iter().map(TrialStatus::from).collect();
    Ok(report(env.account, (domains, shared), (bypass, not_checked, odd), (entries, trials)))
}

async fn policies(
    env: &Env<'_>,
    apps: Option<&[App]>,
    gaps: &mut Gaps,
) -> Result<Part<Policy>, Error> {
    let Some(app) = apps.and_then(chain::sso_app) else { return Ok(None) };
    let policies = env.client.list(&policy::list(env.account, &app.id)).await;
    gaps.record("policies", policies.map_err(Error::from))
}

fn report(
    account: &AccountId,
    (domains, shared): (Option<Vec<Domain>>, Vec<Link>),
    (bypass, not_checked, odd_records): (BypassStatus, Vec<NotChecked>, Vec<String>),
    (entries, trials): (Vec<Entry>, Vec<TrialStatus>),
) -> Report {
    let mut links = domains.iter().flatten().flat_map(|domain| &domain.chain).chain(&shared);
    let is_well = links.all(|link| link.state == LinkState::Ok);
    let rename = rename_in_progress(&entries, account);
    let is_at_rest = bypass.active == Some(false) && rename.is_none() && trials.is_empty();
    Report {
        schema: "cfsso/status/v1",
        ok: is_well && not_checked.is_empty() && odd_records.is_empty() && is_at_rest,
        account: account.to_string(),
        next: chain::next(domains.as_deref(), (&bypass, rename.as_ref(), &trials), &not_checked),
        domains,
        shared,
        bypass,
        rename,
        trials,
        not_checked,
        odd_records,
        journal: recent(entries),
    }
}

fn domain(connector: &Connector, facts: &Facts) -> Domain {
    let app = facts.apps.as_deref().and_then(chain::sso_app);
    let last = |allowed| {
        let rows = facts.logins.iter().filter(|row| row.allowed == Some(allowed));
        let rows = rows.filter(|row| {
            app.is_some_and(|app| row.is_of_app(app.id.as_str(), app.aud.as_deref()))
        });
        let domain = connector.email_domain.parse::<EmailDomain>().ok();
        let is_own =
            |row: &&LoginRow| domain.as_ref().is_some_and(|it| it.has_address(row.email()));
        rows.filter(is_own).filter_map(|row| row.at()).max()
    };
    Domain {
        last_allowed: last(true),
        last_denied: last(false),
        domain: connector.email_domain.clone(),
        connector: connector.id.to_string(),
        enforced: connector.enabled,
        verification: connector.status().map(|status| status.as_str().to_owned()),
        changed_on: connector.updated_on.clone().or_else(|| connector.created_on.clone()),
        chain: chain::domain_chain(connector, facts),
        enabling_conflicted: facts.conflicts.contains(&connector.id.to_string()),
    }
}

/// Another attempt to enable them would be a conflict, too.
fn conflicts(entries: &[Entry]) -> Vec<String> {
    let mut latest: BTreeMap<String, bool> = BTreeMap::new();
    for entry in entries {
        let enables = entry.sent()["body"]["enabled"] == true;
        let line = entry.request_line();
        if let Some((_, id)) = line.split_once("/sso_connectors/").filter(|_| enables) {
            let is_conflict = entry.outcome == Outcome::Failed && entry.status == Some(409);
            latest.insert(id.to_owned(), is_conflict);
        }
    }
    latest.into_iter().filter_map(|(id, is_conflict)| is_conflict.then_some(id)).collect()
}

fn recent(entries: Vec<Entry>) -> Vec<RecentChange> {
    let latest = entries.into_iter().rev().take(RECENT);
    latest
        .map(|entry| RecentChange {
            id: entry.id,
            started_at: entry.started_at,
            title: entry.title,
            outcome: entry.outcome,
            undone_by: entry.undone_by,
        })
        .collect()
}

#[derive(Default)]
struct Gaps {
    areas: Vec<&'static str>,
    errors: Vec<api::Error>,
    lacks_access: bool,
}

impl Gaps {
    fn record<T>(
        &mut self,
        what: &'static str,
        read: Result<Vec<T>, Error>,
    ) -> Result<Part<T>, Error> {
        match read {
            Ok(items) => Ok(Some(items)),
            Err(Error::Api(error)) if error.kind() == ErrorKind::AccessNotEnabled => {
                self.lacks_access = true;
                Ok(Some(Vec::new()))
            }
            Err(Error::Api(error)) => {
                self.areas.push(what);
                self.errors.push(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn list(&self) -> Vec<NotChecked> {
        let gaps = self.areas.iter().zip(&self.errors);
        gaps.map(|(area, error)| {
            let is_forbidden = error.kind() == ErrorKind::Forbidden;
            let permission = permission::required(&error.request).filter(|_| is_forbidden);
            NotChecked {
                area,
                required_permission: permission,
                dashboard: permission.map(permission::in_dashboard),
                error: (!is_forbidden).then(|| error.line()),
            }
        })
        .collect()
    }
}
