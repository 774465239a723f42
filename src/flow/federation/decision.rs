//! The grant and share to create, reuse or extend for an audience. Pure. Never replaces any.

use super::recipients::Audience;
use super::state::{FederationState, ShareState};
use crate::api::ids::{AccountId, GrantId, ShareId};
use crate::api::share::RecipientSpec;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The grant to reuse; `None` creates one.
    pub grant: Option<GrantId>,
    pub sharing: ShareAction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareAction {
    Keep,
    Create(Vec<RecipientSpec>),
    AddRecipients(ShareId, Vec<RecipientSpec>),
}

pub fn decide(state: &FederationState, audience: &Audience) -> Decision {
    let grant = state.grants.first().map(|grant| grant.id.clone());
    let Audience::Accounts(accounts) = audience else {
        let stands = state.shares.iter().any(|share_state| covers(share_state, audience));
        let sharing =
            if stands { ShareAction::Keep } else { ShareAction::Create(audience.recipients()) };
        return Decision { grant, sharing };
    };
    let missing: Vec<_> = accounts
        .iter()
        .filter(|account| {
            !state.shares.iter().any(|share_state| has_recipient(share_state, account))
        })
        .cloned()
        .map(RecipientSpec::Account)
        .collect();
    let sharing = match (missing.is_empty(), oldest_account_share(&state.shares)) {
        (true, _) => ShareAction::Keep,
        (false, Some(share_state)) => {
            ShareAction::AddRecipients(share_state.share.id.clone(), missing)
        }
        (false, None) => ShareAction::Create(missing),
    };
    Decision { grant, sharing }
}

/// Whether it is shared with the requested organization as a whole.
fn covers(share_state: &ShareState, audience: &Audience) -> bool {
    if !share_state.share.is_for_organization() {
        return false;
    }
    let Audience::Organization(id) = audience else { return true };
    let organization = share_state.share.organization_id.as_deref();
    organization.is_none_or(|organization| organization == id.as_str())
}

/// A share with a whole organization reaches each recipient: all belong to one organization.
pub fn has_recipient(share_state: &ShareState, account: &AccountId) -> bool {
    share_state.share.is_for_organization()
        || share_state
            .recipients
            .iter()
            .any(|recipient| recipient.is_active() && recipient.account() == Some(account))
}

/// Only a share with single accounts accepts recipients (API reference, section 7).
fn oldest_account_share(shares: &[ShareState]) -> Option<&ShareState> {
    let by_age = |share_state: &&ShareState| {
        (share_state.share.created.clone(), share_state.share.id.to_string())
    };
    shares.iter().filter(|share_state| !share_state.share.is_for_organization()).min_by_key(by_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> AccountId {
        std::iter::repeat_n(digit, 32).collect::<String>().parse().unwrap()
    }

    fn share_state(share: &str, target: &str, recipients: &[(char, &str)]) -> ShareState {
        let text = format!(
            r#"{{"id":"{share}","target_type":"{target}","organization_id":"o1","created":"{share}"}}"#
        );
        let recipient = |(digit, state): &(char, &str)| {
            let text = format!(
                r#"{{"id":"r{digit}","recipient_account_id":"{}","association_status":"{state}"}}"#,
                id(*digit)
            );
            serde_json::from_str(&text).unwrap()
        };
        ShareState {
            share: serde_json::from_str(&text).unwrap(),
            resources: Vec::new(),
            recipients: recipients.iter().map(recipient).collect(),
        }
    }

    fn decided(grants: &str, shares: Vec<ShareState>, audience: &Audience) -> String {
        let grants = serde_json::from_str(grants).unwrap();
        let decision = decide(&FederationState { grants, shares, orphans: Vec::new() }, audience);
        let grant = decision.grant.map_or("new".to_owned(), |id| id.to_string());
        let digits = |to: &[RecipientSpec]| {
            to.iter()
                .map(|to| match to {
                    RecipientSpec::Account(id) => id.as_str()[..1].to_owned(),
                    RecipientSpec::Organization(id) => id.to_string(),
                    RecipientSpec::EntireOrganization {} => "entire".to_owned(),
                })
                .collect::<String>()
        };
        match decision.sharing {
            ShareAction::Keep => format!("{grant}, stands"),
            ShareAction::Create(to) => format!("{grant}, create {}", digits(&to)),
            ShareAction::AddRecipients(share, to) => {
                format!("{grant}, add {} to {share}", digits(&to))
            }
        }
    }

    #[test]
    fn what_stands_is_reused_and_only_what_is_missing_is_added() {
        const GRANT: &str = r#"[{"id":"g1","idp_id":"p1"}]"#;
        let accounts = |digits: &str| Audience::Accounts(digits.chars().map(id).collect());
        let organization = || Audience::Organization("o1".parse().unwrap());
        let two =
            || vec![share_state("s1", "account", &[('1', "associated"), ('2', "associating")])];
        for (grants, shares, audience, expected) in [
            ("[]", vec![], accounts("12"), "new, create 12"),
            (GRANT, vec![], accounts("12"), "g1, create 12"),
            (GRANT, two(), accounts("12"), "g1, stands"),
            (GRANT, two(), accounts("1234"), "g1, add 34 to s1"),
            (
                GRANT,
                vec![share_state(
                    "s1",
                    "account",
                    &[('1', "disassociated"), ('2', "disassociating")],
                )],
                accounts("12"),
                "g1, add 12 to s1",
            ),
            (
                GRANT,
                vec![
                    share_state("s2", "account", &[('1', "associated")]),
                    share_state("s1", "account", &[]),
                ],
                accounts("13"),
                "g1, add 3 to s1",
            ),
            (GRANT, vec![share_state("s1", "organization", &[])], accounts("12"), "g1, stands"),
            (GRANT, vec![share_state("s1", "organization", &[])], organization(), "g1, stands"),
            (
                GRANT,
                vec![share_state("s1", "organization", &[])],
                Audience::EntireOrganization,
                "g1, stands",
            ),
            (
                GRANT,
                vec![share_state("s1", "organization", &[])],
                Audience::Organization("o2".parse().unwrap()),
                "g1, create o2",
            ),
            // Single accounts cannot be changed to an organization in place.
            (GRANT, two(), organization(), "g1, create o1"),
            ("[]", vec![], Audience::EntireOrganization, "new, create entire"),
        ] {
            assert_eq!(decided(grants, shares, &audience), expected, "{audience:?}");
        }
    }
}
