//! One DNS query over HTTPS (RFC 8484), for networks that block port 53.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{DnsRequest, DnsRequestOptions};
use hickory_resolver::net::h2::HttpsClientStream;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsRequestSender as _, FirstAnswer as _};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::config::HttpsServer;
use super::question::Question;
use super::reply::{Failure, Reply, Transport};

/// Uses a connection of its own.
pub(super) async fn ask(
    server: &HttpsServer,
    tls: &Arc<rustls::ClientConfig>,
    question: &Question,
) -> Result<Reply, Failure> {
    let network = |error: &dyn std::error::Error| Failure::Network(error.to_string());
    let mut stream = HttpsClientStream::builder(Arc::clone(tls), TokioRuntimeProvider::default())
        .build(server.address, server.host.as_str().into(), server.path.as_str().into())
        .await
        .map_err(|error| network(&error))?;
    let request = DnsRequest::new(question.message(), DnsRequestOptions::default());
    let response =
        stream.send_message(request).first_answer().await.map_err(|error| network(&error))?;
    // RFC 8484 section 4.1: the ID on this transport is 0.
    let message = question.read(0, response.as_buffer()).unwrap_or_else(|| {
        Err(Failure::Malformed("the response is for another question".to_owned()))
    })?;
    let (server, transport) = (server.address, Transport::Https);
    Ok(Reply { server, message, transport, truncated: false, rtt: Duration::ZERO })
}

pub(super) fn platform_tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}
