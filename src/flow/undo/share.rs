//! Undo for grants, shares and their members: records stay for a while after their removal.

use serde_json::Value;

use super::NotUndoable;
use crate::api::document::Document;
use crate::flow::journal::ResourceKind;

pub(super) fn identity(kind: ResourceKind) -> Option<&'static [&'static str]> {
    match kind {
        ResourceKind::Grant => Some(&["idp_id"]),
        ResourceKind::Share => Some(&["name"]),
        ResourceKind::Recipient => Some(&["recipient_account_id", "account_id", "organization_id"]),
        ResourceKind::SharedResource => Some(&["resource_type", "resource_id"]),
        _ => None,
    }
}

/// To create a removed object again; `None` for other kinds.
pub(super) fn body(kind: ResourceKind, before: &Document) -> Result<Option<Document>, NotUndoable> {
    let fields = match kind {
        ResourceKind::Grant => vec![("idp_id", "idp_id")],
        ResourceKind::Recipient => vec![recipient(before)?],
        ResourceKind::SharedResource => {
            ["meta", "resource_account_id", "resource_id", "resource_type"]
                .map(|name| (name, name))
                .into()
        }
        ResourceKind::Share => {
            return Err(NotUndoable::Irreversible(
                "a deleted share cannot be restored: `cfsso federation share` or `cfsso share create`"
                    .to_owned(),
            ));
        }
        _ => return Ok(None),
    };
    let mut body: Document = "{}".parse().expect("an object is a document");
    for (from, to) in fields {
        let Some(value) = before.parse_at::<Value>(&[from]).filter(|value| !value.is_null()) else {
            return Err(NotUndoable::Irreversible(format!(
                "the previous value of `{from}` is not recorded"
            )));
        };
        body.set(&[to], &value).expect("the document is an object");
    }
    Ok(Some(body))
}

/// Fails without a recipient: for the API, an empty one means the whole organization.
fn recipient(before: &Document) -> Result<(&'static str, &'static str), NotUndoable> {
    let fields = [
        ("recipient_account_id", "recipient_account_id"),
        ("account_id", "recipient_account_id"),
        ("organization_id", "organization_id"),
    ];
    let is_named = |(from, _): &(&str, &str)| before.parse_at::<String>(&[from]).is_some();
    fields
        .into_iter()
        .find(is_named)
        .ok_or_else(|| NotUndoable::Irreversible("the recipient is not recorded".to_owned()))
}

/// Whether only the record of a removed object is left.
pub(super) fn is_disassociating(object: &Document) -> bool {
    let says = |field: &str, words: &[&str]| {
        object.parse_at::<String>(&[field]).is_some_and(|text| words.contains(&text.as_str()))
    };
    says("status", &["deleting", "deleted"])
        || says("association_status", &["disassociating", "disassociated"])
}

pub(super) fn is_same(identity: &[&str], before: &Document, object: &Document) -> bool {
    let of = |document: &Document, field: &str| document.parse_at::<String>(&[field]);
    !is_disassociating(object)
        && identity.iter().any(|field| of(before, field).is_some())
        && identity.iter().all(|field| match (of(before, field), of(object, field)) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        text.parse().unwrap()
    }

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
            (ResourceKind::Token, r#"{"id":"t"}"#, "none"),
        ] {
            let text = match body(kind, &document(before)) {
                Ok(Some(body)) => body.to_raw().get().to_owned(),
                Ok(None) => "none".to_owned(),
                Err(why) => why.to_string(),
            };
            assert!(text.contains(expected), "{kind:?} {before}: {text}");
        }
    }

    #[test]
    fn a_record_that_is_left_is_not_what_stood() {
        let before = document(r#"{"id":"r1","account_id":"a"}"#);
        for (now, expected) in [
            (r#"{"id":"r2","account_id":"a","association_status":"associating"}"#, true),
            (r#"{"id":"r2","recipient_account_id":"a","account_id":"a"}"#, true),
            (r#"{"id":"r1","account_id":"a","association_status":"disassociated"}"#, false),
            (r#"{"id":"r2","account_id":"b"}"#, false),
        ] {
            let identity = identity(ResourceKind::Recipient).unwrap();
            assert_eq!(is_same(identity, &before, &document(now)), expected, "{now}");
        }
    }
}
