//! Secrets on their way into an identity provider.

use cfsso::input::character::is_invisible;
use cfsso::sandbox::Access;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::server::{Double, OKTA, idp};
use super::walks::everything_in;
use crate::harness::{Ran, World};

const SECRET: &str = "Pl4nted~s3cret~01234";
const CREATE: &str = "idp create okta --client-id i --okta-account https://cats.okta.com";

/// One way of each kind in which a secret comes in: the command, and what the
/// file or standard input contains.
#[derive(Clone, Copy, Debug)]
enum Way {
    Variable(&'static str),
    File(&'static str),
    Stdin(&'static str),
    /// The file's ending, and the type in it.
    Config(&'static str, &'static str),
    Update(&'static str),
}

const WAYS: &[Way] = &[
    Way::Variable("CREATE --client-secret-env PLANTED"),
    Way::Variable("CREATE --client-secret-env OTHER --api-token-env PLANTED"),
    Way::Variable("idp update Old --client-secret-env PLANTED --yes"),
    Way::Variable("idp rotate-secret Old --secret-env PLANTED --yes"),
    Way::File("CREATE --client-secret-file FILE"),
    Way::File("idp update Old --api-token-file FILE --yes"),
    Way::File("idp rotate-secret Old --secret-file FILE --yes"),
    Way::Stdin("CREATE --client-secret-file -"),
    Way::Stdin("idp update Old --client-secret-file - --yes"),
    Way::Stdin("idp rotate-secret Old --secret-file - --yes"),
    Way::Config("json", "okta"),
    Way::Config("yaml", "okta"),
    Way::Config("toml", "okta"),
    Way::Config("json", "retina-scan"),
    Way::Update("Old"),
    Way::Update("New"),
];

fn provider(kind: &str, name: &str, secret: &str) -> String {
    json!({
        "name": name,
        "type": kind,
        "config": {
            "client_id": "i",
            "client_secret": secret,
            "okta_account": "https://cats.okta.com",
        },
    })
    .to_string()
}

/// A server with an Okta and one of a newer type.
async fn double() -> Double {
    let old =
        format!(r#"{{"id":"{OKTA}","name":"Old","type":"okta","config":{{"client_id":"i"}}}}"#);
    let new = format!(
        r#"{{"id":"{NEW}","name":"New","type":"retina-scan","config":{{"client_secret":"stored"}}}}"#
    );
    Double::new()
        .await
        .with("organizations", r#"{"auth_domain":"cats.cloudflareaccess.com"}"#)
        .with(&idp(OKTA), &old)
        .with(&idp(NEW), &new)
        .with_env("OTHER", "other")
}

impl Way {
    /// Runs it with a secret; the bodies are those that were sent by it.
    async fn run(
        self,
        double: Double,
        secret: &str,
        name: &str,
        flag: &str,
    ) -> (Double, Ran, Vec<String>) {
        let file = tempfile::Builder::new().suffix(&self.suffix()).tempfile().unwrap();
        let path = file.path().display().to_string();
        let (line, text) = match self {
            Self::Variable(line) | Self::File(line) | Self::Stdin(line) => {
                (line.to_owned(), secret.to_owned())
            }
            Self::Config(ending, kind) => {
                let object = provider(kind, "Made", secret);
                let value: toml::Value = serde_json::from_str(&object).unwrap();
                let text = if ending == "toml" { toml::to_string(&value).unwrap() } else { object };
                (format!("idp create --config-file FILE --name {name}"), text)
            }
            Self::Update(name) => {
                let text = json!({ "config": { "client_secret": secret } }).to_string();
                (format!("idp update {name} --config-file FILE --yes"), text)
            }
        };
        std::fs::write(file.path(), &text).unwrap();
        let double = double.with_env("PLANTED", secret).with_input(&text);
        let sent = double.writes().len();
        let line =
            line.replace("CREATE", &format!("{CREATE} --name {name}")).replace("FILE", &path);
        let ran = double.run(&format!("{line} {flag}")).await;
        let bodies = double.writes().into_iter().skip(sent).map(|(_, body)| body).collect();
        (double, ran, bodies)
    }

    fn suffix(self) -> String {
        match self {
            Self::Config(ending, _) => format!(".{ending}"),
            Self::Update(_) => ".json".to_owned(),
            _ => String::new(),
        }
    }
}

const NEW: &str = "00000000-1111-4222-8333-444444444444";

/// Property tests run no futures: the cases are drawn one by one.
fn cases<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Iterator<Item = T> {
    let mut runner = TestRunner::default();
    std::iter::repeat_with(move || strategy.new_tree(&mut runner).unwrap().current()).take(40)
}

#[tokio::test]
async fn an_invisible_character_at_an_end_is_sent_only_if_raw_was_asked_for() {
    let listed = [' ', '\n', '\r', '\u{a0}', '\u{200b}', '\u{feff}', '\u{202e}', '\u{e000}'];
    let character = prop_oneof![
        any::<char>().prop_filter("invisible", |c| is_invisible(*c)),
        prop::sample::select(listed.to_vec()),
    ];
    let way = prop::sample::select(WAYS);
    let mut double = double().await;
    for (number, (character, way, is_in_front)) in
        cases((character, way, any::<bool>())).enumerate()
    {
        let secret = format!("{SECRET}{number}");
        let pasted = if is_in_front {
            format!("{character}{secret}")
        } else {
            format!("{secret}{character}")
        };
        let (after, ran, bodies) = way.run(double, &pasted, &format!("Made{number}"), "").await;
        double = after;
        let case = format!("{way:?} {pasted:?}\n{ran:?}\n{bodies:?}");
        for body in &bodies {
            assert!(body.contains(&json!(secret).to_string()), "{case}");
            assert!(ran.stderr.contains("removed from"), "{case}");
        }
        assert_eq!(ran.code, if bodies.is_empty() { 2 } else { 0 }, "{case}");
        assert!(!ran.screen.contains(SECRET), "{case}");
    }
    assert!(!everything_in(double.journal.path()).contains(SECRET));
}

#[tokio::test]
async fn each_way_takes_a_secret_and_a_raw_one_as_it_is() {
    let mut double = double().await;
    for (number, way) in WAYS.iter().enumerate() {
        for (kind, secret, flag) in [
            ("Plain", format!("{SECRET}{number}"), ""),
            ("Raw", format!(" '{SECRET}{number}\u{200b}'"), "--raw-secret"),
        ] {
            let name = format!("{kind}{number}");
            let (after, ran, bodies) = way.run(double, &secret, &name, flag).await;
            double = after;
            assert_eq!((ran.code, bodies.len()), (0, 1), "{way:?}\n{ran:?}");
            assert!(bodies[0].contains(&json!(secret).to_string()), "{way:?} {bodies:?}");
            assert!(!ran.stderr.contains("removed from"), "{way:?}\n{ran:?}");
        }
    }
}

#[tokio::test]
async fn each_way_refuses_what_was_pasted_around_a_secret_and_a_mask() {
    let mut double = double().await;
    for way in WAYS {
        for (pasted, problem) in [
            ("'Pl4nted~s3cret'", "is in quotes (' at position 1)"),
            ("client_secret=Pl4nted~s3cret", "starts with a name (`=` at position 14)"),
            ("Pl4nted\ns3cret", "has more than one line (line break at position 8)"),
            ("Pl4nted\u{200d}s3cret", "contains a zero-width joiner (U+200D) at position 8"),
            ("[masked]", "mask"),
            ("***", "mask"),
            ("<redacted>", "mask"),
            ("••••••", "mask"),
        ] {
            for flag in ["", "--raw-secret"] {
                let is_mask = problem == "mask";
                if !flag.is_empty() && !is_mask {
                    continue;
                }
                let (after, ran, bodies) = way.run(double, pasted, "Made", flag).await;
                double = after;
                assert_eq!((ran.code, bodies.len()), (2, 0), "{way:?} {pasted}\n{ran:?}");
                let is_missing = is_mask && ran.stderr.contains("`client_secret` is missing");
                assert!(is_missing || ran.stderr.contains(problem), "{way:?} {pasted}\n{ran:?}");
                assert!(
                    !ran.stderr.contains("Pl4nted") && !ran.stderr.contains("s3cret"),
                    "{ran:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_null_or_a_masked_scim_secret_is_left_out() {
    let object = format!(
        r#"{{"id":"{NEW}","name":"New","type":"retina-scan","config":{{"n":1.0}},"scim_config":{{"enabled":true,"secret":"***"}}}}"#
    );
    for secret in ["null", r#""***""#, r#""[masked]""#] {
        let file = format!(
            r#"{{"name":"Newer","config":{{"client_secret":null}},"scim_config":{{"secret":{secret}}}}}"#
        );
        let double = Double::new().await.with(&idp(NEW), &object).with_input(&file);
        double.ok("idp update New --config-file - --yes").await;
        let sent = object.replace(r#","secret":"***""#, "").replace(r#""New""#, r#""Newer""#);
        assert_eq!(double.written(), sent, "{secret}");
    }
}

#[tokio::test]
async fn a_secret_that_is_typed_is_checked_before_any_request() {
    let create = format!("{CREATE} --name Made -o json");
    for (typed, problem) in [
        ("Pl4nted\u{a0}\n", "`client_secret` ends with a no-break space (U+00A0) at position 8"),
        ("\"Pl4nted\"\n", "`client_secret` is in quotes (\" at position 1)"),
        ("********\n", "`client_secret` is a mask, not a secret"),
    ] {
        let world = World::new().await.with_person(typed);
        for line in [&create, "idp rotate-secret Okta --yes -o json"] {
            let ran = world.run(line).await;
            assert_eq!((ran.code, world.requests().len()), (2, 0), "{line}\n{ran:?}");
            assert!(ran.stderr.contains(&problem.replace('"', "\\\"")), "{line}\n{ran:?}");
            assert!(!ran.screen.contains("Pl4nted"), "{ran:?}");
        }
        let is_mask = typed.starts_with('*');
        let raw = world.run(&format!("{CREATE} --raw-secret")).await;
        assert_eq!(raw.code, if is_mask { 2 } else { 0 }, "{raw:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_with_a_secret_that_others_can_read_or_change_is_told() {
    use std::os::unix::fs::PermissionsExt;
    for (way, sent) in [
        ("idp rotate-secret Old --secret-file FILE --yes", SECRET.to_owned()),
        ("idp update Old --config-file FILE --yes", provider("okta", "Old", SECRET)),
    ] {
        for (mode, code, told) in [
            (0o600, 0, None),
            (0o644, 0, Some("can be read by other users")),
            (0o666, 11, Some("can be changed by other users")),
        ] {
            let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
            std::fs::write(file.path(), &sent).unwrap();
            std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode)).unwrap();
            let line = way.replace("FILE", file.path().to_str().unwrap());
            let double = double().await;
            // One line, however long the path.
            let ran = double.run(&format!("{line} -o json")).await;
            assert_eq!(
                (ran.code, double.writes().len()),
                (code, usize::from(code == 0)),
                "{way} {mode:o}\n{ran:?}"
            );
            assert_eq!(ran.stderr.contains("chmod"), told.is_some(), "{way} {mode:o}\n{ran:?}");
            assert!(told.is_none_or(|told| ran.stderr.contains(told)), "{way} {mode:o}\n{ran:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_would_take_much_memory_is_refused() {
    let secret = SECRET.repeat((1 << 20) / SECRET.len() + 1);
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    for (way, text) in [
        ("idp rotate-secret Old --secret-file FILE --yes", secret.clone()),
        ("idp update Old --config-file FILE --yes", provider("okta", "Old", &secret)),
    ] {
        std::fs::write(file.path(), text).unwrap();
        let double = double().await;
        let line = way.replace("FILE", file.path().to_str().unwrap());
        let ran = double.run(&format!("{line} -o json")).await;
        assert_eq!((ran.code, double.writes().len()), (2, 0), "{way}");
        assert_eq!(ran.error()["causes"][0], "it is larger than 1 MiB", "{way}");
    }
}

#[tokio::test]
async fn a_variable_that_is_unset_and_one_that_is_empty_are_told_apart() {
    let double = Double::new().await.with_env("EMPTY", "");
    for (variable, message) in [
        ("UNSET", "the environment variable `UNSET` is not set"),
        ("EMPTY", "the environment variable `EMPTY` is empty"),
        ("Pl4nted~s3cret", "this is not the name of an environment variable"),
    ] {
        for line in [CREATE, "idp update Old"] {
            let ran = double.run(&format!("{line} --client-secret-env {variable} -o json")).await;
            assert_eq!((ran.code, ran.error()["message"].as_str()), (2, Some(message)));
            assert!(!ran.stderr.contains(SECRET), "{ran:?}");
        }
        let ran =
            double.run(&format!("idp rotate-secret Old --secret-env {variable} -o json")).await;
        assert_eq!((ran.code, ran.error()["message"].as_str()), (2, Some(message)));
    }
}

#[tokio::test]
async fn a_configuration_of_any_encoding_is_read_or_its_encoding_is_named() {
    let text = "{\"type\":\"retina-scan\",\r\n\"name\":\"Keys\",\"config\":{}}\r\n";
    let wide: Vec<u8> =
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let latin = text.replace("Keys", "Caf\u{e9}").chars().map(|c| c as u8).collect::<Vec<_>>();
    for (bytes, problem) in [
        (marked, None),
        (wide.clone(), None),
        (wide[2..].to_vec(), Some("it is UTF-16 without a byte-order mark")),
        (latin, Some("it is not UTF-8 (byte 0xE9")),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let double = Double::new().await;
        let ran = double.run(&format!("idp create --config-file {}", file.path().display())).await;
        match problem {
            None => assert_eq!(
                double.written(),
                r#"{"type":"retina-scan","name":"Keys","config":{}}"#,
                "{ran:?}"
            ),
            Some(problem) => {
                assert!(ran.code == 2 && ran.stderr.contains(problem), "{ran:?}");
                assert_eq!(double.writes(), []);
            }
        }
    }
}

#[tokio::test]
async fn a_secret_of_any_name_is_in_no_output() {
    for name in [
        "client_secret",
        "clientSecret",
        "api_token",
        "X-Api-Token",
        "password",
        "private_key",
        "access_token",
        "id_token",
        "token",
        "x-auth-key",
        "Authorization",
        "OKTA_TOKEN",
    ] {
        let object = format!(
            r#"{{"id":"{NEW}","name":"New","type":"retina-scan","config":{{"{name}":"{SECRET}","n":1}}}}"#
        );
        let refusal = format!("{name}: {SECRET} or {name}={SECRET}");
        let double = Double::new().await.with(&idp(NEW), &object).refusing(
            "organizations",
            400,
            1000,
            &refusal,
        );
        let mut printed = String::new();
        for format in ["table", "json", "ndjson", "yaml", "name"] {
            for line in [
                "idp get New",
                "idp list",
                "idp update New --name Newer --dry-run",
                "idp update New --name Newer --yes",
                "idp update Newer --name New --yes",
                "team show",
                "journal list",
                "journal undo --dry-run",
            ] {
                for verbosity in ["", "-v", "--debug"] {
                    let ran = double.run(&format!("{line} {verbosity} -o {format}")).await;
                    printed.push_str(&ran.screen);
                }
            }
            let assigned = format!("cfsso dig --{name}={SECRET} {name}={SECRET} -o {format}");
            let ran = double.run(assigned.strip_prefix("cfsso ").unwrap()).await;
            printed.push_str(&ran.screen);
        }
        printed.push_str(&everything_in(double.journal.path()));
        assert!(printed.contains("[masked]") && printed.contains("[secret, not kept]"), "{name}");
        let line = printed.lines().find(|line| line.contains(SECRET));
        assert_eq!(line, None, "{name}");
    }
}

#[tokio::test]
async fn a_credential_of_this_tool_is_never_the_secret_of_an_identity_provider() {
    let world = World::new().await;
    let token = world.sandbox.token(Access::Full).to_owned();
    let other = "cfat_0123456789".to_owned();
    let world = world.with_env("COPY", &token).with_env("OTHER", &other);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &token).unwrap();
    let path = file.path().display();
    for from in ["env CLOUDFLARE_API_TOKEN", "env COPY", "env OTHER", &format!("file {path}")] {
        let error = world.fails(&format!("{CREATE} --name a --client-secret-{from}"), 11).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("is a credential of Cloudflare"), "{from}: {error}");
        assert!(![&token, &other].iter().any(|it| error.to_string().contains(*it)), "{from}");
    }
    assert_eq!(world.writes(), [""; 0]);
}
