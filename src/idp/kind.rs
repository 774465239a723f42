//! Finds types of identity providers by name. Unknown types are passed through, never refused.

use super::catalogue;
use super::type_spec::closest;
pub use super::type_spec::{Field, IdpTypeSpec, Requirement, Value};

pub fn all() -> &'static [IdpTypeSpec] {
    catalogue::KINDS
}

/// By the API's name in any case, or by an alias.
pub fn find(name: &str) -> Option<&'static IdpTypeSpec> {
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    all().iter().find(|kind| is(kind.name) || kind.aliases.iter().any(|alias| is(alias)))
}

pub fn nearest(name: &str) -> Option<&'static IdpTypeSpec> {
    let names = all().iter().flat_map(|kind| {
        std::iter::once(&kind.name).chain(kind.aliases).map(move |name| (*name, kind))
    });
    closest(name, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_name_alias_and_any_case() {
        for (written, expected) in [
            ("onetimepin", Some("onetimepin")),
            ("otp", Some("onetimepin")),
            ("AzureAD", Some("azureAD")),
            ("azuread", Some("azureAD")),
            ("entra", Some("azureAD")),
            ("ping", Some("pingone")),
            ("google-apps", Some("google-apps")),
            ("passkeys", Some("passkeys")),
            ("retina-scan", None),
            ("", None),
        ] {
            assert_eq!(find(written).map(|kind| kind.name), expected, "{written}");
        }
    }

    #[test]
    fn a_misspelt_name_is_told_from_an_unknown_one() {
        for (written, expected) in [
            ("ockta", Some("okta")),
            ("open-id", None),
            ("saml2", Some("saml")),
            ("google_apps", Some("google-apps")),
            ("githbu", Some("github")),
            ("passkey", Some("passkeys")),
            ("retina-scan", None),
        ] {
            assert_eq!(nearest(written).map(|kind| kind.name), expected, "{written}");
        }
        let okta = find("okta").unwrap();
        for (written, expected) in [
            ("client-id", Some("client_id")),
            ("okta_acount", Some("okta_account")),
            ("directory_id", None),
            ("redirect_ur", None),
        ] {
            assert_eq!(okta.nearest_field(written).map(|field| field.name), expected, "{written}");
        }
    }

    #[test]
    fn names_are_unique_and_every_field_is_described() {
        let mut names: Vec<_> = all()
            .iter()
            .flat_map(|kind| std::iter::once(kind.name).chain(kind.aliases.iter().copied()))
            .map(str::to_ascii_lowercase)
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
        for kind in all() {
            for field in kind.fields {
                assert!(!field.help.is_empty() && !field.help.ends_with('.'), "{}", field.name);
                let twice = kind.fields.iter().filter(|other| other.name == field.name).count();
                assert_eq!(twice, 1, "{} {}", kind.name, field.name);
            }
        }
    }

    #[test]
    fn what_a_type_can_take_part_in_is_as_documented() {
        for kind in all() {
            let special = ["onetimepin", "cloudflare"].contains(&kind.name);
            assert_eq!(kind.federable, !special, "{}", kind.name);
        }
        assert!(!find("onetimepin").unwrap().scim && find("okta").unwrap().scim);
    }

    #[test]
    fn secrets_are_those_of_the_reference() {
        for kind in all() {
            let expected: &[&str] = match kind.name {
                "onetimepin" | "cloudflare" | "saml" | "passkeys" => &[],
                "okta" => &["client_secret", "api_token"],
                _ => &["client_secret"],
            };
            assert_eq!(kind.secrets().collect::<Vec<_>>(), expected, "{}", kind.name);
        }
    }
}
