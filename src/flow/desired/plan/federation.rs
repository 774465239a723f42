//! Identity providers shared with other accounts.

use serde_json::Value;

use super::super::change::{Group, Task, Verb};
use super::super::{DesiredIdp, DesiredShare, Selection};
use super::{Planner, unknown_idp};
use crate::api::idp::{IdpFields, IdpType};
use crate::api::ids::AccountId;
use crate::flow::FlowError;
use crate::flow::federation::decision::{self, ShareAction};
use crate::flow::federation::eligibility;
use crate::flow::federation::recipients::{Audience, RecipientArgs, resolve_recipients};
use crate::flow::federation::state::FederationState;
use crate::flow::plan::Difference;

impl Planner<'_> {
    pub(super) fn federation(&mut self) -> Result<(), FlowError> {
        let created = self.created();
        for (at, share) in self.desired.shares().iter().enumerate() {
            let nothing = FederationState::default();
            let state = match self.facts.find(&share.idp) {
                Some(idp) => {
                    let state = self.facts.shared(&idp.id);
                    if state.is_none() {
                        eligibility::ensure_shareable(idp)?;
                    }
                    state.unwrap_or(&nothing)
                }
                None if created.contains(&share.idp.as_str()) => {
                    let mut new = self.desired.idps().iter().filter(|idp| idp.name == share.idp);
                    new.try_for_each(|idp| eligibility::ensure_shareable(&fields(idp)))?;
                    &nothing
                }
                None => {
                    let place = format!("federation[{at}].idp");
                    return Err(unknown_idp(&place, &share.idp, &created, self.facts));
                }
            };
            let Some(recipients) = missing_recipients(share, state)? else { continue };
            let directory = &self.facts.directory;
            let (audience, warnings) = resolve_recipients(recipients, self.own, directory, true)?;
            self.found.warnings.extend(warnings);
            let (names, diff) = match audience {
                Audience::Accounts(accounts) => {
                    let names: Vec<_> =
                        accounts.iter().map(|id| directory.display_name(id)).collect();
                    let diff = names.iter().map(|name| Difference::new("account", (), &**name));
                    (names.join(", "), diff.collect())
                }
                Audience::Organization(_) | Audience::EntireOrganization => {
                    let before: Vec<_> = state.recipients().map(ToString::to_string).collect();
                    let before = if before.is_empty() { Value::Null } else { before.into() };
                    let diff = vec![Difference::new("accounts", before, "all")];
                    ("the whole organization".to_owned(), diff)
                }
            };
            let title = format!("share {} with {names}", share.idp);
            let task = (Group::Federation, Verb::Share, Task::ShareIdp(at));
            self.push(task, &share.idp, title, diff);
        }
        Ok(())
    }
}

/// `None` if all recipients have it.
pub fn missing_recipients(
    share: &DesiredShare,
    state: &FederationState,
) -> Result<Option<RecipientArgs>, FlowError> {
    let audience = match &share.accounts {
        Selection::All(_) => Audience::EntireOrganization,
        Selection::Only(accounts) => Audience::Accounts(parse_accounts(accounts)?),
    };
    let has_grant = !state.grants.is_empty();
    if has_grant && decision::decide(state, &audience).sharing == ShareAction::Keep {
        return Ok(None);
    }
    let Audience::Accounts(accounts) = audience else {
        return Ok(Some(RecipientArgs::EntireOrganization));
    };
    let has = |id: &AccountId| {
        state.shares.iter().any(|share_state| decision::has_recipient(share_state, id))
    };
    let missing: Vec<_> = accounts.iter().filter(|id| !has(id)).map(ToString::to_string).collect();
    Ok((!missing.is_empty()).then_some(RecipientArgs::Accounts(missing)))
}

/// In lower case, as the API spells them.
pub(super) fn parse_accounts(texts: &[String]) -> Result<Vec<AccountId>, FlowError> {
    let parse = |text: &String| {
        let id = text.to_ascii_lowercase().parse::<AccountId>();
        id.map_err(|error| FlowError::usage(error.to_string()))
    };
    texts.iter().map(parse).collect()
}

/// Of an identity provider that does not exist yet.
fn fields(entry: &DesiredIdp) -> IdpFields {
    IdpFields {
        id: "new".parse().expect("letters make an ID"),
        name: entry.name.clone(),
        kind: IdpType::named(&entry.kind),
        config: Value::Null,
        scim_config: None,
        read_only: None,
    }
}
