//! The part of an identity provider that can be created again. Pure.

use serde_json::{Map, Value};

use crate::api::document::Document;
use crate::api::hidden::{hidden, without_hidden};
use crate::flow::FlowError;
use crate::idp::{IdpTypeSpec, Requirement};

/// Fields that the API sets (API reference, section 3).
const SERVER_FIELDS: [&[&str]; 11] = [
    &["id"],
    &["uid"],
    &["version"],
    &["read_only"],
    &["created_at"],
    &["updated_at"],
    &["scim_base_url"],
    &["saml_certificate_set"],
    &["scim_config", "scim_base_url"],
    &["scim_config", "secret"],
    &["config", "redirect_url"],
];

pub struct Copy {
    pub body: Document,
    pub left_out: Vec<String>,
    pub masks: Vec<String>,
}

pub fn of(file: &Document, kind: Option<&IdpTypeSpec>) -> Copy {
    let mut body = file.clone();
    let returned = kind.into_iter().flat_map(|kind| kind.fields);
    let returned: Vec<_> = returned
        .filter(|field| field.need == Requirement::Returned && field.name != "redirect_url")
        .map(|field| ["config", field.name])
        .collect();
    let server_fields = SERVER_FIELDS.into_iter().chain(returned.iter().map(|path| &path[..]));
    let mut left_out: Vec<_> =
        server_fields.filter(|path| body.remove(path)).map(|path| path.join(".")).collect();
    if let Some(kind) = kind {
        remove_unknown_nulls(&mut body, kind);
    }
    let secrets = hidden(&body);
    left_out.extend(secrets.iter().map(|secret| secret.field.clone()));
    let masks = secrets.into_iter().filter(|secret| !secret.is_null);
    Copy {
        body: without_hidden(&body),
        left_out,
        masks: masks.map(|secret| secret.field).collect(),
    }
}

/// Leaves what an update can change: the file may be the output of `idp get`.
pub fn remove_server_fields(file: &mut Document, kind: Option<&IdpTypeSpec>) {
    for path in SERVER_FIELDS {
        file.remove(path);
    }
    if let Some(kind) = kind {
        remove_unknown_nulls(file, kind);
    }
}

/// A null has no meaning: the API may return fields of a later version with it.
fn remove_unknown_nulls(body: &mut Document, kind: &IdpTypeSpec) {
    let config: Map<String, Value> = body.parse_at(&["config"]).unwrap_or_default();
    let empty = config.iter().filter(|(_, value)| value.is_null());
    for (name, _) in empty.filter(|(name, _)| kind.field(name).is_none()) {
        body.remove(&["config", name]);
    }
}

/// For an unknown type, a mask is the only sign that a secret is required.
pub fn ensure_masks_replaced(
    masks: &[String],
    given: &Map<String, Value>,
) -> Result<(), FlowError> {
    let is_given =
        |field: &str| field.strip_prefix("config.").is_some_and(|name| given.contains_key(name));
    let Some(field) = masks.iter().find(|field| !is_given(field)) else { return Ok(()) };
    let message = format!("`{field}` is a mask, not a secret");
    Err(FlowError::usage(message).hint("write the secret into the file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idp::kind;

    #[test]
    fn what_the_api_makes_is_left_out_and_named() {
        for (kind, file, body, left_out, masks) in [
            (
                "azureAD",
                r#"{"id":"p","uid":"p","type":"azureAD","version":"v","config":{"azure_cloud":"default","client_id":"i","redirect_url":"https://a"},"scim_config":{"enabled":true,"scim_base_url":"https://a","secret":"[masked]"}}"#,
                r#"{"type":"azureAD","config":{"client_id":"i"},"scim_config":{"enabled":true}}"#,
                "id uid version scim_config.scim_base_url scim_config.secret config.redirect_url config.azure_cloud",
                "",
            ),
            (
                "oidc",
                r#"{"config":{"pkce_enabled":true,"client_secret":"[masked]"}}"#,
                r#"{"config":{"pkce_enabled":true}}"#,
                "config.client_secret",
                "config.client_secret",
            ),
            (
                "google",
                r#"{"config":{"pkce_enabled":true,"n":1.0,"client_secret":null}}"#,
                r#"{"config":{"n":1.0}}"#,
                "config.pkce_enabled config.client_secret",
                "",
            ),
            (
                "google",
                r#"{"config":{"client_id":"i","later":null,"claims":null}}"#,
                r#"{"config":{"client_id":"i","claims":null}}"#,
                "",
                "",
            ),
            ("retina-scan", r#"{"config":{"secret":"s"}}"#, r#"{"config":{"secret":"s"}}"#, "", ""),
        ] {
            let copy = of(&file.parse().unwrap(), kind::find(kind));
            assert_eq!(copy.body.to_raw().get(), body, "{file}");
            assert_eq!(copy.left_out.join(" "), left_out, "{file}");
            assert_eq!(copy.masks.join(" "), masks, "{file}");
        }
    }

    #[test]
    fn a_mask_is_no_secret_of_an_unknown_type() {
        let given = Map::from_iter([("client_secret".to_owned(), Value::from("s"))]);
        for (mask, stops) in [("config.client_secret", false), ("config.key_secret", true)] {
            assert_eq!(ensure_masks_replaced(&[mask.to_owned()], &given).is_err(), stops, "{mask}");
        }
    }
}
