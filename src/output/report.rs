use serde::Serialize;

use super::page::Page;
use super::text::Text;

#[derive(Default)]
pub struct Rows {
    pub headers: Vec<&'static str>,
    pub cells: Vec<Vec<Text>>,
}

pub trait Render {
    fn show(&self, page: &mut Page);

    /// For `-o name`, one a line.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// For a table that has other results as well.
    fn rows(&self, _page: &Page) -> Rows {
        Rows::default()
    }

    /// `None` if the result has no form for a ticket.
    fn markdown(&self) -> Option<String> {
        None
    }
}

pub trait Report: Render {
    /// One line or several.
    fn json(&self) -> serde_json::Result<String>;
}

impl<T: Serialize + Render> Report for T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}
