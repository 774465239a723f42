//! Where the API is, who calls, and how patiently.

use std::time::Duration;

use jiff::Timestamp;

use super::base::BaseUrl;
use super::credentials::Credentials;
use super::tls::TrustRoots;
use crate::input::proxy::ProxySettings;

#[derive(Clone, Debug)]
pub struct Config {
    pub base: BaseUrl,
    pub credentials: Credentials,
    pub roots: TrustRoots,
    /// The proxy between, which one without encryption is not sent by.
    pub proxy: ProxySettings,
    pub max_retries: u32,
    pub request_timeout: Duration,
    /// When the whole command has to be over.
    pub deadline: Option<Timestamp>,
}

impl Config {
    /// The public API, the system's certificates, four retries, half a minute
    /// a request, no deadline.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            base: BaseUrl::default(),
            credentials,
            roots: TrustRoots::default(),
            proxy: ProxySettings::default(),
            max_retries: 4,
            request_timeout: Duration::from_secs(30),
            deadline: None,
        }
    }
}
