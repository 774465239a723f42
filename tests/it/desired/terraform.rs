//! Scenes of `cfsso export --format terraform`.

use crate::harness::World;

const SMALL: &str = "c001ca75000000000000000000000003";

#[tokio::test]
async fn resources_are_imported_and_never_replaced() {
    let world = World::new().await.enabled().await;
    world.ok("create partial.cats --fedramp --no-verification").await;
    world.ok("idp create onetimepin").await;
    world.ok(&format!("federation share oidc --to {SMALL}")).await;
    let text = world.ok("export --format terraform").await.stdout;
    let text = text.replace(&world.sandbox.origin(), "https://idp.example");
    let connectors = world.connectors().await;
    let ids: Vec<_> = connectors.iter().map(|it| it["id"].as_str().unwrap()).collect();
    let text = text.replace(ids[0], "CONNECTOR-1").replace(ids[1], "CONNECTOR-2");
    let account = "c001ca75000000000000000000000001";
    for part in [
        r#"
variable "company_sso_client_secret" {
  type      = string
  sensitive = true
}

resource "cloudflare_zero_trust_access_identity_provider" "company_sso" {
  account_id = "c001ca75000000000000000000000001"
  name       = "Company SSO"
  type       = "oidc"
  config = {
    auth_url         = "https://idp.example/oidc/company/authorize"
    certs_url        = "https://idp.example/oidc/company/jwks"
    claims           = ["groups"]
    client_id        = "cool-cats-dashboard"
    email_claim_name = "email"
    pkce_enabled     = true
    scopes           = ["openid", "email", "profile"]
    token_url        = "https://idp.example/oidc/company/token"
    client_secret    = var.company_sso_client_secret
  }
}

import {
  to = cloudflare_zero_trust_access_identity_provider.company_sso
  id = "accounts/c001ca75000000000000000000000001/c001ca75-1d90-4000-8000-000000000001"
}
"#,
        r#"
resource "cloudflare_zero_trust_access_identity_provider" "one_time_pin" {
  account_id = "c001ca75000000000000000000000001"
  name       = "One-time PIN"
  type       = "onetimepin"
  config     = {}
}
"#,
        r#"
# The SSO App: created by Cloudflare, import only. This writes its resource,
# which has to keep `saas_app`:
#   terraform plan -generate-config-out=sso_app.tf

import {
  to = cloudflare_zero_trust_access_application.sso_app
  id = "accounts/c001ca75000000000000000000000001/"#,
        r#"
resource "cloudflare_sso_connector" "cool_cats" {
  account_id           = "c001ca75000000000000000000000001"
  email_domain         = "cool.cats"
  enabled              = true
  use_fedramp_language = false

  lifecycle {
    prevent_destroy = true
  }
}

import {
  to = cloudflare_sso_connector.cool_cats
  id = "c001ca75000000000000000000000001/CONNECTOR-1"
}

resource "cloudflare_sso_connector" "partial_cats" {
  account_id           = "c001ca75000000000000000000000001"
  email_domain         = "partial.cats"
  enabled              = false
  use_fedramp_language = true

  lifecycle {
    prevent_destroy = true
  }
}

import {
  to = cloudflare_sso_connector.partial_cats
  id = "c001ca75000000000000000000000001/CONNECTOR-2"
}

# Federation grants have no resource in the provider:
#   cfsso federation share 'Company SSO' --to c001ca75000000000000000000000003
"#,
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("resource \"cloudflare_zero_trust_access_application\""), "{text}");
    let outside_comments = text.lines().filter(|line| !line.starts_with('#'));
    assert!(outside_comments.clone().all(|line| !line.contains("begin_verification")), "{text}");
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count("prevent_destroy = true"), count("resource \"cloudflare_sso_connector\""));
    assert!(text.starts_with(&format!("# Account {account}\n")), "{text}");
}

#[tokio::test]
async fn what_the_provider_cannot_manage_is_a_comment() {
    let world = World::new().await;
    world.ok("idp create cloudflare --restrict-to-account-members").await;
    world.ok("federation share oidc --entire-organization --yes").await;
    let text = world.ok("export --format terraform").await.stdout;
    assert!(
        text.contains("# Cloudflare: the provider does not know the type cloudflare\n"),
        "{text}"
    );
    let share = "#   cfsso federation share 'Company SSO' --entire-organization\n";
    assert!(text.contains(share), "{text}");
}
