use std::io;

use super::format::Format;
use super::json::{Layout, format_json, items};
use super::page::Page;
use super::report::Report;
use super::sanitize::sanitize;
use super::{fields, jq, yaml};

/// The part of a result that is printed in the structured formats.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Empty selects all fields.
    pub fields: Vec<String>,
    /// An expression that is applied to the result.
    pub jq: Option<String>,
}

/// The text for standard output; `page` is used in the formats for people.
pub(super) fn result(
    format: Format,
    report: &dyn Report,
    mut page: Page,
    selection: &Selection,
    warn: &dyn Fn(String),
) -> io::Result<String> {
    let json = || {
        let json = report.json()?;
        let [_, ..] = selection.fields.as_slice() else { return Ok(json) };
        for field in fields::unknown(&json, &selection.fields)? {
            warn(format!("no object has the field `{field}`"));
        }
        fields::select(&json, &selection.fields)
    };
    if let (Some(expression), true) = (&selection.jq, format.is_structured()) {
        let json = json()?;
        let (inputs, layout) = match format {
            Format::Ndjson => (items(&json)?, Layout::Compact),
            _ => (vec![json.as_str()], Layout::Pretty),
        };
        return jq::filter(expression, &inputs, layout).map_err(io::Error::other);
    }
    match format {
        Format::Table => {
            report.show(&mut page);
            Ok(page.into_string())
        }
        Format::Json => Ok(format_json(&json()?, Layout::Pretty) + "\n"),
        Format::Ndjson => {
            let json = json()?;
            let lines = items(&json)?.into_iter();
            Ok(lines.map(|item| format_json(item, Layout::Compact) + "\n").collect())
        }
        Format::Yaml => yaml::from_json(&json()?).map_err(io::Error::other),
        Format::Markdown => Ok(report.markdown().unwrap_or_else(|| {
            report.show(&mut page);
            let text = page.into_string();
            if text.is_empty() { text } else { format!("```\n{text}```\n") }
        })),
        Format::Name => {
            Ok(report.names().iter().map(|name| sanitize(name).into_owned() + "\n").collect())
        }
    }
}
