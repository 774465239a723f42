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
    /// Not used for an unencrypted base URL.
    pub proxy: ProxySettings,
    pub max_retries: u32,
    pub request_timeout: Duration,
    /// Deadline of the whole command.
    pub deadline: Option<Timestamp>,
}

impl Config {
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
