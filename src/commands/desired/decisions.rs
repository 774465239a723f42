//! What a run of `apply` may do to the ways to sign in.

use super::super::app::idps::{ensure_one_works, ensure_sign_in_works};
use super::super::connector::trial;
use super::super::idp::check::{ensure_any_works, ensure_still_works};
use crate::api::idp::{Idp, IdpType};
use crate::context::Context;
use crate::flow::check::CheckId;
use crate::flow::desired::Desired;
use crate::flow::desired::apply::Decisions;
use crate::flow::desired::change::PlannedChange;
use crate::flow::desired::facts::Facts;
use crate::flow::desired::plan as desired_plan;
use crate::flow::plan::Difference;
use crate::flow::trial::{Options as TrialOptions, Subject, TrialEnd};
use crate::flow::update::Update;
use crate::flow::{Env, Error, FlowError};

/// Answers the questions of a run from the options.
pub(super) struct OptionDecisions<'a> {
    pub(super) env: &'a Env<'a>,
    pub(super) context: &'a Context,
    pub(super) trial: Option<TrialOptions>,
    pub(super) accepts_broken_idp: bool,
}

impl Decisions for OptionDecisions<'_> {
    async fn check_app(&self, edit: &Update, idps: &[Idp]) -> Result<(), Error> {
        let limits = |it: &Difference| match it.field.as_str() {
            "allowed_idps" => true,
            "auto_redirect_to_identity" => it.after == true,
            _ => false,
        };
        if self.accepts_broken_idp || !edit.requested.iter().any(limits) {
            return Ok(());
        }
        with_accept_risk_hint(ensure_sign_in_works(self.context, edit, idps).await)
    }

    async fn check_idp(&self, edit: &Update, idps: &[Idp]) -> Result<(), Error> {
        if self.accepts_broken_idp {
            return Ok(());
        }
        let pins = idps.iter().filter(|idp| idp.kind == IdpType::OneTimePin).count();
        with_accept_risk_hint(ensure_still_works(self.context, edit, pins).await)
    }

    async fn check_remaining(&self, allowed: &[&Idp], idps: &[Idp]) -> Result<(), Error> {
        if self.accepts_broken_idp {
            return Ok(());
        }
        with_accept_risk_hint(ensure_one_works(self.context, allowed, idps).await)
    }

    async fn try_enable(&self, subject: &Subject) -> Result<Option<TrialEnd>, Error> {
        let Some(options) = self.trial else { return Ok(None) };
        trial::check_logs(subject, &options, self.context)?;
        self.context.screen.end_progress();
        let ended = trial::enable(self.env, subject, options, self.context).await;
        // The trial is over; during a wait for other domains, signals end the program again.
        self.context.release_signals();
        ended.map(Some)
    }
}

/// Adds the `apply` option that overrides the refusal.
fn with_accept_risk_hint(checked: anyhow::Result<()>) -> Result<(), Error> {
    checked.map_err(|error| match error.downcast::<FlowError>() {
        Ok(flow_error) => {
            let hint = "`cfsso idp check`, or `--accept-risk idp-healthy`";
            FlowError { hint: Some(hint.to_owned()), ..flow_error }.into()
        }
        Err(other) => FlowError::refused(other.to_string()).into(),
    })
}

/// Of what users signed in through before, something that works has to be left.
pub(super) async fn ensure_sign_in_kept(
    facts: &Facts,
    desired: &Desired,
    changes: &[PlannedChange],
    accepted: &[CheckId],
    context: &Context,
) -> anyhow::Result<()> {
    let kept = desired_plan::ensure_sign_in_kept(facts, desired, changes, accepted)?;
    if kept.is_empty() || accepted.contains(&CheckId::IdpHealthy) {
        return Ok(());
    }
    let pins = facts.idps.iter().filter(|idp| idp.kind == IdpType::OneTimePin).count();
    let message = "no identity provider that is allowed now and works would be left".to_owned();
    let works = ensure_any_works(context, &kept, pins, message).await;
    works.map_err(|error| match error.downcast::<FlowError>() {
        Ok(error) => desired_plan::untested_error(error.message, error.causes).into(),
        Err(other) => other,
    })
}
