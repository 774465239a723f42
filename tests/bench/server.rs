//! An HTTPS server on loopback that answers each request as the API answers a
//! list of connectors, and counts connections.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Result;

const CONNECTORS: usize = 5;

/// A server that runs as long as the process does.
pub struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    folder: TempDir,
}

impl Server {
    /// Starts on a thread of its own.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (authority, acceptor) = certificates()?;
        std::fs::write(folder.path().join("authority.pem"), authority)?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || runtime.block_on(serve(listener, acceptor, counted)));
        Ok(Self { address, connections, folder })
    }

    /// The base URL of the API.
    pub fn base(&self) -> String {
        format!("https://{}/client/v4", self.address)
    }

    /// The PEM file of the authority that the server's certificate is from.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// How many TCP connections it has accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// The PEM text of an authority, and a server that it vouches for.
fn certificates() -> Result<(String, TlsAcceptor)> {
    let mut authority = CertificateParams::new(Vec::new())?;
    // Named unlike the server: OpenSSL takes a certificate whose issuer has its
    // own name for one that signed itself.
    authority.distinguished_name.push(DnType::CommonName, "authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let pem = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )?;
    Ok((pem, Arc::new(config).into()))
}

async fn serve(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    connections: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let answer: Arc<str> = answer().into();
    loop {
        let (stream, _) = listener.accept().await?;
        connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(converse(stream, acceptor.clone(), answer.clone()));
    }
}

/// Answers one request after the other until the client goes.
async fn converse(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    answer: Arc<str>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if line == "\r\n" {
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
        }
        line.clear();
    }
    Ok(())
}

fn answer() -> String {
    let connectors: Vec<String> = (0..CONNECTORS).map(connector).collect();
    let body = format!(
        r#"{{"result":[{}],"success":true,"errors":[],"messages":[]}}"#,
        connectors.join(",")
    );
    let mut answer = String::from("HTTP/1.1 200 OK\r\n");
    for (name, value) in [
        ("content-type", "application/json"),
        ("cf-ray", "8f2a6c1d2e3f4a5b-LHR"),
        ("ratelimit", "\"default\";r=1198;t=240"),
        ("ratelimit-policy", "\"default\";q=1200;w=300"),
    ] {
        let _ = write!(answer, "{name}: {value}\r\n");
    }
    let _ = write!(answer, "content-length: {}\r\n\r\n{body}", body.len());
    answer
}

fn connector(number: usize) -> String {
    format!(
        r#"{{"id":"{number:032x}","email_domain":"cool{number}.cats","enabled":true,"use_fedramp_language":false,"created_on":"2026-01-01T05:20:00Z","updated_on":"2026-01-02T05:20:00Z","verification":{{"code":"cloudflare_dashboard_sso={number:030}","status":"verified"}}}}"#
    )
}
