use jiff::Timestamp;
use schemars::JsonSchema;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::super::Outcome;
use crate::api::connector::{Connector, ConnectorFields, VerificationStatus};
use crate::flow::FlowError;
use crate::flow::publish::{RecordFormat, TxtRecord};
use crate::output::{self, Page, Render, Status, Text, ago};

/// A connector as the API returns it, with the fields that cfsso adds.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes what `Shown` writes")]
pub struct View {
    #[serde(flatten)]
    connector: ConnectorFields,
    /// The TXT record that verifies the domain; `null` if the API returns no code.
    txt: Option<TxtRecord>,
    /// With `--if-not-exists`: whether this run created the connector.
    created: Option<bool>,
}

pub struct Shown {
    pub connector: Connector,
    created: Option<bool>,
}

impl From<Connector> for Shown {
    fn from(connector: Connector) -> Self {
        Self { connector, created: None }
    }
}

impl Shown {
    pub fn created(self, created: bool) -> Self {
        Self { created: Some(created), ..self }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut added = vec![("txt", serde_json::json!(TxtRecord::of(&self.connector)))];
        added.extend(self.created.map(|created| ("created", created.into())));
        let text = self.connector.text_with(&added).and_then(RawValue::from_string);
        text.map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Render for Shown {
    fn show(&self, page: &mut Page) {
        let connector = &self.connector;
        let mut fields = vec![
            ("domain", Text::strong(&connector.email_domain)),
            ("id", Text::plain(connector.id.as_str())),
            ("verification", verification(connector)),
            ("enabled", enabled(connector)),
        ];
        if connector.use_fedramp_language == Some(true) {
            fields.push(("wording", Text::plain("FedRAMP")));
        }
        if let Some(txt) = TxtRecord::of(connector) {
            fields.push(("TXT name", Text::plain(txt.name)));
            fields.push(("TXT value", Text::plain(txt.value)));
            fields.push(("TXT TTL", Text::plain(txt.ttl.to_string())));
        }
        fields.push(("created", age(connector.created_on.as_deref(), page.now(), true)));
        fields.push(("updated", age(connector.updated_on.as_deref(), page.now(), true)));
        page.fields(&fields);
    }

    fn names(&self) -> Vec<String> {
        vec![self.connector.email_domain.clone()]
    }
}

/// `--format` of the commands that show connectors.
#[derive(clap::Args, Debug)]
pub struct RecordArgs {
    /// Print only the TXT record: bind, terraform, route53, gcloud
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, conflicts_with = "output")]
    format: Option<RecordFormat>,
}

impl RecordArgs {
    pub fn is_given(&self) -> bool {
        self.format.is_some()
    }

    /// `None` without `--format`. Fails if a connector has no verification code.
    pub fn records(&self, connectors: &[Connector]) -> Result<Option<Outcome>, FlowError> {
        let Some(format) = self.format else { return Ok(None) };
        let records = connectors.iter().map(|connector| {
            let record = TxtRecord::of(connector).ok_or_else(|| {
                let message = format!("no verification code for {}", connector.email_domain);
                FlowError::not_yet(message)
                    .hint(format!("`cfsso connector verify {}`", connector.email_domain))
            });
            record.map(|record| record.in_format(format))
        });
        Ok(Some(Outcome::done(Records(records.collect::<Result<_, _>>()?))))
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Records(Vec<String>);

impl Render for Records {
    fn show(&self, page: &mut Page) {
        self.0.iter().for_each(|record| page.literal(record));
    }

    fn names(&self) -> Vec<String> {
        self.0.clone()
    }
}

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

pub fn enabled(connector: &ConnectorFields) -> Text {
    match connector.enabled {
        Some(true) => Text::good("yes"),
        Some(false) => Text::plain("no"),
        None => Text::dim("unknown"),
    }
}

/// Renders an API time as its age; with `full`, as the time and its age.
pub fn age(time: Option<&str>, now: Timestamp, full: bool) -> Text {
    let Some(text) = time else { return Text::dim("unknown") };
    let Ok(then) = text.parse::<Timestamp>() else { return Text::plain(text) };
    if full {
        Text::plain(output::time(then)) + Text::dim(format!("  {}", ago(then, now)))
    } else {
        Text::plain(ago(then, now))
    }
}
