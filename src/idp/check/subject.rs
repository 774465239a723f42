use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::api::idp::Idp;

#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The API's name of the type.
    pub kind: &'a str,
    /// As the API returns it.
    pub config: &'a Map<String, Value>,
    /// Shared by another account, which keeps the configuration.
    pub is_shared: bool,
}

impl<'a> Subject<'a> {
    pub fn new(kind: &'a str, config: &'a Map<String, Value>) -> Self {
        Self { kind, config, is_shared: false }
    }

    /// A configuration that is not an object counts as empty.
    pub fn of(idp: &'a Idp) -> Self {
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        let config = idp.config.as_object().unwrap_or(&EMPTY);
        let is_shared = idp.is_read_only() && config.is_empty();
        Self { is_shared, ..Self::new(idp.kind.as_str(), config) }
    }
}
