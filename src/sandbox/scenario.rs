//! Broken sandboxes: SSO of `cool.cats` failed an hour ago, with the matching log rows.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::raw::RawObject;
use super::seed::{ACCOUNT_1, ACCOUNT_2, team};
use super::sign_in_attempt::SignInAttempt;
use super::state::{
    App, AuditRow, Connector, IdentityProvider, Login, ORIGIN, Organization, Policy, Saved, State,
    derived_uuid,
};
use super::{issuer, seed, sso_app};

const DOMAIN: &str = "cool.cats";
/// The user who cannot sign in, in most scenarios.
const VICTIM: &str = "tom@cool.cats";
/// The user who broke it, in most scenarios.
const ADMIN: &str = "admin@cool.cats";
const CODE: &str = "cloudflare_dashboard_sso=5ce0a21000000000000000000000c001";
const CONNECTOR: &str = "c001ca755ce0000000000000000000c1";
/// An identity provider that does not exist.
const GONE: &str = "c001ca75-dead-4000-8000-000000000009";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// The identity provider was deleted
    IdpDeleted,
    /// The identity provider has a new client secret, Cloudflare the old one
    IdpSecretRotated,
    /// The SAML signing certificate has expired
    SamlCertificateExpired,
    /// The policy allows only some addresses
    PolicyNarrowed,
    /// The policy requires an identity provider that is not allowed
    PolicyRequiresOtherIdp,
    /// Instant authentication leads to an identity provider that is down
    InstantAuthToDeadIdp,
    /// The user has a plus address
    PlusAddress,
    /// The user is not a member of the account
    NotAMember,
    /// Another account has SSO enabled for the domain
    ConnectorElsewhere,
    /// Access requires multi-factor authentication
    MfaForced,
    /// The shared identity provider is no longer shared
    FederatedShareRevoked,
    /// The team was renamed, but the identity provider still has the old name
    TeamRenamed,
}

impl Scenario {
    pub fn user(self) -> &'static str {
        match self {
            Self::PlusAddress => "tom+audit@cool.cats",
            Self::NotAMember => "new@cool.cats",
            _ => VICTIM,
        }
    }

    pub fn about(self) -> String {
        let value = self.to_possible_value();
        let help = value.as_ref().and_then(PossibleValue::get_help);
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// Whether modelled routes can repair it.
    pub fn can_be_repaired(self) -> bool {
        !matches!(self, Self::PlusAddress | Self::NotAMember | Self::ConnectorElsewhere)
    }

    pub fn repairable() -> Vec<Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(|scenario| scenario.can_be_repaired()).collect()
    }

    /// Slug of the identity provider that does not answer.
    pub fn down(self) -> Option<&'static str> {
        (self == Self::InstantAuthToDeadIdp).then_some("company")
    }

    pub fn build(self, now: Timestamp) -> Saved {
        let mut world = World::working(now);
        self.break_it(&mut world);
        Saved(world.state)
    }

    fn break_it(self, world: &mut World) {
        let provider = world.state.providers[0].id.clone();
        match self {
            Self::IdpDeleted => {
                world.app().object.set("allowed_idps", [&provider]);
                world.state.providers.clear();
                world.changed("DELETE", &format!("access/identity_providers/{provider}"));
            }
            Self::IdpSecretRotated => {
                world.state.rejecting.push(provider.clone());
                world.changed("PUT", &format!("access/identity_providers/{provider}"));
            }
            Self::SamlCertificateExpired => {
                world.state.providers = vec![saml(&provider)];
                world.state.rejecting.push(provider.clone());
            }
            Self::PolicyNarrowed => {
                world.policy().object.set("include", [json!({ "email": { "email": ADMIN } })]);
                world.changed_policy();
                world.denied();
            }
            Self::PolicyRequiresOtherIdp => {
                world.policy().object.set("require", [json!({ "login_method": { "id": GONE } })]);
                world.changed_policy();
                world.denied();
            }
            Self::InstantAuthToDeadIdp => {
                let app = world.app();
                app.object.set("allowed_idps", [&provider]);
                app.object.set("auto_redirect_to_identity", true);
            }
            Self::PlusAddress | Self::NotAMember => {}
            Self::ConnectorElsewhere => {
                world.state.connectors.retain(|known| known.id != CONNECTOR);
                let mut elsewhere = connector(world.now);
                ACCOUNT_2.clone_into(&mut elsewhere.account);
                world.state.connectors.push(elsewhere);
            }
            Self::MfaForced => {
                world.organization().set("mfa_required_for_all_apps", true);
                world.changed("PUT", "access/organizations");
            }
            Self::FederatedShareRevoked => {
                world.app().object.set("allowed_idps", [GONE]);
            }
            Self::TeamRenamed => {
                world.organization().set("auth_domain", "cooler-cats.cloudflareaccess.com");
                world.state.rejecting.push(provider);
                world.changed("PUT", "access/organizations");
            }
        }
    }
}

struct World {
    state: State,
    now: Timestamp,
}

impl World {
    /// Everything works, and the users signed in yesterday.
    fn working(now: Timestamp) -> Self {
        let mut state = State::seed();
        state.connectors.push(connector(now));
        sso_app::add_connector(&mut state, &connector(now));
        state.add_verification_record(DOMAIN, CODE, now);
        let mut world = Self { state, now };
        for email in [ADMIN, VICTIM] {
            world.signed_in(email, true, 20 * 60);
        }
        world
    }

    fn app(&mut self) -> &mut App {
        let id = sso_app::find(&self.state, ACCOUNT_1).map(|app| app.id.clone());
        let is_it = |app: &&mut App| Some(&app.id) == id.as_ref();
        self.state.apps.iter_mut().find(is_it).expect("the connector brought it along")
    }

    fn policy(&mut self) -> &mut Policy {
        let app = self.app().id.clone();
        let is_it = |policy: &&mut Policy| policy.app == app;
        self.state.policies.iter_mut().find(is_it).expect("the connector brought it along")
    }

    fn organization(&mut self) -> &mut RawObject {
        let is_it = |known: &&mut Organization| known.account == ACCOUNT_1;
        &mut self.state.organizations.iter_mut().find(is_it).expect("it is in the seed").object
    }

    fn ago(&self, minutes: i64) -> Timestamp {
        self.now.saturating_sub(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MIN)
    }

    /// Logs a change by an administrator an hour ago.
    fn changed(&mut self, method: &str, path: &str) {
        let at = self.ago(60);
        self.state.audit.push(AuditRow {
            id: derived_uuid(["change", path]),
            account: ACCOUNT_1.to_owned(),
            at,
            email: ADMIN.to_owned(),
            ray: "5ce0a21000000001".to_owned(),
            description: String::new(),
            method: method.to_owned(),
            uri: format!("/client/v4/accounts/{ACCOUNT_1}/{path}"),
        });
    }

    fn changed_policy(&mut self) {
        let (app, policy) = (self.app().id.clone(), self.policy().id.clone());
        self.changed("PUT", &format!("access/apps/{app}/policies/{policy}"));
    }

    /// Logs that the user was denied half an hour ago.
    fn denied(&mut self) {
        self.signed_in(VICTIM, false, 30);
    }

    fn signed_in(&mut self, email: &str, allowed: bool, minutes_ago: i64) {
        let at = self.ago(minutes_ago);
        let provider = self.state.providers[0].clone();
        let app = self.app().clone();
        self.state.logins.push(Login {
            account: ACCOUNT_1.to_owned(),
            at,
            email: email.to_owned(),
            allowed,
            app: app.id,
            app_domain: app.object.text("domain").unwrap_or_default(),
            app_name: app.object.text("name").unwrap_or_default(),
            connection: provider.object.text("type").unwrap_or_default(),
            provider: provider.id,
            ray: "5ce0a21000000002".to_owned(),
        });
    }
}

fn connector(now: Timestamp) -> Connector {
    let created = now.saturating_sub(SignedDuration::from_hours(24 * 90)).unwrap_or(now);
    Connector {
        id: CONNECTOR.to_owned(),
        account: ACCOUNT_1.to_owned(),
        email_domain: DOMAIN.to_owned(),
        code: CODE.to_owned(),
        created_on: created,
        updated_on: created,
        ..seed::enabled_elsewhere()
    }
}

fn saml(id: &str) -> IdentityProvider {
    let object: Value = json!({
        "id": id,
        "uid": id,
        "name": "Company SSO",
        "type": "saml",
        "config": {
            "issuer_url": format!("{ORIGIN}/saml/company/metadata"),
            "sso_target_url": format!("{ORIGIN}/saml/company/sso"),
            "idp_public_certs": [issuer::EXPIRED],
            "attributes": ["email"],
            "email_attribute_name": "email",
            "sign_request": false,
        },
        "scim_config": { "enabled": false },
    });
    let mut provider = team::providers().remove(0);
    provider.object = RawObject::literal(&object.to_string());
    provider.secrets.clear();
    provider
}

impl From<Scenario> for SignInAttempt {
    fn from(scenario: Scenario) -> Self {
        Self { email: scenario.user().to_owned(), idp: None, is_password_wrong: false }
    }
}
