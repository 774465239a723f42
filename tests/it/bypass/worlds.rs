//! In any world, bypasses and their undoing leave everything as it was.

use cfsso::sandbox::Access;
use proptest::prelude::*;
use serde_json::Value;

use super::{COMPANY, sign_in};
use crate::harness::World;
use crate::sandbox::client::{ask, ask_text};

/// An identity provider that is gone and still admitted.
const GONE: &str = "c001ca75-dead-4000-8000-000000000001";

const STEPS: [&str; 5] = [
    "bypass otp --yes",
    "bypass otp --all-idps --yes",
    "bypass disable --all --yes",
    "bypass disable cool.cats --yes",
    "bypass undo --yes",
];

/// A world to come.
#[derive(Clone, Debug)]
struct Plan {
    enabled: bool,
    /// A second connector, and whether it is enabled.
    second: Option<bool>,
    pin: bool,
    /// Which of the Identity providers the sign-in admits, in that order.
    admitted: Vec<usize>,
    instant: bool,
    /// The texts of fields that nobody knows, for each kind of object.
    unknown: Vec<String>,
    steps: Vec<usize>,
}

/// The text of any JSON, numbers that no float holds included.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        "-?[1-9][0-9]{22}",
        "[1-9]\\.[0-9]{1,3}0",
        "[1-9]E\\+[1-9]",
        "\"[a-zé ]{0,6}\"",
        Just(r#""\u0043\/\n""#.to_owned()),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let named = ("[a-z]{1,6}", inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(named, 0..3).prop_map(|all| object(&all)),
        ]
    })
}

/// Names that come twice are told apart.
fn object(fields: &[(String, String)]) -> String {
    let fields = fields.iter().enumerate();
    let fields: Vec<_> =
        fields.map(|(at, (name, text))| format!(r#""{name}{at}":{text}"#)).collect();
    format!("{{{}}}", fields.join(","))
}

fn plan() -> impl Strategy<Value = Plan> {
    let admitted = Just(vec![0, 1, 2, 3])
        .prop_shuffle()
        .prop_flat_map(|all| (0..=all.len()).prop_map(move |count| all[..count].to_vec()));
    (
        any::<bool>(),
        any::<Option<bool>>(),
        any::<bool>(),
        admitted,
        any::<bool>(),
        prop::collection::vec(json(), 5),
        prop::collection::vec(0..STEPS.len(), 1..5),
    )
        .prop_map(|(enabled, second, pin, admitted, instant, unknown, steps)| Plan {
            enabled,
            second,
            pin,
            admitted,
            instant,
            unknown,
            steps,
        })
}

async fn build(plan: &Plan) -> World {
    let world = World::new().await;
    let world = if plan.enabled { world.enabled().await } else { world.verified().await };
    if let Some(enabled) = plan.second {
        second(&world, enabled).await;
    }
    let account = format!("/accounts/{}", world.sandbox.account());
    let other =
        r#"{"name":"Other","type":"github","config":{"client_id":"c","client_secret":"s"}}"#;
    let path = format!("{account}/access/identity_providers");
    let other = ask_text(&world.sandbox, Access::Full, &format!("POST {path}"), other).await;
    let mut idps = vec![COMPANY.to_owned(), GONE.to_owned(), text_of(&other.result(), "id")];
    if plan.pin {
        let pin = r#"{"name":"PIN","type":"onetimepin","config":{}}"#;
        let pin = ask_text(&world.sandbox, Access::Full, &format!("POST {path}"), pin).await;
        idps.push(text_of(&pin.result(), "id"));
    }
    for domain in ["cool.cats", "partial.cats"] {
        let fields = format!(r#"{{"x_unknown":{}}}"#, plan.unknown[0]);
        world.sandbox.add_unknown_fields(domain, &fields).unwrap();
    }
    for id in &idps {
        if id != GONE {
            extend(&world, &format!("{path}/{id}"), &plan.unknown[1], &[]).await;
        }
    }
    let (sso, app) = sign_in(&world).await;
    for policy in app["policies"].as_array().unwrap() {
        let path = format!("{sso}/policies/{}", text_of(policy, "id"));
        extend(&world, &path, &plan.unknown[2], &[]).await;
    }
    let apps = world.ask(&format!("GET {account}/access/apps")).await;
    let wiki = apps.as_array().unwrap().iter().find(|app| app["name"] == "Wiki").unwrap();
    let wiki = format!("{account}/access/apps/{}", text_of(wiki, "id"));
    extend(&world, &wiki, &plan.unknown[3], &[]).await;
    let admitted: Vec<_> = plan.admitted.iter().filter_map(|&at| idps.get(at)).collect();
    let instant = plan.instant && admitted.len() == 1;
    let list = serde_json::to_string(&admitted).unwrap();
    let changes = [
        (r#""allowed_idps":[]"#, format!(r#""allowed_idps":{list}"#)),
        (
            r#""auto_redirect_to_identity":false"#,
            format!(r#""auto_redirect_to_identity":{instant}"#),
        ),
    ];
    extend(&world, &sso, &plan.unknown[4], &changes).await;
    world
}

async fn second(world: &World, enabled: bool) {
    world.ok("connector create partial.cats").await;
    let connectors = world.connectors().await;
    let second = connectors.iter().find(|it| it["email_domain"] == "partial.cats").unwrap();
    let code = text_of(&second["verification"], "code");
    world.sandbox.publish("partial.cats", &code).await.unwrap();
    world.ok("connector verify partial.cats --wait --timeout 3d").await;
    if enabled {
        world.ok("connector enable partial.cats --yes").await;
    }
}

fn text_of(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

/// Puts an object back with a field that nobody knows, past the program and
/// without reading a number in it.
async fn extend(world: &World, path: &str, unknown: &str, changes: &[(&str, String)]) {
    let reply = ask(&world.sandbox, Access::Full, &format!("GET {path}"), None).await;
    let text = reply.result_text();
    let mut text = format!(r#"{},"y_unknown":{unknown}}}"#, text.strip_suffix('}').unwrap());
    for (from, to) in changes {
        assert!(text.contains(from), "{text}");
        text = text.replacen(from, to, 1);
    }
    let reply = ask_text(&world.sandbox, Access::Full, &format!("PUT {path}"), &text).await;
    assert_eq!(reply.status, 200, "{text} {}", reply.text);
}

async fn holds(plan: Plan) {
    let world = build(&plan).await;
    let before = world.sandbox.snapshot();
    for text in &plan.unknown {
        assert!(before.contains(text.as_str()), "{text} {before}");
    }
    for step in &plan.steps {
        let ran = world.run(STEPS[*step]).await;
        let may_do_nothing = STEPS[*step] == "bypass undo --yes" && [6, 11].contains(&ran.code);
        assert!(ran.code == 0 || may_do_nothing, "{} {ran:?}", STEPS[*step]);
    }
    let changed = world.sandbox.snapshot() != before;
    let mut ran = world.run("bypass undo --yes").await;
    if ran.code == 11 {
        ran = world.run("bypass undo --yes --force").await;
    }
    if ran.code == 11 {
        // The list has only deleted ones: no user could sign in before the bypass either.
        let listed = plan.admitted.iter().filter(|&&at| at < 3 || plan.pin);
        assert!(listed.eq([&1]), "{ran:?}");
        return;
    }
    assert!(ran.code == 0 || (!changed && ran.code == 6), "{ran:?}");
    assert_eq!(world.sandbox.snapshot(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_bypass_and_its_undoing_leave_the_world_equal(plan in plan()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(holds(plan));
    }
}
