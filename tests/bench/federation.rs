//! `federation status` over 200 shares of 50 recipients each, against a server
//! that takes 20 ms for each answer, as a network would.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::contest::{judge, mebi, millis};
use super::installed::Installed;
use super::{Result, sample};

const ACCOUNT: &str = "023e105f4ecef8ad9ca31a8372d0c353";
const SHARES: usize = 200;
const RECIPIENTS: usize = 50;
pub const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Measures and judges.
pub fn run(installed: &Installed, out: &mut impl Write) -> Result {
    let requests = Arc::new(AtomicUsize::new(0));
    let base = serve(&requests, result)?;
    let env: BTreeMap<String, String> = [
        ("CLOUDFLARE_API_TOKEN", "cfut_bench"),
        ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT),
        ("CLOUDFLARE_BASE_URL", &base),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let taken = sample::take(&format!("{} federation status -o json", installed.program), &env)?;
    let sent = requests.load(Ordering::Relaxed);
    writeln!(
        out,
        "\n`federation status`, {SHARES} shares of {RECIPIENTS} recipients: {:.0} ms, {sent} requests",
        millis(taken.wall)
    )?;
    let sent = u32::try_from(sent)?;
    let in_a_row = ROUND_TRIP * sent;
    let ratio = taken.wall.as_secs_f64() / in_a_row.as_secs_f64();
    judge(
        out,
        "requests besides one a share",
        f64::from(sent) - f64::from(u32::try_from(SHARES)?),
        8.0,
    )?;
    judge(out, "wall time over that of one request after the other", ratio, 0.25)?;
    judge(out, "MiB that it takes at its peak", mebi(taken.memory), 32.0)
}

/// Starts a server that answers each request line with a list of what `result` makes of
/// it, and counts the requests. Returns its base URL.
pub fn serve(requests: &Arc<AtomicUsize>, result: fn(&str) -> String) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let base = format!("http://{}/client/v4", listener.local_addr()?);
    let counted = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = counted.clone();
            std::thread::spawn(move || converse(stream, &counted, result));
        }
    });
    Ok(base)
}

/// Answers one request after the other until the client goes.
fn converse(
    stream: TcpStream,
    requests: &AtomicUsize,
    result: fn(&str) -> String,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let (mut first, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line)? > 0 {
        if line == "\r\n" {
            requests.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(ROUND_TRIP);
            let body = format!(r#"{{"success":true,"errors":[],"result":[{}]}}"#, result(&first));
            let length = body.len();
            write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")?;
            first.clear();
        } else if first.is_empty() {
            first.clone_from(&line);
        }
        line.clear();
    }
    Ok(())
}

fn result(request: &str) -> String {
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let is_first = !request.contains("page=") || request.contains("page=1&");
    let many = |count: usize, item: fn(usize) -> String| {
        (0..count).map(item).collect::<Vec<_>>().join(",")
    };
    if path.ends_with("/recipients") {
        many(RECIPIENTS, recipient)
    } else if path.ends_with("/idp_federation_grants") {
        many(1, |_| r#"{"id":"g1","idp_id":"p1"}"#.to_owned())
    } else if path.ends_with("/identity_providers") {
        many(1, |_| r#"{"id":"p1","name":"Okta","type":"okta","config":{}}"#.to_owned())
    } else if path.ends_with("/shares") && request.contains("kind=sent") {
        // Two full pages, and an empty one after them.
        let page = if is_first || request.contains("page=2&") { SHARES / 2 } else { 0 };
        let first = if is_first { 0 } else { SHARES / 2 };
        (first..first + page).map(share).collect::<Vec<_>>().join(",")
    } else {
        String::new()
    }
}

fn share(number: usize) -> String {
    format!(
        r#"{{"id":"s{number}","name":"share {number}","status":"active","target_type":"account","resources":[{{"id":"x{number}","resource_id":"g1","resource_type":"idp-federation-grant","status":"active"}}]}}"#
    )
}

fn recipient(number: usize) -> String {
    format!(
        r#"{{"id":"r{number}","recipient_account_id":"{number:032x}","association_status":"associated","resources":[{{"error":"","resource_id":"g1","resource_version":1,"terminal":false}}],"created":"2026-01-01T05:20:00Z","modified":"2026-01-01T05:20:00Z"}}"#
    )
}
