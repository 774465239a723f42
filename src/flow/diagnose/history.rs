//! When users signed in, by the login log, and what changed since then. Pure.

use jiff::{SignedDuration, Timestamp};

use super::Question;
use super::facts::Facts;
use super::report::{Step, StepId, StepState};
use crate::api::access_log::LoginRow;
use crate::flow::changes::Change;
use crate::flow::preflight::NotChecked;
use crate::rfc3339::format as time;

/// Maximum age of a sign-in that contradicts a cause.
const RECENT: SignedDuration = SignedDuration::from_mins(15);

pub(super) struct History {
    pub allowed: Option<Timestamp>,
    /// The first denial after the last allowed one.
    pub denied: Option<Timestamp>,
}

fn rows<'a>(facts: &'a Facts<'_>) -> Result<Vec<&'a LoginRow>, &'a NotChecked> {
    let rows = match facts.logins {
        Some(rows) => rows.as_ref()?,
        None => facts.gathered.logins.as_ref()?,
    };
    // These include rows whose address differs in case.
    let more = facts.gathered.logins.as_deref().unwrap_or_default().iter();
    let app = facts.gathered.sso_app()?;
    let Question { email, domain, .. } = facts.question;
    let is_match = |row: &&LoginRow| {
        let is_of_app = app.is_some_and(|app| row.is_of_app(app.id.as_str(), app.aud.as_deref()));
        let is_of_user = match email {
            Some(email) => row.email().eq_ignore_ascii_case(email),
            None => domain.has_address(row.email()),
        };
        is_of_app && is_of_user && row.is_person()
    };
    Ok(rows.iter().chain(more).filter(is_match).collect())
}

pub(super) fn history(facts: &Facts<'_>) -> History {
    let rows = rows(facts).unwrap_or_default();
    let times = |allowed: bool| {
        rows.iter().filter(move |row| row.allowed == Some(allowed)).filter_map(|row| row.at())
    };
    let allowed = times(true).max();
    let denied = times(false).filter(|at| allowed.is_none_or(|allowed| *at > allowed)).min();
    History { allowed, denied }
}

/// Whether a successful sign-in is newer than every known denial and change.
pub(super) fn signed_in_since(facts: &Facts<'_>, &History { allowed, denied }: &History) -> bool {
    let last = facts.changes.as_ref().ok().and_then(|all| all.iter().map(|it| it.at).max());
    let Some(allowed) = allowed else { return false };
    denied.is_none() && last.is_none_or(|last| allowed > last)
}

/// Whether a sign-in succeeded so recently that the present state cannot prevent it.
pub(super) fn signed_in_just_now(
    facts: &Facts<'_>,
    &History { allowed, denied }: &History,
) -> bool {
    let recent = facts.now.saturating_sub(RECENT).unwrap_or(Timestamp::MIN);
    denied.is_none() && allowed.is_some_and(|allowed| allowed > recent)
}

pub(super) fn login_log<'a>(
    facts: &'a Facts<'_>,
    history: &History,
    is_allowed_now: bool,
) -> Result<Step, &'a NotChecked> {
    let found = rows(facts)?;
    let words = match (&history.allowed, &history.denied) {
        (_, Some(denied)) => format!(
            "denied at {}{}",
            time(*denied),
            history.allowed.map(|at| format!(", last allowed at {}", time(at))).unwrap_or_default()
        ),
        (Some(allowed), None) => format!("last allowed at {}, none denied since", time(*allowed)),
        (None, None) if found.is_empty() => {
            "no attempt in the log: none was made, or the identity provider rejected the user"
                .to_owned()
        }
        (None, None) => "no decision in the log".to_owned(),
    };
    let now =
        if history.denied.is_some() && is_allowed_now { "; the policies allow it now" } else { "" };
    Ok(Step::new(StepId::LoginLog, StepState::Ok, format!("{words}{now}")))
}

/// Changes between the last allowed and the first denied sign-in. Without a denied one, only
/// changes that break sign-in without a row in the login log.
pub(super) fn suspects<'a>(facts: &'a Facts<'_>, history: &History) -> Vec<&'a Change> {
    let (Some(allowed), Ok(changes)) = (history.allowed, facts.changes) else { return Vec::new() };
    let end = history.denied.unwrap_or(facts.now);
    let between = changes.iter().filter(|change| change.at > allowed && change.at <= end);
    between.filter(|change| history.denied.is_some() || change.breaks_silently()).collect()
}

pub(super) fn recent_changes<'a>(
    facts: &'a Facts<'_>,
    history: &History,
) -> Result<Step, &'a NotChecked> {
    let id = StepId::RecentChanges;
    let changes = facts.changes.as_ref()?;
    if let Some(last) = suspects(facts, history).last() {
        let words = format!("changed since the last sign-in: {}", last.describe());
        return Ok(Step::new(id, StepState::Suspect, words)
            .fix(format!("`cfsso timeline --domain {}`", facts.question.domain)));
    }
    let words = match changes.last() {
        None => "none".to_owned(),
        Some(last) => format!("{}, the last: {}", changes.len(), last.describe()),
    };
    Ok(Step::new(id, StepState::Ok, words))
}
