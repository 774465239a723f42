//! No secret reaches a trace or an error text, whatever the server does.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use cfsso::api::connector;
use cfsso::api::request::{Request, WriteRequest};
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::MakeWriter;

use super::requests::{CONNECTOR, account, id};
use super::server::{Reply, Server, TOKEN, answer, success};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Collects this thread's traces; the tests' runtimes have one thread each.
fn collect(level: Level) -> (Lines, tracing::subscriber::DefaultGuard) {
    // With a single subscriber, `tracing` lets whichever thread comes first
    // decide for all whether an event is of interest.
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| {
        let silent = tracing_subscriber::fmt().with_max_level(Level::TRACE);
        silent.with_writer(io::sink).finish().into()
    });
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(lines.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut layer = error.source();
    while let Some(error) = layer {
        text = format!("{text} {error} {error:?}");
        layer = error.source();
    }
    text
}

#[tokio::test]
async fn a_request_is_one_line_with_verb_path_status_time_and_ray() {
    let server = Server::start([success(CONNECTOR), answer(500, "", "{}"), success("[]")]).await;
    let (client, _) = server.client();
    let (lines, _guard) = collect(Level::INFO);
    client.write(&connector::set_enabled(&account(), &id(), true)).await.unwrap();
    client.send(&connector::list(&account())).await.unwrap();
    let text = lines.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    let patch = format!("cfsso::http: PATCH /accounts/{}/sso_connectors/{} 200 ", account(), id());
    assert!(lines[0].contains(&patch) && lines[0].ends_with(" ms ray ray200"), "{text}");
    assert!(lines[1].contains("sso_connectors 500 "), "{text}");
    assert!(lines[2].contains("retrying in") && lines[2].contains("500"), "{text}");
    assert!(lines[3].ends_with(" ms ray ray200"), "{text}");
}

#[tokio::test]
async fn traces_show_headers_and_bodies_but_no_secret() {
    const SECRETS: [&str; 5] =
        ["cfut_PlantedNew", "PlantedClientSecret", "PlantedQuery", "PlantedCookie", TOKEN];
    let echo = format!(
        r#"{{"id":"c1","token":"{TOKEN}","config":{{"client_secret":"PlantedClientSecret","name":"shown"}},"note":"cfut_PlantedNew"}}"#
    );
    let body = format!(r#"{{"success":true,"result":{echo}}}"#);
    let reply = answer(200, &format!("set-cookie: PlantedCookie\r\nx-echo: {TOKEN}\r\n"), &body);
    let server = Server::start([reply]).await;
    let (client, _) = server.client();
    let (lines, _guard) = collect(Level::DEBUG);
    let request = WriteRequest::<serde_json::Value>::patch(&["a", TOKEN])
        .query("client_secret", "PlantedQuery")
        .body(&serde_json::from_str::<serde_json::Value>(&echo).unwrap());
    client.write(&request).await.unwrap();
    let text = lines.text();
    for shown in ["> authorization: [masked]", "< cf-ray: ray200", "\"shown\"", "\"id\""] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
    assert_eq!(text.matches(r#""client_secret":"[masked]""#).count(), 2, "{text}");
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert!(server.requests()[0].contains("PlantedClientSecret"), "what is sent is not masked");
}

#[tokio::test]
async fn errors_show_no_secret_however_the_server_echoes_it() {
    let echoed = format!("bad header Bearer {TOKEN} or cfat_Planted99");
    let json = format!(r#"{{"success":false,"errors":[{{"code":6003,"message":"{echoed}"}}]}}"#);
    let decoded = format!(r#"{{"success":true,"result":"{TOKEN}"}}"#);
    for reply in [
        answer(400, "", &json),
        answer(400, "", &echoed),
        answer(502, "", &format!("<title>{echoed}</title>")),
        answer(200, "", &echoed),
        answer(200, "", &decoded),
        answer(302, &format!("location: https://evil.test/{TOKEN}\r\n"), ""),
        Reply::SendAndClose(format!("HTTP/1.1 {echoed}\r\n\r\n").into_bytes()),
        Reply::Hang,
    ] {
        let server = Server::start([reply]).await;
        let (client, _) = server.client_with(|config| config.max_retries = 0);
        let (lines, _guard) = collect(Level::DEBUG);
        let error = client.send(&Request::<u8>::get(&["a", TOKEN])).await.unwrap_err();
        for text in [chain(&error), lines.text(), format!("{:?}", server.config())] {
            assert!(!text.contains("Planted"), "{text}");
        }
    }
}
