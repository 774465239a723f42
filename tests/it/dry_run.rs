//! What a dry run lists is what a run sends: over all commands that write, in order,
//! byte for byte. What the API chooses and what is secret is left out of the comparison.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cfsso::api::document::Document;
use cfsso::api::mask::MASKED;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::desired::File;
use crate::harness::World;

/// A write as it went over the wire: method, path, body.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    method: String,
    path: String,
    body: String,
}

/// Stands between the program and the simulator, and keeps what is written.
struct Recorder {
    base: String,
    writes: Arc<Mutex<Vec<Sent>>>,
}

impl Recorder {
    async fn before(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/client/v4", listener.local_addr().unwrap());
        let writes = Arc::<Mutex<Vec<Sent>>>::default();
        let to: SocketAddr = {
            let url = world.sandbox.base_url();
            url.split('/').nth(2).unwrap().parse().unwrap()
        };
        let kept = Arc::clone(&writes);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(to).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&kept)));
            }
        });
        Self { base, writes }
    }

    fn writes(&self) -> Vec<Sent> {
        self.writes.lock().unwrap().clone()
    }
}

/// Passes everything on in both directions, and reads the requests on their way.
async fn pass(client: TcpStream, server: TcpStream, writes: Arc<Mutex<Vec<Sent>>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let (mut unread, mut chunk) = (Vec::new(), [0; 16384]);
    while let Ok(length @ 1..) = from_client.read(&mut chunk).await {
        unread.extend_from_slice(&chunk[..length]);
        while let Some((request, rest)) = first_request(&unread) {
            unread = rest;
            if request.method != "GET" {
                writes.lock().unwrap().push(request);
            }
        }
        if to_server.write_all(&chunk[..length]).await.is_err() {
            break;
        }
    }
}

fn first_request(bytes: &[u8]) -> Option<(Sent, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |text| text.parse().unwrap());
    let body = bytes.get(end..end + length)?;
    let line = std::str::from_utf8(&bytes[..end]).unwrap().lines().next().unwrap();
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let path = path.trim_start_matches("/client/v4").to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Some((Sent { method, path, body }, bytes[end + length..].to_vec()))
}

/// What stands for something that the API has yet to choose, or that is secret.
fn is_placeholder(text: &str) -> bool {
    ["NEW-", "ID-OF-THE-NEW", "<chosen by the API>", MASKED].iter().any(|it| text.contains(it))
}

/// Whether `sent` is `planned` where that says something.
fn fits(planned: &Value, sent: &Value) -> bool {
    match (planned, sent) {
        (Value::String(planned), _) if is_placeholder(planned) => true,
        (Value::Object(planned), Value::Object(sent)) => {
            planned.len() == sent.len()
                && planned.iter().all(|(name, it)| sent.get(name).is_some_and(|to| fits(it, to)))
        }
        (Value::Array(planned), Value::Array(sent)) => {
            planned.len() == sent.len() && planned.iter().zip(sent).all(|(a, b)| fits(a, b))
        }
        _ => planned == sent,
    }
}

fn assert_as_planned(line: &str, planned: &str, sent: &Sent) {
    let planned: Document = planned.parse().unwrap();
    let text = |name: &str| planned.parse_at::<String>(&[name]).unwrap();
    assert_eq!(text("method"), sent.method, "{line}");
    let path = text("path");
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (expected, actual) = (parts(&path), parts(&sent.path));
    let is_same = expected.len() == actual.len()
        && expected.iter().zip(&actual).all(|(a, b)| a == b || is_placeholder(a));
    assert!(is_same, "{line}: {path}, but sent {}", sent.path);
    let body = planned.get(&["body"]).map_or("", |body| body.get());
    if is_placeholder(body) {
        let (planned, sent) = (body.parse::<Value>().unwrap(), sent.body.parse().unwrap());
        assert!(fits(&planned, &sent), "{line}: {planned}, but sent {sent}");
    } else {
        assert_eq!(body, sent.body, "{line}");
    }
}

/// What is done first, line by line; the command; and the number of its writes. A
/// command in braces stands for the first name that it prints.
const WRITING: &[(&[&str], &str, usize)] = &[
    (&[], "create cool.dogs", 1),
    (&["create cool.cats --no-verification"], "connector update cool.cats --fedramp", 1),
    (&["create cool.dogs"], "connector delete cool.dogs", 1),
    (&[VERIFIED], "enable cool.cats", 1),
    (&[VERIFIED, "enable cool.cats --yes"], "disable cool.cats", 1),
    (&[VERIFIED, "enable cool.cats --yes"], "connector delete cool.cats --disable-first", 2),
    (&[], "setup cool.cats --publish-txt --enable", 4),
    (&[], "idp create onetimepin --name PIN", 1),
    (
        &[],
        "idp create okta --name Okta --okta-account https://cats.okta.com --client-id a --client-secret-env SECRET",
        1,
    ),
    (&[], "idp update oidc --name Staff", 1),
    (&[], "idp rotate-secret oidc --secret-env SECRET", 1),
    (&["idp create onetimepin --name PIN"], "idp delete PIN", 1),
    (
        &["create cool.dogs", "idp create onetimepin --name PIN"],
        "app idps --only oidc --only PIN",
        1,
    ),
    (&["create cool.dogs"], "app instant-auth on --only oidc", 1),
    (&[], "federation create oidc", 1),
    (&[], "federation share oidc --to c001ca75000000000000000000000003 --no-wait", 2),
    (&[SHARED], "federation share oidc --to c001ca75000000000000000000000004 --no-wait", 1),
    (&[SHARED], "federation unshare oidc --no-wait", 2),
    (&["federation create oidc"], "federation delete {federation list}", 1),
    (&[SHARED], "share update {share list} --name two", 1),
    (&[SHARED], "share recipients add {share list} --to c001ca75000000000000000000000004", 1),
    (&[SHARED], "share recipients remove {share list} c001ca75000000000000000000000003", 1),
    (&["create cool.dogs"], "app update --set session_duration=12h", 1),
    (&[SHARED], "share delete {share list}", 1),
    (
        &[],
        "share create one --resource-type custom-ruleset --resource c001 --to c001ca75000000000000000000000003",
        1,
    ),
    (
        &[VERIFIED, "enable cool.cats --yes"],
        "team rename cooler-cats --publish-txt --replace-stale-txt --idps-updated",
        9,
    ),
    (&[], "team rename cooler-cats --publish-txt --idps-updated", 1),
    (&[], "token create-break-glass", 1),
    (&[VERIFIED, "enable cool.cats --yes"], "bypass disable cool.cats", 1),
    (&[VERIFIED, "enable cool.cats --yes"], "bypass otp", 1),
    (&[VERIFIED, "enable cool.cats --yes", "bypass disable cool.cats --yes"], "bypass undo", 1),
    (&["create cool.dogs", "connector update cool.dogs --fedramp"], "journal undo", 1),
];

const VERIFIED: &str = "setup cool.cats --publish-txt";
const SHARED: &str = "federation share oidc --to c001ca75000000000000000000000003";

async fn assert_lists_what_is_sent(first: &[&str], line: &str, count: usize) {
    let world = World::new().await.with_env("SECRET", "planted-s3cret-0123456789");
    let recorder = Recorder::before(&world).await;
    // The journal undoes what went to the same base URL.
    let world = world.with_env("CLOUDFLARE_BASE_URL", &recorder.base);
    for line in first {
        world.ok(line).await;
    }
    let mut line = line.to_owned();
    while let Some((start, list)) = line.clone().split_once('{') {
        let (list, end) = list.split_once('}').unwrap();
        let names = world.ok(&format!("{list} -o name")).await.stdout;
        line = format!("{start}{}{end}", names.lines().next().unwrap());
    }
    let before = recorder.writes().len();
    let listed = world.ok(&format!("{line} --dry-run -o ndjson")).await.stdout;
    assert_eq!(recorder.writes().len(), before, "{line}");
    let plan = listed.lines().find(|line| line.contains("cfsso/plan/v1")).unwrap();
    let changes: Vec<Document> = plan.parse::<Document>().unwrap().parse_at(&["changes"]).unwrap();
    world.run(&format!("{line} --yes -o json")).await;
    let sent = recorder.writes().split_off(before);
    assert_eq!((changes.len(), sent.len()), (count, count), "{line}: {sent:#?}\n{listed}");
    for (change, sent) in changes.iter().zip(&sent) {
        assert_as_planned(&line, change.get(&["request"]).unwrap().get(), sent);
    }
    let journal = world.ok("journal list -o json").await.stdout;
    let journal: Vec<Value> = serde_json::from_str(&journal).unwrap();
    let writes: Vec<_> = journal.iter().filter(|entry| entry["request"] != json!({})).collect();
    for (change, entry) in changes.iter().zip(&writes[writes.len() - count..]) {
        assert_reason_as_planned(&line, change, entry);
    }
}

/// Reasons that only the journal knows: nothing was written, or another command undoes it.
const REASONS_OF_ENTRIES: [&str; 4] = [
    "the request was not applied",
    "the request changed nothing",
    "a started verification",
    "part of a team rename",
];

fn assert_reason_as_planned(line: &str, change: &Document, entry: &Value) {
    let planned: Option<String> = change.parse_at(&["irreversible_reason"]);
    let recorded = entry["irreversible_reason"].as_str();
    let recorded =
        recorded.filter(|text| !REASONS_OF_ENTRIES.iter().any(|of| text.starts_with(of)));
    assert_eq!(planned.as_deref(), recorded, "{line}: {entry:#}");
}

#[tokio::test]
async fn every_command_lists_what_it_sends() {
    for (first, line, count) in WRITING {
        assert_lists_what_is_sent(first, line, *count).await;
    }
}

#[tokio::test]
async fn so_does_applying_a_file() {
    let whole = "\
version: 1
identity_providers:
  - { name: PIN, type: onetimepin }
  - { name: Company SSO, type: oidc, config: { email_claim_name: mail } }
sso_app: { allowed_idps: [Company SSO, PIN] }
connectors:
  - { domain: a.cool.cats, enabled: true }
  - { domain: b.cool.cats, verified: true }
  - { domain: cool.dogs, fedramp: true }
federation: [{ idp: Company SSO, accounts: all }]
";
    let less = "\
version: 1
identity_providers: [{ name: Company SSO, type: oidc }]
sso_app: { allowed_idps: [Company SSO] }
connectors: [{ domain: a.cool.cats, enabled: false }]
federation: []
";
    let other = "\
version: 1
sso_app: { allowed_idps: all }
connectors:
  - { domain: b.cool.cats, enabled: true }
  - { domain: a.cool.cats, enabled: false }
";
    let (whole, less, other) = (File::new(whole), File::new(less), File::new(other));
    // Without a connector there is no SSO App, and no request that changes it.
    let first = ["create cool.dogs"];
    assert_lists_what_is_sent(&first, &whole.line("apply", ""), 13).await;
    let first = whole.line("apply", "--yes");
    assert_lists_what_is_sent(&[&first], &less.line("apply", "--prune"), 7).await;
    assert_lists_what_is_sent(&[&first], &other.line("apply", ""), 3).await;
}
