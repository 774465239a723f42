//! An account's state as configuration of the Cloudflare provider for Terraform, with import
//! blocks. Pure. Import IDs, attributes, and what a plan does after an import are those of
//! cloudflare/cloudflare 5.22 (`internal/services/*/{schema,resource}.go`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::export::{exported_config, identifier, variable};
use super::facts::Facts;
use super::{Desired, DesiredShare, Selection};
use crate::api::connector::Connector;
use crate::api::idp::{Idp, IdpType};
use crate::api::ids::AccountId;
use crate::idp::kind;
use crate::input::character::is_invisible;
use crate::shell::quoted;

/// Fields of `config` that the provider has no attribute for.
const UNKNOWN_FIELDS: [&str; 3] =
    ["restrict_to_account_members", "idp_public_cert", "enable_encryption"];

const HEADER: &str = "\
# Provider cloudflare/cloudflare 5.22 or newer, Terraform 1.5 or newer.
# `terraform plan` has to show imports, and no replacement. Do not add
# `begin_verification`: the connector would be replaced, and SSO lost.
";

/// `desired` is what [`export`](super::export) made of the same facts.
pub fn render(account: &AccountId, facts: &Facts, desired: &Desired) -> String {
    let mut writer =
        Writer { account, text: format!("# Account {account}\n{HEADER}"), labels: BTreeSet::new() };
    for idp in &facts.idps {
        writer.idp(idp);
    }
    if let Some(app) = &facts.app {
        writer.comment(&[
            "The SSO App: created by Cloudflare, import only. This writes its resource,",
            "which has to keep `saas_app`:",
            "  terraform plan -generate-config-out=sso_app.tf",
        ]);
        let id = format!("accounts/{account}/{}", app.id);
        writer.import("cloudflare_zero_trust_access_application", "sso_app", &id);
    }
    for connector in &facts.connectors {
        writer.connector(connector);
    }
    writer.federation(desired.shares());
    writer.text
}

struct Writer<'a> {
    account: &'a AccountId,
    text: String,
    /// Labels and variables in use, each with its type.
    labels: BTreeSet<(&'static str, String)>,
}

impl Writer<'_> {
    fn idp(&mut self, idp: &Idp) {
        const TYPE: &str = "cloudflare_zero_trust_access_identity_provider";
        if idp.is_read_only() {
            self.comment(&[&format!(
                "{}: shared by another account, not managed here",
                single_line(&idp.name)
            )]);
            return;
        }
        if matches!(idp.kind, IdpType::Cloudflare | IdpType::Other(_)) {
            let kind = idp.kind.as_str();
            self.comment(&[&format!(
                "{}: the provider does not know the type {}",
                single_line(&idp.name),
                single_line(kind)
            )]);
            return;
        }
        let label = self.label(TYPE, &idp.name);
        let kind = kind::find(idp.kind.as_str());
        let has_secret =
            kind.is_some_and(|kind| kind.secrets().any(|field| field == "client_secret"));
        let (config, left_out): (Vec<_>, Vec<_>) = exported_config(idp)
            .into_iter()
            .partition(|(name, _)| !UNKNOWN_FIELDS.contains(&name.as_str()));
        let mut members: Vec<_> =
            config.into_iter().map(|(name, value)| (name, expression(&value, 4))).collect();
        if has_secret {
            let name = self.label("variable", &variable(&idp.name));
            self.block(
                &format!("variable {}", string(&name)),
                &[("type", "string".to_owned()), ("sensitive", "true".to_owned())],
            );
            members.push(("client_secret".to_owned(), format!("var.{name}")));
        }
        for (name, _) in left_out {
            self.comment(&[&format!(
                "{}: the provider has no attribute for {name}",
                single_line(&idp.name)
            )]);
        }
        let config = if members.is_empty() { "{}".to_owned() } else { object(&members, 2) };
        self.block(
            &format!("resource {} {}", string(TYPE), string(&label)),
            &[
                ("account_id", string(self.account.as_str())),
                ("name", string(&idp.name)),
                ("type", string(idp.kind.as_str())),
                ("config", config),
            ],
        );
        self.import(TYPE, &label, &format!("accounts/{}/{}", self.account, idp.id));
    }

    fn connector(&mut self, connector: &Connector) {
        const TYPE: &str = "cloudflare_sso_connector";
        let label = self.label(TYPE, &connector.email_domain);
        let _ = write!(self.text, "\nresource {} {} {{\n", string(TYPE), string(&label));
        let attributes = [
            ("account_id".to_owned(), string(self.account.as_str())),
            ("email_domain".to_owned(), string(&connector.email_domain)),
            // Without it, the plan would unset what was imported.
            ("enabled".to_owned(), connector.is_enabled().to_string()),
            (
                "use_fedramp_language".to_owned(),
                (connector.use_fedramp_language == Some(true)).to_string(),
            ),
        ];
        self.text.push_str(&assignments(&attributes, 2));
        self.text.push_str("\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n");
        self.import(TYPE, &label, &format!("{}/{}", self.account, connector.id));
    }

    fn federation(&mut self, shares: &[DesiredShare]) {
        if shares.is_empty() {
            return;
        }
        let mut lines = vec!["Federation grants have no resource in the provider:".to_owned()];
        lines.extend(shares.iter().map(|share| {
            let to = match &share.accounts {
                Selection::All(_) => "--entire-organization".to_owned(),
                Selection::Only(accounts) => format!("--to {}", accounts.join(" ")),
            };
            format!("  cfsso federation share {} {to}", single_line(&quoted(&share.idp)))
        }));
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        self.comment(&lines);
    }

    fn import(&mut self, kind: &'static str, label: &str, id: &str) {
        let to = format!("{kind}.{label}");
        self.block("import", &[("to", to), ("id", string(id))]);
    }

    fn block(&mut self, head: &str, attributes: &[(&str, String)]) {
        let attributes: Vec<_> =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let body = assignments(&attributes, 2);
        let _ = write!(self.text, "\n{head} {{\n{body}}}\n");
    }

    fn comment(&mut self, lines: &[&str]) {
        self.text.push('\n');
        for line in lines {
            let _ = writeln!(self.text, "# {line}");
        }
    }

    /// Unique among the blocks of this type.
    fn label(&mut self, kind: &'static str, name: &str) -> String {
        let mut label = identifier(name).to_ascii_lowercase();
        if !label.starts_with(|c: char| c.is_ascii_alphabetic()) {
            label.insert(0, '_');
        }
        let base = label.clone();
        let mut number = 1;
        while !self.labels.insert((kind, label.clone())) {
            number += 1;
            label = format!("{base}_{number}");
        }
        label
    }
}

/// Text of the server for a comment: must stay on one line.
fn single_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Aligned as `terraform fmt` does: a value of several lines ends a group.
fn assignments(attributes: &[(String, String)], indent: usize) -> String {
    let mut text = String::new();
    for group in attributes.chunk_by(|a, b| !a.1.contains('\n') && !b.1.contains('\n')) {
        let width = group.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in group {
            let _ = writeln!(text, "{:indent$}{name:width$} = {value}", "");
        }
    }
    text
}

fn object(members: &[(String, String)], indent: usize) -> String {
    format!("{{\n{}{:indent$}}}", assignments(members, indent + 2), "")
}

fn expression(value: &Value, indent: usize) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| expression(item, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| (string(name), expression(value, indent + 2)))
                .collect();
            object(&members, indent)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A quoted template without interpolation (HCL native syntax, "Template Expressions").
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => quoted.extend([c, c]),
            // The output would leave out control characters and text direction marks.
            c if c != ' ' && is_invisible(c) => {
                let _ = match u32::from(c) {
                    code @ ..=0xFFFF => write!(quoted, "\\u{code:04X}"),
                    code => write!(quoted, "\\U{code:08X}"),
                };
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_no_template() {
        for (text, expected) in [
            ("a", r#""a""#),
            ("a\"b\\", r#""a\"b\\""#),
            ("${x} %{y} $x $${z}", r#""$${x} %%{y} $x $$${z}""#),
            ("a\nb\u{7}", r#""a\nb\u0007""#),
            ("\u{1b}[31m\u{202e}\u{2028}é 猫", r#""\u001B[31m\u202E\u2028é 猫""#),
            ("\u{e0067}", r#""\U000E0067""#),
        ] {
            assert_eq!(string(text), expected);
        }
    }

    #[test]
    fn labels_are_identifiers_and_unique() {
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let mut writer = Writer { account: &account, text: String::new(), labels: BTreeSet::new() };
        for (kind, name, expected) in [
            ("a", "cool.cats", "cool_cats"),
            ("a", "cool-cats", "cool_cats_2"),
            ("b", "Cool (cats)", "cool_cats"),
            ("a", "2nd", "_2nd"),
            ("a", "", "_"),
            ("a", "猫", "__2"),
        ] {
            assert_eq!(writer.label(kind, name), expected, "{name}");
        }
    }
}
