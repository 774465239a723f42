//! Undo for grants, shares and their members: records stay for a while after their removal.

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
