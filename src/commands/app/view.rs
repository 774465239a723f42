use super::super::connector::view::age;
use crate::api::app::{App, AppFields};
use crate::output::{Page, Render, Text};

impl Render for App {
    fn show(&self, page: &mut Page) {
        let mut fields = vec![
            ("name", Text::strong(&self.name)),
            ("id", Text::plain(self.id.as_str())),
            ("type", Text::plain(self.type_name())),
            ("allows", allowed_idps_text(self)),
            ("instant auth", instant_auth_text(self)),
        ];
        if let Some(domain) = &self.domain {
            fields.push(("domain", Text::plain(domain)));
        }
        if let Some(aud) = &self.aud {
            fields.push(("audience", Text::plain(aud)));
        }
        fields.push(("created", age(self.created_at.as_deref(), page.now(), true)));
        fields.push(("updated", age(self.updated_at.as_deref(), page.now(), true)));
        page.fields(&fields);
        page.line(Text::dim("All fields: `-o json`."));
    }

    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }
}

pub fn allowed_idps_text(app: &AppFields) -> Text {
    match app.listed_idps() {
        [] => Text::plain("all identity providers"),
        listed => {
            let ids: Vec<_> = listed.iter().map(ToString::to_string).collect();
            Text::plain(ids.join(", "))
        }
    }
}

pub fn instant_auth_text(app: &AppFields) -> Text {
    match app.auto_redirect_to_identity {
        Some(true) => Text::plain("on"),
        Some(false) => Text::plain("off"),
        None => Text::dim("unknown"),
    }
}
