//! How a connector is shown to people.

use jiff::Timestamp;

use crate::api::connector::{Connector, Fields, Status};
use crate::output::{Mark, Page, Show, Text, ago};

impl Show for Connector {
    fn show(&self, page: &mut Page) {
        let mut fields = vec![
            ("domain", Text::strong(&self.email_domain)),
            ("id", Text::plain(self.id.as_str())),
            ("verification", verification(self)),
            ("enforced", enforced(self)),
        ];
        if self.use_fedramp_language == Some(true) {
            fields.push(("wording", Text::plain("FedRAMP")));
        }
        if let Some(code) = self.code() {
            fields.push(("TXT record", Text::plain(code)));
        }
        fields.push(("created", age(self.created_on.as_deref(), page.now(), true)));
        fields.push(("updated", age(self.updated_on.as_deref(), page.now(), true)));
        page.fields(&fields);
    }

    fn names(&self) -> Vec<String> {
        vec![self.email_domain.clone()]
    }
}

/// The verification's state, coloured by what it lets one do.
pub fn verification(connector: &Fields) -> Text {
    match connector.status() {
        Some(Status::Verified) => Mark::Done.paint("verified"),
        Some(Status::Pending) => Mark::Doing.paint("pending"),
        Some(Status::Failed) => Mark::Failed.paint("failed"),
        Some(Status::Awaiting) => Mark::Todo.paint("awaiting"),
        Some(Status::Other(other)) => Mark::Warning.paint(other),
        None => Text::dim("not told"),
    }
}

/// Whether sign-in through the identity provider is enforced.
pub fn enforced(connector: &Fields) -> Text {
    match connector.enabled {
        Some(true) => Text::good("yes"),
        Some(false) => Text::plain("no"),
        None => Text::dim("not told"),
    }
}

/// A time of the API: as it is and how long ago, or just how long ago.
pub fn age(time: Option<&str>, now: Timestamp, full: bool) -> Text {
    let Some(text) = time else { return Text::dim("not told") };
    let Ok(then) = text.parse::<Timestamp>() else { return Text::plain(text) };
    if full {
        Text::plain(text) + Text::dim(format!("  {}", ago(then, now)))
    } else {
        Text::plain(ago(then, now))
    }
}
