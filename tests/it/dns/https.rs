//! Networks that block port 53.

use std::net::SocketAddr;
use std::sync::Arc;

use cfsso::dns::{Config, HttpsServer, Role, Scope, Transport, Verdict};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_server::Server;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpListener;

use super::network::{Network, silent};
use super::zone::{Zone, name};
use super::{BRIEF, CODE, PATIENT, domain, look, resolver, walking};

const HOST: &str = "resolver.test";

/// A resolver that answers over HTTPS alone, and the settings that trust it.
struct Resolving {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    _server: Server<Catalog>,
}

impl Resolving {
    async fn start(zone: &Zone) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Server::new(catalog(zone));
        let config = serving(cert.der().clone(), key);
        let path = "/dns-query".to_owned();
        server
            .register_https_listener_with_tls_config(listener, PATIENT, config, None, path)
            .unwrap();
        Self { address, tls: trusting(cert.der().clone()), _server: server }
    }

    fn config(&self, network: &Network) -> Config {
        let path = "/dns-query".to_owned();
        let https = vec![HttpsServer { address: self.address, host: HOST.to_owned(), path }];
        Config { https, tls: Some(Arc::clone(&self.tls)), ..walking(network, PATIENT) }
    }
}

fn catalog(zone: &Zone) -> Catalog {
    let apex = name("cool.cats.");
    let mut handler = InMemoryZoneHandler::<TokioRuntimeProvider>::empty(
        apex.clone(),
        ZoneType::Primary,
        AxfrPolicy::Deny,
    );
    for record in zone.records() {
        handler.upsert_mut(record, 0);
    }
    let mut catalog = Catalog::new();
    catalog.upsert(apex.into(), vec![Arc::new(handler)]);
    catalog
}

fn serving(cert: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![cert], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

fn trusting(cert: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(cert).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn cats() -> Zone {
    Zone::new("cool.cats.").ns("cool.cats.", &[2])
}

#[tokio::test]
async fn resolvers_over_https_stand_in_and_are_marked() {
    // Nothing listens at 127.0.0.1 and 127.0.0.2: port 53 is blocked.
    let network = Network::start([(9, silent())]).await;
    for (zone, verdict) in
        [(cats().txt("cool.cats.", CODE), Verdict::Visible), (cats(), Verdict::NotPublished)]
    {
        let resolving = Resolving::start(&zone).await;
        let (lookup, diagnosis) = look(resolving.config(&network), "cool.cats").await;
        assert_eq!(diagnosis.verdict, verdict, "{lookup:?}");
        let over_https: Vec<_> =
            lookup.servers.iter().filter(|one| one.transport == Transport::Https).collect();
        assert_eq!(over_https.len(), 1, "{lookup:?}");
        assert_eq!(over_https[0].role, Role::Recursive);
        assert_eq!(over_https[0].server, resolving.address.to_string());
        let evidence = diagnosis.evidence.join("\n");
        assert!(evidence.contains("port 53 is blocked"), "{evidence}");
    }
}

#[tokio::test]
async fn they_are_left_alone_while_port_53_answers() {
    let zone = || cats().txt("cool.cats.", CODE);
    let network = Network::start([(1, zone().cache()), (2, zone().holder())]).await;
    let resolving = Resolving::start(&zone()).await;
    let (lookup, diagnosis) = look(resolving.config(&network), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible);
    assert!(lookup.servers.iter().all(|one| one.transport == Transport::Udp), "{lookup:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_no_answer() {
    let network = Network::start([(9, silent())]).await;
    let zone = cats().txt("cool.cats.", CODE);
    let (resolving, other) = (Resolving::start(&zone).await, Resolving::start(&zone).await);
    let config = Config { tls: Some(Arc::clone(&other.tls)), ..resolving.config(&network) };
    let lookup = resolver(Config { timeout: BRIEF, ..config })
        .lookup(&domain("cool.cats"), None, Scope::All)
        .await;
    assert!(lookup.servers.iter().all(|one| one.error.is_some()), "{lookup:?}");
}
