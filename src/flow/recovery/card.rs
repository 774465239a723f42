//! The recovery card, as a value made of facts. Pure.

use jiff::Timestamp;

use super::commands;
use super::state::{CardFacts, SsoAppState, TokenFacts};
use crate::rfc3339;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    pub sections: Vec<Section>,
    pub foot: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub title: &'static str,
    pub starts_page: bool,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Prose with commands between backticks.
    Text(String),
    /// Labels and values; values are strings of the account.
    Fields(Vec<(String, String)>),
    Commands {
        label: &'static str,
        script: String,
    },
}

impl Card {
    pub fn of(facts: &CardFacts) -> Self {
        let state = &facts.state;
        let domains: Vec<_> = state.connectors.iter().flatten().map(|one| &*one.domain).collect();
        let subject = if domains.is_empty() { state.account.as_str() } else { &domains.join(", ") };
        let app = state.sso_app.as_ref().ok().and_then(Option::as_ref);
        let mut sections = vec![account(facts), people(facts), start(facts), disable()];
        if app.is_some() {
            sections.push(otp());
        }
        sections.push(by_hand(facts, app));
        sections.push(verify(app));
        sections.push(support(facts));
        Self {
            title: format!("Recovery card: Cloudflare dashboard SSO, {subject}"),
            sections,
            foot: format!("Made {}. State: {}", date(facts.made_at), state.fingerprint()),
        }
    }
}

fn account(facts: &CardFacts) -> Section {
    let state = &facts.state;
    let mut fields = vec![field("Account ID", state.account.to_string())];
    for one in state.connectors.iter().flatten() {
        let enabled = match one.enabled {
            Some(true) => "SSO enabled",
            Some(false) => "SSO disabled",
            None => "SSO state unknown",
        };
        fields.push(field("Connector", format!("{}: {enabled}, ID {}", one.domain, one.id)));
    }
    match &state.sso_app {
        Ok(Some(app)) => fields.push(field("SSO App", format!("{}, ID {}", app.name, app.id))),
        Ok(None) => fields.push(field("SSO App", "none")),
        Err(not_checked) => {
            fields.push(field("SSO App", format!("not read: {}", not_checked.reason)));
        }
    }
    let app = state.sso_app.as_ref().ok().and_then(Option::as_ref);
    for idp in state.idps.iter().flatten() {
        let allowed = app.is_some_and(|app| {
            app.allowed_idps.is_empty() || app.allowed_idps.iter().any(|listed| *listed == idp.id)
        });
        let allowed = if allowed { "allowed" } else { "not allowed" };
        let kind = idp.kind.as_str();
        let value = format!("{} ({kind}, {allowed}), ID {}", idp.name, idp.id);
        fields.push(field("Identity provider", value));
    }
    section("Account", vec![Block::Fields(fields)])
}

fn people(facts: &CardFacts) -> Section {
    let mut fields = Vec::new();
    match &facts.state.super_admins {
        Ok(admins) => fields.extend(admins.iter().map(|admin| {
            let how = if admin.uses_sso { "signs in with SSO" } else { "signs in without SSO" };
            field("Super administrator", format!("{} ({how})", admin.email))
        })),
        Err(not_checked) => {
            fields.push(field("Super administrators", format!("not read: {}", not_checked.reason)));
        }
    }
    let TokenFacts { location, file, id, expires_on } = &facts.token;
    let kept = match (location, file) {
        (Some(location), _) => location.clone(),
        (None, Some(file)) => format!("file {file}"),
        (None, None) => "not recorded".to_owned(),
    };
    fields.push(field("Emergency token", kept));
    fields.push(field("Token ID", id.as_deref().unwrap_or("unknown")));
    let end = expires_on.as_deref().map(|end| end.parse().map_or(end.to_owned(), date));
    fields.push(field("Token expires", end.unwrap_or_else(|| "never".to_owned())));
    section("Who may act", vec![Block::Fields(fields)])
}

fn start(facts: &CardFacts) -> Section {
    let text = "Anyone with the emergency token may act; tell the super administrators. Use \
                `sh` on Linux, macOS or WSL, in an empty folder, and keep the folder until the \
                bypass is undone. The token file has the token on its only line; change its path if it was moved.";
    let environment = commands_block("Environment", commands::environment(facts));
    section("Start", vec![Block::Text(text.to_owned()), environment])
}

fn disable() -> Section {
    section(
        "Method 1: disable SSO",
        vec![
            Block::Text(
                "Users sign in with a password, or reset it by email. Try this first if the \
                 identity provider is down."
                    .to_owned(),
            ),
            commands_block(
                "Disable SSO",
                "cfsso bypass disable --all --yes --ticket undo-1.json".to_owned(),
            ),
            commands_block("Undo", "cfsso bypass undo --yes --ticket undo-1.json".to_owned()),
        ],
    )
}

fn otp() -> Section {
    section(
        "Method 2: one-time PIN",
        vec![
            Block::Text(
                "SSO stays enabled. Users sign in with a PIN that Cloudflare sends by email."
                    .to_owned(),
            ),
            commands_block(
                "Allow one-time PIN",
                "cfsso bypass otp --yes --ticket undo-2.json".to_owned(),
            ),
            commands_block("Undo", "cfsso bypass undo --yes --ticket undo-2.json".to_owned()),
        ],
    )
}

fn by_hand(facts: &CardFacts, app: Option<&SsoAppState>) -> Section {
    let enabled = || facts.state.enabled();
    let mut blocks = vec![
        Block::Text(
            "Needs curl 7.55, jq 1.5 and sed. Paste the functions first, in each new shell. A \
             command prints `true`, or the error of the API."
                .to_owned(),
        ),
        commands_block("Functions", commands::FUNCTIONS.to_owned()),
    ];
    if enabled().next().is_some() {
        let [disable, undo] =
            [false, true].map(|enabled| commands::set_enabled(facts.state.enabled(), enabled));
        blocks.push(commands_block("Method 1, with curl", disable));
        blocks.push(commands_block("Undo of method 1, with curl", undo));
    }
    if let Some(app) = app {
        blocks.push(commands_block(
            "Functions for method 2 (`hide` and `show` keep long numbers and escapes, which jq \
             would rewrite)",
            commands::app_functions(app, facts),
        ));
        blocks.push(commands_block("Method 2, with curl", commands::allow_pin(facts)));
        blocks.push(commands_block("Undo of method 2, with curl", commands::restore_app(facts)));
    }
    Section { starts_page: true, ..section("Without cfsso: curl and jq", blocks) }
}

fn verify(app: Option<&SsoAppState>) -> Section {
    section(
        "Verify",
        vec![
            Block::Text(
                "Sign in at https://dash.cloudflare.com in a private window. `cfsso bypass \
                 status` and `cfsso status` show the state; with curl:"
                    .to_owned(),
            ),
            commands_block("State, with curl", commands::show_state(app)),
        ],
    )
}

fn support(facts: &CardFacts) -> Section {
    let outside = facts.state.super_admins.iter().flatten().find(|admin| !admin.uses_sso);
    let who = match outside {
        Some(admin) => format!("{} signs in without SSO and", admin.email),
        None => "A super administrator who can sign in".to_owned(),
    };
    let text = format!(
        "Check https://www.cloudflarestatus.com first. {who} opens a case at \
         https://dash.cloudflare.com/?to=/:account/support, which also shows the emergency \
         phone number of Enterprise accounts: write it here. Without any sign-in: \
         https://developers.cloudflare.com/support/contacting-cloudflare-support/. Give the \
         account ID, the domain, the connector ID and the cf-ray header of a failed request; \
         never the token."
    );
    section("If both methods fail: Cloudflare Support", vec![Block::Text(text)])
}

fn section(title: &'static str, blocks: Vec<Block>) -> Section {
    Section { title, starts_page: false, blocks }
}

fn field(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

fn commands_block(label: &'static str, script: String) -> Block {
    Block::Commands { label, script }
}

fn date(at: Timestamp) -> String {
    rfc3339::format(at).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::idp::IdpType;
    use crate::flow::recovery::state::{ConnectorState, IdpState, RecoveryState, SuperAdmin};

    fn facts() -> CardFacts {
        let app = SsoAppState {
            id: "a1".parse().unwrap(),
            name: "SSO App".to_owned(),
            allowed_idps: Vec::new(),
            is_instant: false,
            hidden_fields: vec!["saas_app.client_secret".to_owned()],
        };
        let connector = |domain: &str, id: &str, enabled| ConnectorState {
            domain: domain.to_owned(),
            id: id.parse().unwrap(),
            enabled: Some(enabled),
        };
        CardFacts {
            state: RecoveryState {
                account: "0123456789abcdef0123456789abcdef".parse().unwrap(),
                connectors: Ok(vec![
                    connector("cool.cats", "c1", true),
                    connector("x\nreboot", "c2", true),
                    connector("off.example", "c3", false),
                ]),
                sso_app: Ok(Some(app)),
                idps: Ok(Vec::new()),
                super_admins: Ok(vec![SuperAdmin {
                    email: "rescue@dogs.test".to_owned(),
                    uses_sso: false,
                }]),
            },
            token: TokenFacts::default(),
            environment: vec![("CLOUDFLARE_BASE_URL", "https://api.example/a b".to_owned())],
            made_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        }
    }

    fn script(card: &Card, start: &str) -> Option<String> {
        let mut blocks = card.sections.iter().flat_map(|section| &section.blocks);
        blocks.find_map(|block| match block {
            Block::Commands { label, script } if label.starts_with(start) => Some(script.clone()),
            _ => None,
        })
    }

    #[test]
    fn commands_have_what_the_state_has_and_no_text_of_the_account() {
        let card = Card::of(&facts());
        let disable = script(&card, "Method 1, with curl").unwrap();
        assert_eq!(disable.lines().count(), 2, "those that are enabled: {disable}");
        assert!(disable.contains("/c1\" | ok  # cool.cats\n") && !disable.contains("reboot"));
        let functions = script(&card, "Functions for method 2").unwrap();
        let left_out =
            r#"del(.policies, .created_at, .updated_at, .\"saas_app\".\"client_secret\")"#;
        assert!(functions.contains(left_out), "{functions}");
        let environment = script(&card, "Environment").unwrap();
        assert!(environment.contains("CLOUDFLARE_BASE_URL='https://api.example/a b'"));
        assert!(card.foot.starts_with("Made 2026-03-01. State: cfsso/card/v1 "), "{}", card.foot);
    }

    #[test]
    fn a_pin_that_the_bypass_creates_is_deleted_by_its_undo_alone() {
        let mut facts = facts();
        for (has_pin, expected) in [(false, true), (true, false)] {
            if has_pin {
                let pin = IdpState {
                    id: "p1".parse().unwrap(),
                    name: "PIN".to_owned(),
                    kind: IdpType::OneTimePin,
                };
                facts.state.idps = Ok(vec![pin]);
            }
            let card = Card::of(&facts);
            let undo = script(&card, "Undo of method 2").unwrap();
            assert_eq!(undo.contains("DELETE"), expected, "{undo}");
            let functions = script(&card, "Functions for method 2").unwrap();
            assert_eq!(functions.contains("pin=p1\n"), has_pin, "{functions}");
        }
    }

    #[test]
    fn without_an_sso_app_there_is_one_method() {
        let mut facts = facts();
        facts.state.sso_app = Ok(None);
        let card = Card::of(&facts);
        assert!(script(&card, "Method 2").is_none() && script(&card, "Allow").is_none());
        assert!(script(&card, "Method 1, with curl").is_some());
    }
}
