//! One reader for each kind of pasted input: text files, secrets, values.
//!
//! - `text`: bytes of a file or of standard input → text
//! - `character`: names of characters that a person cannot see
//! - `secret`: what may be stored as a secret
//! - `secret_name`: which names mean a secret
//! - `value`: identifiers, URLs, domains and names
//! - `proxy`: the proxy that the environment names
//! - `depth`: a limit for nested JSON
//! - `permissions`: who else may use a file
//! - `time`: durations and times
//!
//! Below everything else: it knows neither settings nor the API.

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
