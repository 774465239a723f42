use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::recipient_progress::RecipientProgress;
use crate::flow::steps;
use crate::rfc3339;

/// The ID of a step of sharing or unsharing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Create the federation grant.
    Grant,
    /// Create the share, or add recipients to it.
    Share,
    /// Wait until every recipient is associated.
    Associate,
    /// Delete a grant that this run created, because sharing failed.
    TakeBack,
    /// Remove recipients from the share.
    RemoveRecipients,
    /// Delete the grant.
    DeleteGrant,
    /// Delete the share.
    DeleteShare,
}

pub type Step = steps::Step<StepId>;

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    Step(&'a Step),
    Recipient(&'a RecipientProgress),
    Waiting {
        text: &'a str,
        /// Start of the wait.
        #[serde(serialize_with = "rfc3339::time")]
        since: Timestamp,
    },
}
