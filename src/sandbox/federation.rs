//! The progress of shares and recipients, computed from the stored times.

use jiff::{SignedDuration, Timestamp};

use super::raw::RawObject;
use super::state::{Recipient, Resource, Share, State, Target, derived_uuid};

/// Until a recipient gains or loses a share, or a share is deleted. The real times are unknown.
const DELAY: SignedDuration = SignedDuration::from_secs(5);

pub(super) const GRANT: &str = "idp-federation-grant";

fn is_propagated(began: Timestamp, now: Timestamp) -> bool {
    now.duration_since(began) >= DELAY
}

pub(super) fn status(removed: Option<Timestamp>, now: Timestamp) -> &'static str {
    match removed {
        None => "active",
        Some(began) if is_propagated(began, now) => "deleted",
        Some(_) => "deleting",
    }
}

/// The recipient's status; `can_take`: its account has Access.
pub(super) fn association(recipient: &Recipient, can_take: bool, now: Timestamp) -> &'static str {
    match recipient.removed {
        Some(began) if is_propagated(began, now) => "disassociated",
        Some(_) => "disassociating",
        None if can_take && is_propagated(recipient.created, now) => "associated",
        None => "associating",
    }
}

/// How often the API retries before it gives up is unknown.
pub(super) fn is_failed(recipient: &Recipient, now: Timestamp) -> bool {
    is_propagated(recipient.created, now)
}

/// Whether the recipient's account has Access.
pub(super) fn can_receive(state: &State, recipient: &Recipient) -> bool {
    match &recipient.target {
        Target::Account(account) => state.auth_domain(account).is_some(),
        Target::Organization(_) => true,
    }
}

#[derive(Debug)]
pub(super) struct Received {
    pub id: String,
    pub object: RawObject,
}

/// The providers shared with an account. Their real fields beyond `read_only` are unknown.
pub(super) fn received(state: &State, account: &str, now: Timestamp) -> Vec<Received> {
    let shares = state.shares.iter().filter(|share| has_received(state, share, account, now));
    let resources = shares.flat_map(|share| &share.resources);
    let mut list: Vec<Received> = Vec::new();
    for resource in resources.filter(|resource| status(resource.removed, now) != "deleted") {
        let received = recipient_copy(state, resource, account);
        list.extend(received.filter(|new| list.iter().all(|known| known.id != new.id)));
    }
    list
}

/// Whether the account has the share: from association until disassociation.
fn has_received(state: &State, share: &Share, account: &str, now: Timestamp) -> bool {
    share.account != account
        && status(share.removed, now) != "deleted"
        && share.recipients.iter().any(|recipient| {
            let status = association(recipient, can_receive(state, recipient), now);
            recipient.target.includes(account, state)
                && matches!(status, "associated" | "disassociating")
        })
}

fn recipient_copy(state: &State, resource: &Resource, account: &str) -> Option<Received> {
    let grant = state.grants.iter().find(|grant| grant.id == resource.grant)?;
    let source = state.providers.iter().find(|provider| provider.id == grant.provider)?;
    let id = derived_uuid([&source.id, account]);
    let mut object = RawObject::default();
    object.set("id", &id);
    object.set("name", source.object.text("name"));
    object.set("type", source.object.text("type"));
    object.set("read_only", true);
    object.set("config", RawObject::default());
    object.set("uid", &id);
    object.keep_from(&source.object, "version");
    Some(Received { id, object })
}

impl Share {
    pub(super) fn is_with_organization(&self) -> bool {
        self.recipients.iter().any(|one| matches!(one.target, Target::Organization(_)))
    }
}

impl Target {
    pub(super) fn includes(&self, account: &str, state: &State) -> bool {
        match self {
            Self::Account(id) => id == account,
            Self::Organization(id) => state.parent(account).as_ref() == Some(id),
        }
    }
}

impl State {
    pub(super) fn parent(&self, account: &str) -> Option<String> {
        self.accounts.iter().find(|known| known.id == account)?.parent.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_associates_and_disassociates_in_its_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (removed, can_take, now, expected) in [
            (None, true, 100, "associating"),
            (None, true, 104, "associating"),
            (None, true, 105, "associated"),
            (None, false, 1000, "associating"),
            (Some(200), true, 204, "disassociating"),
            (Some(200), true, 205, "disassociated"),
        ] {
            let recipient = Recipient {
                id: String::new(),
                target: Target::Account(String::new()),
                created: at(100),
                removed: removed.map(at),
            };
            assert_eq!(association(&recipient, can_take, at(now)), expected, "{now}");
        }
    }
}
