//! Scenes of `cfsso export`, `plan` and `apply`.

mod applying;
mod bad_files;
mod round_trip;
mod terraform;

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Ran, World};
use crate::schema::assert_conforms;

/// A file for a command line: its name has no blanks.
pub struct File {
    folder: tempfile::TempDir,
}

impl File {
    pub fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(file.path(), text).unwrap();
        file
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("sso.yaml")
    }

    /// The command line `verb -f FILE more`.
    pub fn line(&self, verb: &str, more: &str) -> String {
        format!("{verb} -f {} {more}", self.path().display())
    }
}

const NEW: &str = "\
version: 1
identity_providers:
  - name: Company SSO
    type: oidc
    config:
      email_claim_name: mail
  - name: PIN
    type: onetimepin
sso_app:
  allowed_idps: [Company SSO, PIN]
connectors:
  - domain: cool.cats
    enabled: true
  - domain: partial.cats
    fedramp: true
";

fn titles(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.map(|change| change["title"].as_str().unwrap().to_owned()).collect()
}

async fn planned(world: &World, file: &File, more: &str) -> (Ran, Value) {
    let ran = world.run(&file.line("plan", &format!("--detailed-exitcode -o json {more}"))).await;
    let plan = ran.json();
    assert_conforms(&world.ok("schema config-plan").await.json(), &plan);
    assert_conforms(&world.ok("schema config").await.json(), &plan["desired"]);
    (ran, plan)
}

#[tokio::test]
async fn a_plan_is_in_the_order_in_which_it_is_safe_and_writes_nothing() {
    let world = World::new().await;
    let file = File::new(NEW);
    let (ran, plan) = planned(&world, &file, "").await;
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(
        titles(&plan),
        [
            "change the identity provider Company SSO",
            "create the identity provider PIN",
            "change the SSO App",
            "create the connector of cool.cats",
            "create the connector of partial.cats",
            "verify cool.cats",
            "enable SSO for cool.cats",
        ]
    );
    assert_eq!(plan["count"], 7);
    assert!(world.writes().is_empty());
    let (ran, requests) = world.requests_of(&file.line("plan", "")).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(requests.len(), 3, "{requests:?}");
    let account = format!("Account: {}\n\nIdentity providers\n", world.sandbox.account());
    assert!(ran.stdout.starts_with(&account), "{}", ran.stdout);
    assert!(
        ran.stdout.ends_with(&format!(
            "7 changes. Nothing was sent.\nNext: `cfsso apply -f {}`\n",
            file.path().display()
        )),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_plan_with_the_exit_code_of_a_dry_run_needs_no_dry_run() {
    let world = World::new().await;
    let file = File::new("version: 1\n");
    let ran = world.run(&file.line("plan", "--detailed-exitcode")).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "No changes: the account is as desired.\n"));
    let ran = world.run("connector list --detailed-exitcode").await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn a_kept_plan_is_what_was_printed_and_holds_no_secret() {
    let world = World::new().await.with_env("OKTA", "planted-s3cret-0123456789-planted");
    let file = File::new(
        "version: 1\nidentity_providers:\n  - name: Okta\n    type: okta\n    \
         client_secret_env: OKTA\n    config:\n      client_id: a\n      \
         okta_account: https://cats.okta.com\n",
    );
    let kept = file.path().with_extension("plan");
    let (_, plan) = planned(&world, &file, &format!("--out {}", kept.display())).await;
    let text = std::fs::read_to_string(&kept).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), plan);
    assert!(!text.contains("planted"), "{text}");
    // The place of the secret is shown, and cannot be changed in the plan.
    assert!(text.contains("from the variable OKTA"), "{text}");
    let world = world.with_env("OTHER", "another-secret");
    let edited = text.replace(r#""client_secret_env": "OKTA""#, r#""client_secret_env": "OTHER""#);
    assert_ne!(edited, text);
    std::fs::write(&kept, edited).unwrap();
    let error = world.fails(&format!("apply {} --yes", kept.display()), 7).await;
    assert!(error["message"].as_str().unwrap().contains("edited"), "{error}");
    assert!(world.writes().is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn nothing_is_deleted_unless_asked_and_never_what_is_enabled() {
    let world = World::new().await.enabled().await;
    world.ok("create partial.cats --no-verification").await;
    world.ok("idp create onetimepin").await;
    let file = File::new(
        "version: 1\nconnectors: []\nidentity_providers:\n  - name: Company SSO\n    type: oidc\n",
    );
    let (ran, plan) = planned(&world, &file, "").await;
    assert_eq!((ran.code, titles(&plan)), (0, vec![]));
    let (ran, plan) = planned(&world, &file, "--prune").await;
    assert_eq!(
        titles(&plan),
        ["delete the connector of partial.cats", "delete the identity provider One-time PIN"]
    );
    assert!(ran.stderr.contains("cool.cats is not in the file, but enabled: kept"), "{ran:?}");
    // A section that is absent is not managed.
    let file = File::new("version: 1\n");
    assert_eq!(planned(&world, &file, "--prune").await.0.code, 0);
}

#[tokio::test]
async fn the_file_of_the_help_topic_can_be_applied() {
    let topic = include_str!("../../src/commands/help/desired-state.md");
    let (_, rest) = topic.split_once("```yaml\n").unwrap();
    let file = File::new(rest.split("```").next().unwrap());
    let world = World::new().await.with_env("OKTA_SECRET", "planted-s3cret-0123456789");
    let (ran, plan) = planned(&world, &file, "").await;
    assert_eq!((ran.code, titles(&plan).len()), (10, 8), "{plan:#}");
    world.ok(&file.line("apply", "--confirm 8")).await;
    assert_eq!(world.run(&file.line("plan", "--detailed-exitcode")).await.code, 0);
}
