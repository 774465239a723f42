//! The words of the program: every text that a person can meet is in plain
//! technical English. What is listed here was rewritten once and stays out.

use std::path::Path;

/// Words and constructions that must not come back.
const WORDS: &[&str] = &[
    "seen to",
    "was seen",
    "not seen",
    "is seen",
    "proven",
    "proves",
    "mend",
    "somebody",
    "everybody",
    "nobody",
    "anybody",
    "whoever",
    "all the same",
    "any more",
    "besides",
    "still stands",
    "that stands",
    "holds no",
    "it holds",
    "tells",
    "lets ",
    "let in",
    "admit",
    "e-mail",
    "put back",
    "puts back",
    "puts it back",
    "take back",
    "takes it back",
    "goes on",
    "comes to",
    " is no ",
    "reads back",
    "read back",
    "reads so",
    "way in",
    "way back",
    "in force",
    "under way",
    "half way",
    "rightly",
    "underneath",
    "sees no",
    "may not read",
    "was not told",
    "not told",
    "is gone",
    "carried out",
    "left behind",
    "beforehand",
];

/// Texts that are right as they are, with the reason.
const ALLOWED: &[(&str, &str)] = &[
    (" is no longer ", "a change over time"),
    ("there is no ", "absence, as in kubectl and terraform"),
    ("recommended", "the word contains one of the list"),
    ("recommendation", "the word contains one of the list"),
    ("cfsso sandbox signs nobody in", "an answer of the simulated identity provider"),
    ("everybody at cool cats", "data of the simulator"),
];

#[test]
fn texts_are_plain() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for (name, text) in files(&root.join("src")) {
        let is_prose = Path::new(&name).extension().is_some_and(|end| end == "md");
        let texts = if is_prose {
            vec![text]
        } else {
            let program = program(&text);
            let mut texts = literals(program);
            texts.extend(comments(program));
            texts
        };
        found.extend(texts.iter().flat_map(|text| dialect(&name, text)));
    }
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    found.extend(dialect("README.md", &readme));
    assert!(found.is_empty(), "{} texts:\n{}", found.len(), found.join("\n"));
}

#[test]
fn literals_are_found_whatever_surrounds_them() {
    let source = concat!(
        "// \"a comment\"\n",
        "let a = 'x'; let b = \"one \\\" two\"; let c = r#\"three \"four\"\"#;\n",
        "fn d<'a>(e: &'a str) -> char { '\"' }\n",
        "let f = \"five\";",
    );
    assert_eq!(literals(source), [r#"one \" two"#, r#"three "four""#, "five"]);
    assert_eq!(
        dialect("x", "nobody admits it"),
        ["x: `nobody`: nobody admits it", "x: `admit`: nobody admits it"]
    );
    assert_eq!(dialect("x", "the command line"), [""; 0]);
}

/// The comments of Rust source, a line each: those of items are help texts and
/// descriptions in schemas.
fn comments(source: &str) -> Vec<String> {
    let lines = source.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    lines.map(|line| line.trim_start_matches(['/', '!']).to_owned()).collect()
}

/// The text without what is inserted: `{admitted}` is the name of a variable.
fn without_placeholders(text: &str) -> String {
    let parts = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    parts.collect::<Vec<_>>().join(" ")
}

/// A file's code without its tests.
fn program(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

fn dialect(name: &str, text: &str) -> Vec<String> {
    let lower = without_placeholders(text).to_lowercase();
    let is_allowed =
        |word: &str| ALLOWED.iter().any(|(text, _)| lower.contains(text) && text.contains(word));
    WORDS
        .iter()
        .filter(|word| lower.contains(**word) && !is_allowed(word))
        .map(|word| format!("{name}: `{word}`: {text}"))
        .collect()
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        let is = |end: &str| path.extension().is_some_and(|extension| extension == end);
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if is("md") || (is("rs") && !path.ends_with("tests.rs")) {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path.display().to_string(), text));
        }
    }
    files
}

/// The string literals of Rust source; comments and characters are skipped.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '\'', '/', 'r']) {
        let (before, here) = rest.split_at(at);
        let is_word = before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let hashes = here[1..].bytes().take_while(|byte| *byte == b'#').count();
        rest = if here.starts_with("//") {
            here.split_once('\n').map_or("", |(_, rest)| rest)
        } else if here.starts_with('r') && !is_word && here[1 + hashes..].starts_with('"') {
            let text = &here[2 + hashes..];
            let end = format!("\"{}", "#".repeat(hashes));
            let (literal, rest) = text.split_once(&end).unwrap_or((text, ""));
            found.push(literal.to_owned());
            rest
        } else if let Some(text) = here.strip_prefix('"') {
            let end = end_of_literal(text);
            found.push(text[..end].to_owned());
            text.get(end + 1..).unwrap_or("")
        } else if let Some(text) = here.strip_prefix("'\\") {
            text.split_once('\'').map_or("", |(_, rest)| rest)
        } else if here.starts_with('\'') && here.chars().nth(2) == Some('\'') {
            let width: usize = here.chars().take(3).map(char::len_utf8).sum();
            &here[width..]
        } else {
            &here[1..]
        };
    }
    found
}

fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    let is_end = |character: char| {
        let is_end = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        is_end
    };
    text.find(is_end).unwrap_or(text.len())
}
