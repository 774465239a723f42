//! Orphaned objects of federation, each with the command that fixes it. Pure.

use schemars::JsonSchema;
use serde::Serialize;

use super::state::is_orphan;
use crate::api::app::App;
use crate::api::grant::Grant;
use crate::api::idp::Idp;
use crate::api::share::{Share, resource};

/// An object or reference whose counterpart no longer exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Orphan {
    /// The kind of orphan.
    pub kind: OrphanKind,
    /// The ID of the orphaned object.
    pub id: String,
    /// The problem in one sentence.
    pub problem: String,
    /// The command that fixes the problem.
    pub fix: String,
}

/// The kind of an orphan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrphanKind {
    /// A grant that no share uses.
    GrantWithoutShare,
    /// A share whose grants no longer exist.
    ShareWithoutGrant,
    /// An application that allows an identity provider that no longer exists.
    AllowedIdpGone,
    /// An application that allows a read-only identity provider, but no share is received.
    AllowedIdpNotShared,
}

pub struct Inventory<'a> {
    pub grants: &'a [Grant],
    /// Active shares that are sent, each with its resources.
    pub sent: &'a [(&'a Share, &'a [resource::ResourceFields])],
    pub idps: &'a [Idp],
    /// The number of received shares of grants; `None` if not read.
    pub received: Option<usize>,
    /// `None` if not read.
    pub apps: Option<&'a [App]>,
}

pub fn find(inventory: &Inventory<'_>) -> Vec<Orphan> {
    let mut orphans = unused_grants(inventory);
    orphans.extend(dangling_shares(inventory));
    orphans.extend(dangling_allowed_idps(inventory));
    orphans
}

fn unused_grants(inventory: &Inventory<'_>) -> Vec<Orphan> {
    let is_shared = |grant: &&Grant| {
        let mut all = inventory.sent.iter().flat_map(|(_, resources)| *resources);
        all.any(|resource| resource.grant() == Some(grant.id.as_str()))
    };
    let orphan = |grant: &Grant| Orphan {
        kind: OrphanKind::GrantWithoutShare,
        id: grant.id.to_string(),
        problem: "unused grant".to_owned(),
        fix: format!(
            "`cfsso federation share {} --to <ACCOUNT>`, or `cfsso federation delete {}`",
            grant.idp_id, grant.id
        ),
    };
    inventory.grants.iter().filter(|grant| !is_shared(grant)).map(orphan).collect()
}

fn dangling_shares(inventory: &Inventory<'_>) -> Vec<Orphan> {
    let orphan = |share: &Share| Orphan {
        kind: OrphanKind::ShareWithoutGrant,
        id: share.id.to_string(),
        problem: format!("the share `{}` has no grant and no effect", share.name),
        fix: format!("`cfsso share delete {}`", share.id),
    };
    let leftover =
        inventory.sent.iter().filter(|(_, resources)| is_orphan(resources, inventory.grants));
    leftover.map(|(share, _)| orphan(share)).collect()
}

fn dangling_allowed_idps(inventory: &Inventory<'_>) -> Vec<Orphan> {
    let mut orphans = Vec::new();
    for app in inventory.apps.unwrap_or_default() {
        for id in app.allowed_idps.iter().flatten() {
            let (kind, problem) = match inventory.idps.iter().find(|idp| *id == idp.id) {
                None => (
                    OrphanKind::AllowedIdpGone,
                    format!(
                        "the application `{}` allows the deleted identity provider `{id}`",
                        app.name
                    ),
                ),
                Some(idp) if idp.is_read_only() && inventory.received == Some(0) => (
                    OrphanKind::AllowedIdpNotShared,
                    format!(
                        "the application `{}` allows `{}`, which is no longer shared with this account",
                        app.name, idp.name
                    ),
                ),
                Some(_) => continue,
            };
            let remedy = format!("`cfsso app idps {} --remove {id}`", app.id);
            orphans.push(Orphan { kind, id: app.id.to_string(), problem, fix: remedy });
        }
    }
    orphans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        grants: &str,
        of: &str,
        idps: &str,
        received: usize,
        allowed: &str,
    ) -> Vec<OrphanKind> {
        let grants: Vec<Grant> = serde_json::from_str(grants).unwrap();
        let share: Share = serde_json::from_str(r#"{"id":"s1","name":"a"}"#).unwrap();
        let resource = format!(
            r#"[{{"id":"x","resource_id":"{of}","resource_type":"idp-federation-grant"}}]"#
        );
        let resources: Vec<resource::ResourceFields> = serde_json::from_str(&resource).unwrap();
        let idps: Vec<Idp> = serde_json::from_str(idps).unwrap();
        let app = format!(r#"[{{"id":"a1","name":"App","allowed_idps":{allowed}}}]"#);
        let apps: Vec<App> = serde_json::from_str(&app).unwrap();
        let inventory = Inventory {
            grants: &grants,
            sent: &[(&share, &resources)],
            idps: &idps,
            received: Some(received),
            apps: Some(&apps),
        };
        find(&inventory).into_iter().map(|orphan| orphan.kind).collect()
    }

    #[test]
    fn what_was_left_behind_is_found_and_nothing_else() {
        const GRANT: &str = r#"[{"id":"g1","idp_id":"p1"}]"#;
        const OWN: &str = r#"[{"id":"p1","type":"okta","name":"Okta"}]"#;
        const SHARED: &str = r#"[{"id":"p1","type":"okta","name":"Okta","read_only":true}]"#;
        for (grants, of, idps, received, allowed, kinds) in [
            (GRANT, "g1", OWN, 0, r#"["p1"]"#, &[][..]),
            (
                GRANT,
                "g2",
                OWN,
                0,
                "[]",
                &[OrphanKind::GrantWithoutShare, OrphanKind::ShareWithoutGrant],
            ),
            ("[]", "g1", OWN, 0, "null", &[OrphanKind::ShareWithoutGrant]),
            (GRANT, "g1", OWN, 0, r#"["p2"]"#, &[OrphanKind::AllowedIdpGone]),
            (GRANT, "g1", SHARED, 0, r#"["p1"]"#, &[OrphanKind::AllowedIdpNotShared]),
            (GRANT, "g1", SHARED, 1, r#"["p1"]"#, &[]),
        ] {
            assert_eq!(found(grants, of, idps, received, allowed), kinds, "{of} {allowed}");
        }
    }
}
