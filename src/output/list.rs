use serde::Serialize;

use super::page::Page;
use super::report::{Render, Rows};
use super::text::Text;

pub trait Row: Render {
    const HEADERS: &'static [&'static str];

    fn cells(&self, page: &Page) -> Vec<Text>;
}

/// An array in JSON, a table for people; nothing at all if it is empty.
#[derive(Serialize)]
#[serde(transparent)]
pub struct List<T>(pub Vec<T>);

impl<T: Row> Render for List<T> {
    fn show(&self, page: &mut Page) {
        let Rows { headers, cells } = self.rows(page);
        page.table(&headers, &cells);
    }

    fn rows(&self, page: &Page) -> Rows {
        let cells = self.0.iter().map(|record| record.cells(page)).collect();
        Rows { headers: T::HEADERS.to_vec(), cells }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Render::names).collect()
    }
}
