//! How an identity provider is shown. Secrets are left out, in JSON too.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::document::{Document, masked, members};
use crate::api::idp::Idp;
use crate::output::{Page, Render, Text};

#[derive(Serialize)]
#[serde(transparent)]
pub struct View {
    #[serde(skip)]
    pub idp: Idp,
    shown: Box<RawValue>,
}

impl View {
    pub fn of(idp: Idp) -> Self {
        let raw: Option<Box<RawValue>> = serde_json::from_str(idp.text()).ok();
        let shown = raw.map_or_else(|| RawValue::NULL.to_owned(), |raw| masked(&raw));
        Self { idp, shown }
    }
}

impl Render for View {
    fn show(&self, page: &mut Page) {
        let mut fields = vec![
            ("name".to_owned(), Text::strong(&self.idp.name)),
            ("id".to_owned(), Text::plain(self.idp.id.as_str())),
            ("type".to_owned(), Text::plain(self.idp.kind.as_str())),
        ];
        if self.idp.is_read_only() {
            fields.push(("read-only".to_owned(), Text::warn("yes") + ", owned by another account"));
        }
        let document = self.shown.get().parse::<Document>().ok();
        for parent in ["config", "scim_config"] {
            let inner = document.as_ref().and_then(|document| document.get(&[parent]));
            for (name, value) in inner.and_then(members).unwrap_or_default() {
                fields.push((format!("{parent}.{name}"), Text::plain(display_value(value))));
            }
        }
        let fields: Vec<_> =
            fields.iter().map(|(label, text)| (label.as_str(), text.clone())).collect();
        page.fields(&fields);
    }

    fn names(&self) -> Vec<String> {
        vec![self.idp.name.clone()]
    }
}

fn display_value(value: &RawValue) -> String {
    match serde_json::from_str(value.get()) {
        Ok(Value::String(text)) => text,
        Ok(Value::Null) => "none".to_owned(),
        _ => value.get().to_owned(),
    }
}
