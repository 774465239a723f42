//! Identity providers, without the command line. `catalogue` and `config` define configurations;
//! `discovery` and `metadata` read what an IdP publishes, through `fetch`; `check` evaluates it;
//! `guide` has the steps at the IdP.

mod address;
mod catalogue;
pub(crate) mod certificate;

pub mod check;
pub(crate) mod config;
pub mod discovery;

pub mod fetch;
pub(crate) mod guide;
pub(crate) mod issuer;
pub(crate) mod jwks;
pub(crate) mod kind;
pub mod metadata;
pub(crate) mod preset;
mod saml;
pub(crate) mod text;
mod type_spec;
pub(crate) mod vendor;

pub use fetch::{FetchLimits, Fetcher, LoopbackPolicy};
pub use type_spec::{IdpTypeSpec, Requirement, Value};
