//! Undoing must not leave the dashboard without a sign-in. The SSO App may now allow only
//! the identity provider that a run created, or a restored list may name only deleted ones.

use std::slice::from_ref;

use super::inverse::{Inverse, InverseAction};
use super::plan::{Ready, Write};
use super::{ObjectCache, path_of_app};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::document::Document;
use crate::api::ids::IdpReference;
use crate::flow::journal::resource::Resource;
use crate::flow::{Env, Error, FlowError, FlowErrorKind, app, connector, idp};

impl Inverse {
    /// `None` if the write is safe. `cache` has objects as they will be by then.
    pub(super) async fn lockout(
        &self,
        env: &Env<'_>,
        ready: &Ready,
        cache: &ObjectCache,
    ) -> Result<Option<FlowError>, Error> {
        let refusal = match (&self.resource, &ready.write) {
            (Resource::Idp(id), Write::Request(_)) if ready.after().is_none() => {
                let (idps, apps) = tokio::join!(idp::list(env), app::list(env));
                let (idps, apps) = (idps?, apps?);
                let sso_app = match app::sign_in(env, &apps) {
                    Ok(app) => app,
                    Err(error) if error.kind == FlowErrorKind::NotFound => return Ok(None),
                    Err(error) => return Ok(Some(error)),
                };
                let Some(found) = idps.iter().find(|idp| idp.id == *id) else { return Ok(None) };
                let by_then = cache.get(&path_of_app(env.account, &sso_app.id));
                let by_then = by_then.and_then(Option::as_ref).and_then(parse_app);
                let by_then = by_then.as_ref().unwrap_or(sso_app);
                idp::ensure_not_last_idp(&[found], from_ref(by_then), &idps)
                    .map_err(|error| error.hint(hint(by_then.listed_idps(), "idp create <TYPE>")))
            }
            (Resource::App(_), Write::Edit(edit)) if is_sso_app(&edit.before) => {
                let allowed = |of: &Document| of.parse_at::<Vec<IdpReference>>(&["allowed_idps"]);
                match allowed(&edit.desired) {
                    Some(list) if allowed(&edit.before).as_ref() != Some(&list) => {
                        let now = allowed(&edit.before).unwrap_or_default();
                        app::ensure_sign_in_possible(&list, &idp::list(env).await?)
                            .map_err(|error| error.hint(hint(&now, "app idps --only <IDP>")))
                    }
                    _ => Ok(()),
                }
            }
            (Resource::Records(_) | Resource::Record(..), Write::Request(_))
                if ready.after().is_none() =>
            {
                return Ok(self.removes_code_in_use(env, cache).await);
            }
            _ => Ok(()),
        };
        Ok(refusal.err())
    }
}

/// An empty list allows all identity providers: adding to it changes nothing.
fn hint(allowed: &[IdpReference], if_all: &str) -> String {
    let command = if allowed.is_empty() { if_all } else { "app idps --add <IDP>" };
    format!("`cfsso {command}` first")
}

impl Inverse {
    /// Why the TXT record has to stay: it verifies a domain that has SSO enabled by then.
    /// Without permission to read connectors, that is not known.
    async fn removes_code_in_use(&self, env: &Env<'_>, cache: &ObjectCache) -> Option<FlowError> {
        let (InverseAction::Delete { written: record }
        | InverseAction::DeleteIfFound { sent: record }) = &self.action
        else {
            return None;
        };
        let content: String = record.parse_at(&["content"])?;
        let is_enabled_by_then = |connector: &Connector| {
            let path = Resource::Connector(connector.id.clone()).path(env.account);
            match cache.get(&path) {
                None => connector.is_enabled(),
                Some(object) => {
                    object.as_ref().and_then(|it| it.parse_at(&["enabled"])) == Some(true)
                }
            }
        };
        let connectors = connector::list(env).await.ok()?;
        let found = connectors.iter().find(|connector| {
            connector.code() == Some(content.trim_matches('"')) && is_enabled_by_then(connector)
        })?;
        let message =
            format!("SSO is enabled for {}, which this TXT record verifies", found.email_domain);
        let hint = format!("`cfsso disable {}` first", found.email_domain);
        Some(FlowError::refused(message).hint(hint))
    }
}

fn parse_app(document: &Document) -> Option<App> {
    serde_json::from_str(document.to_raw().get()).ok()
}

fn is_sso_app(document: &Document) -> bool {
    document.parse_at::<String>(&["type"]).as_deref() == Some("dash_sso")
}
