use schemars::JsonSchema;
use serde::Serialize;

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
    #[schemars(with = "Option<Vec<String>>")]
    pub aliases: &'static [&'static str],
    /// What `config` may hold.
    pub fields: &'static [Field],
    /// Whether it takes a `scim_config`.
    pub scim: bool,
    /// Whether it can be shared with the other accounts of an organization.
    pub federable: bool,
}

/// A field of a type's `config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
