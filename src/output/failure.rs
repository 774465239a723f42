//! How a failure is told, to people and to programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::exit_code::ExitCode;
use super::page::Page;
use super::text::Text;

/// Everything that is known of a failure. The names of its fields are part of
/// the contract with scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// A stable word for what went wrong, such as `not-found`.
    pub kind: String,
    /// What failed on what, in one sentence.
    pub message: String,
    /// Why, one sentence a layer, the outermost first.
    pub causes: Vec<String>,
    /// The HTTP status, where the API answered.
    pub http_status: Option<u16>,
    /// The API's own errors.
    pub api_errors: Vec<ApiError>,
    /// The `cf-ray` of the answer.
    pub ray_id: Option<String>,
    /// Verb and path of the request.
    pub request: Option<String>,
    /// Whether the same command may be run again as it is.
    pub retryable: bool,
    /// What to do next, with the command to paste between backticks.
    pub hint: Option<String>,
    /// The permission that the token lacks.
    pub required_permission: Option<String>,
    /// The process's exit code.
    pub exit_code: ExitCode,
}

/// One error as the API sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApiError {
    /// The API's number for it.
    pub code: Option<u64>,
    /// The API's words.
    pub message: String,
}

impl Failure {
    /// A failure with nothing more to say than this.
    #[must_use]
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

    /// The failure as JSON text: `{"error":{…}}`.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: &'a Failure,
        }
        serde_json::to_string(&Envelope { error: self })
    }

    /// Draws the failure for people.
    pub(super) fn show(&self, page: &mut Page) {
        page.hanging(Text::bad("error:") + " ", Text::prose(&self.message));
        for cause in &self.causes {
            page.hanging(Text::strong("cause:") + " ", Text::prose(cause));
        }
        for (label, text) in self.details() {
            page.hanging(Text::strong(label) + " ", text);
        }
        if let Some(permission) = &self.required_permission {
            page.hanging(Text::strong("needs:") + " ", Text::plain(permission));
        }
        if let Some(hint) = &self.hint {
            page.hanging(Text::strong("hint:") + " ", Text::prose(hint));
        }
    }

    /// What the API said, as far as message and causes do not say it already.
    fn details(&self) -> Vec<(&'static str, Text)> {
        let mut details = Vec::new();
        for error in &self.api_errors {
            let code = error.code.map(|code| code.to_string()).unwrap_or_default();
            if !(self.says(&code) && self.says(&error.message)) {
                let blank = if code.is_empty() { "" } else { " " };
                details.push(("api:", Text::plain(format!("{code}{blank}{}", error.message))));
            }
        }
        if let Some(request) = self.request.as_ref().filter(|request| !self.says(request)) {
            let status = self.http_status.map(|status| format!(" answered {status}"));
            details.push(("request:", Text::plain(request) + status.unwrap_or_default()));
        }
        if let Some(ray) = self.ray_id.as_ref().filter(|ray| !self.says(ray)) {
            details.push(("ray:", Text::plain(ray)));
        }
        details
    }

    fn says(&self, part: &str) -> bool {
        self.message.contains(part) || self.causes.iter().any(|cause| cause.contains(part))
    }
}
