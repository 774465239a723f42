//! What a command hands over to be printed.

use serde::Serialize;

use super::page::Page;
use super::text::Text;

/// Rows of a table, all with the same columns.
#[derive(Default)]
pub struct Rows {
    pub headers: Vec<&'static str>,
    pub cells: Vec<Vec<Text>>,
}

pub trait Render {
    fn show(&self, page: &mut Page);

    /// The names for `-o name`, one a line.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The result as rows of a table that has other results as well.
    fn rows(&self, _page: &Page) -> Rows {
        Rows::default()
    }

    /// The result as Markdown, if it is made for a ticket.
    fn markdown(&self) -> Option<String> {
        None
    }
}

/// A result that can be printed in every format.
pub trait Report: Render {
    /// The result as JSON text, on one line or many.
    fn json(&self) -> serde_json::Result<String>;
}

impl<T: Serialize + Render> Report for T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}
