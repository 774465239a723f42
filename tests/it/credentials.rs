//! Scenes of credentials: where they come from, where they go, and what is
//! refused before anything is sent.

use cfsso::sandbox::Access;
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::World;

/// A world without a token of its own, with a configuration file.
async fn configured(text: &str) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    private(&file, 0o600);
    let world = World::new()
        .await
        .with_env("CLOUDFLARE_API_TOKEN", "")
        .with_env("CFSSO_CONFIG", file.to_str().unwrap());
    (world, folder)
}

fn private(path: &std::path::Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[tokio::test]
async fn a_token_of_the_environment_never_reaches_the_host_of_a_profile() {
    let staging = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).mount(&staging).await;
    let text = format!("[profiles.staging]\nbase_url = \"{}\"\n", staging.uri());
    let (world, _folder) = configured(&text).await;
    let world = world
        .with_env("CLOUDFLARE_API_TOKEN", Access::Full.token())
        .with_env("CLOUDFLARE_BASE_URL", "");
    for line in ["connector list", "whoami", "bypass disable --all --yes", "doctor"] {
        let error = world.fails(&format!("{line} --profile staging"), 2).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("CLOUDFLARE_API_TOKEN") && message.contains("`staging`"));
        assert!(error["hint"].as_str().unwrap().contains("token_env"), "{error}");
    }
    assert_eq!(staging.received_requests().await.unwrap().len(), 0);
    // By a file that the same command names, it is meant.
    let token = world.journal.path().join("token");
    std::fs::write(&token, "staging-token").unwrap();
    private(&token, 0o600);
    let line = format!(
        "connector list --profile staging --max-retries 0 --token-file {}",
        token.display()
    );
    assert_eq!(world.run(&line).await.code, 9);
    assert_ne!(staging.received_requests().await.unwrap().len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_file_is_read_however_it_was_saved_and_only_if_it_is_private() {
    let world = World::new().await.with_env("CLOUDFLARE_API_TOKEN", "");
    let token = Access::Full.token();
    let file = world.journal.path().join("token");
    let wide: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, mode, code, said) in [
        (format!("\u{feff}{token}\r\n").into_bytes(), 0o600, 0, ""),
        ([&[0xff, 0xfe], wide.as_slice()].concat(), 0o600, 0, ""),
        (wide, 0o600, 4, "UTF-16"),
        (b"caf\xe9".to_vec(), 0o600, 4, "not UTF-8"),
        (format!("CLOUDFLARE_API_TOKEN={token}").into_bytes(), 0o600, 4, "starts with a name"),
        (format!("\"{token}\"").into_bytes(), 0o600, 4, "is in quotes"),
        (format!("{token}\u{200b}").into_bytes(), 0o600, 4, "zero-width space (U+200B)"),
        (b"0123456789abcdef0123456789abcdef01234".to_vec(), 0o600, 4, "CLOUDFLARE_API_KEY"),
        (token.as_bytes().to_vec(), 0o644, 0, "chmod go-rwx"),
        (token.as_bytes().to_vec(), 0o622, 11, "chmod go-w"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        private(&file, mode);
        let before = world.requests().len();
        let ran = world.run(&format!("connector list --token-file {}", file.display())).await;
        assert_eq!(ran.code, code, "{said}: {ran:?}");
        assert!(ran.stderr.contains(said) && !ran.stderr.contains(token), "{said}: {ran:?}");
        assert_eq!(world.requests().len() > before, code == 0, "{said}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_command_is_bounded_and_gets_no_credentials() {
    let token = Access::Full.token();
    for (script, code, said) in [
        (format!("printf %s {token}"), 0, ""),
        ("yes".to_owned(), 4, "printed more than 65536 bytes"),
        ("sleep 600 & sleep 600".to_owned(), 4, "did not end within"),
        (format!("echo {token}; exec sleep 600 >/dev/null"), 4, "did not end"),
        ("exit 3".to_owned(), 4, "failed: exit status: 3"),
        // The variables are the test program's: none of them reaches the command.
        ("env | grep -c '^CLOUDFLARE_'".to_owned(), 4, "failed"),
    ] {
        let command = json!(["sh", "-c", script]);
        let text = format!("[profiles.default]\ntoken_command = {command}\n");
        let (world, _folder) = configured(&text).await;
        let ran = world.run("connector list --timeout 1s").await;
        assert_eq!(ran.code, code, "{script}: {ran:?}");
        assert!(ran.stderr.contains(said), "{script}: {ran:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_named_and_not_passed_by() {
    for (name, value) in [
        ("HTTPS_PROXY", "\"http://proxy.cool.cats:3128\""),
        ("https_proxy", "http://proxy.cool.cats:3128 "),
        ("ALL_PROXY", "socks5://ada:s3cret@proxy.cool.cats"),
    ] {
        let base = "https://127.0.0.1:9/client/v4";
        let world = World::new().await.with_env("CLOUDFLARE_BASE_URL", base).with_env(name, value);
        let error = world.fails("connector list --max-retries 0", 2).await;
        let text = error.to_string();
        assert!(text.contains(name) && !text.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn the_authentication_family_is_exit_4_and_documentation_is_shown() {
    for (status, code, message) in [
        (400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
        (403, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),
        (403, 9103, "Unknown X-Auth-Key or X-Auth-Email"),
        (400, 6111, "Invalid format for Authorization header"),
        (403, 9109, "Invalid access token"),
        (401, 10000, "Authentication error"),
    ] {
        let (world, _server) =
            answering(status, &json!({ "code": code, "message": message })).await;
        let error = world.fails("connector list", 4).await;
        assert!(error["hint"].as_str().unwrap().contains("cfsso token check"), "{error}");
    }
    let url = "https://developers.cloudflare.com/api/x";
    let refusal =
        json!({ "code": 10000, "message": "Authentication error", "documentation_url": url });
    let (world, _server) = answering(403, &refusal).await;
    let error = world.fails("connector list", 5).await;
    assert_eq!(error["api_errors"][0]["documentation_url"], url);
    let ran = world.run("connector list").await;
    assert!(ran.stderr.contains(&format!("docs:  {url}\n")), "{ran:?}");
}

/// A world whose API refuses everything.
async fn answering(status: u16, error: &serde_json::Value) -> (World, MockServer) {
    let server = MockServer::start().await;
    let body = json!({ "success": false, "errors": [error], "messages": [], "result": null });
    let answer = ResponseTemplate::new(status).set_body_json(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let base = format!("{}/client/v4", server.uri());
    (World::new().await.with_env("CLOUDFLARE_BASE_URL", &base), server)
}
