//! The steps of every command that edits an Access object.

use serde::{Serialize, Serializer};

use super::idp::scim::ScimSecretArgs;
use super::{Outcome, plan_output};
use crate::api::document::masked;
use crate::context::Context;
use crate::flow::Env;
use crate::flow::update::{Update, UpdateResult};
use crate::output::{Page, Render, Status, Text};

/// The result of an edit. JSON is the object itself.
pub struct UpdateOutput {
    what: String,
    result: UpdateResult,
}

/// `action` is the text after "to" in the confirmation.
pub async fn run_update(
    context: &Context,
    env: &Env<'_>,
    edit: &Update,
    action: &str,
) -> anyhow::Result<Outcome> {
    run_update_with_secret(context, env, edit, action, &ScimSecretArgs::default()).await
}

/// Saves the SCIM secret that the response may contain.
pub async fn run_update_with_secret(
    context: &Context,
    env: &Env<'_>,
    edit: &Update,
    action: &str,
    keep: &ScimSecretArgs,
) -> anyhow::Result<Outcome> {
    keep.ensure_file_given(Some(&edit.before), &edit.desired)?;

    if let Some(outcome) = plan_output::finish_dry_run(context, edit.changes(env), "the change")? {
        return Ok(outcome);
    }
    let what = format!("{} {}", edit.target.noun(), edit.name());
    if edit.is_empty() {
        context.screen.note(format!("no change: the {what} already has these values"));
        let result = edit.compare_with(edit.before.clone())?;
        return Ok(Outcome::done(UpdateOutput { what, result }));
    }
    for difference in &edit.requested {
        context.screen.note(Text::prose(difference.to_string()));
    }
    context.confirm(&edit.name(), action).await?;
    let file = keep.prepare(Some(&edit.before), &edit.desired)?;
    let mut saved = Ok(());
    let result = edit.apply(env, |answer| saved = file.save(answer, context)).await?;
    let alarm = result.unexpected_change_error(edit).or(saved.err()).map(Into::into);
    Ok(Outcome::done(UpdateOutput { what, result }).failed(alarm))
}

impl Serialize for UpdateOutput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        masked(&self.result.document.to_raw()).serialize(serializer)
    }
}

impl Render for UpdateOutput {
    fn show(&self, page: &mut Page) {
        if self.result.changed.is_empty() {
            page.status_line(Status::Skipped, format!("the {} was not changed", self.what));
            return;
        }
        page.status_line(Status::Done, format!("{} updated (confirmed)", self.what));
        for difference in &self.result.changed {
            page.line(Text::plain("  ") + Text::prose(difference.to_string()));
        }
        for field in &self.result.not_returned {
            page.line(Text::dim(format!("  {field} was sent (secrets are never returned)")));
        }
        if !self.result.changed_by_api.is_empty() {
            page.line(Text::dim("  also changed by the API:"));
        }
        for difference in &self.result.changed_by_api {
            page.line(Text::plain("    ") + Text::prose(difference.to_string()));
        }
    }

    fn names(&self) -> Vec<String> {
        self.result.document.parse_at(&["name"]).into_iter().collect()
    }
}
