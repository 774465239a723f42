//! The envelope of every response, with the deviations of recorded responses (API reference,
//! section 1.3). The status decides, then `success`; `messages` are never read as errors.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error_response::ApiError;
use super::mask::mask_with;
use super::pages::Paging;
use super::request_error::Cause;

/// Limit of an API message, in characters.
const MAX_MESSAGE: usize = 1000;
/// Limit of the errors of one response.
const MAX_ERRORS: usize = 20;
/// Limit of an excerpt of a body that is not an envelope, in characters.
const MAX_EXCERPT: usize = 200;

#[derive(Debug)]
pub struct Success<'a> {
    /// `null` if the field is null, none if it is absent.
    pub result: Option<&'a str>,
    pub paging: Paging,
}

#[derive(Debug)]
pub enum EnvelopeError {
    Rejected(Vec<ApiError>),
    Malformed { cut: bool, reason: Cause },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    success: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    result_info: Option<&'a RawValue>,
}

/// The body of a 2xx response.
pub fn read<'a>(body: &'a [u8], secret: &str) -> Result<Success<'a>, EnvelopeError> {
    if body.trim_ascii().is_empty() {
        return Ok(Success { result: None, paging: Paging::default() });
    }
    let envelope: Envelope<'_> =
        serde_json::from_slice(body).map_err(|error| unreadable(&error, body, secret))?;
    let failed = match envelope.success.map(RawValue::get) {
        Some(success) => success != "true",
        // Some responses omit `success`: then errors decide.
        None => !errors(body, secret).is_empty(),
    };
    if failed {
        return Err(EnvelopeError::Rejected(errors(body, secret)));
    }
    Ok(Success {
        result: envelope.result.map(RawValue::get),
        paging: Paging::read(envelope.result_info.map(RawValue::get)),
    })
}

/// Keeps a null, which an `Option` would read as absent.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

fn unreadable(error: &serde_json::Error, body: &[u8], secret: &str) -> EnvelopeError {
    let cut = error.is_eof();
    let reason = if body.trim_ascii_start().starts_with(b"{") {
        format!("not a response of the API: {error}")
    } else {
        format!("it is not JSON: {}", excerpt(body, secret).unwrap_or_default())
    };
    EnvelopeError::Malformed { cut, reason: Cause(mask_with(&reason, secret)) }
}

/// The errors of a failed request; for a body that is not an envelope, an excerpt.
pub fn errors(body: &[u8], secret: &str) -> Vec<ApiError> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        let message = excerpt(body, secret);
        return message.map(|message| ApiError::new(None, message)).into_iter().collect();
    };
    let mut found = Vec::new();
    match body.get("errors") {
        Some(Value::Array(entries)) => entries.iter().for_each(|entry| flatten(entry, &mut found)),
        Some(entry) => flatten(entry, &mut found),
        None => {}
    }
    if found.is_empty()
        && let Some(Value::String(text)) = body.get("error")
    {
        found.push(ApiError::new(None, text.as_str()));
    }
    let more = found.len().saturating_sub(MAX_ERRORS);
    found.truncate(MAX_ERRORS);
    if more > 0 {
        found.push(ApiError::new(None, format!("and {more} more errors")));
    }
    let clean = |text: &str| mask_with(&shortened(text, MAX_MESSAGE), secret);
    for error in &mut found {
        error.message = clean(&error.message);
        error.documentation_url = error.documentation_url.as_deref().map(clean);
    }
    found
}

/// An entry is an object or a string. Often only `error_chain` has the useful text.
fn flatten(entry: &Value, found: &mut Vec<ApiError>) {
    match entry {
        Value::String(message) => found.push(ApiError::new(None, message.as_str())),
        Value::Object(fields) => {
            let code = fields.get("code").and_then(|code| match code {
                Value::String(text) => text.parse().ok(),
                code => code.as_u64(),
            });
            let message = fields.get("message").and_then(Value::as_str).unwrap_or_default();
            let chain = fields.get("error_chain").and_then(Value::as_array);
            let chain = chain.map(Vec::as_slice).unwrap_or_default();
            if !message.is_empty() || (code.is_some() && chain.is_empty()) {
                let url = fields.get("documentation_url").and_then(Value::as_str);
                let documentation_url = url.filter(|url| url.starts_with("https://"));
                found.push(ApiError {
                    documentation_url: documentation_url.map(str::to_owned),
                    ..ApiError::new(code, message)
                });
            }
            for entry in chain {
                flatten(entry, found);
            }
        }
        _ => {}
    }
}

/// The title of an HTML page, or the start of its text.
fn excerpt(body: &[u8], secret: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let text = title(&text).unwrap_or_else(|| without_tags(&text));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = mask_with(&shortened(&text, MAX_EXCERPT), secret);
    (!text.is_empty()).then_some(text)
}

fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = text[start..end].trim();
    (!title.is_empty()).then(|| title.to_owned())
}

fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let pieces = text.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    pieces.collect::<Vec<_>>().join(" ")
}

/// Removes control characters and marks that reorder text.
fn shortened(text: &str, most: usize) -> String {
    let is_shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text = text.replace(['\n', '\r', '\t'], " ");
    let mut short: String = text.chars().filter(is_shown).take(most).collect();
    if text.chars().filter(is_shown).nth(most).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed_errors(body: &str) -> Vec<(Option<u64>, String)> {
        errors(body.as_bytes(), "0ldT0ken").into_iter().map(|e| (e.code, e.message)).collect()
    }

    #[test]
    fn errors_are_found_in_every_shape_seen() {
        for (body, expected) in [
            (r#"{"errors":[{"code":1000,"message":"a"}]}"#, vec![(Some(1000), "a")]),
            (r#"{"success":false,"errors":["a","b"],"result":[]}"#, vec![(None, "a"), (None, "b")]),
            (
                r#"{"errors":[{"code":6003,"message":"a","error_chain":[{"code":6111,"message":"b"}]}]}"#,
                vec![(Some(6003), "a"), (Some(6111), "b")],
            ),
            (
                r#"{"errors":[{"code":7003,"error_chain":[{"code":7003,"message":"b"}]}]}"#,
                vec![(Some(7003), "b")],
            ),
            (r#"{"errors":[{"code":7003}]}"#, vec![(Some(7003), "")]),
            (r#"{"errors":[{"code":"7003","message":"a"}]}"#, vec![(Some(7003), "a")]),
            (r#"{"errors":{"message":"a"}}"#, vec![(None, "a")]),
            (r#"{"errors":"a"}"#, vec![(None, "a")]),
            (r#"{"error":"a"}"#, vec![(None, "a")]),
            (r#"{"errors":[],"messages":[{"code":10000,"message":"no error"}]}"#, vec![]),
            (r#"{"errors":null}"#, vec![]),
            (r#"{"errors":[null,1]}"#, vec![]),
            ("{}", vec![]),
            ("", vec![]),
            ("Things  caught\n fire", vec![(None, "Things caught fire")]),
            (
                "<html><head><TITLE>\n502 Bad Gateway</title></head>x",
                vec![(None, "502 Bad Gateway")],
            ),
            ("<p>Bad</p><p>Gateway</p>", vec![(None, "Bad Gateway")]),
            ("[1,2]", vec![(None, "[1,2]")]),
            (r#"{"errors":[{"code":1,"#, vec![(None, r#"{"errors":[{"code":1,"#)]),
            ("\u{202e}a\u{7}b", vec![(None, "ab")]),
            (
                r#"{"errors":[{"message":"bad 0ldT0ken and cfut_x1"}]}"#,
                vec![(None, "bad [masked] and cfut_[masked]")],
            ),
            ("Bearer 0ldT0ken x", vec![(None, "Bearer [masked] x")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(c, m)| (c, m.to_owned())).collect();
            assert_eq!(parsed_errors(body), expected, "{body}");
        }
    }

    #[test]
    fn of_many_errors_the_first_are_shown_and_the_rest_is_counted() {
        let errors = parsed_errors(&format!(r#"{{"errors":[{}"a"]}}"#, r#""b","#.repeat(4_999)));
        assert_eq!(errors.len(), MAX_ERRORS + 1);
        assert_eq!(errors.last().unwrap().1, "and 4980 more errors");
    }

    #[test]
    fn success_is_told_from_failure() {
        for (body, expected) in [
            (r#"{"success":true,"errors":[],"result":{"id":1}}"#, Some(Some(r#"{"id":1}"#))),
            (
                r#"{"success":true,"messages":[{"code":10000,"message":"a"}],"result":1}"#,
                Some(Some("1")),
            ),
            (r#"{"success":true,"errors":[],"messages":[]}"#, Some(None)),
            (r#"{"success":true,"result":null}"#, Some(Some("null"))),
            (r#"{"result":{"id":"r1"}}"#, Some(Some(r#"{"id":"r1"}"#))),
            (r#"{"result":{"id":"r1"},"errors":[]}"#, Some(Some(r#"{"id":"r1"}"#))),
            ("", Some(None)),
            (" \n", Some(None)),
            ("{}", Some(None)),
            (r#"{"success":false,"errors":[],"result":{}}"#, None),
            (r#"{"success":"no","result":{}}"#, None),
            (r#"{"errors":[{"code":1,"message":"a"}]}"#, None),
        ] {
            let result = read(body.as_bytes(), "");
            match expected {
                Some(expected) => assert_eq!(result.unwrap().result, expected, "{body}"),
                None => assert!(matches!(result, Err(EnvelopeError::Rejected(_))), "{body}"),
            }
        }
    }

    #[test]
    fn what_cannot_be_read_says_whether_it_was_cut() {
        for (body, cut, words) in [
            (r#"{"success":true,"result":{"a"#, true, "not a response of the API"),
            (r#"{"success":true,]"#, false, "not a response of the API"),
            ("<html><title>Sign in</title>", false, "not JSON: Sign in"),
            ("[]", false, "not JSON: []"),
        ] {
            let Err(EnvelopeError::Malformed { cut: was_cut, reason }) = read(body.as_bytes(), "")
            else {
                panic!("{body}");
            };
            assert_eq!(was_cut, cut, "{body}");
            assert!(reason.to_string().contains(words), "{body}: {reason}");
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let [(None, message)] = &parsed_errors(&"x".repeat(100_000))[..] else { panic!() };
        assert_eq!(message.chars().count(), MAX_EXCERPT + 1);
        assert!(message.ends_with('…'));
    }
}
