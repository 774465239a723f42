//! Identity providers, without the command line. `catalogue` and `config` define configurations;
//! `discovery` and `metadata` read what an IdP publishes, through `fetch`; `check` evaluates it;
//! `guide` has the steps at the IdP.

mod address;
mod catalogue;
pub mod certificate;

pub mod check;
pub mod config;
pub mod discovery;

pub mod fetch;
pub mod guide;
pub mod issuer;
pub mod jwks;
pub mod kind;
pub mod metadata;
pub mod preset;
mod saml;
pub mod text;
mod type_spec;
pub mod vendor;

pub use fetch::{FetchLimits, Fetcher, LoopbackPolicy};
pub use type_spec::{IdpTypeSpec, Requirement, Value};
