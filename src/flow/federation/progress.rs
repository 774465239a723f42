use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::recipient_progress::RecipientProgress;
use crate::flow::steps;

/// The steps, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// The grant exists.
    Grant,
    /// The share exists, with every recipient.
    Share,
    /// Every recipient has the identity provider.
    Associate,
    /// A grant created in this run is deleted again.
    TakeBack,
    /// Recipients are removed from the share.
    RemoveRecipients,
    /// The grant is deleted.
    DeleteGrant,
    /// The share is deleted.
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
        since: Timestamp,
    },
}
