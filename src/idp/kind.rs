//! What a type of identity provider is: its names, its fields, what it can take
//! part in. Types that are not known here are passed through, never refused.

use schemars::JsonSchema;
use serde::Serialize;

use super::catalogue;

/// A type of identity provider (API reference, section 3).
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdpTypeSpec {
    /// Its name in the API, case included.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Other names that guides and old answers use.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub aliases: &'static [&'static str],
    /// What `config` may hold.
    pub fields: &'static [Field],
    /// Whether it takes a `scim_config`.
    pub scim: bool,
    /// Whether it can be shared with the other accounts of an organization.
    pub federable: bool,
}

/// A field of a type's `config`.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Field {
    /// Its name in the API.
    pub name: &'static str,
    /// Whether it has to be there.
    pub need: Requirement,
    /// Whether the API takes it and never gives it back.
    pub secret: bool,
    /// The type of its value.
    pub value: Value,
    /// What it is, in words.
    pub help: &'static str,
}

/// Whether a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// The vendor's guide asks for it.
    Needed,
    /// It may be left out.
    Optional,
    /// The API adds it; it may be sent back.
    Returned,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Any text.
    Text,
    /// A text without white space; no fragment if it is a URL.
    Identifier,
    /// A UUID.
    Uuid,
    /// A secret that is not a UUID.
    NotUuid,
    /// A domain.
    Domain,
    /// An `https` URL without fragment.
    Url,
    /// An `https` URL without path.
    Origin,
    /// True or false.
    Boolean,
    /// A whole number in this range.
    Number {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// Texts.
    List,
    /// Certificates: texts, PEM or bare base64.
    Certificates,
    /// Pairs of `attribute_name` and `header_name`.
    Headers,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// All types that are known, in the order in which they are listed.
pub fn all() -> &'static [IdpTypeSpec] {
    catalogue::KINDS
}

/// The type of that name: as the API writes it, in any case, or an alias.
pub fn find(name: &str) -> Option<&'static IdpTypeSpec> {
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    all().iter().find(|kind| is(kind.name) || kind.aliases.iter().any(|alias| is(alias)))
}

/// The type that was probably meant by a name that no type has.
pub fn nearest(name: &str) -> Option<&'static IdpTypeSpec> {
    let names = all().iter().flat_map(|kind| {
        std::iter::once(&kind.name).chain(kind.aliases).map(move |name| (*name, kind))
    });
    closest(name, names)
}

impl IdpTypeSpec {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names of its secret fields.
    pub fn secrets(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|field| field.secret).map(|field| field.name)
    }

    /// The fields that the user may set.
    pub fn input_fields(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| field.need != Requirement::Returned)
    }

    /// The field that was probably meant by a name that no field has.
    pub fn nearest_field(&self, name: &str) -> Option<&'static Field> {
        closest(name, self.input_fields().map(|field| (field.name, field)))
    }
}

/// The value whose name is at most a third away from what was written.
fn closest<T>(written: &str, names: impl Iterator<Item = (&'static str, T)>) -> Option<T> {
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let written = plain(written);
    names
        .map(|(name, value)| (strsim::damerau_levenshtein(&written, &plain(name)), name, value))
        .filter(|(edits, name, _)| *edits <= name.len().max(3) / 3)
        .min_by_key(|(edits, _, _)| *edits)
        .map(|(_, _, value)| value)
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
