use serde::Serialize;

use super::{Page, Render};

/// A page of help, a script or a document: in JSON a string.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Literal(pub String);

impl Render for Literal {
    fn show(&self, page: &mut Page) {
        page.literal(&self.0);
    }

    fn names(&self) -> Vec<String> {
        self.0.lines().map(str::to_owned).collect()
    }
}
