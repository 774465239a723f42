//! An HTTP client that hides nothing: bytes over TCP, in the way of curl.

use std::collections::BTreeMap;

use cfsso::sandbox::{Access, Sandbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn result(&self) -> Value {
        let json = self.json();
        assert!((200..300).contains(&self.status), "{} {json}", self.status);
        assert_eq!(json["success"], true, "{json}");
        json["result"].clone()
    }

    /// The text of the result.
    pub fn result_text(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Envelope {
            result: Box<serde_json::value::RawValue>,
        }
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.text);
        serde_json::from_str::<Envelope>(&self.text).unwrap().result.get().to_owned()
    }

    /// The status and the code of the error.
    pub fn refusal(&self) -> (u16, u64) {
        let json = self.json();
        assert_eq!(json["success"], false, "{json}");
        (self.status, json["errors"][0]["code"].as_u64().unwrap())
    }
}

/// Asks with the token of `access`, on a connection of its own.
pub async fn ask(sandbox: &Sandbox, access: Access, request: &str, body: Option<Value>) -> Reply {
    let authorization = format!("Authorization: Bearer {}\r\n", sandbox.token(access));
    ask_with(sandbox, &authorization, request, body).await
}

/// Asks with the headers given.
pub async fn ask_with(
    sandbox: &Sandbox,
    headers: &str,
    request: &str,
    body: Option<Value>,
) -> Reply {
    let bytes = raw(sandbox, headers, request, body).await.unwrap();
    parse(&bytes).unwrap_or_else(|| panic!("no answer to {request}"))
}

/// Asks with a body that no JSON library reshapes.
pub async fn ask_text(sandbox: &Sandbox, access: Access, request: &str, body: &str) -> Reply {
    let authorization = format!("Authorization: Bearer {}\r\n", sandbox.token(access));
    let request = request.replacen(' ', " /client/v4", 1);
    parse(&send(sandbox, &authorization, &request, body).await.unwrap()).unwrap()
}

/// Asks for what is not part of the API, without a token.
pub async fn visit(sandbox: &Sandbox, request: &str) -> Reply {
    parse(&send(sandbox, "", request, "").await.unwrap()).unwrap()
}

/// All bytes that come back; none where the connection is cut.
pub async fn raw(
    sandbox: &Sandbox,
    headers: &str,
    request: &str,
    body: Option<Value>,
) -> std::io::Result<Vec<u8>> {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = request.replacen(' ', " /client/v4", 1);
    send(sandbox, headers, &request, &body).await
}

/// As [`raw`], with the body as it is and the path from the root of the server.
async fn send(
    sandbox: &Sandbox,
    headers: &str,
    request: &str,
    body: &str,
) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address(sandbox)).await?;
    let (method, path) = request.split_once(' ').unwrap();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await?;
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes).await {
        // A cut connection ends either way, as the peer's buffers have it.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(bytes),
        Err(error) => Err(error),
        Ok(_) => Ok(bytes),
    }
}

/// `127.0.0.1:PORT`.
pub fn address(sandbox: &Sandbox) -> String {
    let url = sandbox.base_url();
    let rest = url.strip_prefix("http://").unwrap();
    rest.strip_suffix("/client/v4").unwrap().to_owned()
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    // 204 has no body (RFC 9110, section 15.3.5).
    let length = if status == 204 { 0 } else { headers.get("content-length")?.parse().ok()? };
    assert_eq!(body.len(), length, "the answer is not as long as it says");
    Some(Reply { status, headers, text: body.to_owned() })
}
