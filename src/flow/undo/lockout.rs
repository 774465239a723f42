//! Undoing must not leave the dashboard without a sign-in. The SSO App may now allow only
//! the identity provider that a run created, or a restored list may name only deleted ones.

use super::inverse::Inverse;
use super::plan::{Ready, Write};
use super::{ObjectCache, path_of_app};
use crate::api::app::App;
use crate::api::document::Document;
use crate::api::ids::IdpReference;
use crate::flow::journal::resource::Resource;
use crate::flow::{Env, Error, FlowError, FlowErrorKind, app, idp};

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
                idp::ensure_not_last_idp(found, by_then.as_ref().unwrap_or(sso_app), &idps)
            }
            (Resource::App(_), Write::Edit(edit)) if is_sso_app(&edit.before) => {
                let allowed = |of: &Document| of.parse_at::<Vec<IdpReference>>(&["allowed_idps"]);
                match allowed(&edit.desired) {
                    Some(list) if allowed(&edit.before).as_ref() != Some(&list) => {
                        app::ensure_sign_in_possible(&list, &idp::list(env).await?)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        };
        Ok(refusal.err().map(|error| {
            error.hint("`cfsso app idps --add <IDP>` first, or `--force` to override")
        }))
    }
}

fn parse_app(document: &Document) -> Option<App> {
    serde_json::from_str(document.to_raw().get()).ok()
}

fn is_sso_app(document: &Document) -> bool {
    document.parse_at::<String>(&["type"]).as_deref() == Some("dash_sso")
}
