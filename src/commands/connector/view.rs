//! How a connector is shown to people.

use jiff::Timestamp;

use crate::api::connector::{Connector, ConnectorFields, VerificationStatus};
use crate::output::{self, Page, Render, Status, Text, ago};

impl Render for Connector {
    fn show(&self, page: &mut Page) {
        let mut fields = vec![
            ("domain", Text::strong(&self.email_domain)),
            ("id", Text::plain(self.id.as_str())),
            ("verification", verification(self)),
            ("enabled", enabled(self)),
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
pub fn verification(connector: &ConnectorFields) -> Text {
    match connector.status() {
        Some(VerificationStatus::Verified) => Status::Done.paint("verified"),
        Some(VerificationStatus::Pending) => Status::Running.paint("pending"),
        Some(VerificationStatus::Failed) => Status::Failed.paint("failed"),
        Some(VerificationStatus::Awaiting) => Status::Pending.paint("awaiting"),
        Some(VerificationStatus::Other(other)) => Status::Warning.paint(other),
        None => Text::dim("unknown"),
    }
}

/// Whether SSO is enabled.
pub fn enabled(connector: &ConnectorFields) -> Text {
    match connector.enabled {
        Some(true) => Text::good("yes"),
        Some(false) => Text::plain("no"),
        None => Text::dim("unknown"),
    }
}

/// A time of the API: as it is and how long ago, or just how long ago.
pub fn age(time: Option<&str>, now: Timestamp, full: bool) -> Text {
    let Some(text) = time else { return Text::dim("unknown") };
    let Ok(then) = text.parse::<Timestamp>() else { return Text::plain(text) };
    if full {
        Text::plain(output::time(then)) + Text::dim(format!("  {}", ago(then, now)))
    } else {
        Text::plain(ago(then, now))
    }
}
