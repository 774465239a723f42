use std::fmt;
use std::str::FromStr;

use crate::input::value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Table,
    Json,
    /// One JSON object per line, with events while the command is running.
    Ndjson,
    Yaml,
    Name,
    /// For a ticket: Markdown if the report has it, otherwise the terminal output.
    Markdown,
}

impl Format {
    /// In the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Table, Self::Json, Self::Ndjson, Self::Yaml, Self::Name, Self::Markdown];

    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Yaml => "yaml",
            Self::Name => "name",
            Self::Markdown => "markdown",
        }
    }

    pub fn is_structured(self) -> bool {
        match self {
            Self::Json | Self::Ndjson | Self::Yaml => true,
            Self::Table | Self::Name | Self::Markdown => false,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| value::trim(word) == Ok(format.name()))
            .ok_or_else(|| UnknownFormat(value::visible(word)))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown output format `{0}` (table, json, ndjson, yaml, name, markdown)")]
pub struct UnknownFormat(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "JSON".parse::<Format>().unwrap_err().to_string(),
            "unknown output format `JSON` (table, json, ndjson, yaml, name, markdown)"
        );
    }
}
