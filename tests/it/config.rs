//! Scenes of the configuration file, and of where a token comes from.

use cfsso::sandbox::Access;

use crate::harness::World;

/// A world whose configuration file holds `text`, and the folder it is in.
async fn configured(text: &str) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cfsso.toml");
    std::fs::write(&file, text).unwrap();
    let world = World::new().await.with_env("CFSSO_CONFIG", file.to_str().unwrap());
    (world, folder)
}

#[tokio::test]
async fn a_malformed_file_names_file_line_and_key() {
    for (text, line, key) in [
        ("[profiles.default]\nacount = \"x\"\n", "line 2", "acount"),
        ("[profiles.default]\n\noutput = 5\n", "line 3", "output"),
        ("[profiles.default]\ntoken_command = \"pass show\"\n", "line 2", "token_command"),
        ("[profiles.default]\ntoken_file = [\n", "line 2", "token_file"),
        ("profile = true\n", "line 1", "profile"),
        ("[profile.default]\n", "line 1", "profile"),
        ("[profiles.default]\ntoken = \"cfut_plantedsecret\"\n", "line 2", "token"),
        ("not toml", "line 1", ""),
    ] {
        let (world, _folder) = configured(text).await;
        let error = world.fails("connector list", 2).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("cfsso.toml"), "{text}: {message}");
        assert!(message.contains(line), "{text}: {message}");
        assert!(message.contains(key), "{text}: {message}");
        assert!(!error.to_string().contains("plantedsecret"), "{error}");
        assert!(world.requests().is_empty());
    }
}

#[tokio::test]
async fn a_lockout_is_ended_in_spite_of_a_broken_default_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cfsso")).unwrap();
    std::fs::write(folder.path().join("cfsso/config.toml"), "[profiles.default]\nx = 1\n").unwrap();
    let world = World::new().await.enabled().await;
    let world = world.with_env("XDG_CONFIG_HOME", folder.path().to_str().unwrap());
    for line in ["bypass otp --yes", "bypass undo --yes", "journal list"] {
        let ran = world.ok(line).await;
        assert!(ran.stderr.contains("config.toml, line 2"), "{line} {ran:?}");
    }
    let requests = world.requests().len();
    world.fails("connector list", 2).await;
    world.fails("bypass disable --all --yes --profile default", 2).await;
    let world = world.with_env("CLOUDFLARE_ACCOUNT_ID", "");
    let error = world.fails("bypass disable --all --yes", 2).await;
    assert!(error["message"].as_str().unwrap().contains("config.toml, line 2"), "{error}");
    assert_eq!(world.requests().len(), requests);
}

#[tokio::test]
async fn a_value_that_cannot_be_used_names_file_line_and_key() {
    for (text, key) in [
        ("account = \"me\"", "account"),
        ("base_url = \"http://cool.cats\"", "base_url"),
        ("output = \"xml\"", "output"),
        ("dns_servers = [\"not a server\"]", "dns_servers"),
    ] {
        let (world, _folder) = configured(&format!("[profiles.default]\n{text}\n")).await;
        let ran = world.run("connector list").await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{text}: {ran:?}");
        for part in ["cfsso.toml, line 2", key] {
            assert!(ran.stderr.contains(part), "{text}: {ran:?}");
        }
        assert!(world.requests().is_empty());
    }
}

/// Pasted without them, it would be carried out in another account.
#[tokio::test]
async fn a_command_to_paste_has_the_options_that_say_where() {
    let (world, folder) = configured("[profiles.work]\n").await;
    let world = world.verified().await;
    let error = world.fails("connector get cool.dogs --profile work", 6).await;
    assert_eq!(error["hint"], "`cfsso connector list --profile work`");
    let ran = world.ok("status --profile work").await;
    assert!(ran.stdout.contains("`cfsso enable cool.cats --profile work`"), "{ran:?}");
    let state = folder.path().join("state.json").display().to_string();
    let ran = world.ok(&format!("connector list --sandbox --sandbox-state {state}")).await;
    let setup = format!("`cfsso setup <DOMAIN> --sandbox-state {state} --sandbox`");
    assert!(ran.stderr.contains(&setup), "{ran:?}");
    // What was run is told as it was run.
    world.ok("connector update cool.cats --fedramp").await;
    let runs = world.ok("journal list -o name").await;
    let run = runs.stdout.lines().last().unwrap();
    let ran = world.ok(&format!("journal show {run} --profile work")).await;
    assert!(ran.stdout.contains("`cfsso connector update cool.cats --fedramp`"), "{ran:?}");
}

#[tokio::test]
async fn an_unknown_profile_is_answered_with_those_there_are() {
    let (world, _folder) = configured("[profiles.home]\n[profiles.work]\n").await;
    let error = world.fails("connector list --profile wrok", 2).await;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`home`") && message.contains("`work`"), "{message}");
    let world = World::new().await.with_env("CFSSO_CONFIG", "/nowhere/cfsso.toml");
    let error = world.fails("connector list --profile home", 2).await;
    assert!(error["message"].as_str().unwrap().contains("/nowhere/cfsso.toml"), "{error}");
    world.ok("connector list").await;
}

#[tokio::test]
async fn a_profile_says_where_the_token_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let token = Access::Full.token();
    std::fs::write(&file, format!("{token}\n# a second line\n")).unwrap();
    for source in [
        format!("token_file = {file:?}"),
        "token_env = \"MY_TOKEN\"".to_owned(),
        format!("token_command = [\"cat\", {file:?}]"),
    ] {
        let text =
            format!("[profiles.default]\ntoken_env = \"UNSET\"\n[profiles.work]\n{source}\n");
        let (world, _folder) = configured(&text).await;
        let world = world.with_env("CLOUDFLARE_API_TOKEN", "").with_env("MY_TOKEN", token);
        world.ok("connector list --profile work").await;
        let world = world.with_env("CFSSO_PROFILE", "work");
        world.ok("connector list").await;
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_exit_4_and_says_from_where() {
    for (source, said) in [
        ("token_file = \"/nowhere/token\"", "/nowhere/token"),
        ("token_file = \"/dev/null\"", "/dev/null"),
        ("token_command = [\"/nowhere/pass\", \"show\"]", "/nowhere/pass"),
        ("token_command = [\"false\"]", "false"),
        ("token_command = [\"true\"]", "true"),
        ("token_command = []", "token_command"),
    ] {
        let (world, _folder) = configured(&format!("[profiles.default]\n{source}\n")).await;
        let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
        let error = world.fails("connector list", 4).await;
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
        assert!(world.requests().is_empty());
    }
    let world = World::new().await.with_env("CLOUDFLARE_API_TOKEN", "");
    let error = world.fails("connector list --token-stdin", 4).await;
    assert!(error["message"].as_str().unwrap().contains("standard input"), "{error}");
}

#[tokio::test]
async fn a_token_on_standard_input_is_read_once() {
    let token = format!("{}\ncool.cats\n", Access::Full.token());
    let world = World::new().await.verified().await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "").with_person(&token);
    // The next line is the answer to the question.
    world.ok("enable cool.cats --token-stdin").await;
}

#[tokio::test]
async fn a_flag_goes_before_the_environment_and_that_before_the_profile() {
    let (full, read_only) = (Access::Full.token(), Access::ReadOnly.token());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = path("good", full);
    let poor = path("poor", read_only);
    let text = format!("[profiles.default]\ntoken_file = \"{poor}\"\noutput = \"yaml\"\n");
    let (world, _folder) = configured(&text).await;
    // Environment before profile.
    world.ok("create ant.example").await;
    // Flag before environment.
    let code = world.run(&format!("create bee.example --token-file {poor}")).await.code;
    assert_eq!(code, 5);
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
    assert_eq!(world.run("create cat.example").await.code, 5, "the profile's");
    let world = world.with_env("CLOUDFLARE_API_TOKEN_FILE", &good);
    world.ok("create dog.example").await;
    // The same for the form of results.
    assert!(world.ok("connector list").await.stdout.starts_with("- "), "yaml");
    let world = world.with_env("CFSSO_OUTPUT", "name");
    assert_eq!(world.ok("connector list").await.stdout, "ant.example\ndog.example\n");
    assert!(world.ok("connector list -o json").await.stdout.starts_with('['));
    // And for the account.
    let second = world.sandbox.accounts()[1].to_string();
    let ran = world.ok(&format!("connector list --account {second}")).await;
    assert_eq!(ran.stdout, "both.cats\n");
}

#[tokio::test]
async fn the_global_key_will_do() {
    let world = World::new().await;
    let (email, key) = world.sandbox.global_key();
    let world = world
        .with_env("CLOUDFLARE_API_TOKEN", "")
        .with_env("CLOUDFLARE_EMAIL", email)
        .with_env("CLOUDFLARE_API_KEY", key);
    world.ok("setup cool.cats --publish-txt --enable --yes").await;
}

#[tokio::test]
async fn a_result_is_filtered_by_an_expression_that_is_read_before_anything_is_sent() {
    let world = World::new().await;
    let made = world.ok("create cool.cats --jq .txt.name").await;
    assert_eq!(made.stdout, "cool.cats\n");
    world.ok("create cool.dogs").await;
    let list = world.ok("connector list --jq .[].email_domain").await.stdout;
    assert_eq!(list, "cool.cats\ncool.dogs\n");
    let enabled = world.ok("connector list -o ndjson --jq {enabled}").await.stdout;
    assert_eq!(enabled, "{\"enabled\":false}\n{\"enabled\":false}\n");
    // The change is made, whatever becomes of its result.
    let ran = world.run("disable cool.cats --yes --jq .id.x").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("the command is done, but its result"), "{ran:?}");
    let requests = world.requests().len();
    for line in [
        "connector list --fields id,,enabled -o json",
        "create bee.example --jq .[",
        "connector list --jq nonsense",
        "connector list --jq . -o table",
        "connector list --jq . -o yaml",
        "connector list --jq . --fields id",
    ] {
        let ran = world.run(line).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line}: {ran:?}");
    }
    assert_eq!(world.requests().len(), requests);
}

#[tokio::test]
async fn options_of_the_simulator_are_refused_for_a_real_account() {
    let world = World::new().await.verified().await;
    for (line, option) in [
        ("disable cool.cats --yes --fault 500x*@PATCH", "--fault"),
        ("connector list --sandbox-state s.json", "--sandbox-state"),
    ] {
        let (ran, requests) = world.requests_of(&format!("{line} -o json")).await;
        assert_eq!((ran.code, requests), (2, Vec::new()), "{ran:?}");
        assert_eq!(ran.error()["message"], format!("`{option}` needs `--sandbox`"));
    }
    // It may be set for other commands.
    let world = world.with_env("CFSSO_FAULT", "500x*").with_env("CFSSO_SANDBOX_STATE", "s.json");
    let ran = world.ok("connector list").await;
    assert!(ran.stderr.contains("warning: CFSSO_FAULT is ignored"), "{ran:?}");
}

#[tokio::test]
async fn a_result_has_one_format() {
    let world = World::new().await;
    for line in [
        "doctor --format github -o json",
        "doctor --format junit --jq .ok",
        "recovery check --format junit --fields ok",
        "impact cool.cats --format csv --jq .",
        "federation status --format mermaid -o json",
        "connector list --format bind -o json",
    ] {
        let (ran, requests) = world.requests_of(line).await;
        assert_eq!((ran.code, requests), (2, Vec::new()), "{line}: {ran:?}");
    }
    let world = world.with_env("CFSSO_OUTPUT", "json");
    assert!(world.ok("version").await.json()["version"].is_string());
    assert!(world.ok("version --jq .os").await.stdout.lines().count() == 1);
    assert!(world.ok("help exit-codes").await.stdout.starts_with(|c| c != '"' && c != '{'));
}

#[tokio::test]
async fn the_page_of_the_dashboard_is_named_without_a_request() {
    let world = World::new().await.with_env("CLOUDFLARE_ACCOUNT_ID", ACCOUNT);
    for (line, page) in [
        ("connector get --web", "https://dash.cloudflare.com/00000000000000000000000000000001/"),
        ("app get --open", "https://one.dash.cloudflare.com/00000000000000000000000000000001/"),
        ("idp get Okta --web", "https://one.dash.cloudflare.com/00000000000000000000000000000001/"),
        ("token create-url --for ci --open", "https://dash.cloudflare.com/profile/api-tokens?"),
    ] {
        let ran = world.ok(line).await;
        assert!(ran.stdout.starts_with(page), "{line}: {ran:?}");
        assert!(ran.stderr.contains("the page was not opened"), "{line}: {ran:?}");
    }
    assert!(world.requests().is_empty());
}

const ACCOUNT: &str = "00000000000000000000000000000001";

#[tokio::test]
async fn each_setting_is_shown_with_its_source_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "[profiles.default]\noutput = \"yaml\"\nconnector = \"cool.cats\"\n")
        .unwrap();
    let mut world = World::new().await.with_env("CFSSO_CONFIG", &file.display().to_string());
    let before = world.requests().len();
    let ran = world.ok("config show -o json").await;
    assert_eq!(world.requests().len(), before);
    let shown = ran.json();
    let of = |name: &str| {
        let row = shown.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        (row["value"].clone(), row["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("profile"), ("default".into(), "default".to_owned()));
    assert_eq!(of("account").1, "CLOUDFLARE_ACCOUNT_ID");
    assert_eq!(of("token"), (serde_json::Value::Null, "CLOUDFLARE_API_TOKEN".to_owned()));
    assert_eq!(of("connector"), ("cool.cats".into(), "profile".to_owned()));
    assert_eq!(of("output"), ("json".into(), "--output".to_owned()));
    assert_eq!(of("ca_cert"), (serde_json::Value::Null, "default".to_owned()));
    assert!(!ran.stdout.contains("cfut_"), "{ran:?}");
    let yaml = world.ok("config show").await.stdout;
    assert!(yaml.contains("value: yaml\n  source: profile"), "{yaml}");
    let path = world.ok("config path -o name").await.stdout;
    assert_eq!(path.trim(), file.display().to_string());
    std::fs::write(&file, "profile = \"work\"\n[profiles.work]\n[profiles.other]\n").unwrap();
    for (line, variable, name, source) in [
        ("", "", "work", "config"),
        ("", "other", "other", "CFSSO_PROFILE"),
        (" --profile work", "other", "work", "--profile"),
    ] {
        world = world.with_env("CFSSO_PROFILE", variable);
        let other = world.ok(&format!("config show -o json{line}")).await.json();
        let row = serde_json::json!({"name": "profile", "value": name, "source": source});
        assert!(other.as_array().unwrap().contains(&row), "{row} {other}");
    }
    let quiet = world
        .with_env("CFSSO_PROFILE", "")
        .with_env("CFSSO_QUIET", "1")
        .with_env("CFSSO_MAX_RETRIES", "0");
    let shown = quiet.ok("config show -o json --timeout 90s --color never").await.json();
    for (name, value, source) in [
        ("quiet", "true", "CFSSO_QUIET"),
        ("max_retries", "0", "CFSSO_MAX_RETRIES"),
        ("timeout", "1m 30s", "--timeout"),
        ("color", "never", "--color"),
        ("request_timeout", "30s", "default"),
    ] {
        let row = serde_json::json!({"name": name, "value": value, "source": source});
        assert!(shown.as_array().unwrap().contains(&row), "{row} {shown}");
    }
    assert_eq!(quiet.ok("connector list").await.stderr, "");
    quiet.with_env("CFSSO_COLOR", "red").fails("connector list", 2).await;
}
