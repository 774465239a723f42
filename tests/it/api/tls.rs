//! Encrypted connections: who is trusted, and what is said of who is not.

use std::path::PathBuf;
use std::sync::Arc;

use cfsso::api::{ErrorKind, RequestError, TrustRoots, connector};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

use super::requests::account;
use super::server::{Server, success};

/// A server with a certificate of its own authority, and the authority's file.
struct Trusted {
    server: Server,
    folder: TempDir,
}

impl Trusted {
    async fn start() -> Self {
        Self::start_for("authority", "127.0.0.1").await
    }

    async fn start_for(authority_name: &str, host: &str) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, authority_name);
        let key = KeyPair::generate().unwrap();
        let pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let names = vec![host.to_owned()];
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        let tls = Some(Arc::new(config).into());
        let server = Server::start_with(std::iter::repeat_n(success("[]"), 9), tls).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("authority.pem"), pem).unwrap();
        Self { server, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    async fn list(&self, roots: TrustRoots) -> Result<usize, cfsso::api::Error> {
        let (client, _) = self.server.client_with(|config| {
            config.base = format!("https://{}/client/v4", self.server.address).parse().unwrap();
            config.roots = roots;
        });
        client.send(&connector::list(&account())).await?;
        Ok(client.send(&connector::list(&account())).await?.len())
    }
}

#[tokio::test]
async fn an_authority_may_be_added_or_put_in_the_systems_place() {
    let trusted = Trusted::start().await;
    let folder = Some(trusted.folder.path().to_owned());
    let cases = [
        TrustRoots { ca_cert: Some(trusted.file()), ..TrustRoots::default() },
        TrustRoots { cert_file: Some(trusted.file()), ..TrustRoots::default() },
        TrustRoots { cert_dir: folder.clone(), ..TrustRoots::default() },
        TrustRoots {
            cert_file: Some(trusted.file()),
            cert_dir: folder,
            ca_cert: Some(trusted.file()),
        },
    ];
    for (done, roots) in cases.into_iter().enumerate() {
        trusted.list(roots.clone()).await.unwrap_or_else(|error| panic!("{roots:?}: {error:?}"));
        assert_eq!(trusted.server.connections(), done + 1, "one connection for two requests");
    }
}

#[tokio::test]
async fn an_unknown_authority_is_said_so_and_gets_no_request() {
    let (trusted, other) = (Trusted::start().await, Trusted::start_for("other", "127.0.0.1").await);
    for roots in [
        TrustRoots { cert_file: Some(other.file()), ..TrustRoots::default() },
        TrustRoots {
            cert_file: Some(other.file()),
            ca_cert: Some(other.file()),
            ..TrustRoots::default()
        },
    ] {
        let error = trusted.list(roots).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts), (ErrorKind::Untrusted, 1));
        let RequestError::Untrusted { host, source } = &error.fault else { panic!("{error:?}") };
        assert_eq!(*host, trusted.server.address);
        assert!(source.to_string().contains("UnknownIssuer"), "{source}");
        assert!(!error.outcome_unknown() && !error.is_retryable());
    }
    assert!(trusted.server.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let trusted = Trusted::start_for("authority", "api.other.test").await;
    let roots = TrustRoots { ca_cert: Some(trusted.file()), ..TrustRoots::default() };
    let error = trusted.list(roots).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts), (ErrorKind::Untrusted, 1));
    assert!(trusted.server.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_file_of_no_use_is_named_before_anything_is_sent() {
    let trusted = Trusted::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (missing, empty) = (folder.path().join("missing.pem"), folder.path().join("empty.pem"));
    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    let pem = "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";
    std::fs::write(&garbage, pem).unwrap();
    let nowhere = folder.path().join("nowhere");
    let ca_cert =
        |path: &PathBuf| TrustRoots { ca_cert: Some(path.clone()), ..TrustRoots::default() };
    let cert_file =
        |path: &PathBuf| TrustRoots { cert_file: Some(path.clone()), ..TrustRoots::default() };
    let cert_dir =
        |path: &PathBuf| TrustRoots { cert_dir: Some(path.clone()), ..TrustRoots::default() };
    for (roots, path, words) in [
        (ca_cert(&missing), &missing, "cannot be read"),
        (ca_cert(&empty), &empty, "no usable certificate"),
        (ca_cert(&garbage), &garbage, "no usable certificate"),
        (cert_file(&missing), &missing, "cannot be read"),
        (cert_file(&empty), &empty, "no usable certificate"),
        (cert_file(&garbage), &garbage, "no usable certificate"),
        (cert_dir(&nowhere), &nowhere, "cannot be read"),
        (cert_dir(&folder.path().to_owned()), &folder.path().to_owned(), "no usable certificate"),
    ] {
        let error = trusted.list(roots).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts), (ErrorKind::Setup, 0));
        let text = error.fault.to_string();
        assert!(text.contains(words) && text.contains(&path.display().to_string()), "{text}");
    }
    assert_eq!(trusted.server.connections(), 0);
}

#[tokio::test]
async fn certificates_are_not_read_for_an_unencrypted_connection() {
    let server = Server::start([success("[]")]).await;
    let (client, _) = server.client_with(|config| {
        config.roots.ca_cert = Some("/nowhere/at/all.pem".into());
    });
    client.send(&connector::list(&account())).await.unwrap();
}
