//! The changes of the account: identity providers, federation, the SSO App.

use super::super::DesiredApp;
use super::super::facts::Facts;
use super::super::plan::{edit_idp, existing_idp, is_same, missing_recipients, resolve_allowed};
use super::{Apply, Decisions};
use crate::api::app::App;
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::api::ids::{AccountId, AppId, IdpId, IdpReference, ShareId};
use crate::flow::federation::recipients::resolve_recipients;
use crate::flow::federation::state::FederationState;
use crate::flow::federation::unshare::{self, UnshareAction};
use crate::flow::federation::{self, share, shares};
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{Env, Error, FlowError, app, idp};

impl<D: Decisions> Apply<'_, D> {
    pub(super) async fn create_idp(&mut self, at: usize) -> Result<String, Error> {
        let body = self.options.bodies.get(&at).expect("read before the run");
        // Another client may have been faster: a second one of that name is never intended.
        self.facts.idps = idp::list(self.env).await?;
        if let Some(existing) = existing_idp(&self.facts, &self.options.desired.idps()[at])? {
            return Ok(format!("exists already  {}", existing.id));
        }
        let created = idp::create(self.env, body, |_| ()).await?;
        let detail = format!("created  {}", created.id);
        self.facts.idps.push(created);
        Ok(detail)
    }

    pub(super) async fn update_idp(&mut self, at: usize, id: &IdpId) -> Result<String, Error> {
        let entry = &self.options.desired.idps()[at];
        let target = Target::Idp(id.clone());
        let edit = Update::prepare(self.env, target, |idp| edit_idp(idp, entry)).await?;
        ensure_idp_works(&self.facts, id, &edit, self.decisions).await?;
        let detail = self.send(&edit).await?;
        self.facts.idps = idp::list(self.env).await?;
        Ok(detail)
    }

    async fn send(&self, edit: &Update) -> Result<String, Error> {
        if edit.is_empty() {
            return Ok("already as desired".to_owned());
        }
        let result = edit.apply(self.env, |_| ()).await?;
        match result.unexpected_change_error(edit) {
            Some(error) => Err(error.into()),
            None => Ok("changed (confirmed)".to_owned()),
        }
    }

    pub(super) async fn share_idp(&mut self, at: usize) -> Result<String, Error> {
        let wanted = &self.options.desired.shares()[at];
        let idp = self.facts.find(&wanted.idp).cloned().ok_or_else(|| {
            FlowError::not_found(format!("no identity provider `{}`", wanted.idp))
        })?;
        let state = federation::state::read(self.env, &idp.id).await?;
        let Some(named) = missing_recipients(wanted, &state)? else {
            return Ok("already as desired".to_owned());
        };
        let directory = &self.facts.directory;
        let (audience, _) = resolve_recipients(named, self.env.account, directory, true)?;
        let name = federation::default_name(&idp);
        let deadline = self.options.deadline;
        let options = share::Options { idp, audience, name, wait: false, deadline };
        let (_, end) = share::run(self.env, &options, &state, directory, &|_| ()).await;
        end?;
        Ok("shared; `cfsso federation status` shows when it arrives".to_owned())
    }

    pub(super) async fn update_app(&mut self) -> Result<String, Error> {
        let wanted = self.options.desired.sso_app.as_ref().expect("it is in the plan");
        let id: AppId = app::find(self.env, None).await?.id.clone();
        let edit = Update::prepare(self.env, Target::App(id), |document| {
            edit_app(document, wanted, &self.facts)
        });
        let edit = edit.await?;
        self.decisions.check_app(&edit, &self.facts.idps).await?;
        self.send(&edit).await
    }

    pub(super) async fn delete_idp(&mut self, id: &IdpId) -> Result<String, Error> {
        let (idps, apps) = tokio::join!(idp::list(self.env), app::list(self.env));
        let (idps, apps) = (idps?, apps?);
        let Some(found) = idps.iter().find(|idp| idp.id == *id) else {
            return Ok("already deleted".to_owned());
        };
        ensure_sign_in_left(self.env, &[id], (&apps, &idps), self.decisions).await?;
        idp::delete(self.env, found).await?;
        Ok("deleted (confirmed)".to_owned())
    }

    /// Checks what all deletions together leave, before the first.
    pub(super) async fn ensure_sign_in_left(&self, deleted: &[&IdpId]) -> Result<(), Error> {
        let (idps, apps) = tokio::join!(idp::list(self.env), app::list(self.env));
        ensure_sign_in_left(self.env, deleted, (&apps?, &idps?), self.decisions).await
    }

    pub(super) async fn unshare(
        &mut self,
        id: &IdpId,
        from: Option<&[AccountId]>,
    ) -> Result<String, Error> {
        let state = federation::state::read(self.env, id).await?;
        let idp = idp::find(self.env, id.as_str()).await?;
        let actions = unshare_actions(&state, &idp, from)?;
        if actions.is_empty() {
            return Ok("not shared with them".to_owned());
        }
        let deadline = self.options.deadline;
        let options = unshare::Options { idp, from: None, wait: false, deadline };
        unshare::run(self.env, &options, &actions, Vec::new(), &|_| ()).await.1?;
        Ok("no longer shared; `cfsso federation status` shows when it is removed".to_owned())
    }

    /// Does nothing if the share is no longer an orphan.
    pub(super) async fn delete_share(&mut self, id: &ShareId) -> Result<String, Error> {
        let (_, orphans) = federation::state::read_all(self.env).await?;
        let Some(share) = orphans.iter().find(|share| share.id == *id) else {
            return Ok("already deleted, or in use".to_owned());
        };
        shares::delete(self.env, share).await?;
        Ok("share deleted (confirmed)".to_owned())
    }
}

/// Fails if users sign in through the identity provider, and `edit` would break it.
pub(in crate::flow::desired) async fn ensure_idp_works(
    facts: &Facts,
    id: &IdpId,
    edit: &Update,
    decisions: &impl Decisions,
) -> Result<(), Error> {
    let is_used = facts.app.as_ref().is_some_and(|app| app.admits(id))
        && facts.connectors.iter().any(|connector| connector.is_enabled());
    if is_used && edit.requested.iter().any(|asked| asked.field.starts_with("config")) {
        decisions.check_idp(edit, &facts.idps).await?;
    }
    Ok(())
}

/// Fails if an application would allow no identity provider, or the SSO App none that works.
pub(in crate::flow::desired) async fn ensure_sign_in_left(
    env: &Env<'_>,
    deleted: &[&IdpId],
    (apps, idps): (&[App], &[Idp]),
    decisions: &impl Decisions,
) -> Result<(), Error> {
    let is_deleted = |idp: &&Idp| deleted.contains(&&idp.id);
    let (deleted, left): (Vec<_>, Vec<_>) = idps.iter().partition(is_deleted);
    let left: Vec<_> = left.into_iter().cloned().collect();
    idp::ensure_sign_in_without(env, &deleted, apps, &left)?;
    for app in apps.iter().filter(|app| app.is_dash_sso()) {
        if let Some(allowed) = idp::allowed_without(&deleted, app, &left) {
            decisions.check_remaining(&allowed, &left).await?;
        }
    }
    Ok(())
}

/// `None` means all accounts.
pub(in crate::flow::desired) fn unshare_actions<'a>(
    state: &'a FederationState,
    idp: &Idp,
    from: Option<&[AccountId]>,
) -> Result<Vec<UnshareAction<'a>>, FlowError> {
    let still: Option<Vec<_>> = from.map(|from| {
        let has = |id: &&AccountId| state.recipients().any(|recipient| recipient == *id);
        from.iter().filter(has).cloned().collect()
    });
    unshare::decide(state, idp, still.as_deref())
}

/// Resolves names with the identity providers that exist now.
pub(in crate::flow::desired) fn edit_app(
    document: &mut Document,
    wanted: &DesiredApp,
    facts: &Facts,
) -> Result<(), FlowError> {
    let now: Vec<IdpReference> = document.parse_at(&["allowed_idps"]).unwrap_or_default();
    if let Some(allowed) = &wanted.allowed_idps {
        let list = resolve_allowed(allowed, &now, facts, &[])?;
        if !is_same(&list, &now) {
            app::ensure_sign_in_possible(&list, &facts.idps)?;
            app::set_allowed_idps(document, &list)?;
        }
    }
    let is_instant = document.parse_at(&["auto_redirect_to_identity"]) == Some(true);
    match wanted.auto_redirect {
        Some(true) if !is_instant => app::enable_instant_auth(document, &facts.idps),
        Some(false) if is_instant => app::disable_instant_auth(document),
        _ => Ok(()),
    }
}
