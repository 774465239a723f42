//! The authoritative name server: serves the current state, UDP and TCP on one port.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record};
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

use super::error::Error;
use super::state::{self, State};
use super::store::Store;
use super::txt;
use crate::mutex::lock;

/// Name servers of zones hosted here; like the external ones, they resolve to loopback.
pub(super) const HOSTED_NS: [&str; 2] = ["ada.ns.cfsso.test", "bob.ns.cfsso.test"];
const EXTERNAL_NS: [&str; 2] = ["ns1.elsewhere.test", "ns2.elsewhere.test"];

/// For TTL `1` (automatic), in seconds (API reference, section 8.4).
const AUTOMATIC_TTL: u32 = 300;
/// TTL and MINIMUM of SOA records: the cache time of negative answers.
const NEGATIVE_TTL: u32 = 1800;
const LASTING_TTL: u32 = 86_400;
/// For TCP connections.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Limit of pending answers on a TCP connection.
const BACKLOG: usize = 16;
/// Tries to find a port that is free for both UDP and TCP.
const ATTEMPTS: usize = 20;

struct NameServer {
    store: Arc<Store>,
    /// The zones, with the state's revision that they are from.
    latest: Mutex<Option<(u32, Arc<Catalog>)>>,
}

/// Stops when dropped.
pub(super) struct Running(Server<NameServer>);

impl Running {
    pub(super) async fn stop(&mut self) {
        // The results of its tasks do not matter.
        let _ = self.0.shutdown_gracefully().await;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

pub(super) struct Sockets(UdpSocket, TcpListener);

impl Sockets {
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, Error> {
        let mut attempts = if address.port() == 0 { ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            match Self::pair(address).await {
                Ok(sockets) => return Ok(sockets),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
                Err(source) => {
                    return Err(Error::Listen { service: "name server", address, source });
                }
            }
        }
    }

    async fn pair(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let udp = UdpSocket::bind(tcp.local_addr()?).await?;
        Ok(Self(udp, tcp))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    pub(super) fn serve(self, store: Arc<Store>) -> Running {
        let mut server = Server::new(NameServer { store, latest: Mutex::new(None) });
        server.register_socket(self.0);
        server.register_listener(self.1, IDLE_TIMEOUT, BACKLOG);
        Running(server)
    }
}

impl NameServer {
    fn catalog(&self) -> Arc<Catalog> {
        let mut latest = lock(&self.latest);
        self.store.read(|state| match &*latest {
            Some((revision, catalog)) if *revision == state.revision => catalog.clone(),
            _ => {
                let catalog = Arc::new(catalog(state));
                *latest = Some((state.revision, catalog.clone()));
                catalog
            }
        })
    }
}

/// Written as `async_trait` expands it, to save a dependency.
impl RequestHandler for NameServer {
    fn handle_request<'life0, 'life1, 'async_trait, R, T>(
        &'life0 self,
        request: &'life1 Request,
        response: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'async_trait>>
    where
        R: ResponseHandler + 'async_trait,
        T: Time + 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        let catalog = self.catalog();
        Box::pin(async move { catalog.handle_request::<R, T>(request, response).await })
    }
}

fn catalog(state: &State) -> Catalog {
    let mut catalog = Catalog::new();
    let mut serve = |name: &str, servers: [&str; 2], records: Vec<Record>| {
        let Ok(origin) = absolute(name) else { return };
        let mut zone: InMemoryZoneHandler =
            InMemoryZoneHandler::empty(origin.clone(), ZoneType::Primary, AxfrPolicy::Deny);
        for record in apex(&origin, servers, state.revision).into_iter().chain(records) {
            zone.upsert_mut(record, state.revision);
        }
        catalog.upsert(origin.into(), vec![Arc::new(zone)]);
    };
    serve("cfsso.test", HOSTED_NS, HOSTED_NS.map(address).into());
    serve("elsewhere.test", EXTERNAL_NS, EXTERNAL_NS.map(address).into());
    for zone in &state.external_zones {
        serve(&zone.zone, EXTERNAL_NS, external_records(zone));
    }
    // Last, so that a zone hosted here replaces an external one of its name.
    for zone in state.zones.iter().filter(|zone| zone.is_served()) {
        let records = state.records.iter().filter(|record| record.zone == zone.id);
        serve(&zone.name, HOSTED_NS, records.filter_map(hosted).collect());
    }
    catalog
}

fn apex(origin: &Name, servers: [&str; 2], serial: u32) -> Vec<Record> {
    let servers = servers.map(known);
    let (first, contact) = (servers[0].clone(), known("dns.cfsso.test"));
    let soa = SOA::new(first, contact, serial, 10_000, 2400, 604_800, NEGATIVE_TTL);
    let soa = Record::from_rdata(origin.clone(), NEGATIVE_TTL, RData::SOA(soa));
    let named = |server| Record::from_rdata(origin.clone(), LASTING_TTL, RData::NS(NS(server)));
    let mail = RData::MX(MX::new(10, known("mail.cfsso.test")));
    let mail = Record::from_rdata(origin.clone(), LASTING_TTL, mail);
    [soa, mail].into_iter().chain(servers.map(named)).collect()
}

fn address(server: &str) -> Record {
    Record::from_rdata(known(server), LASTING_TTL, RData::A(A::new(127, 0, 0, 1)))
}

fn known(name: &str) -> Name {
    absolute(name).expect("a constant that is a name")
}

fn external_records(zone: &state::ExternalZone) -> Vec<Record> {
    let record = |(name, text): &(String, String)| {
        let strings = txt::strings(&txt::quoted(text))?;
        Some(Record::from_rdata(absolute(name).ok()?, AUTOMATIC_TTL, text_data(&strings)))
    };
    zone.texts.iter().filter_map(record).collect()
}

fn hosted(record: &state::Record) -> Option<Record> {
    let ttl = if record.ttl == 1 { AUTOMATIC_TTL } else { record.ttl };
    let data = data(&record.kind, &record.content, record.priority)?;
    Some(Record::from_rdata(absolute(&record.name).ok()?, ttl, data))
}

/// None if the content does not fit the type or the type is unknown here.
pub(super) fn data(kind: &str, content: &str, priority: Option<u16>) -> Option<RData> {
    Some(match kind {
        "TXT" => text_data(&txt::strings(content)?),
        "A" => RData::A(A(content.parse().ok()?)),
        "AAAA" => RData::AAAA(AAAA(content.parse().ok()?)),
        "CNAME" => RData::CNAME(CNAME(absolute(content).ok()?)),
        "NS" => RData::NS(NS(absolute(content).ok()?)),
        "MX" => RData::MX(MX::new(priority?, absolute(content).ok()?)),
        _ => return None,
    })
}

pub(super) fn is_name(text: &str) -> bool {
    !text.split('.').any(str::is_empty) && absolute(text).is_ok()
}

fn text_data(strings: &[Vec<u8>]) -> RData {
    RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
}

fn absolute(name: &str) -> Result<Name, hickory_proto::ProtoError> {
    let mut name = Name::from_ascii(name)?;
    name.set_fqdn(true);
    Ok(name)
}
