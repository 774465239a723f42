//! Readers for pasted input. The lowest layer: it knows neither settings nor the API.

pub mod character;
pub(crate) mod depth;
pub(crate) mod file;
pub(crate) mod nearest;
pub(crate) mod permissions;
pub(crate) mod proxy;
pub(crate) mod secret;
pub(crate) mod secret_name;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod value;
