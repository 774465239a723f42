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
pub mod error_kind;
pub mod grant;
pub mod hidden;
mod http;
pub mod idp;
pub mod ids;
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
pub mod request_error;
pub mod retry;
pub mod share;
pub mod throttle;
pub mod tls;
pub mod token;
pub mod trace;
pub mod zone;

pub use base::BaseUrl;
pub use client::{Client, Created, ResponseMeta};
pub use config::Config;
pub use credentials::Credentials;
pub use error::Error;
pub use error_kind::ErrorKind;
pub use request_error::{ApiError, ErrorResponse, RequestError, SetupError};
pub use tls::TrustRoots;
