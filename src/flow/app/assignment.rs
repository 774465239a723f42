//! An assignment `FIELD=VALUE` to a field of an application.

use std::str::FromStr;

use serde_json::value::{RawValue, to_raw_value};

use crate::api::document::Document;
use crate::flow::FlowError;
use crate::input::secret_name::is_secret_name;

#[derive(Clone, Debug)]
pub struct Assignment {
    path: Vec<String>,
    value: Box<RawValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssignment {
    #[error("`{0}` is not FIELD=VALUE, such as `session_duration=12h`")]
    Malformed(String),
    #[error(
        "`{0}` is a secret: secrets are not taken on the command line; set it in the dashboard"
    )]
    Secret(String),
}

impl Assignment {
    pub fn of(name: &str, text: &str) -> Self {
        let value = to_raw_value(text).expect("a text is JSON");
        Self { path: vec![name.to_owned()], value }
    }

    /// Refuses fields with a command of their own: that one checks that users can still sign in.
    pub fn make(&self, document: &mut Document) -> Result<(), FlowError> {
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        let own = match path.first() {
            Some(&"allowed_idps") => Some("`cfsso app idps --only <IDP>`"),
            Some(&"auto_redirect_to_identity") => Some("`cfsso app instant-auth on`"),
            _ => None,
        };
        if let Some(own) = own {
            let message = format!("`{}` cannot be set this way", path.join("."));
            return Err(FlowError::usage(message)
                .cause("it decides who can sign in; its own command checks that first")
                .hint(own));
        }
        Ok(document.set(&path, &self.value)?)
    }
}

impl FromStr for Assignment {
    type Err = InvalidAssignment;

    fn from_str(text: &str) -> Result<Self, InvalidAssignment> {
        let malformed = || InvalidAssignment::Malformed(text.to_owned());
        let (field, value) = text.split_once('=').ok_or_else(malformed)?;
        let path: Vec<_> = field.split('.').map(|name| name.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(malformed());
        }
        if path.iter().any(|name| is_secret_name(name)) {
            return Err(InvalidAssignment::Secret(field.to_owned()));
        }
        // A value that is not JSON is taken as a string.
        let value = RawValue::from_string(value.to_owned())
            .unwrap_or_else(|_| to_raw_value(value).expect("a text is JSON"));
        Ok(Self { path, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    #[test]
    fn a_value_is_json_or_a_text_and_everything_else_stays_as_it_was() {
        for (text, expected) in [
            ("session_duration=12h", r#"{"a":1.0,"o":{"x":null},"session_duration":"12h"}"#),
            ("a=12345678901234567890123", r#"{"a":12345678901234567890123,"o":{"x":null}}"#),
            ("a=\"7\"", r#"{"a":"7","o":{"x":null}}"#),
            ("a=x=y", r#"{"a":"x=y","o":{"x":null}}"#),
            ("a=", r#"{"a":"","o":{"x":null}}"#),
            ("o.x=[1, 2]", r#"{"a":1.0,"o":{"x":[1, 2]}}"#),
            ("o.y.z=true", r#"{"a":1.0,"o":{"x":null,"y":{"z":true}}}"#),
        ] {
            let mut document: Document = r#"{"a":1.0,"o":{"x":null}}"#.parse().unwrap();
            text.parse::<Assignment>().unwrap().make(&mut document).unwrap();
            assert_eq!(document.to_raw().get(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_assignment_or_is_not_set_so_says_why() {
        for (text, says) in [
            ("session_duration", "is not FIELD=VALUE"),
            ("=x", "is not FIELD=VALUE"),
            ("a..b=x", "is not FIELD=VALUE"),
            ("saas_app.client_secret=hunter2", "is a secret"),
        ] {
            let error = text.parse::<Assignment>().unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hunter2"), "{text}: {error}");
        }
        for (text, hint) in [
            ("allowed_idps=[]", Some("`cfsso app idps --only <IDP>`")),
            ("auto_redirect_to_identity=true", Some("`cfsso app instant-auth on`")),
            ("a.b=1", None),
        ] {
            let mut document: Document = r#"{"a":1.0}"#.parse().unwrap();
            let error = text.parse::<Assignment>().unwrap().make(&mut document).unwrap_err();
            assert_eq!((error.kind, error.hint.as_deref()), (FlowErrorKind::Usage, hint), "{text}");
            assert_eq!(document.to_raw().get(), r#"{"a":1.0}"#, "{text}");
        }
    }
}
