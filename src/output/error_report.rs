//! The form of an error, for people and for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::exit_code::ExitCode;
use super::invocation::Invocation;
use super::page::Page;
use super::text::Text;

/// The longest label and a space, in columns.
const GUTTER: usize = 7;

/// The error of a failed command. Its field names are stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorReport {
    /// The stable name of the kind of error, such as `not-found`.
    pub kind: String,
    /// The error in one sentence: what failed, and on what.
    pub message: String,
    /// The causes, one sentence each, outermost first.
    pub causes: Vec<String>,
    /// The HTTP status; `null` if the API did not respond.
    pub http_status: Option<u16>,
    /// The errors that the API returned.
    pub api_errors: Vec<ApiError>,
    /// The Cloudflare Ray ID of the response (`cf-ray`).
    pub ray_id: Option<String>,
    /// The method and path of the request.
    pub request: Option<String>,
    /// Whether the same command can be run again unchanged.
    pub retryable: bool,
    /// The next action; a command to run is in backticks.
    pub hint: Option<String>,
    /// The permission that the token lacks.
    pub required_permission: Option<String>,
    /// The exit code of the process.
    pub exit_code: ExitCode,
}

/// Written to standard error in the structured formats: `{"error":{…}}`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ErrorDocument<'a> {
    pub error: &'a ErrorReport,
}

/// An error that the API returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApiError {
    /// The error code of the API.
    pub code: Option<u64>,
    /// The error message of the API.
    pub message: String,
    /// The URL of the API's documentation of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
}

impl ErrorReport {
    pub fn new(exit_code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            kind: exit_code.name().to_owned(),
            message: message.into(),
            causes: Vec::new(),
            http_status: None,
            api_errors: Vec::new(),
            ray_id: None,
            request: None,
            retryable: false,
            hint: None,
            required_permission: None,
            exit_code,
        }
    }

    /// Adds the global options of this run to the command in the hint.
    pub(super) fn with_invocation(mut self, invocation: &Invocation) -> Self {
        self.hint = self.hint.map(|hint| invocation.add_global_flags(&hint));
        self
    }

    pub(super) fn show(&self, page: &mut Page) {
        print_line(page, Text::bad("error:"), &self.message);
        // What was done before an interrupt is not its cause.
        let label = if self.exit_code == ExitCode::Interrupted { "state:" } else { "cause:" };
        for cause in &self.causes {
            print_line(page, Text::strong(label), cause);
        }
        for detail in self.details() {
            page.labeled(Text::default().padded(GUTTER), Text::dim(detail));
        }
        if let Some(permission) = &self.required_permission {
            print_line(page, Text::strong("needs:"), permission);
        }
        for url in self.api_errors.iter().filter_map(|error| error.documentation_url.as_ref()) {
            print_line(page, Text::strong("docs:"), url);
        }
        if let Some(hint) = &self.hint {
            print_line(page, Text::strong("hint:"), hint);
        }
    }

    /// What the API said, unless message and causes say it already.
    fn details(&self) -> Vec<String> {
        let request = self.request.iter().filter(|request| !self.says(request));
        let answered = |request| match self.http_status {
            Some(status) => format!("{request} returned {status}"),
            None => String::clone(request),
        };
        let errors = self.api_errors.iter().filter(|error| !self.mentions_error(error));
        let said = |error: &ApiError| match error.code {
            Some(code) => format!("{code} {}", error.message),
            None => error.message.clone(),
        };
        let ray = self.ray_id.iter().filter(|ray| !self.says(ray));
        request
            .map(answered)
            .chain(errors.map(said))
            .chain(ray.map(|ray| format!("ray {ray}")))
            .collect()
    }

    fn mentions_error(&self, error: &ApiError) -> bool {
        let code = error.code.map(|code| code.to_string()).unwrap_or_default();
        !error.message.is_empty() && self.says(&error.message) && self.says(&code)
    }

    fn says(&self, part: &str) -> bool {
        self.message.contains(part) || self.causes.iter().any(|cause| cause.contains(part))
    }
}

/// The first line follows the label, the others are aligned with it.
fn print_line(page: &mut Page, label: Text, sentences: &str) {
    let mut start = label;
    for line in sentences.lines() {
        page.labeled(std::mem::take(&mut start).padded(GUTTER), Text::verbatim(line));
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::Style;
    use super::*;

    fn refused() -> ErrorReport {
        ErrorReport {
            kind: "forbidden".into(),
            message: "cannot enable `cool.cats`".into(),
            causes: vec!["the API refused the change".into()],
            http_status: Some(403),
            api_errors: vec![ApiError { code: Some(10000), message: "Authentication error".into(), documentation_url: None }],
            ray_id: Some("8f2a6c1d2e3f4a5b-LHR".into()),
            request: Some("PATCH /accounts/0123456789abcdef0123456789abcdef/sso_connectors/68ca7b2e".into()),
            required_permission: Some("SSO Connectors Write".into()),
            hint: Some("make a token with this permission, then check it with `cfsso token check --for connector.enable`".into()),
            ..ErrorReport::new(ExitCode::Forbidden, "")
        }
    }

    fn rendered(failure: &ErrorReport, width: Option<usize>, colour: bool) -> String {
        let look = Style { colour, unicode: true, width };
        let mut page = Page::new(look, jiff::Timestamp::UNIX_EPOCH);
        failure.show(&mut page);
        page.into_string()
    }

    #[test]
    fn a_terminal_gets_wrapped_lines_and_whole_commands() {
        insta::assert_snapshot!(rendered(&refused(), Some(80), false), @"
        error: cannot enable `cool.cats`
        cause: the API refused the change
               PATCH /accounts/0123456789abcdef0123456789abcdef/sso_connectors/68ca7b2e
               returned 403
               10000 Authentication error
               ray 8f2a6c1d2e3f4a5b-LHR
        needs: SSO Connectors Write
        hint:  make a token with this permission, then check it with
               `cfsso token check --for connector.enable`
        ");
    }

    #[test]
    fn colour_marks_the_labels_and_the_command() {
        let failure = ErrorReport { causes: vec![], request: None, ray_id: None, ..refused() };
        insta::assert_snapshot!(rendered(&failure, None, true).replace('\u{1b}', "ESC"), @r"
        ESC[31merror:ESC[0m cannot enable ESC[36m`cool.cats`ESC[0m
               ESC[2m10000 Authentication errorESC[0m
        ESC[1mneeds:ESC[0m SSO Connectors Write
        ESC[1mhint:ESC[0m  make a token with this permission, then check it with ESC[36m`cfsso token check --for connector.enable`ESC[0m
        ");
    }

    #[test]
    fn a_log_gets_one_line_each() {
        assert_eq!(rendered(&refused(), None, false).lines().count(), 7);
    }

    #[test]
    fn several_hints_stand_under_each_other() {
        let hint =
            Some("go on with `cfsso setup cool.cats`\nundo with `cfsso journal undo`".into());
        let failure =
            ErrorReport { hint, ..ErrorReport::new(ExitCode::HalfDone, "stopped half way") };
        insta::assert_snapshot!(rendered(&failure, Some(80), false), @r"
        error: stopped half way
        hint:  go on with `cfsso setup cool.cats`
               undo with `cfsso journal undo`
        ");
    }

    #[test]
    fn what_a_cause_says_already_is_not_said_again() {
        let failure = ErrorReport {
            causes: vec!["10000: Authentication error (ray 8f2a6c1d2e3f4a5b-LHR)".into()],
            request: None,
            ..refused()
        };
        assert_eq!(failure.details(), [""; 0]);
        let elsewhere = ErrorReport { causes: vec!["10000 tries".into()], ..refused() };
        assert_eq!(elsewhere.details().len(), 3);
    }

    #[test]
    fn json_has_exactly_the_documented_keys() {
        let json = serde_json::to_string(&ErrorDocument {
            error: &ErrorReport::new(ExitCode::NotFound, "no `x`"),
        });
        insta::assert_snapshot!(json.unwrap(), @r#"{"error":{"kind":"not-found","message":"no `x`","causes":[],"http_status":null,"api_errors":[],"ray_id":null,"request":null,"retryable":false,"hint":null,"required_permission":null,"exit_code":6}}"#);
    }

    #[test]
    fn the_schema_knows_every_key() {
        let schema = schemars::schema_for!(ErrorReport);
        let properties = schema.pointer("/properties").unwrap().as_object().unwrap();
        let value = serde_json::to_value(refused()).unwrap();
        assert!(properties.keys().eq(value.as_object().unwrap().keys()));
    }
}
