use schemars::JsonSchema;
use serde::Serialize;

/// A type of identity provider (API reference, section 3).
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdpTypeSpec {
    /// The name of the type in the API (case-sensitive).
    #[serde(rename = "type")]
    pub name: &'static str,
    /// The name of the product.
    pub title: &'static str,
    /// Other names in guides and older API responses.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    pub aliases: &'static [&'static str],
    /// The fields of `config`.
    pub fields: &'static [Field],
    /// Whether the type supports `scim_config`.
    pub scim: bool,
    /// Whether the type can be shared with other accounts of the organization.
    pub federable: bool,
}

/// A field of a type's `config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Field {
    /// The name of the field in the API.
    pub name: &'static str,
    /// Whether the field is required.
    pub need: Requirement,
    /// Whether the value is a secret, which the API never returns.
    pub secret: bool,
    /// The type of the value.
    pub value: Value,
    /// The description of the field.
    pub help: &'static str,
}

/// Whether a field of `config` is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// The vendor's set-up guide requires the field.
    Needed,
    /// The field can be omitted.
    Optional,
    /// The API adds the field; an update may contain it.
    Returned,
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Any string.
    Text,
    /// A string without white space; if it is a URL, without a fragment.
    Identifier,
    /// A UUID.
    Uuid,
    /// A secret that is not a UUID.
    NotUuid,
    /// A domain name.
    Domain,
    /// An `https` URL without a fragment.
    Url,
    /// An `https` URL without a path.
    Origin,
    /// True or false.
    Boolean,
    /// An integer in this range.
    Number {
        /// The minimum.
        least: u64,
        /// The maximum.
        most: u64,
    },
    /// A list of strings.
    List,
    /// A list of certificates, PEM or bare base64.
    Certificates,
    /// A list of objects with `attribute_name` and `header_name`.
    Headers,
    /// One of these strings.
    Choice(&'static [&'static str]),
}

impl IdpTypeSpec {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn secrets(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|field| field.secret).map(|field| field.name)
    }

    pub fn input_fields(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().filter(|field| field.need != Requirement::Returned)
    }

    pub fn nearest_field(&self, name: &str) -> Option<&'static Field> {
        closest(name, self.input_fields().map(|field| (field.name, field)))
    }
}

/// None if more than a third of the name differs.
pub(super) fn closest<T>(
    written: &str,
    names: impl Iterator<Item = (&'static str, T)>,
) -> Option<T> {
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let written = plain(written);
    names
        .map(|(name, value)| (strsim::damerau_levenshtein(&written, &plain(name)), name, value))
        .filter(|(edits, name, _)| *edits <= name.len().max(3) / 3)
        .min_by_key(|(edits, _, _)| *edits)
        .map(|(_, _, value)| value)
}
