//! The least program on the same libraries that asks the same question: what
//! the command line, the configuration, retries and so on cost is what the
//! real one takes more.

use std::io::Write;
use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::Result;

/// The first argument that asks for [`run`].
pub const ROLE: &str = "minimal";

/// Gets `url`, trusting the certificates in the PEM file `roots`, and prints
/// the result.
pub fn run(url: &str, roots: &str, out: &mut impl Write) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client =
            reqwest::Client::builder().tls_backend_preconfigured(trusting(roots)?).build()?;
        let request = client.get(url).header(AUTHORIZATION, "Bearer minimal");
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let answer: serde_json::Value = serde_json::from_slice(&body)?;
        Ok(writeln!(out, "{}", serde_json::to_string_pretty(&answer["result"])?)?)
    })
}

fn trusting(roots: &str) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots)? {
        store.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth())
}
