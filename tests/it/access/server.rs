//! A server of raw JSON texts by path, which can be made to misbehave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use cfsso::api::document::Document;
use cfsso::clock::Clock;
use cfsso::process::Terminal;
use serde_json::value::RawValue;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::harness::{Ran, run};

pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
pub const APP: &str = "3537a672-e4d8-4d89-aab9-26cb622918a1";
pub const OKTA: &str = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415";
pub const PIN: &str = "df769912-7f47-4faf-a58f-8cb669ee95c3";
pub const TOKEN: &str = "cfat_planted0token0planted0token0planted";

/// What a server may do to a text before it keeps it.
pub type Twist = fn(String) -> String;

/// The server and the environment that points to it.
pub struct Double {
    _server: MockServer,
    state: Arc<Mutex<State>>,
    env: BTreeMap<String, String>,
    input: String,
    /// The journal of the commands run here.
    pub journal: tempfile::TempDir,
}

#[derive(Default)]
struct State {
    /// Below `/accounts/<ACCOUNT>/access`, by path.
    objects: BTreeMap<String, String>,
    refusals: BTreeMap<String, (u16, String)>,
    log: Vec<(String, String)>,
    reads: BTreeMap<String, usize>,
    on_write: Option<Twist>,
    on_second_read: Option<Twist>,
}

struct Answers(Arc<Mutex<State>>);

impl Double {
    pub async fn new() -> Self {
        let server = MockServer::start().await;
        let state = Arc::new(Mutex::new(State::default()));
        Mock::given(any()).respond_with(Answers(Arc::clone(&state))).mount(&server).await;
        let journal = tempfile::tempdir().unwrap();
        let env = [
            ("CFSSO_JOURNAL", journal.path().display().to_string()),
            ("CLOUDFLARE_API_TOKEN", TOKEN.to_owned()),
            ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT.to_owned()),
            ("CLOUDFLARE_BASE_URL", format!("{}/client/v4", server.uri())),
        ];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { _server: server, state, env, input: String::new(), journal }
    }

    /// With an object at a path below `access`.
    pub fn with(self, path: &str, text: &str) -> Self {
        lock(&self.state).objects.insert(path.to_owned(), text.to_owned());
        self
    }

    /// With an environment variable.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With something on standard input.
    pub fn with_input(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }

    /// With a refusal of whatever goes to a path.
    pub fn refusing(self, path: &str, status: u16, code: u64, message: &str) -> Self {
        let body = format!(
            r#"{{"success":false,"errors":[{{"code":{code},"message":"{message}"}}],"messages":[],"result":null}}"#
        );
        lock(&self.state).refusals.insert(path.to_owned(), (status, body));
        self
    }

    /// What is written is twisted before it is kept.
    pub fn twisting_writes(self, twist: Twist) -> Self {
        lock(&self.state).on_write = Some(twist);
        self
    }

    /// Somebody changes an object between its first and its second reading.
    pub fn changing_meanwhile(self, twist: Twist) -> Self {
        lock(&self.state).on_second_read = Some(twist);
        self
    }

    pub async fn run(&self, line: &str) -> Ran {
        let clock = Clock::fake("2026-03-01T12:00:00Z".parse().unwrap());
        run(line, &self.env, Terminal::default(), &self.input, &clock).await
    }

    pub async fn ok(&self, line: &str) -> Ran {
        let ran = self.run(line).await;
        assert_eq!(ran.code, 0, "{line}\n{ran:?}");
        ran
    }

    /// The object as it is kept.
    pub fn object(&self, path: &str) -> Option<String> {
        lock(&self.state).objects.get(path).cloned()
    }

    /// What was written: `VERB path` and body.
    pub fn writes(&self) -> Vec<(String, String)> {
        lock(&self.state).log.clone()
    }

    /// The one body that was written.
    pub fn written(&self) -> String {
        let writes = self.writes();
        let [(_, body)] = writes.as_slice() else { panic!("{writes:?}") };
        body.clone()
    }
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        let prefix = format!("/client/v4/accounts/{ACCOUNT}/access/");
        let path = path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        let mut state = lock(&self.0);
        if let Some((status, body)) = state.refusals.get(&path) {
            return ResponseTemplate::new(*status).set_body_raw(body.clone(), "application/json");
        }
        let body = String::from_utf8(request.body.clone()).unwrap();
        let method = request.method.as_str();
        if method != "GET" {
            state.log.push((format!("{method} {path}"), body.clone()));
        }
        let result = match method {
            "GET" => state.read(&path),
            "PUT" => state.replace(&path, body),
            "POST" => state.create(&path, &body),
            "DELETE" => state.objects.remove(&path).map(|_| "null".to_owned()),
            _ => None,
        };
        let (status, text) = match result {
            Some(result) => (200, format!(r#"{{"success":true,"errors":[],"messages":[],"result":{result}}}"#)),
            None => (404, r#"{"success":false,"errors":[{"code":11021,"message":"access.api.error.not_found"}],"messages":[],"result":null}"#.to_owned()),
        };
        ResponseTemplate::new(status).set_body_raw(text, "application/json")
    }
}

impl State {
    fn read(&mut self, path: &str) -> Option<String> {
        let reads = self.reads.entry(path.to_owned()).or_default();
        *reads += 1;
        if *reads == 2
            && let (Some(twist), Some(object)) = (self.on_second_read, self.objects.get_mut(path))
        {
            *object = twist(object.clone());
        }
        if let Some(object) = self.objects.get(path) {
            return Some(object.clone());
        }
        let is_item = |other: &&String| {
            other
                .strip_prefix(path)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| !rest.contains('/'))
        };
        let is_list = ["apps", "identity_providers", "idp_federation_grants", "policies"]
            .iter()
            .any(|list| path.ends_with(list));
        let items: Vec<_> =
            self.objects.keys().filter(is_item).map(|path| self.objects[path].clone()).collect();
        is_list.then(|| format!("[{}]", items.join(",")))
    }

    /// Keeps what the body holds, and what the API never takes away by its
    /// absence: times, and policies (API reference, section 4).
    fn replace(&mut self, path: &str, body: String) -> Option<String> {
        let before = self.objects.get(path)?;
        let mut kept = body;
        for name in ["created_at", "updated_at", "policies"] {
            if let (Some(value), None) = (member(before, name), member(&kept, name)) {
                kept = format!(r#"{},"{name}":{value}}}"#, kept.strip_suffix('}')?);
            }
        }
        let kept = self.on_write.map_or(kept.clone(), |twist| twist(kept));
        self.objects.insert(path.to_owned(), kept.clone());
        Some(kept)
    }

    /// Keeps what the body holds but its secrets, which are never given back.
    fn create(&mut self, path: &str, body: &str) -> Option<String> {
        let mut object: Document = body.parse().ok()?;
        let id = format!("00000000-0000-4000-8000-{:012}", self.log.len());
        object.set(&["id"], &id).unwrap();
        for secret in ["client_secret", "api_token"] {
            object.remove(&["config", secret]);
        }
        let text = object.to_raw().get().to_owned();
        self.objects.insert(format!("{path}/{id}"), text.clone());
        Some(text)
    }
}

/// The text of a member.
pub fn member(object: &str, name: &str) -> Option<String> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(object).unwrap();
    members.get(name).map(|value| value.get().to_owned())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}

/// An identity provider's path.
pub fn idp(id: &str) -> String {
    format!("identity_providers/{id}")
}

/// The application's path.
pub fn app() -> String {
    format!("apps/{APP}")
}
