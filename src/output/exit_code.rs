use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// The exit code of a command. The numbers are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "u8")]
pub enum ExitCode {
    /// The command succeeded, and its result was confirmed.
    Done,
    /// The command failed for a reason without its own exit code.
    Failure,
    /// The command line or the configuration is invalid.
    Usage,
    /// The user declined, or confirmation was required without a terminal.
    Declined,
    /// No token was found, or the API rejected it.
    Unauthenticated,
    /// The token lacks a permission.
    Forbidden,
    /// The specified object does not exist.
    NotFound,
    /// The current state conflicts with the change.
    Conflict,
    /// The requested state is not reached yet; run the command again later.
    NotYet,
    /// The API is unreachable, rate limited or failing.
    Unavailable,
    /// The audit or the dry run has findings or changes.
    Findings,
    /// A safety check refused the change.
    Refused,
    /// Some changes were made, others were not.
    HalfDone,
    /// The command was interrupted (Ctrl-C or a signal).
    Interrupted,
    /// A trial was ended by a closed terminal (SIGHUP).
    HungUp,
    /// A trial was ended by SIGTERM.
    Terminated,
}

impl ExitCode {
    pub const ALL: [Self; 16] = [
        Self::Done,
        Self::Failure,
        Self::Usage,
        Self::Declined,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::NotYet,
        Self::Unavailable,
        Self::Findings,
        Self::Refused,
        Self::HalfDone,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    pub fn code(self) -> u8 {
        self.row().0
    }

    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// For `help exit-codes` and the README.
    pub fn meaning(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (u8, &'static str, &'static str) {
        match self {
            Self::Done => (0, "done", "done and confirmed, or nothing to do"),
            Self::Failure => (1, "failure", "any other failure"),
            Self::Usage => (2, "usage", "invalid command line or configuration"),
            Self::Declined => (3, "declined", "declined, or confirmation required and no terminal"),
            Self::Unauthenticated => (4, "unauthenticated", "no token, or the API rejected it"),
            Self::Forbidden => {
                (5, "forbidden", "the token lacks a permission, named in the message")
            }
            Self::NotFound => (6, "not-found", "not found"),
            Self::Conflict => (
                7,
                "conflict",
                "conflict: already exists, enabled elsewhere or changed concurrently",
            ),
            Self::NotYet => (8, "not-yet", "pending, TXT record not visible, or timed out"),
            Self::Unavailable => (
                9,
                "unavailable",
                "the API is unreachable, rate limited or failing: safe to run again",
            ),
            Self::Findings => (
                10,
                "findings",
                "`doctor`: findings at or above `--fail-on`; `idp check`: problems; `plan` and `--dry-run` with `--detailed-exitcode`: changes",
            ),
            Self::Refused => (11, "refused", "refused by a safety check"),
            Self::HalfDone => {
                (12, "half-done", "stopped half-way; see the message for how to resume or undo")
            }
            Self::HungUp => (129, "hung-up", "a trial was ended by a closed terminal (SIGHUP)"),
            Self::Interrupted => {
                (130, "interrupted", "interrupted; see the message for what was in progress")
            }
            Self::Terminated => (143, "terminated", "a trial was ended by SIGTERM"),
        }
    }
}

impl Serialize for ExitCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_names_are_distinct() {
        let codes: Vec<u8> = ExitCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 129, 130, 143]);
        let mut names: Vec<_> = ExitCode::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ExitCode::ALL.len());
    }

    #[test]
    fn json_has_the_number() {
        assert_eq!(serde_json::to_string(&ExitCode::Interrupted).unwrap(), "130");
    }
}
