//! Which identity providers can be shared (API reference, section 6).

use crate::api::idp::{self, IdpType};
use crate::flow::FlowError;

pub fn ensure_shareable(idp: &idp::IdpFields) -> Result<(), FlowError> {
    let reason = if idp.is_read_only() {
        "it is read-only: only the account that owns it can share it"
    } else {
        match idp.kind {
            IdpType::OneTimePin => "one-time PIN works in each account by itself",
            IdpType::Cloudflare => "signing in with Cloudflare works in each account by itself",
            _ => return Ok(()),
        }
    };
    let name = if idp.name.is_empty() { idp.kind.as_str() } else { &idp.name };
    Err(FlowError::refused(format!("`{name}` cannot be shared with other accounts"))
        .cause(reason)
        .hint("`cfsso idp list`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    #[test]
    fn only_ones_own_identity_providers_are_federable() {
        for (text, allowed) in [
            (r#"{"id":"p1","type":"okta","name":"Okta"}"#, true),
            (r#"{"id":"p1","type":"passkeys","name":"New"}"#, true),
            (r#"{"id":"p1","type":"okta","name":"Okta","read_only":false}"#, true),
            (r#"{"id":"p1","type":"okta","name":"Okta","read_only":true}"#, false),
            (r#"{"id":"p1","type":"onetimepin"}"#, false),
            (r#"{"id":"p1","type":"cloudflare","name":"CF"}"#, false),
        ] {
            let error = ensure_shareable(&serde_json::from_str(text).unwrap());
            assert_eq!(error.is_ok(), allowed, "{text}");
            assert!(error.is_ok() || error.unwrap_err().kind == FlowErrorKind::Refused, "{text}");
        }
    }
}
