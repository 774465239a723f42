//! Scenes of the journal: what is written down, and putting it back.

use std::fs;
use std::path::{Path, PathBuf};

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::World;
use crate::sandbox::client::ask_text;
use crate::schema::assert_conforms;

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

async fn entries(world: &World) -> Vec<Value> {
    world.ok("journal list -o json").await.json().as_array().unwrap().clone()
}

fn column<'a>(entries: &'a [Value], name: &str) -> Vec<&'a str> {
    entries.iter().map(|entry| entry[name].as_str().unwrap_or("-")).collect()
}

/// The run of the latest entry.
async fn latest(world: &World) -> String {
    entries(world).await.last().unwrap()["run"].as_str().unwrap().to_owned()
}

/// Runs a command until its first write is in the journal, and kills it there.
async fn killed(world: &World, line: &str) {
    let open = world.journal.path().join("open");
    let before = files(&open).len();
    let begun = async {
        while files(&open).len() == before
            || files(&open).iter().any(|file| fs::read(file).unwrap().is_empty())
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = begun => {}
        ran = world.run(line) => panic!("{line} ended: {ran:?}"),
    }
}

#[tokio::test]
async fn every_write_is_an_entry_and_nothing_else_is() {
    let world = World::new().await.enabled().await;
    world.ok("connector update cool.cats --fedramp").await;
    world.ok("connector delete cool.cats --disable-first --yes").await;
    world.ok("connector create dogs.example").await;
    world.ok("connector list").await;
    let entries = entries(&world).await;
    let account = format!("/accounts/{}", world.sandbox.account());
    let written: Vec<_> = entries
        .iter()
        .map(|entry| {
            let path = entry["request"]["path"].as_str().unwrap();
            let below = path.strip_prefix(&account).map(str::to_owned);
            let path = below.unwrap_or_else(|| format!("/client/v4{path}"));
            format!("{} {path}", entry["request"]["method"].as_str().unwrap())
        })
        .collect();
    assert_eq!(written, world.writes());
    assert!(entries.iter().all(|entry| entry["outcome"] == "done"));
    assert!(entries.iter().all(|entry| entry["ray_id"].as_str().unwrap().ends_with("-SBX")));
    assert!(entries.iter().all(|entry| entry["user"] == "ada"));
    let enabling = entries.iter().find(|entry| entry["title"] == "enable SSO for cool.cats");
    assert_eq!(enabling.unwrap()["before"]["enabled"], false);
    let deletion = entries.iter().find(|entry| entry["request"]["method"] == "DELETE").unwrap();
    assert_eq!(deletion["before"]["email_domain"], "cool.cats");
    assert_eq!(deletion["command"], "cfsso connector delete cool.cats --disable-first --yes");
    assert_eq!(files(&world.journal.path().join("open")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace() {
    let world = World::new().await;
    world.ok("setup cool.cats --publish-txt --enable --dry-run").await;
    assert_eq!(files(world.journal.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn no_secret_is_in_any_file() {
    let world = World::new().await;
    let token = world.sandbox.token(Access::Full);
    world.run(&format!("connector create cool.cats --profile {token}")).await;
    world.ok("setup cool.cats --publish-txt --enable --yes").await;
    world.fault("500@PATCH");
    world.run("disable cool.cats --yes --max-retries 0").await;
    for file in files(world.journal.path()) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(token), "{text}");
    }
}

#[tokio::test]
async fn a_journal_that_cannot_be_kept_stops_the_write() {
    let world = World::new().await;
    let file = world.journal.path().join("file");
    fs::write(&file, "").unwrap();
    let world = world.with_env("CFSSO_JOURNAL", &file.join("x").display().to_string());
    let error = world.fails("connector create cool.cats", 1).await;
    assert_eq!(error["kind"], "journal");
    assert_eq!(error["message"], "cannot write the journal; nothing was sent");
    assert!(error["hint"].as_str().unwrap().contains("CFSSO_JOURNAL=DIR"));
    assert_eq!(world.writes(), [""; 0]);

    let world = world.with_env("CFSSO_JOURNAL", "");
    let error = world.fails("connector create cool.cats", 1).await;
    assert!(error["message"].as_str().unwrap().ends_with("nothing was sent"), "{error}");
    assert_eq!(world.writes(), [""; 0]);
    world.ok("connector list").await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::new().await;
    let dir = world.journal.path().join("new");
    let world = world.with_env("CFSSO_JOURNAL", &dir.display().to_string());
    world.ok("connector create cool.cats").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&files(&dir)[0]), 0o600);
}

#[tokio::test]
async fn a_killed_command_is_told_of_once_and_can_be_undone() {
    let world = World::new().await.enabled().await;
    killed(&world, "disable cool.cats --yes").await;
    let told = world.ok("connector list").await;
    assert!(told.stderr.contains("disable SSO for cool.cats"), "{told:?}");
    assert!(told.stderr.contains("cfsso journal undo"), "{told:?}");
    assert!(!world.ok("connector list").await.stderr.contains("journal"));
    let all = entries(&world).await;
    assert_eq!(all.last().unwrap()["outcome"], "unfinished");
    let run = latest(&world).await;
    let ran = world.run(&format!("journal undo {run} --yes")).await;
    // It depends on how far the request had come whether there is anything to undo.
    assert!([0, 6].contains(&ran.code), "{ran:?}");
    assert_eq!(world.connectors().await[0]["enabled"], true);
}

#[tokio::test]
async fn a_creation_without_an_answer_is_looked_for_and_put_back() {
    let world = World::new().await;
    let posted = async {
        while world.writes().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = posted => {}
        ran = world.run("create cool.cats") => panic!("it ended: {ran:?}"),
    }
    assert_eq!(world.connectors().await.len(), 1);
    let run = latest(&world).await;
    let doctor = world.run("doctor -o json").await.json();
    let findings = doctor["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["id"] == "journal-unfinished").unwrap();
    assert!(found["detail"].as_str().unwrap().contains("was applied"), "{found}");
    world.ok(&format!("journal undo {run} --yes")).await;
    assert_eq!(world.connectors().await.len(), 0);
    world.ok("create cool.cats").await;
    let error = world.fails(&format!("journal undo {run} --yes"), 6).await;
    assert!(error["causes"].to_string().contains("already undone"), "{error}");
    assert_eq!(world.connectors().await.len(), 1, "the one that somebody made later stays");
}

#[tokio::test]
async fn a_creation_that_another_run_made_is_not_undone_by_the_first() {
    let world = World::new().await;
    // Whether it leaves or not, nothing comes of it.
    world.fault("close-before@POST/sso_connectors");
    killed(&world, "create cool.cats").await;
    let first = latest(&world).await;
    world.ok("create cool.cats").await;
    let entries = entries(&world).await;
    assert_eq!(entries[0]["resolved_by"], entries[1]["id"]);
    let error = world.fails(&format!("journal undo {first} --yes"), 6).await;
    assert!(error["causes"].to_string().contains("created the same later"), "{error}");
    assert_eq!(world.connectors().await.len(), 1);
    world.ok(&format!("journal undo {} --yes", latest(&world).await)).await;
    assert_eq!(world.connectors().await.len(), 0);
}

#[tokio::test]
async fn help_and_the_journal_itself_do_not_tell_of_the_unfinished() {
    let world = World::new().await.enabled().await;
    killed(&world, "disable cool.cats --yes").await;
    for line in ["help exit-codes", "journal list", "connector list --dry-run -q"] {
        assert!(!world.ok(line).await.stderr.contains("earlier run"), "{line}");
    }
    assert!(world.ok("connector list --dry-run").await.stderr.contains("earlier run"));
    assert!(world.ok("connector list").await.stderr.contains("earlier run"));
}

#[tokio::test]
async fn each_change_of_a_connector_can_be_put_back() {
    let world = World::new().await.enabled().await;
    for (line, field, was) in [
        ("disable cool.cats --yes", "enabled", true),
        ("connector update cool.cats --fedramp", "use_fedramp_language", false),
    ] {
        world.ok(line).await;
        assert_eq!(world.connectors().await[0][field], !was, "{line}");
        let run = latest(&world).await;
        let report = world.ok(&format!("journal undo {run} --yes -o json")).await.json();
        assert_eq!(report["schema"], "cfsso/journal-undo/v1");
        assert_eq!(report["undone"][0]["entry"], format!("{run}.1"));
        assert_eq!(world.connectors().await[0][field], was, "{line}");
        let all = entries(&world).await;
        let undoing = all.last().unwrap();
        assert_eq!(undoing["undoes"], format!("{run}.1"));
        let undone = all.iter().find(|entry| entry["run"] == run.as_str()).unwrap();
        assert_eq!(undone["undone_by"], undoing["id"]);
        // The undoing is an entry like any other.
        let back = format!("journal undo {} --yes", undoing["id"].as_str().unwrap());
        world.ok(&back).await;
        assert_eq!(world.connectors().await[0][field], !was, "{line}");
        world.ok(&format!("journal undo {} --yes", latest(&world).await)).await;
    }
}

#[tokio::test]
async fn a_whole_set_up_is_put_back_the_latest_first() {
    let world = World::new().await.enabled().await;
    let ran = world.ok("journal undo --yes").await;
    assert_eq!(world.connectors().await, [json!(null); 0]);
    assert_eq!(world.codes("cool.cats").await, [""; 0]);
    assert!(ran.stderr.contains("cannot be undone"), "{ran:?}");
    let stop = world.fails("journal undo --yes", 6).await;
    assert_eq!(stop["message"], "nothing to undo in the journal");
}

#[tokio::test]
async fn a_started_verification_is_no_reason_against_an_undo() {
    let world = World::new().await.verified().await;
    let run = latest(&world).await;
    world.ok(&format!("journal undo {run} --yes")).await;
    let error = world.fails(&format!("journal undo {run} --yes"), 6).await;
    assert!(error["causes"].to_string().contains("already undone by entry"), "{error}");
    let world = World::new().await.verified().await;
    let run = latest(&world).await;
    world.ok("enable cool.cats --yes").await;
    let error = world.fails(&format!("journal undo {run} --yes"), 11).await;
    assert!(error.to_string().contains("is enabled"), "{error}");
}

#[tokio::test]
async fn the_latest_run_is_one_that_still_has_something_to_undo() {
    let world = World::new().await.enabled().await.with_env("S", "planted-s3cret-0123456789");
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("app idps --only PIN --only oidc --yes").await;
    let run = latest(&world).await;
    world.ok("idp rotate-secret oidc --secret-env S --yes").await;
    world.ok("connector update cool.cats --fedramp").await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{}/sso_connectors/{id}", world.sandbox.account());
    let body = r#"{"use_fedramp_language":false}"#;
    ask_text(&world.sandbox, Access::Full, &format!("PATCH {path}"), body).await;
    let rotated = world.ok("journal list -o json").await.json();
    let rotated = rotated.as_array().unwrap().iter().rev().nth(1).unwrap()["id"].clone();
    let error = world.fails(&format!("journal undo {} --yes", rotated.as_str().unwrap()), 11).await;
    assert!(error["causes"][0].as_str().unwrap().contains("only a secret was changed"), "{error}");
    let undone = world.ok("journal undo --yes -o json").await.json();
    assert!(undone["undone"][0]["entry"].as_str().unwrap().starts_with(&run), "{undone}");
}

#[tokio::test]
async fn a_deleted_connector_comes_back_with_a_new_code() {
    let world = World::new().await;
    world.ok("connector create cool.cats").await;
    let code = world.connectors().await[0]["verification"]["code"].clone();
    world.ok("connector delete cool.cats --yes").await;
    let ran = world.ok("journal undo --yes").await;
    assert!(ran.stderr.contains("gets a new verification code"), "{ran:?}");
    let connectors = world.connectors().await;
    assert_eq!(connectors[0]["email_domain"], "cool.cats");
    assert_ne!(connectors[0]["verification"]["code"], code);
}

#[tokio::test]
async fn a_stale_record_that_was_deleted_comes_back() {
    let world = World::new().await.verified().await;
    let old = world.codes("cool.cats").await;
    world.ok("connector delete cool.cats --yes").await;
    world.ok("setup cool.cats --publish-txt --replace-stale-txt").await;
    assert_ne!(world.codes("cool.cats").await, old);
    let all = entries(&world).await;
    let removal = all
        .iter()
        .find(|entry| entry["title"] == "delete an outdated TXT record of cool.cats")
        .unwrap();
    world.ok(&format!("journal undo {} --yes", removal["id"].as_str().unwrap())).await;
    assert!(world.codes("cool.cats").await.contains(&old[0]));
}

#[tokio::test]
async fn the_txt_record_of_a_domain_with_sso_enabled_stays() {
    let world = World::new().await.enabled().await;
    let all = entries(&world).await;
    let creation = all.iter().find(|entry| entry["title"] == "publish the TXT record of cool.cats");
    let undo = format!("journal undo {} --yes", creation.unwrap()["id"].as_str().unwrap());
    let before = world.codes("cool.cats").await;
    let ran = world.run(&undo).await;
    assert!(ran.code != 0 && ran.stderr.contains("SSO is enabled for cool.cats"), "{ran:?}");
    assert_eq!(world.codes("cool.cats").await, before);
    world.ok("disable cool.cats --yes").await;
    world.ok(&undo).await;
    assert_eq!(world.codes("cool.cats").await, [""; 0]);
    // The whole run disables it first.
    let world = World::new().await.enabled().await;
    let run = entries(&world).await[0]["run"].as_str().unwrap().to_owned();
    let latest = latest(&world).await;
    world.ok(&format!("journal undo {latest} --yes")).await;
    if run != latest {
        world.ok(&format!("journal undo {run} --yes")).await;
    }
    assert_eq!(world.codes("cool.cats").await, [""; 0]);
}

#[tokio::test]
async fn what_was_changed_since_is_left_alone_unless_forced() {
    let world = World::new().await.verified().await;
    // As if the record had been created with another text, and changed since.
    let file = files(world.journal.path()).remove(0);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("cloudflare_dashboard_sso=", "cloudflare_dashboard_sso=old"))
        .unwrap();
    let all = entries(&world).await;
    let creation = all.iter().find(|entry| entry["title"] == "publish the TXT record of cool.cats");
    let undo = format!("journal undo {} --yes", creation.unwrap()["id"].as_str().unwrap());
    let writes = world.writes().len();
    let stop = world.fails(&undo, 7).await;
    assert!(stop["causes"][0].as_str().unwrap().contains("`content`"), "{stop}");
    assert!(stop["hint"].as_str().unwrap().contains("--force"), "{stop}");
    assert_eq!(world.writes().len(), writes);
    world.ok(&format!("{undo} --force")).await;
    assert_eq!(world.codes("cool.cats").await, [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_undone_says_why() {
    let world = World::new().await.enabled().await;
    let all = entries(&world).await;
    let find = |title: &str| {
        let found = all.iter().find(|entry| entry["title"].as_str().unwrap().starts_with(title));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    for (name, code, says) in [
        (find("start the verification"), 6, "nothing to undo"),
        (find("create the connector"), 11, "is enabled"),
        ("19990101-000000".to_owned(), 6, "no entry or run"),
    ] {
        let stop = world.fails(&format!("journal undo {name} --yes"), code).await;
        assert!(stop["message"].as_str().unwrap().contains(says), "{stop}");
    }
    world.ok(&format!("journal undo {} --yes", find("enable"))).await;
    let stop = world.fails(&format!("journal undo {} --yes", find("enable")), 6).await;
    assert!(stop["causes"][0].as_str().unwrap().contains("already undone"), "{stop}");
}

#[tokio::test]
async fn undoing_never_takes_away_the_last_sign_in() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    let created = latest(&world).await;
    world.ok("app idps --only PIN --yes").await;
    let writes = world.writes();
    for flags in ["--yes", "--dry-run"] {
        let error = world.fails(&format!("journal undo {created} {flags}"), 11).await;
        let expected = "`PIN` is the only identity provider that SSO App allows";
        assert!(error.to_string().contains(expected), "{flags}: {error}");
    }
    assert_eq!(world.writes(), writes);
    world.ok("app idps --only oidc --yes").await;
    let switched = latest(&world).await;
    world.ok("idp delete PIN --yes").await;
    let error = world.fails(&format!("journal undo {switched} --yes"), 11).await;
    assert!(error.to_string().contains("would block every sign-in"), "{error}");
    // The latest first, the creation can be undone with what was built on it.
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    let created = latest(&world).await;
    world.ok("app idps --only PIN --yes").await;
    world.ok(&format!("journal undo {} --yes", latest(&world).await)).await;
    world.ok(&format!("journal undo {created} --yes")).await;
}

#[tokio::test]
async fn undoing_is_shown_and_confirmed_first() {
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let writes = world.writes().len();
    let plan = world.ok("journal undo --dry-run -o json").await.json();
    assert_eq!(plan["changes"][0]["diff"][0]["after"], true);
    assert_eq!(world.fails("journal undo", 3).await["exit_code"], 3);
    assert_eq!(world.fails("journal undo --confirm dogs.example", 3).await["exit_code"], 3);
    assert_eq!(world.writes().len(), writes);
    let world = world.with_person("cool.cats\n");
    let ran = world.ok("journal undo").await;
    assert!(ran.stdout.contains("enabled: false -> true"), "{ran:?}");
    assert_eq!(world.connectors().await[0]["enabled"], true);
}

#[tokio::test]
async fn commands_at_the_same_time_are_runs_of_their_own() {
    let world = World::new().await;
    let lines =
        ["a.example", "b.example", "c.example"].map(|domain| format!("connector create {domain}"));
    let runs = lines.iter().map(|line| world.ok(line));
    futures_util::future::join_all(runs).await;
    let all = entries(&world).await;
    let mut runs = column(&all, "run");
    runs.dedup();
    assert_eq!(runs, ["20260301-120000", "20260301-120000-2", "20260301-120000-3"]);
    assert!(all.iter().all(|entry| entry["outcome"] == "done"), "{all:#?}");
}

#[tokio::test]
async fn a_damaged_file_is_named_and_the_rest_works() {
    let deep = format!(r#"{{"started":{}"#, "[".repeat(200_000));
    for (damaged, said) in [(None, "it is cut off"), (Some(deep), "deeper than 128")] {
        let world = World::new().await;
        world.ok("connector create a.example").await;
        world.ok("connector create b.example").await;
        let first = world.journal.path().join("runs/20260301-120000.ndjson");
        let text = fs::read(&first).unwrap();
        let damaged = damaged.map_or_else(|| text[..100].to_vec(), String::into_bytes);
        fs::write(&first, &damaged).unwrap();
        let ran = world.ok("journal list -o json").await;
        assert_eq!(
            column(ran.json().as_array().unwrap(), "title"),
            ["create the connector of b.example"]
        );
        let warning: Value = serde_json::from_str(&ran.stderr).unwrap();
        let warning = warning["message"].as_str().unwrap();
        assert!(warning.contains("line 1: ") && warning.contains(said), "{warning}");
        world.ok("journal undo --yes").await;
        assert_eq!(fs::read(&first).unwrap(), damaged);
    }
}

#[tokio::test]
async fn a_stop_half_way_names_the_run_that_undoes_it() {
    let world = World::new().await.enabled().await;
    world.fault("500@DELETEx*");
    let stop = world.fails("connector delete cool.cats --disable-first --yes", 12).await;
    let run = latest(&world).await;
    let hint = stop["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("`cfsso journal undo {run}`")), "{stop}");
    assert!(stop["causes"].to_string().contains(&format!("journal run: {run}")), "{stop}");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_a_refusal_failed() {
    // What became of it shows the connector, if it can be read.
    for (reads, outcome) in [("500#9@GET", "done"), ("500#2@GET/sso_connectors", "unknown")] {
        let world = World::new().await.enabled().await;
        world.fault("close-afterx*@PATCH");
        world.fault(reads);
        world.run("disable cool.cats --yes --max-retries 0").await;
        let entry = entries(&world).await.pop().unwrap();
        assert_eq!(entry["outcome"], outcome);
    }
    let world = World::new().await.enabled().await;
    world.fault("close-afterx*@PATCH");
    world.fault("500#2@GET/sso_connectors");
    world.run("disable cool.cats --yes --max-retries 0").await;
    let entry = entries(&world).await.pop().unwrap();
    world.ok(&format!("journal show {}", entry["id"].as_str().unwrap())).await;
    let world = World::new().await.with_token(Access::ReadOnly);
    world.run("connector create cool.cats").await;
    let entry = entries(&world).await.pop().unwrap();
    assert_eq!(entry["outcome"], "failed");
    assert_eq!(entry["status"], 403);
    assert!(entry["ray_id"].is_string() && entry["error"].is_string(), "{entry}");
}

#[tokio::test]
async fn a_run_can_be_told_in_markdown() {
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let run = latest(&world).await;
    let text = world.ok(&format!("journal show {run} --markdown")).await.stdout;
    assert!(text.starts_with("# Changes of `cfsso disable cool.cats --yes`"), "{text}");
    assert!(text.contains("- `enabled`: true -> false"), "{text}");
    assert!(text.contains("-SBX |"), "{text}");
    // Only what changed: no object in full.
    assert!(!text.contains("```") && !text.contains("email_domain"), "{text}");
    let shown = world.ok(&format!("journal show {run}")).await.stdout;
    assert!(shown.contains("`enabled`: true -> false"), "{shown}");
}

#[tokio::test]
async fn old_runs_are_removed_on_demand() {
    let world = World::new().await;
    world.ok("connector create cool.cats").await;
    assert_eq!(
        world.ok("journal prune --older-than 1d -o json").await.json()["deleted"],
        json!([])
    );
    world.clock.sleep(std::time::Duration::from_hours(72)).await;
    world.ok("connector create dogs.example").await;
    for line in
        ["journal prune --older-than 1d --dry-run -o json", "journal prune --older-than 1d -o json"]
    {
        let pruned = world.ok(line).await.json();
        assert_eq!(pruned["deleted"], json!(["20260301-120000"]), "{line}");
    }
    assert_eq!(column(&entries(&world).await, "title"), ["create the connector of dogs.example"]);
}

#[tokio::test]
async fn a_run_that_an_undo_or_a_resume_needs_is_retained() {
    let line = "journal prune --older-than 1d -o json";
    let day = std::time::Duration::from_hours(72);
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    world.clock.sleep(day).await;
    let pruned = world.ok(line).await.json();
    assert_eq!(pruned["retained"].as_array().unwrap().len(), 1, "{pruned:#}");
    let reason = pruned["retained"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`cfsso bypass undo`"), "{pruned:#}");
    world.ok("bypass undo --yes").await;
    assert_eq!(world.connectors().await[0]["enabled"], true);
    let pruned = world.ok(line).await.json();
    assert_eq!(pruned["deleted"].as_array().unwrap().len(), 1, "{pruned:#}");

    let rename = "team rename cooler-cats --publish-txt --idps-updated --yes";
    // The first request tests whether the token may rename.
    world.fault("500#2@PUT/access/organizations");
    world.fails(&format!("{rename} --max-retries 0"), 12).await;
    world.clock.sleep(day).await;
    let pruned = world.ok(line).await.json();
    let reason = pruned["retained"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`cfsso team rename --resume`"), "{pruned:#}");
    world.ok("team rename --resume --publish-txt --idps-updated --yes").await;
}

#[tokio::test]
async fn results_are_as_their_schemas_say() {
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let run = latest(&world).await;
    for (kind, line) in [
        ("journal", "journal list -o json".to_owned()),
        ("journal-run", format!("journal show {run} -o json")),
        ("journal-undo", format!("journal undo {run} --yes -o json")),
        ("journal-prune", "journal prune --older-than 90d -o json".to_owned()),
    ] {
        let schema = world.ok(&format!("schema {kind} -o json")).await.json();
        let result = world.ok(&line).await.json();
        assert_conforms(&schema, &result);
    }
}

/// What other users could have written is neither read nor added to.
#[cfg(unix)]
#[tokio::test]
async fn a_journal_that_others_can_change_is_refused_and_one_they_can_read_told_of() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let dir = world.journal.path().to_owned();
    let file = files(&dir).pop().unwrap();
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, mode, private) in [(&dir, 0o777, 0o700), (&dir, 0o770, 0o700), (&file, 0o620, 0o600)]
    {
        set(path, mode);
        let (ran, requests) = world.requests_of("journal undo --yes -o json").await;
        assert_eq!(ran.code, 1, "{ran:?}");
        let error = ran.error();
        assert_eq!(error["kind"], "journal");
        let chmod = format!("`chmod go-w {}`", path.display());
        assert!(error["causes"][0].as_str().unwrap().contains(&chmod), "{error}");
        assert_eq!(error["hint"], chmod.as_str());
        let audit = world.run("doctor -o json").await.json();
        let findings = audit["findings"].as_array().unwrap().iter();
        let mut found = findings.filter(|finding| finding["id"] == "journal-damaged");
        assert_eq!(found.next().unwrap()["fix"], chmod.as_str());
        assert_eq!(requests, [""; 0]);
        if path == &dir {
            let writes = world.writes().len();
            let error = world.fails("connector update cool.cats --fedramp", 1).await;
            assert!(error["causes"][0].as_str().unwrap().contains(&chmod), "{error}");
            assert_eq!(world.writes().len(), writes);
        }
        set(path, private);
    }
    set(&dir, 0o755);
    let ran = world.ok("journal list").await;
    assert_eq!(ran.stderr.matches("chmod go-rwx").count(), 1, "{ran:?}");
    set(&dir, 0o700);
    assert!(!world.ok("journal undo --yes").await.stderr.contains("chmod"));
}

/// The lines of the latest run, edited as somebody who can write them would.
fn edit(world: &World, change: impl Fn(String) -> String) {
    let file = files(&world.journal.path().join("runs")).pop().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let edited = change(text.clone());
    assert_ne!(text, edited);
    fs::write(&file, edited).unwrap();
}

#[tokio::test]
async fn an_entry_of_another_account_or_api_is_not_undone() {
    let other = "f".repeat(32);
    for line in ["disable cool.cats --yes", "bypass disable cool.cats --yes"] {
        let undo = if line.starts_with("bypass") { "bypass undo" } else { "journal undo" };
        let world = World::new().await.enabled().await;
        world.ok(line).await;
        let own = world.sandbox.account().to_string();
        let (ran, requests) =
            world.requests_of(&format!("--account {other} {undo} --yes -o json")).await;
        assert_eq!((ran.code, requests), (7, Vec::new()), "{ran:?}");
        let hint = ran.error()["hint"].clone();
        assert!(hint.as_str().unwrap().contains(&format!("--account {own}")), "{hint}");

        let base_url = entries(&world).await.pop().unwrap()["base_url"].clone();
        let base_url = base_url.as_str().unwrap();
        edit(&world, |text| text.replace(base_url, "https://api.staging.example"));
        let (ran, requests) = world.requests_of(&format!("{undo} --yes -o json")).await;
        assert_eq!((ran.code, requests), (7, Vec::new()), "{ran:?}");
        // Both are named, and no hint sends the token elsewhere: the entry may be forged.
        let error = ran.error();
        let cause = error["causes"][0].as_str().unwrap();
        assert!(cause.contains("https://api.staging.example"), "{error}");
        assert!(cause.contains(base_url), "{error}");
        assert!(!error["hint"].as_str().unwrap().contains("https://"), "{error}");
    }
}

#[tokio::test]
async fn the_unfinished_is_told_in_its_own_account_alone() {
    let world = World::new().await.enabled().await;
    killed(&world, "disable cool.cats --yes").await;
    let other = "f".repeat(32);
    let ran = world.run(&format!("--account {other} connector list")).await;
    assert!(!ran.stderr.contains("earlier run"), "{ran:?}");
    assert!(world.ok("connector list").await.stderr.contains("earlier run"));
}

#[tokio::test]
async fn an_edited_entry_is_refused_before_anything_is_sent() {
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let file = files(&world.journal.path().join("runs")).pop().unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let other = format!("/accounts/{}/", "f".repeat(32));
    let own = format!("/accounts/{}/", world.sandbox.account());
    for (from, to) in [
        ("/sso_connectors/", "/members/"),
        ("/sso_connectors/", "/sso_connectors/../"),
        ("/sso_connectors/", "/sso_connectors/%2e%2e%2f"),
        (own.as_str(), other.as_str()),
        (r#""path":"/"#, r#""path":"https://evil.example/"#),
        (r#""method":"PATCH""#, r#""method":"PUT""#),
        (r#""body":{"#, r#""body":{"email_domain":"evil.example","#),
        (r#""resource":"connector""#, r#""resource":"token""#),
        (r#""format":2"#, r#""format":1"#),
    ] {
        assert!(whole.contains(from), "{from} {whole}");
        let mut edited = whole.replace(from, to);
        if from.contains("format") {
            let base_url = entries(&world).await.pop().unwrap()["base_url"].clone();
            edited = edited.replace(&format!(r#""base_url":{base_url},"#), "");
        }
        fs::write(&file, edited).unwrap();
        let undo = format!("journal undo {} --yes -o json", latest(&world).await);
        let (ran, requests) = world.requests_of(&undo).await;
        assert_eq!(ran.code, 11, "{from} -> {to}: {ran:?}");
        assert_eq!(requests, [""; 0], "{from} -> {to}");
        fs::write(&file, &whole).unwrap();
    }
}

/// The word of a confirmation is the server's, whatever the entry says.
#[tokio::test]
async fn the_word_to_type_is_not_taken_from_the_entry() {
    for (line, undo) in
        [("disable cool.cats --yes", "journal undo"), ("bypass disable --all --yes", "bypass undo")]
    {
        let world = World::new().await.enabled().await;
        world.ok(line).await;
        edit(&world, |text| text.replace("cool.cats", "easy.example"));
        assert_eq!(world.fails(&format!("{undo} --confirm easy.example"), 3).await["exit_code"], 3);
        world.ok(&format!("{undo} --confirm cool.cats")).await;
        assert_eq!(world.connectors().await[0]["enabled"], true);
    }
}

/// Each run of `--sandbox` has another port: the state file is what they share.
#[tokio::test]
async fn a_run_of_a_simulator_is_undone_by_another_on_the_same_state_alone() {
    let world = World::new().await;
    let state = world.journal.path().join("s.json").display().to_string();
    let other = world.journal.path().join("other.json").display().to_string();
    let on = |state: &str| format!("--sandbox --sandbox-state {state}");
    world.ok(&format!("{} connector create cool.cats", on(&state))).await;
    fs::create_dir(format!("{other}.journal")).unwrap();
    fs::rename(format!("{state}.journal"), format!("{other}.journal")).unwrap();
    let error = world.fails(&format!("{} journal undo --yes", on(&other)), 7).await;
    let hint = format!("--sandbox --sandbox-state {state}");
    assert!(error["hint"].as_str().unwrap().contains(&hint), "{error}");
    fs::rename(format!("{other}.journal"), format!("{state}.journal")).unwrap();
    world.ok(&format!("{} journal undo --yes", on(&state))).await;
    // What was changed in a simulator that was reset is not there to be undone.
    let reset = format!("{} sandbox reset", on(&state));
    let preview = world.ok(&format!("{reset} --dry-run")).await.stdout;
    assert!(preview.contains("would delete the simulator state"), "{preview}");
    let list = format!("{} journal list -o json", on(&state));
    assert_ne!(world.ok(&list).await.json(), json!([]));
    world.ok(&reset).await;
    assert_eq!(world.ok(&list).await.json(), json!([]));
}

#[tokio::test]
async fn entries_go_to_another_machine_and_are_undone_there_as_here() {
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let run = latest(&world).await;
    let file = world.journal.path().join("run.json").display().to_string();
    fs::write(&file, world.ok(&format!("journal export {run}")).await.stdout).unwrap();
    let all = world.ok("journal export").await.stdout;
    assert!(all.len() > fs::read_to_string(&file).unwrap().len());
    assert!(!all.contains("cfut_"), "{all}");
    world.fails("journal export nonsense", 6).await;

    let other = world.journal.path().join("other").display().to_string();
    let world = world.with_env("CFSSO_JOURNAL", &other);
    world.ok(&format!("journal import {file} --dry-run")).await;
    assert_eq!(entries(&world).await.len(), 0);
    let imported = world.ok(&format!("journal import {file} -o json")).await.json();
    assert_eq!(imported, json!([format!("{run}-imported")]));
    assert!(entries(&world).await[0]["id"].as_str().unwrap().ends_with("-imported.1"));
    let again = world.ok(&format!("journal import {file} -o json")).await;
    assert_eq!(again.json(), json!([]));
    assert!(again.stderr.contains("1 run imported before"), "{again:?}");
    world.ok("journal undo --yes").await;
    assert_eq!(world.connectors().await[0]["enabled"], true);

    // The undone entry stays undone elsewhere, and nothing else can be sent.
    let both = world.ok("journal export").await.stdout;
    let writes = world.writes();
    let third = world.journal.path().join("third").display().to_string();
    let world = world.with_env("CFSSO_JOURNAL", &third).with_input(&both);
    world.ok("journal import -").await;
    world.fails("journal undo --yes", 6).await;
    let edited = fs::read_to_string(&file).unwrap().replace("sso_connectors/", "members/");
    let run_name = edited.replace(&run, "../../evil");
    for (text, code) in [
        (run_name, 2),
        (edited.replace("journal/v1", "journal/v9"), 2),
        (edited.replace("\"runs\"", "\"x\":1,\"runs\""), 2),
        ("nonsense".to_owned(), 2),
    ] {
        fs::write(&file, text).unwrap();
        world.fails(&format!("journal import {file}"), code).await;
    }
    fs::write(&file, edited).unwrap();
    let fourth = world.journal.path().join("fourth").display().to_string();
    let world = world.with_env("CFSSO_JOURNAL", &fourth);
    world.ok(&format!("journal import {file}")).await;
    world.fails(&format!("journal undo {run}-imported --yes"), 11).await;
    assert_eq!(world.writes(), writes);

    let fifth = world.journal.path().join("fifth").display().to_string();
    let world = world.with_env("CFSSO_JOURNAL", &fifth);
    // The same run three times in a file, once with another content, and others.
    let mut document: Value = serde_json::from_str(&all).unwrap();
    let runs = document["runs"].as_array_mut().unwrap();
    let own = runs.iter().position(|it| it["run"] == run.as_str()).unwrap();
    runs.push(runs[own].clone());
    let mut other_content = runs[own].clone();
    other_content["records"][0]["started"]["title"] = json!("something else");
    runs.push(other_content);
    let (count, mixed) = (runs.len(), world.journal.path().join("mixed.json"));
    fs::write(&mixed, document.to_string()).unwrap();
    let ran = world.run(&format!("journal import {} -o json", mixed.display())).await;
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.stderr.contains(&format!("{run}-imported")), "{ran:?}");
    let listed: std::collections::BTreeSet<_> =
        entries(&world).await.iter().map(|entry| entry["run"].to_string()).collect();
    assert_eq!(listed.len(), count - 2, "{listed:?}");
    assert!(!entries(&world).await.iter().any(|entry| entry["title"] == "something else"));
}

#[tokio::test]
async fn people_read_the_latest_entry_first_and_the_latest_run_by_default() {
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    let text = world.ok("journal list").await.stdout;
    assert!(text.lines().nth(1).unwrap().contains("disable SSO for cool.cats"), "{text}");
    let shown = world.ok("journal show").await.stdout;
    assert!(shown.contains("disable SSO for cool.cats"), "{shown}");
    assert!(!shown.contains("enable SSO for cool.cats\n"), "{shown}");
    let empty = World::new().await;
    empty.fails("journal show", 6).await;
}
