//! The state file: survives, is locked, is never lost.

use std::path::Path;
use std::time::Duration;

use cfsso::clock::Clock;
use cfsso::sandbox::{self, Access, Error, Options, Sandbox};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::AsyncReadExt;

use super::client::ask;

fn options(path: &Path) -> Options {
    Options {
        state: Some(path.to_owned()),
        clock: Clock::fake(Timestamp::UNIX_EPOCH),
        command: "cfsso sandbox serve".to_owned(),
        ..Options::default()
    }
}

async fn create(sandbox: &Sandbox, domain: &str) {
    let path = format!("POST /accounts/{}/sso_connectors", sandbox.account());
    ask(sandbox, Access::Full, &path, Some(json!({"email_domain": domain}))).await.result();
}

async fn domains(sandbox: &Sandbox) -> Vec<String> {
    let path = format!("GET /accounts/{}/sso_connectors", sandbox.account());
    let list = ask(sandbox, Access::Full, &path, None).await.result();
    let list = list.as_array().unwrap().iter();
    list.map(|item| item["email_domain"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_done_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/state.json");
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    create(&sandbox, "cool.cats").await;
    sandbox.stop().await;
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    assert_eq!(domains(&sandbox).await, ["cool.cats"]);
    create(&sandbox, "dogs.test").await;
    drop(sandbox);
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    assert_eq!(domains(&sandbox).await, ["cool.cats", "dogs.test"]);
}

#[tokio::test]
async fn a_stopped_sandbox_answers_no_more() {
    let (sandbox, _) = super::sandbox().await;
    let (api, dns) = (super::client::address(&sandbox), sandbox.dns_server());
    let mut kept = tokio::net::TcpStream::connect(&api).await.unwrap();
    ask(&sandbox, Access::Full, "GET /accounts", None).await.result();
    sandbox.stop().await;
    assert_eq!(kept.read(&mut [0]).await.unwrap(), 0, "an idle connection is closed");
    assert!(tokio::net::TcpStream::connect(api).await.is_err());
    assert!(tokio::net::TcpStream::connect(dns).await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_the_state() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    create(&sandbox, "cool.cats").await;
    let mut names = Vec::new();
    for entry in folder.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["state.json", "state.json.lock"], "nothing else is left behind");
}

#[tokio::test]
async fn a_second_sandbox_on_a_state_waits_and_then_says_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let short = || Options { command: "cfsso --sandbox".to_owned(), ..options(&path) };
    let first = sandbox::start(short()).await.unwrap();
    let second = Options { lock_wait: Duration::from_secs(3), ..options(&path) };
    let clock = second.clock.clone();
    let error = sandbox::start(second).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert_eq!(clock.now().as_second(), 3, "it waited as long as it was told to");
    let error = error.to_string();
    let holder = format!("process {} (`cfsso --sandbox`)", std::process::id());
    assert!(error.contains(&holder), "{error}");
    assert!(error.contains(&first.base_url()), "{error}");
    assert!(error.contains("state.json"), "{error}");
    first.stop().await;
    sandbox::start(options(&path)).await.unwrap();
}

#[tokio::test]
async fn a_state_that_is_served_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let served = sandbox::start(options(&path)).await.unwrap();
    let second = Options { lock_wait: Duration::MAX, ..options(&path) };
    let clock = second.clock.clone();
    let error = sandbox::start(second).await.unwrap_err();
    assert_eq!(clock.now().as_second(), 0, "it did not wait");
    assert!(error.to_string().contains(&served.base_url()), "{error}");
}

#[tokio::test]
async fn one_that_waits_goes_on_when_the_state_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let short = Options { command: "cfsso --sandbox".to_owned(), ..options(&path) };
    let first = sandbox::start(short).await.unwrap();
    let second = Options { lock_wait: Duration::MAX, ..options(&path) };
    let (second, ()) = tokio::join!(sandbox::start(second), async {
        tokio::task::yield_now().await;
        first.stop().await;
    });
    assert_eq!(domains(&second.unwrap()).await, [""; 0]);
}

#[tokio::test]
async fn a_state_that_cannot_be_understood_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for (text, expected) in [
        ("", "is invalid"),
        ("{\"version\":1", "is invalid"),
        ("{\"version\":1}", "missing field"),
        ("[]", "is invalid"),
        ("{\"version\":2}", "has format 2, this program reads 1"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = sandbox::start(options(&path)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains("state.json"), "{text}: {error}");
        let reset = format!("`cfsso sandbox reset --sandbox-state {}`", path.display());
        assert!(error.contains(&reset), "the default file may be another: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_reset_removes_the_state_unless_somebody_works_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let clock = Clock::fake(Timestamp::UNIX_EPOCH);
    let wait = Duration::from_secs(1);
    assert!(!sandbox::reset(&path, &clock, wait).await.unwrap(), "there is nothing yet");
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    create(&sandbox, "cool.cats").await;
    let error = sandbox::reset(&path, &clock, wait).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert_eq!(domains(&sandbox).await, ["cool.cats"]);
    sandbox.stop().await;
    assert!(sandbox::reset(&path, &clock, wait).await.unwrap());
    assert!(!path.exists());
    std::fs::write(&path, "garbage").unwrap();
    assert!(sandbox::reset(&path, &clock, wait).await.unwrap(), "garbage goes, too");
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    assert_eq!(domains(&sandbox).await, [""; 0]);
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    // A folder in the place of the new file: it can be neither removed nor written.
    let obstacle = folder.path().join("state.json.new");
    std::fs::create_dir(&obstacle).unwrap();
    let request = format!("POST /accounts/{}/sso_connectors", sandbox.account());
    let body = json!({"email_domain": "cool.cats"});
    let reply = ask(&sandbox, Access::Full, &request, Some(body)).await;
    assert_eq!(reply.refusal(), (500, 1500));
    assert!(reply.text.contains("cannot write"), "{reply:?}");
    assert_eq!(domains(&sandbox).await, [""; 0]);
    std::fs::remove_dir(&obstacle).unwrap();
    create(&sandbox, "cool.cats").await;
    assert_eq!(domains(&sandbox).await, ["cool.cats"]);
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_never_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    create(&sandbox, "cool.cats").await;
    sandbox.stop().await;
    let half = folder.path().join("state.json.new");
    std::fs::write(&half, "{\"version\":1,").unwrap();
    let sandbox = sandbox::start(options(&path)).await.unwrap();
    assert_eq!(domains(&sandbox).await, ["cool.cats"]);
    create(&sandbox, "dogs.test").await;
    assert!(!half.exists());
}

#[tokio::test]
async fn a_sandbox_stays_on_this_machine() {
    let options = Options { http: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    let error = sandbox::start(options).await.unwrap_err().to_string();
    assert_eq!(error, "the sandbox listens on loopback addresses only, not on 0.0.0.0:0");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    for options in [
        Options { http: address, ..Options::default() },
        Options { dns: address, ..Options::default() },
    ] {
        let error = sandbox::start(options).await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}

#[tokio::test]
async fn the_environment_points_a_client_here() {
    let (sandbox, _) = super::sandbox().await;
    let environment = sandbox.environment();
    let expected = [
        ("CLOUDFLARE_API_TOKEN", sandbox.token(Access::Full).to_owned()),
        ("CLOUDFLARE_ACCOUNT_ID", sandbox.account().to_string()),
        ("CLOUDFLARE_BASE_URL", sandbox.base_url()),
        ("CFSSO_DNS_SERVERS", sandbox.dns_server().to_string()),
    ];
    assert_eq!(environment, expected);
}
