//! Resolves the recipients that the user passed, by the accounts that the token sees.

use super::accounts::{AccountDirectory, Membership};
use crate::api::ids::{AccountId, OrganizationId};
use crate::api::share::RecipientSpec;
use crate::flow::FlowError;
use crate::input::nearest::nearest;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    Accounts(Vec<AccountId>),
    Organization(OrganizationId),
    /// Every account of the own organization, if its ID is not known.
    EntireOrganization,
}

#[derive(Debug, Clone)]
pub enum RecipientArgs {
    Accounts(Vec<String>),
    Organization(OrganizationId),
    EntireOrganization,
}

impl Audience {
    pub fn recipients(&self) -> Vec<RecipientSpec> {
        match self {
            Self::Accounts(accounts) => {
                accounts.iter().cloned().map(RecipientSpec::Account).collect()
            }
            Self::Organization(id) => vec![RecipientSpec::Organization(id.clone())],
            Self::EntireOrganization => vec![RecipientSpec::EntireOrganization {}],
        }
    }
}

/// `own` is the sharing account; `unseen` allows accounts that the token does not see. Also
/// returns warnings.
pub fn resolve_recipients(
    named: RecipientArgs,
    own: &AccountId,
    directory: &AccountDirectory,
    unseen: bool,
) -> Result<(Audience, Vec<String>), FlowError> {
    if directory.membership(own) == Membership::NoOrganization {
        return Err(in_no_organization(own));
    }
    let mut warnings = Vec::new();
    let audience = match named {
        RecipientArgs::Accounts(texts) => {
            let accounts = resolve(&texts, directory)?;
            ensure_distinct(&accounts, own)?;
            for account in &accounts {
                warnings.extend(ensure_same_organization(account, own, directory, unseen)?);
            }
            Audience::Accounts(accounts)
        }
        RecipientArgs::Organization(id) => match directory.membership(own) {
            Membership::Member(known) if known != id.as_str() => {
                return Err(other_organization(&id, known));
            }
            _ => Audience::Organization(id),
        },
        // The ID means the same as an empty recipient, and is explicit.
        RecipientArgs::EntireOrganization => match directory.membership(own) {
            Membership::Member(known) => {
                known.parse().map_or(Audience::EntireOrganization, Audience::Organization)
            }
            _ => Audience::EntireOrganization,
        },
    };
    Ok((audience, warnings))
}

pub fn resolve(
    texts: &[String],
    directory: &AccountDirectory,
) -> Result<Vec<AccountId>, FlowError> {
    if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty()) {
        return Err(FlowError::usage("empty recipient account")
            .cause("the API takes an empty recipient as the whole organization")
            .hint("`--to <ACCOUNT>` with an ID or name"));
    }
    texts.iter().map(|text| find_account(text.trim(), directory)).collect()
}

/// By ID, else by name, else by name in any case. Several matches are an error.
pub fn find_account(text: &str, directory: &AccountDirectory) -> Result<AccountId, FlowError> {
    if let Ok(id) = text.parse::<AccountId>() {
        return Ok(id.to_string().to_ascii_lowercase().parse().unwrap_or(id));
    }
    let is_like = |name: &str| name.to_lowercase() == text.to_lowercase();
    let exact = |name: &str| name == text;
    let matchers: [&dyn Fn(&str) -> bool; 2] = [&exact, &is_like];
    for matcher in matchers {
        let found: Vec<_> = directory
            .accounts()
            .iter()
            .filter(|account| account.name.as_deref().is_some_and(matcher))
            .collect();
        match found.as_slice() {
            [] => {}
            [only] => return Ok(only.id.clone()),
            several => {
                let message = format!("`{text}` matches {} accounts", several.len());
                return Err(FlowError::conflict(message)
                    .causes(several.iter().map(|account| directory.display_name(&account.id)))
                    .hint(format!("name one by its ID, `{}`", several[0].id)));
            }
        }
    }
    let error = FlowError::not_found(format!("no account `{text}` (for this token)"));
    let names = directory.accounts().iter().filter_map(|account| account.name.as_deref());
    let hint = match nearest(text, names, 0.85) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "use the account ID (32 hexadecimal digits)".to_owned(),
    };
    Err(match &directory.unlisted {
        Some(reason) => error
            .cause(format!("it cannot list accounts: {reason}"))
            .hint("use the account ID (32 hexadecimal digits)"),
        None => {
            error
                .causes(
                    directory.accounts().iter().take(10).map(|account| {
                        format!("accounts: {}", directory.display_name(&account.id))
                    }),
                )
                .hint(hint)
        }
    })
}

/// Fails for duplicates, and for the account that shares.
fn ensure_distinct(accounts: &[AccountId], own: &AccountId) -> Result<(), FlowError> {
    for (at, account) in accounts.iter().enumerate() {
        if account.as_str().eq_ignore_ascii_case(own.as_str()) {
            let message = format!("`{account}` is the account that shares");
            return Err(
                FlowError::usage(message).hint("leave it out: it owns the identity provider")
            );
        }
        if accounts[..at].contains(account) {
            let message = format!("`{account}` is given twice");
            return Err(FlowError::usage(message).hint("pass each account once"));
        }
    }
    Ok(())
}

/// Returns a warning if the organization cannot be determined.
fn ensure_same_organization(
    account: &AccountId,
    own: &AccountId,
    directory: &AccountDirectory,
    unseen: bool,
) -> Result<Option<String>, FlowError> {
    let name = directory.display_name(account);
    match (directory.membership(own), directory.membership(account)) {
        (Membership::Member(a), Membership::Member(b)) if a == b => Ok(None),
        (Membership::Member(_), Membership::Member(_) | Membership::NoOrganization) => {
            Err(FlowError::refused(format!("`{name}` is not in the organization of this account"))
                .cause("an identity provider can be shared within one organization only")
                .hint("leave it out, or add it to the organization as a super administrator"))
        }
        _ if directory.accounts().len() > 1 && !directory.knows(account) && !unseen => {
            Err(FlowError::not_found(format!("no account `{account}` (for this token)"))
                .cause(format!("the token has access to {} others", directory.accounts().len()))
                .hint("check the ID; if it is correct, add `--unseen`"))
        }
        _ => Ok(Some(format!("not checked whether {name} is in the organization of this account"))),
    }
}

pub fn in_no_organization(own: &AccountId) -> FlowError {
    FlowError::refused(format!("the account `{own}` is in no organization"))
        .cause("identity providers are shared between accounts of one Cloudflare organization")
        .hint("a super administrator can add the account to an organization in the dashboard")
}

fn other_organization(id: &OrganizationId, known: &str) -> FlowError {
    FlowError::refused(format!("this account is not in the organization `{id}`"))
        .cause(format!("its organization is {known}"))
        .hint(format!("`--to-organization {known}`, or name accounts with `--to`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    const OWN: &str = "00000000000000000000000000000000";

    fn id(digit: char) -> String {
        std::iter::repeat_n(digit, 32).collect()
    }

    /// Accounts of organization `o1`: 0 to 3. Of `o2`: 8. Of none: 9.
    fn directory() -> AccountDirectory {
        let account = |digit: char, organization: Option<&str>| {
            let text = format!(
                r#"{{"id":"{}","name":"Cats {digit}","managed_by":{}}}"#,
                id(digit),
                organization.map_or_else(
                    || "null".to_owned(),
                    |id| format!(r#"{{"parent_org_id":"{id}"}}"#)
                ),
            );
            serde_json::from_str(&text).unwrap()
        };
        AccountDirectory::new(vec![
            account('0', Some("o1")),
            account('1', Some("o1")),
            account('2', Some("o1")),
            account('3', Some("o1")),
            account('8', Some("o2")),
            account('9', None),
        ])
    }

    fn resolved(texts: &[&str], unseen: bool) -> Result<(Audience, Vec<String>), FlowError> {
        let named = RecipientArgs::Accounts(texts.iter().map(|&text| text.to_owned()).collect());
        resolve_recipients(named, &OWN.parse().unwrap(), &directory(), unseen)
    }

    #[test]
    fn accounts_are_named_by_id_or_name_and_refused_with_the_reason() {
        let unknown = id('7');
        let cases: &[(&[&str], bool, Result<usize, FlowErrorKind>)] = &[
            (&[&id('1'), "Cats 2", "cats 3"], false, Ok(3)),
            (&[""], false, Err(FlowErrorKind::Usage)),
            (&[], false, Err(FlowErrorKind::Usage)),
            (&["Cats 1", "  "], false, Err(FlowErrorKind::Usage)),
            (&["Cats 1", &id('1')], false, Err(FlowErrorKind::Usage)),
            (&[OWN], false, Err(FlowErrorKind::Usage)),
            (&["Cats 0"], false, Err(FlowErrorKind::Usage)),
            (&["Dogs"], false, Err(FlowErrorKind::NotFound)),
            (&[&unknown], false, Err(FlowErrorKind::NotFound)),
            (&[&unknown], true, Ok(1)),
            (&["Cats 8"], false, Err(FlowErrorKind::Refused)),
            (&["Cats 9"], true, Err(FlowErrorKind::Refused)),
        ];
        for (texts, unseen, expected) in cases {
            let seen = resolved(texts, *unseen).map(|(audience, _)| audience.recipients().len());
            assert_eq!(seen.map_err(|error| error.kind), *expected, "{texts:?}");
        }
    }

    #[test]
    fn what_cannot_be_checked_is_a_warning_and_no_refusal() {
        assert!(resolved(&["Cats 1"], false).unwrap().1.is_empty());
        assert_eq!(resolved(&[&id('7')], true).unwrap().1.len(), 1);
        let named = RecipientArgs::Accounts(vec![id('7')]);
        let mut blind = AccountDirectory::new(Vec::new());
        blind.unlisted = Some("403".to_owned());
        let (_, warnings) =
            resolve_recipients(named, &OWN.parse().unwrap(), &blind, false).unwrap();
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn a_whole_organization_is_the_own_one_or_refused() {
        let own = OWN.parse().unwrap();
        let resolve_recipients =
            |named, own| resolve_recipients(named, own, &directory(), false).map(|(to, _)| to);
        let organization = |id: &str| Audience::Organization(id.parse().unwrap());
        let entire = resolve_recipients(RecipientArgs::EntireOrganization, &own).unwrap();
        assert_eq!(entire, organization("o1"));
        let named = RecipientArgs::Organization("o1".parse().unwrap());
        assert_eq!(resolve_recipients(named, &own).unwrap(), organization("o1"));
        let other = resolve_recipients(RecipientArgs::Organization("o2".parse().unwrap()), &own)
            .unwrap_err();
        assert_eq!(other.kind, FlowErrorKind::Refused);
        let none = resolve_recipients(RecipientArgs::EntireOrganization, &id('9').parse().unwrap())
            .unwrap_err();
        assert_eq!(none.kind, FlowErrorKind::Refused);
        assert!(none.message.ends_with("is in no organization"), "{none}");
    }

    #[test]
    fn an_ambiguous_name_lists_the_accounts() {
        let text = |digit| format!(r#"{{"id":"{}","name":"Twins"}}"#, id(digit));
        let twins = ['a', 'b'].map(|digit| serde_json::from_str(&text(digit)).unwrap());
        let error =
            resolve(&["twins".to_owned()], &AccountDirectory::new(twins.into())).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::Conflict);
        assert_eq!(error.causes.len(), 2);
    }
}
