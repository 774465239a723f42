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
}

impl<'a> Subject<'a> {
    /// An identity provider as the API returns it. A configuration that is not an
    /// object counts as empty.
    pub fn of(idp: &'a Idp) -> Self {
        static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        Self { kind: idp.kind.as_str(), config: idp.config.as_object().unwrap_or(&EMPTY) }
    }
}
