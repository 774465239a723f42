//! An HTTP server on loopback that answers each request with the next reply of
//! a script, and keeps what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use cfsso::api::{Client, Config, Credentials};
use cfsso::clock::Clock;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The token that the tests send: without a prefix that would give it away.
pub const TOKEN: &str = "PlantedOldToken0123456789abcdefghijklmnop";

/// What the server does with a request.
#[derive(Clone)]
pub enum Reply {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends these bytes and nothing more, ever.
    SendAndStall(Vec<u8>),
    /// Closes the connection without reading the request.
    Hang,
}

/// An answer with a JSON body and the headers `headers`.
pub fn answer(status: u16, headers: &str, body: &str) -> Reply {
    Reply::Send(bytes(status, headers, body))
}

/// A success with this `result`.
pub fn success(result: &str) -> Reply {
    let body = format!(r#"{{"success":true,"errors":[],"messages":[],"result":{result}}}"#);
    answer(200, "", &body)
}

/// The bytes of an answer.
pub fn bytes(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\ncf-ray: ray{status}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

#[derive(Default)]
struct State {
    script: VecDeque<Reply>,
    requests: Vec<String>,
    connections: usize,
}

/// The server; it ends with the test's runtime.
pub struct Server {
    /// Its address, `127.0.0.1:PORT`.
    pub address: String,
    state: Arc<Mutex<State>>,
    received: Arc<Notify>,
}

impl Server {
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::start_with(script, None).await
    }

    pub async fn start_with(
        script: impl IntoIterator<Item = Reply>,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let script = script.into_iter().collect();
        let state = Arc::new(Mutex::new(State { script, ..State::default() }));
        let received = Arc::new(Notify::new());
        let (kept, notified) = (state.clone(), received.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                kept.lock().unwrap().connections += 1;
                let (state, received, tls) = (kept.clone(), notified.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &state, &received).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &state, &received).await,
                            Err(_) => Some(()),
                        },
                    }
                });
            }
        });
        Self { address, state, received }
    }

    /// The requests received, each as its head and body.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The first lines of the requests received, without the HTTP version.
    pub fn lines(&self) -> Vec<String> {
        let line = |request: &String| request.split(" HTTP/").next().unwrap().to_owned();
        self.requests().iter().map(line).collect()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Waits until a request has been received.
    pub async fn received(&self) {
        self.received.notified().await;
    }

    pub fn config(&self) -> Config {
        let mut config = Config::new(Credentials::Token(TOKEN.into()));
        config.base = format!("http://{}/client/v4", self.address).parse().unwrap();
        config
    }

    /// A client of the server, and the clock that it waits on.
    pub fn client(&self) -> (Client, Clock) {
        self.client_with(|_| {})
    }

    pub fn client_with(&self, change: impl FnOnce(&mut Config)) -> (Client, Clock) {
        let mut config = self.config();
        change(&mut config);
        let clock = Clock::fake(start());
        (Client::new(config, clock.clone()), clock)
    }
}

/// When the tests' clocks start.
pub fn start() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// How many seconds a clock has moved.
pub fn waited(clock: &Clock) -> f64 {
    clock.now().duration_since(start()).as_secs_f64()
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    state: &Mutex<State>,
    received: &Notify,
) -> Option<()> {
    loop {
        if matches!(state.lock().unwrap().script.front(), Some(Reply::Hang)) {
            state.lock().unwrap().script.pop_front();
            return None;
        }
        let request = read(&mut stream).await?;
        let reply = {
            let mut state = state.lock().unwrap();
            state.requests.push(request);
            state.script.pop_front()
        };
        received.notify_one();
        let reply = reply.unwrap_or_else(|| answer(418, "", "the script is over"));
        let (Reply::Send(bytes) | Reply::SendAndClose(bytes) | Reply::SendAndStall(bytes)) = &reply
        else {
            return None;
        };
        stream.write_all(bytes).await.ok()?;
        stream.flush().await.ok()?;
        match reply {
            Reply::Send(_) => {}
            Reply::SendAndClose(_) | Reply::Hang => return stream.shutdown().await.ok(),
            Reply::SendAndStall(_) => std::future::pending::<()>().await,
        }
    }
}

/// One request: its head and its body.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(request).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + std::str::from_utf8(&body).unwrap())
}
