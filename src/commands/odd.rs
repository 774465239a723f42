//! Lists that also show the records with unknown or invalid shape, in JSON as the API sent them.

use serde_json::value::RawValue;

use super::Outcome;
use crate::api::Client;
use crate::api::odd::OddRecord;
use crate::output::{Page, Render, Report, Rows, Status, Text};

struct Listed<R> {
    list: R,
    odd: Vec<OddRecord>,
}

impl Outcome {
    pub fn list(client: &Client, noun: &str, list: impl Report + 'static) -> Self {
        let odd = client.take_odd_records(noun);
        let report: Box<dyn Report> = match odd.as_slice() {
            [] => Box::new(list),
            _ => Box::new(Listed { list, odd }),
        };
        Self { report: Some(report), ..Self::silent() }
    }
}

impl<R: Report> Report for Listed<R> {
    fn json(&self) -> serde_json::Result<String> {
        let list = self.list.json()?;
        let records: Vec<&RawValue> = serde_json::from_str(&list)?;
        let odd = self.odd.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let records = records.into_iter().map(RawValue::get).chain(odd.iter().map(String::as_str));
        Ok(format!("[{}]", records.collect::<Vec<_>>().join(",")))
    }
}

impl<R: Report> Render for Listed<R> {
    fn show(&self, page: &mut Page) {
        self.list.show(page);
        for odd in &self.odd {
            page.status_line(Status::Warning, Text::prose(odd.describe()));
        }
    }

    fn rows(&self, page: &Page) -> Rows {
        let mut rows = self.list.rows(page);
        rows.cells.extend(self.odd.iter().map(|odd| vec![Text::warn(odd.describe())]));
        rows
    }

    fn names(&self) -> Vec<String> {
        let odd = self.odd.iter().filter_map(|odd| odd.id.clone());
        self.list.names().into_iter().chain(odd).collect()
    }
}
