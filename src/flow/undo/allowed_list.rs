//! What an undo makes of the list of identity providers that a bypass extended. Pure.

use crate::api::document::Document;
use crate::api::ids::IdpReference;

#[derive(Debug)]
pub(super) enum ListUndo {
    /// The previous list, and with it the instant authentication that it had.
    Restore,
    /// Changed since: the current list without what the bypass added.
    Without(Vec<IdpReference>),
    /// Changed since, and nothing that the bypass added is left in it.
    Keep,
}

impl ListUndo {
    /// `before` and `written` are the SSO App before and after the bypass.
    pub fn of(before: &Document, written: &Document, now: &Document) -> Self {
        let (before, written, now) = (allowed(before), allowed(written), allowed(now));
        // An empty list allows all, also what the bypass added.
        if is_same(&now, &written) || is_same(&now, &before) || now.is_empty() {
            return Self::Restore;
        }
        let is_added = |idp: &IdpReference| written.contains(idp) && !before.contains(idp);
        let left: Vec<_> = now.iter().filter(|idp| !is_added(idp)).cloned().collect();
        if left.len() == now.len() {
            Self::Keep
        } else if left.is_empty() {
            // An empty list would allow all of them.
            Self::Restore
        } else {
            Self::Without(left)
        }
    }
}

/// Absent, `null` and empty are equal.
fn allowed(app: &Document) -> Vec<IdpReference> {
    app.parse_at(&["allowed_idps"]).unwrap_or_default()
}

fn is_same(a: &[IdpReference], b: &[IdpReference]) -> bool {
    a.len() == b.len() && a.iter().all(|idp| b.contains(idp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn just_what_the_bypass_added_leaves_a_list_that_was_changed_since() {
        let app = |list: &str| -> Document {
            let ids: Vec<_> = list.split_whitespace().map(|id| format!(r#""{id}""#)).collect();
            format!(r#"{{"allowed_idps":[{}]}}"#, ids.join(",")).parse().unwrap()
        };
        for (before, written, now, expected) in [
            ("old", "old pin", "old pin", "restore"),
            ("old", "old pin", "pin old", "restore"),
            ("old", "old pin", "old", "restore"),
            ("old", "old pin", "old pin new", "old new"),
            ("old", "old pin", "pin new", "new"),
            ("old", "old pin", "new", "keep"),
            ("old", "old pin", "", "restore"),
            ("old", "old pin", "pin", "restore"),
            ("old", "", "", "restore"),
            ("old", "", "new", "keep"),
            ("old", "", "old new", "keep"),
            ("pin", "pin", "pin new", "keep"),
            ("", "", "", "restore"),
        ] {
            let text = match ListUndo::of(&app(before), &app(written), &app(now)) {
                ListUndo::Restore => "restore".to_owned(),
                ListUndo::Keep => "keep".to_owned(),
                ListUndo::Without(list) => {
                    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
                }
            };
            assert_eq!(text, expected, "{before} -> {written}, now {now}");
        }
    }
}
