//! One server's response to one query, or the failure.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::Message;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// The transport of a DNS response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP.
    #[default]
    Udp,
    /// TCP, after a truncated UDP response.
    Tcp,
    /// DNS over HTTPS (RFC 8484), used if port 53 is blocked.
    Https,
}

#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub server: SocketAddr,
    pub message: Message,
    pub transport: Transport,
    pub truncated: bool,
    pub rtt: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("no response within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("connection refused")]
    Closed,
    /// Not sent: this machine has no route to the server.
    #[error("not queried: no route from here ({0})")]
    NoRoute(String),
    /// Not sent: the server's name has no address.
    #[error("not queried: {0}")]
    NoAddress(String),
    #[error("malformed response: {0}")]
    Malformed(String),
    #[error("{0}")]
    Network(String),
    /// Truncated over UDP; the query over TCP failed.
    #[error("truncated over UDP, and over TCP: {0}")]
    Truncated(Box<Failure>),
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Windows reports a closed UDP port as a reset.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Self::Closed,
            io::ErrorKind::NetworkUnreachable => Self::NoRoute(error.to_string()),
            _ => Self::Network(error.to_string()),
        }
    }
}
