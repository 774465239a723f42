//! One reader for each kind of pasted input: text files, secrets, values.
//!
//! - `text`: bytes of a file or of standard input → text
//! - `character`: names of characters that a person cannot see
//! - `secret`: what may be stored as a secret
//!
//! Pure, and below everything else: it knows neither settings nor the API.

pub mod character;
pub mod secret;
pub mod text;
