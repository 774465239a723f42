//! `--config-file`: an identity provider in JSON, YAML or TOML, in the shape of the API.

use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use super::secret::{Raw, accept_given};
use crate::api::document::{Document, items, members};
use crate::context::Context;
use crate::flow::FlowError;
use crate::input::secret::is_mask;
use crate::input::secret_name::is_secret_name;
use crate::input::text::decode;
use crate::input::value;
use crate::input::{self, depth};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Json,
    Yaml,
    Toml,
}

/// Secrets in the file are checked like pasted ones.
pub async fn read(context: &Context, file: &Path, raw: Raw) -> anyhow::Result<Document> {
    let is_stdin = file == Path::new("-");
    let name = name(file);
    let unreadable = |cause: String| FlowError::usage(format!("cannot read {name}")).cause(cause);
    let bytes = if is_stdin {
        context.screen.read_to_end().await
    } else {
        input::file::read(file, input::file::MAX_SIZE)
    };
    let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
    let text = decode(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if text.trim().is_empty() {
        return Err(unreadable("it is empty".to_owned()).into());
    }
    let mut document = parse(&text, syntax(file, &text)).map_err(|cause| {
        FlowError::usage(format!("{name} is not an identity provider configuration"))
        .cause(cause)
        .hint("expected an object with `name`, `type` and `config`, as of `cfsso idp get -o json`")
    })?;
    if let Some(cause) = wrong_shape(&document) {
        return Err(unreadable(cause).into());
    }
    let secrets = secrets(&document.to_raw());
    if !secrets.is_empty() && !is_stdin {
        context.ensure_private(file, "secret")?;
    }
    for (path, text) in secrets {
        let field = path.join(".");
        let given = raw.in_text(&text).map_err(Into::into);
        let secret = accept_given(given, &format!("`{field}` in {name}"), context)?;
        if secret != text {
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            document.set(&path, &secret).map_err(FlowError::from)?;
        }
    }
    Ok(document)
}

/// Finds shapes that the API would store and no program could read.
fn wrong_shape(document: &Document) -> Option<String> {
    let is_object = |name: &str| {
        document.get(&[name]).is_none_or(|value| members(value).is_some() || value.get() == "null")
    };
    if let Some(name) = ["config", "scim_config"].into_iter().find(|name| !is_object(name)) {
        return Some(format!("`{name}` must be an object"));
    }
    if let Some(Err(wrong)) = document.parse_at(&["name"]).map(|name: String| value::name(&name)) {
        return Some(format!("`name`: {wrong}"));
    }
    let enabled = document.get(&["scim_config", "enabled"])?;
    let is_boolean = ["true", "false"].contains(&enabled.get());
    (!is_boolean).then(|| "`scim_config.enabled` must be true or false".to_owned())
}

/// The file's name in messages; `-` is standard input.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") {
        return "standard input".to_owned();
    }
    format!("`{}`", file.display())
}

/// Masks are excluded: each command decides what a mask in a file means.
fn secrets(value: &RawValue) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    collect(value, &mut Vec::new(), false, &mut found);
    found
}

fn collect(
    value: &RawValue,
    path: &mut Vec<String>,
    is_secret: bool,
    found: &mut Vec<(Vec<String>, String)>,
) {
    if let (true, Ok(text)) = (is_secret, serde_json::from_str::<String>(value.get())) {
        if !is_mask(&text) {
            found.push((path.clone(), text));
        }
        return;
    }
    let items = items(value).unwrap_or_default().into_iter().enumerate();
    let items = items.map(|(index, item)| (index.to_string(), item));
    for (name, value) in members(value).unwrap_or_default().into_iter().chain(items) {
        let is_secret = is_secret || is_secret_name(&name);
        path.push(name);
        collect(value, path, is_secret, found);
        path.pop();
    }
}

pub fn syntax(file: &Path, text: &str) -> Syntax {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Syntax::Json,
        Some("yaml" | "yml") => Syntax::Yaml,
        Some("toml") => Syntax::Toml,
        _ if text.trim_start().starts_with('{') => Syntax::Json,
        _ if text.parse::<toml::Table>().is_ok() => Syntax::Toml,
        _ => Syntax::Yaml,
    }
}

/// The error contains the position only, never the text there: it may be a secret.
pub fn parse(text: &str, syntax: Syntax) -> Result<Document, String> {
    let value: Value = match syntax {
        Syntax::Json => return document(text),
        Syntax::Yaml => {
            serde_saphyr::from_str_with_options(text, yaml_options()).map_err(|error| {
                if let serde_saphyr::Error::Budget { breach, .. } = error.without_snippet() {
                    return over_budget(breach).to_owned();
                }
                let place = error.location().map(|at| (at.line(), at.column()));
                let (line, column) = place.unwrap_or((1, 1));
                format!("invalid YAML: line {line}, column {column}")
            })?
        }
        Syntax::Toml => toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("invalid TOML: line {line}, column {column}")
        })?,
    };
    document(&value.to_string())
}

/// Aliases are off: a few of them can expand to gigabytes.
fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0 },
    }
}

fn over_budget(breach: &serde_saphyr::budget::BudgetBreach) -> &'static str {
    use serde_saphyr::budget::BudgetBreach;
    match breach {
        BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. } => {
            "YAML anchors and aliases are not supported"
        }
        _ => "it is too large",
    }
}

fn document(json: &str) -> Result<Document, String> {
    depth::check(json.as_bytes()).map_err(|error| error.to_string())?;
    let document: Document = json.parse().map_err(|error: serde_json::Error| {
        if error.is_data() {
            return "not an object, or it has a duplicate key".to_owned();
        }
        format!("invalid JSON: line {}, column {}", error.line(), error.column())
    })?;
    if document.members().any(|(_, value)| has_duplicate_key(value)) {
        return Err("an object in it has a duplicate key".to_owned());
    }
    Ok(document)
}

fn has_duplicate_key(value: &RawValue) -> bool {
    match value.get().as_bytes().first() {
        Some(b'{') => members(value)
            .is_none_or(|members| members.iter().any(|(_, value)| has_duplicate_key(value))),
        Some(b'[') => {
            items(value).is_none_or(|items| items.iter().any(|value| has_duplicate_key(value)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_syntax_is_told_and_read() {
        for (file, text, syntax) in [
            ("a.json", "{}", Syntax::Json),
            ("a.yml", "{}", Syntax::Yaml),
            ("a.toml", "", Syntax::Toml),
            ("-", " {\"a\":1}", Syntax::Json),
            ("-", "type = \"okta\"\n[config]\na = 1", Syntax::Toml),
            ("-", "type: okta\nconfig:\n  a: 1", Syntax::Yaml),
        ] {
            assert_eq!(self::syntax(Path::new(file), text), syntax, "{text}");
        }
        for (text, syntax) in [
            (r#"{"config":{"n":12345678901234567890123}}"#, Syntax::Json),
            ("config: {n: 5}", Syntax::Yaml),
            ("[config]\nn = 5", Syntax::Toml),
        ] {
            assert!(parse(text, syntax).unwrap().get(&["config", "n"]).is_some(), "{text}");
        }
        let kept = parse(r#"{"n":12345678901234567890123}"#, Syntax::Json).unwrap();
        assert_eq!(kept.get(&["n"]).unwrap().get(), "12345678901234567890123");
    }

    #[test]
    fn the_secrets_of_a_file_are_those_by_name() {
        let text = r#"{"name":"a","config":{"client_id":"i","client_secret":"s","api_token":"***"},"new":{"secret":[{"k":"t"},null]}}"#;
        let found: Vec<_> = secrets(&text.parse::<Document>().unwrap().to_raw())
            .into_iter()
            .map(|(path, secret)| (path.join("."), secret))
            .collect();
        let expected = [("config.client_secret", "s"), ("new.secret.0.k", "t")]
            .map(|(path, secret)| (path.to_owned(), secret.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn an_error_names_its_place_and_never_a_secret() {
        for (text, syntax, place) in [
            ("{\"client_secret\": \"s3cret\"\n  x}", Syntax::Json, "line 2, column 3"),
            ("client_secret = \"s3cret\"\nx = = 1", Syntax::Toml, "line 2, column 5"),
            ("client_secret: s3cret\n  x: : [", Syntax::Yaml, "line 2"),
        ] {
            let error = parse(text, syntax).unwrap_err();
            assert!(error.contains(place) && !error.contains("s3cret"), "{error}");
        }
        assert!(parse("[]", Syntax::Json).is_err());
        let error = parse(r#"{"a":[{"b":1,"c":{"d":1,"d":2}}]}"#, Syntax::Json).unwrap_err();
        assert_eq!(error, "an object in it has a duplicate key");
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        for (text, syntax) in [
            (format!(r#"{{"a":{}}}"#, nested(200_000)), Syntax::Json),
            (format!("a: {}", nested(130)), Syntax::Yaml),
            (format!("a: {}", nested(200_000)), Syntax::Yaml),
            (format!("a = {}", nested(200_000)), Syntax::Toml),
        ] {
            assert!(parse(&text, syntax).is_err());
        }
        let error = parse(&format!(r#"{{"a":{}}}"#, nested(128)), Syntax::Json).unwrap_err();
        assert!(error.contains("deeper than 128"), "{error}");
    }
}
