//! What undoing has to know of federation grants, of shares, and of what is in
//! them: their records stay for a while after they are removed.

use serde_json::Value;

use super::Why;
use crate::api::document::Document;

/// The collections that are known here, by the last part of their paths.
pub(super) const COLLECTIONS: [&str; 4] =
    ["idp_federation_grants", "shares", "recipients", "resources"];

/// The fields by which something in a collection is told from anything else.
pub(super) fn identity(collection: &str) -> Option<&'static [&'static str]> {
    match collection.rsplit('/').next()? {
        "idp_federation_grants" => Some(&["idp_id"]),
        "shares" => Some(&["name"]),
        "recipients" => Some(&["recipient_account_id", "account_id", "organization_id"]),
        "resources" => Some(&["resource_type", "resource_id"]),
        _ => None,
    }
}

/// What is sent to create again what was removed; none where the collection is
/// not one of these.
pub(super) fn body(collection: &str, before: &Document) -> Result<Option<Document>, Why> {
    let fields = match collection.rsplit('/').next().unwrap_or_default() {
        "idp_federation_grants" => vec![("idp_id", "idp_id")],
        "recipients" => vec![recipient(before)?],
        "resources" => ["meta", "resource_account_id", "resource_id", "resource_type"]
            .map(|name| (name, name))
            .into(),
        "shares" => {
            return Err(Why::Impossible(
                "a share is deleted for good, and its recipients with it: share anew with `cfsso federation share` or `cfsso share create`"
                    .to_owned(),
            ));
        }
        _ => return Ok(None),
    };
    let mut body: Document = "{}".parse().expect("an object is a document");
    for (from, to) in fields {
        let Some(value) = before.read::<Value>(&[from]).filter(|value| !value.is_null()) else {
            return Err(Why::Impossible(format!("what `{from}` was before is not recorded")));
        };
        body.set(&[to], &value).expect("the document is an object");
    }
    Ok(Some(body))
}

/// By which field a recipient is named, and by which it is sent. One that names
/// nobody is never sent: to the API it means the whole organization.
fn recipient(before: &Document) -> Result<(&'static str, &'static str), Why> {
    let ways = [
        ("recipient_account_id", "recipient_account_id"),
        ("account_id", "recipient_account_id"),
        ("organization_id", "organization_id"),
    ];
    let is_named = |(from, _): &(&str, &str)| before.read::<String>(&[from]).is_some();
    ways.into_iter().find(is_named).ok_or_else(|| {
        Why::Impossible("the recipient was not named, and is never guessed".to_owned())
    })
}

/// Whether only the record of something is left.
pub(super) fn is_leaving(object: &Document) -> bool {
    let says = |field: &str, words: &[&str]| {
        object.read::<String>(&[field]).is_some_and(|text| words.contains(&text.as_str()))
    };
    says("status", &["deleting", "deleted"])
        || says("association_status", &["disassociating", "disassociated"])
}

/// Whether `object` is what `before` was.
pub(super) fn is_same(identity: &[&str], before: &Document, object: &Document) -> bool {
    let of = |document: &Document, field: &str| document.read::<String>(&[field]);
    !is_leaving(object)
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
        for (collection, before, expected) in [
            (
                "idp_federation_grants",
                r#"{"id":"g","idp_id":"p","created_at":"1"}"#,
                r#"{"idp_id":"p"}"#,
            ),
            (
                "recipients",
                r#"{"id":"r","account_id":"a","organization_id":null}"#,
                r#"{"recipient_account_id":"a"}"#,
            ),
            ("recipients", r#"{"id":"r","organization_id":"o"}"#, r#"{"organization_id":"o"}"#),
            ("recipients", r#"{"id":"r"}"#, "never guessed"),
            (
                "resources",
                r#"{"id":"x","resource_id":"g","resource_type":"t","resource_account_id":"a","meta":{"b":1}}"#,
                r#"{"meta":{"b":1},"resource_account_id":"a","resource_id":"g","resource_type":"t"}"#,
            ),
            ("resources", r#"{"id":"x","resource_id":"g"}"#, "`meta`"),
            ("shares", r#"{"id":"s","name":"a"}"#, "for good"),
            ("tokens", r#"{"id":"t"}"#, "none"),
        ] {
            let told = match body(&format!("/accounts/a/{collection}"), &document(before)) {
                Ok(Some(body)) => body.to_raw().get().to_owned(),
                Ok(None) => "none".to_owned(),
                Err(why) => why.to_string(),
            };
            assert!(told.contains(expected), "{collection} {before}: {told}");
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
            let identity = identity("/shares/s/recipients").unwrap();
            assert_eq!(is_same(identity, &before, &document(now)), expected, "{now}");
        }
    }
}
