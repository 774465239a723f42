//! Readers for pasted input. The lowest layer: it knows neither settings nor the API.

pub mod character;
pub mod depth;
pub mod nearest;
pub mod permissions;
pub mod proxy;
pub mod secret;
pub mod secret_name;
pub mod text;
pub mod time;
pub mod value;
