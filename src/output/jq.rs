//! Results filtered by a jq expression: `--jq '.[].email_domain'`.

use std::time::Duration;

use jaq_core::load::{self, Arena, File, Loader, parse};
use jaq_core::{Compiler, Ctx, Vars, compile, data};
use jaq_json::{Val, read};

use super::json::{Layout, format_json};
use super::sanitize::sanitize;

/// Definitions of jq that need what is left out of this program: regular expressions, times,
/// logarithms and the like, encodings, the environment (which contains the token), and output to
/// standard error.
const LEFT_OUT: [&str; 26] = [
    "stderr",
    "debug",
    "halt_error",
    "logb",
    "significand",
    "pow10",
    "drem",
    "nexttoward",
    "scalb",
    "gamma",
    "test",
    "scan_",
    "scan",
    "match",
    "capture",
    "splits",
    "sub",
    "gsub",
    "todate",
    "fromdate",
    "@html",
    "@htmld",
    "@uri",
    "@urid",
    "@base64",
    "@base64d",
];
/// As `LEFT_OUT`, for names that exist with several numbers of arguments.
const LEFT_OUT_OF_SEVERAL: [(&str, usize); 1] = [("split", 2)];

/// An invalid expression, or one that fails on a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("jq: {0}")]
pub struct JqError(String);

/// Fails if `expression` cannot be parsed.
pub fn check(expression: &str) -> Result<(), JqError> {
    apply(expression, &[], Layout::Compact).map(drop)
}

/// An expression may never end.
const LIMIT: Duration = Duration::from_secs(10);

/// [`apply`] on a thread of its own, which is not waited for beyond [`LIMIT`].
pub(super) fn filter(expression: &str, inputs: &[&str], layout: Layout) -> Result<String, JqError> {
    let expression = expression.to_owned();
    let inputs: Vec<_> = inputs.iter().map(|input| (*input).to_owned()).collect();
    let (sender, result) = std::sync::mpsc::channel();
    let work = move || {
        let inputs: Vec<_> = inputs.iter().map(String::as_str).collect();
        // Fails if the caller stopped waiting.
        let _ = sender.send(apply(&expression, &inputs, layout));
    };
    std::thread::Builder::new().spawn(work).map_err(|error| JqError(error.to_string()))?;
    let too_long = || JqError(format!("it did not end in {} seconds", LIMIT.as_secs()));
    result.recv_timeout(LIMIT).unwrap_or_else(|_| Err(too_long()))
}

/// The results for each input, one a line: strings without quotes, everything else as JSON.
fn apply(expression: &str, inputs: &[&str], layout: Layout) -> Result<String, JqError> {
    let is_defined = |definition: &parse::Def<&str>| {
        let name = (definition.name, definition.args.len());
        !LEFT_OUT.contains(&definition.name) && !LEFT_OUT_OF_SEVERAL.contains(&name)
    };
    let standard = jaq_std::defs().filter(is_defined);
    let definitions = jaq_core::defs().chain(standard).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let program = File { code: expression, path: () };
    let modules = Loader::new(definitions).load(&arena, program).map_err(|all| unread(&all))?;
    let filter = Compiler::default().with_funs(functions).compile(modules);
    let filter = filter.map_err(|all| undefined(&all))?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut text = String::new();
    for input in inputs {
        let input = read::parse_single(input.as_bytes());
        let input = input.map_err(|error| JqError(error.to_string()))?;
        for value in filter.id.run((context.clone(), input)) {
            let value = match value.map_err(jaq_core::Exn::get_err) {
                Ok(value) => value,
                Err(Ok(error)) => return Err(JqError(error.to_string())),
                // `halt`, or a `break` to nowhere.
                Err(Err(_)) => return Ok(text),
            };
            text += &line(&value, layout);
            text.push('\n');
        }
    }
    Ok(text)
}

fn line(value: &Val, layout: Layout) -> String {
    match value {
        Val::TStr(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            text.lines().map(sanitize).collect::<Vec<_>>().join("\n")
        }
        other => format_json(&other.to_string(), layout),
    }
}

fn unread(all: &load::Errors<&str, ()>) -> JqError {
    let found = |text: &str| {
        if text.is_empty() { "the end".to_owned() } else { format!("`{text}`") }
    };
    let first = match all.first().map(|(_, error)| error) {
        Some(load::Error::Io(files)) => {
            files.first().map(|(file, reason)| format!("{file}: {reason}"))
        }
        Some(load::Error::Lex(all)) => all
            .first()
            .map(|(wanted, rest)| format!("expected {}, got {}", wanted.as_str(), found(rest))),
        Some(load::Error::Parse(all)) => all
            .first()
            .map(|(wanted, rest)| format!("expected {}, got {}", wanted.as_str(), found(rest))),
        None => None,
    };
    JqError(first.unwrap_or_else(|| "cannot be read".to_owned()))
}

fn undefined(all: &compile::Errors<&str, ()>) -> JqError {
    let first = all.first().and_then(|(_, names)| names.first());
    let text = first.map(|(name, what)| format!("unknown {} `{name}`", what.as_str()));
    JqError(text.unwrap_or_else(|| "cannot be compiled".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_without_quotes_and_values_as_json() {
        const LIST: &str = r#"[{"a":"x\u001b[31m","n":1.10},{"a":"y","n":12345678901234567890}]"#;
        for (expression, layout, expected) in [
            (".[].a", Layout::Compact, "x\ny\n"),
            (".[] | {a: .n}", Layout::Compact, "{\"a\":1.10}\n{\"a\":12345678901234567890}\n"),
            ("map(.a | length)", Layout::Pretty, "[\n  6,\n  1\n]\n"),
            ("[.[] | select(.a == \"y\")][0].n", Layout::Compact, "12345678901234567890\n"),
            ("empty", Layout::Compact, ""),
            ("\"it's\" | @sh", Layout::Compact, "'it'\\''s'\n"),
            (".[0].a | startswith(\"x\")", Layout::Compact, "true\n"),
            ("map(.a) | sort | join(\",\")", Layout::Compact, "x,y\n"),
            (
                "[.[].n] | @json, @text, length",
                Layout::Compact,
                "[1.10,12345678901234567890]\n[1.10,12345678901234567890]\n2\n",
            ),
            ("group_by(.a) | map({(.[0].a): length}) | add | keys | first", Layout::Compact, "x\n"),
            ("\"a b\" | split(\" \") | last", Layout::Compact, "b\n"),
            ("1, halt, 2", Layout::Compact, "1\n"),
        ] {
            assert_eq!(apply(expression, &[LIST], layout).unwrap(), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_told_before_anything_is_done() {
        for (expression, error) in [
            (".[", "jq: expected closing bracket, got the end"),
            ("foo", "jq: unknown filter `foo`"),
            ("$x", "jq: unknown variable `$x`"),
            ("env.HOME", "jq: unknown filter `env`"),
            (". |", "jq: expected term, got the end"),
        ] {
            assert_eq!(check(expression).unwrap_err().to_string(), error);
        }
        assert!(apply(".a", &["[1]"], Layout::Compact).is_err());
        check(".").unwrap();
    }
}
