//! Objects that are replaced as a whole, by the rules of each kind (API reference, sections 3
//! to 5). Pure.

use serde_json::Value;

use super::FlowError;
use super::plan::Difference;
use crate::api::document::Document;
use crate::api::hidden::{hidden, without_hidden};
use crate::api::ids::{AccountId, AppId, IdpId};
use crate::api::request::{Request, WriteRequest};
use crate::api::{app, idp, organization};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Idp(IdpId),
    App(AppId),
    Organization,
}

/// Fields of the SSO App that say where it signs users in.
const SET_BY_CLOUDFLARE: [&str; 5] =
    ["aud", "destinations", "domain", "saas_app", "self_hosted_domains"];

impl Target {
    pub fn read(&self, account: &AccountId) -> Request<Document> {
        match self {
            Self::Idp(id) => idp::document(account, id),
            Self::App(id) => app::document(account, id),
            Self::Organization => organization::document(account),
        }
    }

    /// The response may contain a secret that is never returned again.
    pub fn replace(
        &self,
        account: &AccountId,
        wanted: &Document,
    ) -> WriteRequest<Option<Document>> {
        let body = self.body(wanted);
        match self {
            Self::Idp(id) => idp::replace(account, id, &body),
            Self::App(id) => app::replace(account, id, &body),
            Self::Organization => organization::replace(account, &body),
        }
    }

    pub fn noun(&self) -> &'static str {
        match self {
            Self::Idp(_) => "identity provider",
            Self::App(_) => "application",
            Self::Organization => "Zero Trust organization",
        }
    }

    pub fn show_command(&self) -> String {
        match self {
            Self::Idp(id) => format!("`cfsso idp get {id}`"),
            Self::App(id) => format!("`cfsso app get {id}`"),
            Self::Organization => "`cfsso team show`".to_owned(),
        }
    }

    pub fn ensure_writable(
        &self,
        before: &Document,
        asked: &[Difference],
    ) -> Result<(), FlowError> {
        let noun = self.noun();
        if matches!(self, Self::Idp(_)) && before.parse_at(&["read_only"]) == Some(true) {
            let name = before.parse_at(&["name"]).unwrap_or("the identity provider");
            let message = format!("`{name}` is read-only and cannot be changed here");
            return Err(FlowError::refused(message)
                .cause("another account shares it with this one")
                .hint("change it in that account"));
        }
        if matches!(self, Self::App(_)) && before.parse_at(&["type"]) == Some("dash_sso") {
            let is_set = |field: &str| {
                SET_BY_CLOUDFLARE.contains(&field.split('.').next().unwrap_or_default())
            };
            if let Some(asked) = asked.iter().find(|asked| is_set(&asked.field)) {
                let message = format!("`{}` of the SSO App cannot be changed", asked.field);
                return Err(FlowError::refused(message)
                    .cause("Cloudflare sets it, and the sign-in depends on it"));
            }
        }
        let fixed = asked.iter().find(|asked| self.is_fixed(&asked.field));
        fixed.map_or(Ok(()), |fixed| {
            let message = format!("`{}` of this {noun} cannot be changed", fixed.field);
            let error = FlowError::refused(message);
            Err(if fixed.field == "type" && matches!(self, Self::Idp(_)) {
                error.hint("create another with `cfsso idp create <TYPE>`")
            } else {
                error
            })
        })
    }

    /// A mask passed as a new secret would be left out, and nothing would change.
    pub fn ensure_no_masked_secrets(before: &Document, wanted: &Document) -> Result<(), FlowError> {
        let known = hidden(before);
        let mask = hidden(wanted)
            .into_iter()
            .find(|mask| !mask.is_null && known.iter().all(|known| known.field != mask.field));
        mask.map_or(Ok(()), |mask| {
            let message = format!("`{}` is a mask, not a secret", mask.field);
            Err(FlowError::usage(message).hint("leave it out to keep the stored secret"))
        })
    }

    pub(super) fn is_fixed(&self, field: &str) -> bool {
        let top = field.split('.').next().unwrap_or_default();
        ["id", "uid"].contains(&top)
            || self.omitted_fields().contains(&top)
            || (top == "type" && matches!(self, Self::Idp(_) | Self::App(_)))
    }

    /// An empty list of policies would remove them all; the API keeps what is absent.
    fn omitted_fields(&self) -> &'static [&'static str] {
        match self {
            Self::Idp(_) => &[],
            Self::App(_) => &["policies", "created_at", "updated_at"],
            Self::Organization => &["created_at", "updated_at"],
        }
    }

    fn body(&self, wanted: &Document) -> Document {
        let mut body = wanted.clone();
        for name in self.omitted_fields() {
            body.remove(&[name]);
        }
        without_hidden(&body)
    }

    pub fn is_bookkeeping(&self, field: &str) -> bool {
        let last = field.rsplit('.').next().unwrap_or_default();
        last == "updated_at"
            || (field == "version" && matches!(self, Self::Idp(_)))
            || (last == "app_count" && matches!(self, Self::App(_)))
    }

    /// Absent and empty lists of identity providers are equal; their order is irrelevant.
    pub fn is_equal(&self, difference: &Difference) -> bool {
        let listed = |value: &Value| {
            let mut items = value.as_array().cloned().unwrap_or_default();
            items.sort_by_key(ToString::to_string);
            items
        };
        matches!(self, Self::App(_))
            && difference.field == "allowed_idps"
            && listed(&difference.before) == listed(&difference.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::diff;

    fn idp() -> Target {
        Target::Idp("p1".parse().unwrap())
    }

    fn app() -> Target {
        Target::App("a1".parse().unwrap())
    }

    fn body(target: &Target, text: &str) -> String {
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let request = target.replace(&account, &text.parse().unwrap());
        request.body_text().unwrap().to_owned()
    }

    #[test]
    fn a_hidden_secret_of_any_target_is_left_out() {
        for target in [idp(), app(), Target::Organization] {
            for parent in ["config", "scim_config", "new"] {
                for secret in ["null", r#""***""#, r#""[masked]""#, r#""<redacted>""#] {
                    let object = |secret: &str| format!(r#"{{"{parent}":{{"n":1.0{secret}}}}}"#);
                    let shown = object(&format!(r#","client_secret":{secret}"#));
                    assert_eq!(body(&target, &shown), object(""), "{target:?} {shown}");
                }
            }
        }
    }

    #[test]
    fn a_mask_is_refused_as_a_new_secret() {
        let object = |secret: &str| {
            format!(r#"{{"config":{{"client_secret":{secret}}}}}"#).parse::<Document>().unwrap()
        };
        for (before, wanted, refused) in [
            (r#""***""#, r#""***""#, false),
            ("null", r#""***""#, false),
            ("null", "null", false),
            (r#""old""#, r#""***""#, true),
            (r#""old""#, r#""[masked]""#, true),
            (r#""""#, r#""•••""#, true),
            (r#""***""#, r#""new""#, false),
        ] {
            let error = Target::ensure_no_masked_secrets(&object(before), &object(wanted)).err();
            assert_eq!(error.is_some(), refused, "{before} {wanted}");
        }
    }

    #[test]
    fn policies_and_times_of_an_application_stay_out() {
        let text = r#"{"id":"a1","policies":[],"created_at":"x","updated_at":"x","n":1.0,"deep":{"policies":[],"updated_at":1}}"#;
        let sent = r#"{"id":"a1","n":1.0,"deep":{"policies":[],"updated_at":1}}"#;
        assert_eq!(body(&app(), text), sent);
    }

    #[test]
    fn what_may_not_be_changed_is_refused() {
        for (target, before, after, refusal) in [
            (idp(), r#"{"name":"a"}"#, r#"{"name":"b"}"#, None),
            (
                idp(),
                r#"{"read_only":true,"name":"a"}"#,
                r#"{"read_only":true,"name":"b"}"#,
                Some("`a` is read-only and cannot be changed here"),
            ),
            (idp(), r#"{"read_only":false}"#, r#"{"read_only":false,"name":"b"}"#, None),
            (
                idp(),
                r#"{"type":"oidc"}"#,
                r#"{"type":"saml"}"#,
                Some("`type` of this identity provider cannot be changed"),
            ),
            (
                idp(),
                r#"{"id":"a"}"#,
                r#"{"id":"b"}"#,
                Some("`id` of this identity provider cannot be changed"),
            ),
            (
                app(),
                r#"{"policies":[{"id":"x"}]}"#,
                r#"{"policies":[]}"#,
                Some("`policies` of this application cannot be changed"),
            ),
            (Target::Organization, r#"{"type":"a"}"#, r#"{"type":"b"}"#, None),
        ] {
            let before = before.parse().unwrap();
            let asked = diff::diff(&before, &after.parse().unwrap());
            let error = target.ensure_writable(&before, &asked).err();
            assert_eq!(error.map(|error| error.message).as_deref(), refusal, "{after}");
        }
    }

    #[test]
    fn the_order_of_admitted_identity_providers_means_nothing() {
        for (before, after, same) in [
            (serde_json::json!(["a", "b"]), serde_json::json!(["b", "a"]), true),
            (serde_json::json!([]), Value::Null, true),
            (serde_json::json!(["a"]), serde_json::json!([]), false),
        ] {
            let difference = Difference::new("allowed_idps", before, after);
            assert_eq!(app().is_equal(&difference), same, "{difference:?}");
            assert!(!idp().is_equal(&difference));
        }
    }
}
