use crate::api::share::{Share, ShareFields, Target};
use crate::output::{Page, Render, Status, Text};

impl Render for Share {
    fn show(&self, page: &mut Page) {
        let mut fields = vec![
            ("name", Text::strong(&self.name)),
            ("id", Text::plain(self.id.as_str())),
            ("status", status(self)),
            ("for", Text::plain(target(self))),
        ];
        if let Some(account) = &self.account_id {
            let name = self.account_name.as_deref().unwrap_or_default();
            fields.push(("from", Text::plain(name) + Text::dim(format!("  {account}"))));
        }
        if let Some(counts) = counts(self) {
            fields.push(("recipients", Text::plain(counts)));
        }
        for resource in self.resources.iter().flatten() {
            let text = format!("{} {}", resource.resource_type.as_str(), resource.resource_id);
            fields.push(("resource", Text::plain(text)));
        }
        fields.push(("created", Text::plain(self.created.as_deref().unwrap_or("unknown"))));
        fields.push(("modified", Text::plain(self.modified.as_deref().unwrap_or("unknown"))));
        page.fields(&fields);
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}

pub fn status(share: &ShareFields) -> Text {
    match &share.status {
        Some(status) if share.is_active() => Status::Done.paint(status.as_str()),
        Some(status) => Status::Warning.paint(status.as_str()),
        None => Text::dim("unknown"),
    }
}

pub fn target(share: &ShareFields) -> &str {
    match &share.target_type {
        Some(Target::Account) => "single accounts",
        Some(Target::Organization) => "a whole organization",
        Some(Target::Other(other)) => other,
        None => "unknown",
    }
}

pub fn counts(share: &ShareFields) -> Option<String> {
    let parts: Vec<_> = [
        (share.associated_recipient_count, "associated"),
        (share.associating_recipient_count, "associating"),
        (share.disassociating_recipient_count, "disassociating"),
        (share.disassociated_recipient_count, "removed"),
    ]
    .into_iter()
    .filter_map(|(count, words)| {
        count
            .filter(|&count| count > 0 || words == "associated")
            .map(|count| format!("{count} {words}"))
    })
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
