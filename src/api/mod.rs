//! The typed client of the Cloudflare API. A resource's file says what can be
//! asked; [`Client`] sends it. Knows nothing of tables, terminals or flows.

pub mod account;
pub mod app;
pub mod base;
pub mod client;
pub mod config;
pub mod connector;
pub mod credentials;
pub mod document;
mod envelope;
pub mod error;
pub mod fault;
pub mod grant;
pub mod hidden;
pub mod idp;
pub mod ids;
pub mod kind;
pub mod mask;
pub mod member;
pub mod object;
pub mod odd;
pub mod organization;
pub mod pages;
mod pem;
pub mod permission;
pub mod policy;
pub mod record;
pub mod request;
pub mod retry;
pub mod roots;
pub mod share;
pub mod throttle;
pub mod token;
pub mod trace;
mod wire;
pub mod zone;

pub use base::BaseUrl;
pub use client::{Client, Created, Said};
pub use config::Config;
pub use credentials::Credentials;
pub use error::Error;
pub use fault::{ApiError, Fault, Refusal, SetupError};
pub use kind::Kind;
pub use roots::Roots;
