//! The identity provider that is checked.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::api::idp::Idp;

#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its type, as the API names it.
    pub kind: &'a str,
    /// Its configuration, as the API answers it.
    pub config: &'a Map<String, Value>,
    /// Another account shares it, and keeps its configuration.
    pub is_shared: bool,
}

impl<'a> Subject<'a> {
    /// An identity provider of the account itself.
    pub fn new(kind: &'a str, config: &'a Map<String, Value>) -> Self {
        Self { kind, config, is_shared: false }
    }

    /// An identity provider as the API returns it. A configuration that is not an
    /// object counts as empty.
    pub fn of(idp: &'a Idp) -> Self {
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        let config = idp.config.as_object().unwrap_or(&EMPTY);
        let is_shared = idp.is_read_only() && config.is_empty();
        Self { is_shared, ..Self::new(idp.kind.as_str(), config) }
    }
}
