//! Comma-separated values (RFC 4180) that a spreadsheet shows as text.

use super::sanitize::sanitize;

/// What makes a spreadsheet read a cell as a formula, full-width forms included
/// (OWASP, CSV injection).
const FORMULA: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Quotes each value and ends lines with CRLF. A value that could be a formula gets an apostrophe.
pub fn csv<R: AsRef<[String]>>(header: &[&str], rows: impl IntoIterator<Item = R>) -> String {
    let header = header.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
    let rows = rows
        .into_iter()
        .map(|row| row.as_ref().iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
    [header].into_iter().chain(rows).map(|line| line + "\r\n").collect()
}

fn quoted(cell: &str) -> String {
    let cell = sanitize(cell);
    let guard = if cell.trim_start().starts_with(FORMULA) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted_and_never_a_formula() {
        for (cell, written) in [
            ("ada@cool.cats", r#""ada@cool.cats""#),
            ("Cool, Cats", r#""Cool, Cats""#),
            (r#"the "best" cat"#, r#""the ""best"" cat""#),
            ("", r#""""#),
            ("=HYPERLINK(\"http://a\")@cool.cats", r#""'=HYPERLINK(""http://a"")@cool.cats""#),
            ("+1@cool.cats", r#""'+1@cool.cats""#),
            ("-1", r#""'-1""#),
            ("@SUM(A1)", r#""'@SUM(A1)""#),
            (" \t=1", r#""'  =1""#),
            ("＝1", r#""'＝1""#),
            ("two\r\nlines,\u{202e}", r#""two lines,""#),
            ("\u{1b}[31m=1", r#""'=1""#),
        ] {
            assert_eq!(quoted(cell), written, "{cell:?}");
        }
        let rows = [["1".to_owned(), "2".to_owned()]];
        assert_eq!(csv(&["a", "b"], rows), "\"a\",\"b\"\r\n\"1\",\"2\"\r\n");
    }
}
