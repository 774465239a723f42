//! What a write is about to do, as the journal records it.

use super::entry::{Cause, TrialTerms};

pub(in crate::flow) struct WriteIntent<'a> {
    pub title: Title,
    pub before: Option<&'a str>,
    pub undoes: Option<&'a str>,
    pub trial: Option<TrialTerms>,
}

impl<'a> WriteIntent<'a> {
    pub fn new(title: Title, before: Option<&'a str>) -> Self {
        Self { title, before, undoes: None, trial: None }
    }
}

#[derive(Debug)]
pub struct Title {
    pub text: String,
    pub cause: Option<Cause>,
}

impl<T: Into<String>> From<T> for Title {
    fn from(text: T) -> Self {
        Self { text: text.into(), cause: None }
    }
}
