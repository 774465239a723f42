//! The steps of every command that edits an object of Access: show what would
//! change, ask, change it, and tell what was seen.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Outcome, change};
use crate::api::document::masked;
use crate::context::Context;
use crate::flow::Tools;
use crate::flow::edit::Edit;
use crate::flow::plan::{Difference, Plan};
use crate::output::{Mark, Page, Show, Text};

/// An object after a command that edits it. Programs read the object itself.
pub struct Result {
    what: String,
    object: Box<RawValue>,
    changed: Vec<Difference>,
    besides: Vec<Difference>,
    unseen: Vec<String>,
}

/// Makes an edit, or says why there is none to make. `deed` reads after "to".
pub async fn make(
    context: &Context,
    tools: &Tools<'_>,
    edit: &Edit,
    deed: &str,
) -> anyhow::Result<Outcome> {
    let plan = Plan::new(Vec::new(), edit.changes(tools));
    if let Some(outcome) = change::settle(context, plan, "changing it")? {
        return Ok(outcome);
    }
    let what = format!("{} {}", edit.target.noun(), edit.name());
    if edit.is_empty() {
        context.screen.note(format!("the {what} reads so already: nothing to change"));
        return Ok(Outcome::done(Result {
            what,
            object: masked(&edit.before.to_raw()),
            changed: Vec::new(),
            besides: Vec::new(),
            unseen: Vec::new(),
        }));
    }
    for difference in &edit.asked {
        context.screen.note(Text::prose(difference.to_string()));
    }
    context.confirm(&edit.name(), deed).await?;
    let edited = edit.apply(tools).await?;
    let alarm = edited.alarm(edit).map(Into::into);
    Ok(Outcome::done(Result {
        what,
        object: masked(&edited.document.to_raw()),
        changed: edited.changed,
        besides: edited.besides,
        unseen: edited.unseen,
    })
    .failed(alarm))
}

impl Serialize for Result {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.object.serialize(serializer)
    }
}

impl Show for Result {
    fn show(&self, page: &mut Page) {
        if self.changed.is_empty() {
            page.marked(Mark::Already, format!("the {} was not changed", self.what));
            return;
        }
        page.marked(Mark::Done, format!("the {} is changed, and reads back so", self.what));
        for difference in &self.changed {
            page.line(Text::plain("  ") + Text::prose(difference.to_string()));
        }
        for field in &self.unseen {
            page.line(Text::dim(format!("  {field} was sent; a secret is never read back")));
        }
        if !self.besides.is_empty() {
            page.line(Text::dim("  changed by the API besides:"));
        }
        for difference in &self.besides {
            page.line(Text::plain("    ") + Text::prose(difference.to_string()));
        }
    }

    fn names(&self) -> Vec<String> {
        let name = serde_json::from_str::<serde_json::Value>(self.object.get()).unwrap_or_default();
        name["name"].as_str().map(str::to_owned).into_iter().collect()
    }
}
