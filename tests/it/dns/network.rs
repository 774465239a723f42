//! Name servers on loopback: each an address, all on one port, UDP and TCP.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// How a question came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Udp,
    Tcp,
}

/// What a server does with a question: the packet it sends, if any.
pub type Script = Arc<
    dyn Fn(Message, Via) -> Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>> + Send + Sync,
>;

/// A script that answers with a message.
pub fn answering(answer: impl Fn(&Message, Via) -> Message + Send + Sync + 'static) -> Script {
    Arc::new(move |query, via| {
        let packet = answer(&query, via).to_vec().unwrap();
        Box::pin(async move { Some(packet) })
    })
}

/// A script that answers with any bytes.
pub fn sending(packet: impl Fn(&Message, Via) -> Vec<u8> + Send + Sync + 'static) -> Script {
    Arc::new(move |query, via| {
        let packet = packet(&query, via);
        Box::pin(async move { Some(packet) })
    })
}

/// A script that never answers.
pub fn silent() -> Script {
    Arc::new(|_, _| Box::pin(async { None }))
}

/// One question that a server got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub server: u8,
    pub name: String,
    pub kind: RecordType,
    pub via: Via,
    pub recursion: bool,
    pub unchecked: bool,
}

/// The servers 127.0.0.1, 127.0.0.2 and so on.
pub struct Network {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Network {
    /// Starts a server per script, by the last number of its address. Addresses
    /// without one are closed.
    pub async fn start<const N: usize>(scripts: [(u8, Script); N]) -> Self {
        let scripts = BTreeMap::from(scripts);
        let numbers: Vec<u8> = scripts.keys().copied().collect();
        let (port, sockets) = loop {
            if let Some(bound) = bind(&numbers).await {
                break bound;
            }
        };
        let asked = Arc::new(Mutex::new(Vec::new()));
        for ((number, script), (udp, tcp)) in scripts.into_iter().zip(sockets) {
            let server = Server { number, script, asked: Arc::clone(&asked) };
            tokio::spawn(server.clone().serve_udp(udp));
            tokio::spawn(server.serve_tcp(tcp));
        }
        Self { port, asked }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self, number: u8) -> SocketAddr {
        SocketAddr::from((ip(number), self.port))
    }

    /// All questions so far, in the order in which they came.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The questions that one server got.
    pub fn asked_of(&self, number: u8) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.server == number).collect()
    }
}

pub fn ip(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, number)
}

/// Binds all addresses on one port of the system's choice, or none.
async fn bind(numbers: &[u8]) -> Option<(u16, Vec<(UdpSocket, TcpListener)>)> {
    let mut port = 0;
    let mut sockets = Vec::new();
    for number in numbers {
        let tcp = TcpListener::bind((ip(*number), port)).await.ok()?;
        port = tcp.local_addr().ok()?.port();
        sockets.push((UdpSocket::bind((ip(*number), port)).await.ok()?, tcp));
    }
    Some((port, sockets))
}

#[derive(Clone)]
struct Server {
    number: u8,
    script: Script,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn serve_udp(self, socket: UdpSocket) {
        let socket = Arc::new(socket);
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let query = buffer[..length].to_vec();
            let (server, socket) = (self.clone(), Arc::clone(&socket));
            tokio::spawn(async move {
                if let Some(packet) = server.answer(&query, Via::Udp).await {
                    let _ = socket.send_to(&packet, from).await;
                }
            });
        }
    }

    async fn serve_tcp(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().serve_stream(stream));
        }
    }

    async fn serve_stream(self, mut stream: TcpStream) {
        let Ok(length) = stream.read_u16().await else { return };
        let mut query = vec![0; usize::from(length)];
        if stream.read_exact(&mut query).await.is_err() {
            return;
        }
        match self.answer(&query, Via::Tcp).await {
            Some(packet) => {
                let length = u16::try_from(packet.len()).unwrap();
                let _ = stream.write_all(&[&length.to_be_bytes()[..], &packet].concat()).await;
            }
            None => std::future::pending().await,
        }
    }

    async fn answer(&self, query: &[u8], via: Via) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).unwrap();
        let question = &query.queries[0];
        self.asked.lock().unwrap().push(Asked {
            server: self.number,
            name: question.name.to_ascii(),
            kind: question.query_type,
            via,
            recursion: query.metadata.recursion_desired,
            unchecked: query.metadata.checking_disabled,
        });
        (self.script)(query, via).await
    }
}
