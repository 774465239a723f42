//! The request that creates a deleted object again. Pure.

use serde::Serialize;
use serde_json::Value;

use super::inverse::{NotUndoable, irreversible};
use super::resource::{Resource, ResourceKind};
use crate::api::document::Document;
use crate::dns::PREFIX;
use crate::domain::EmailDomain;

pub(super) fn body(resource: &Resource, before: &Document) -> Result<Document, NotUndoable> {
    match resource {
        Resource::Connector(_) => connector_body(before),
        Resource::Record(..) => record_body(before),
        Resource::Idp(_) => Err(irreversible(
            "the secret of the identity provider is not recorded: `cfsso idp create`",
        )),
        resource => shared_body(resource.kind(), before),
    }
}

fn connector_body(before: &Document) -> Result<Document, NotUndoable> {
    let domain = before
        .parse_at::<String>(&["email_domain"])
        .filter(|domain| domain.parse::<EmailDomain>().is_ok());
    let domain = domain.ok_or_else(|| irreversible("the connector's domain is not recorded"))?;
    let mut body = Document::default();
    set(&mut body, "email_domain", &domain);
    set(&mut body, "begin_verification", &false);
    if let Some(fedramp) = before.parse_at::<bool>(&["use_fedramp_language"]) {
        set(&mut body, "use_fedramp_language", &fedramp);
    }
    Ok(body)
}

fn record_body(before: &Document) -> Result<Document, NotUndoable> {
    if !is_code_record(before) {
        return Err(irreversible("not a TXT record with a verification code"));
    }
    let mut body = Document::default();
    for name in ["type", "name", "content", "ttl", "comment", "tags"] {
        if let Some(value) = before.get(&[name]).filter(|value| value.get() != "null") {
            set(&mut body, name, &value);
        }
    }
    Ok(body)
}

fn shared_body(kind: ResourceKind, before: &Document) -> Result<Document, NotUndoable> {
    let fields = match kind {
        ResourceKind::Grant => vec![("idp_id", "idp_id")],
        ResourceKind::Recipient => vec![recipient(before)?],
        ResourceKind::SharedResource => {
            ["meta", "resource_account_id", "resource_id", "resource_type"]
                .map(|name| (name, name))
                .into()
        }
        ResourceKind::Share => {
            return Err(irreversible(
                "a deleted share cannot be restored: `cfsso federation share` or `cfsso share create`",
            ));
        }
        _ => return Err(irreversible("the deleted object cannot be recreated as it was")),
    };
    let mut body = Document::default();
    for (from, to) in fields {
        let Some(value) = before.parse_at::<Value>(&[from]).filter(|value| !value.is_null()) else {
            return Err(irreversible(format!("the previous value of `{from}` is not recorded")));
        };
        set(&mut body, to, &value);
    }
    Ok(body)
}

/// Fails without a recipient: for the API, an empty one means the whole organization.
fn recipient(before: &Document) -> Result<(&'static str, &'static str), NotUndoable> {
    let fields = [
        ("recipient_account_id", "recipient_account_id"),
        ("account_id", "recipient_account_id"),
        ("organization_id", "organization_id"),
    ];
    let is_named = |(from, _): &(&str, &str)| before.parse_at::<String>(&[from]).is_some();
    fields.into_iter().find(is_named).ok_or_else(|| irreversible("the recipient is not recorded"))
}

pub(in crate::flow) fn is_code_record(record: &Document) -> bool {
    let content: Option<String> = record.parse_at(&["content"]);
    record.parse_at::<String>(&["type"]).as_deref() == Some("TXT")
        && record.parse_at::<String>(&["name"]).is_some()
        && content.is_some_and(|text| text.trim_matches('"').starts_with(PREFIX))
}

pub(in crate::flow) fn set(document: &mut Document, name: &str, value: &impl Serialize) {
    document.set(&[name], value).expect("the document is an object");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_again_names_whom_and_what() {
        for (kind, before, expected) in [
            (
                ResourceKind::Grant,
                r#"{"id":"g","idp_id":"p","created_at":"1"}"#,
                r#"{"idp_id":"p"}"#,
            ),
            (
                ResourceKind::Recipient,
                r#"{"id":"r","account_id":"a","organization_id":null}"#,
                r#"{"recipient_account_id":"a"}"#,
            ),
            (
                ResourceKind::Recipient,
                r#"{"id":"r","organization_id":"o"}"#,
                r#"{"organization_id":"o"}"#,
            ),
            (ResourceKind::Recipient, r#"{"id":"r"}"#, "not recorded"),
            (
                ResourceKind::SharedResource,
                r#"{"id":"x","resource_id":"g","resource_type":"t","resource_account_id":"a","meta":{"b":1}}"#,
                r#"{"meta":{"b":1},"resource_account_id":"a","resource_id":"g","resource_type":"t"}"#,
            ),
            (ResourceKind::SharedResource, r#"{"id":"x","resource_id":"g"}"#, "`meta`"),
            (ResourceKind::Share, r#"{"id":"s","name":"a"}"#, "cannot be restored"),
            (ResourceKind::Token, r#"{"id":"t"}"#, "cannot be recreated"),
        ] {
            let text = match shared_body(kind, &before.parse().unwrap()) {
                Ok(body) => body.to_raw().get().to_owned(),
                Err(why) => why.to_string(),
            };
            assert!(text.contains(expected), "{kind:?} {before}: {text}");
        }
    }
}
