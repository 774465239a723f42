//! Guided changes: reads, decides and sends. Knows no command line and prints nothing.

pub mod action;
pub mod api_error;
pub mod app;
pub mod break_glass;
pub mod bypass;
pub mod changes;
pub mod check;
pub mod connector;
pub mod desired;
pub mod diagnose;
pub mod diff;
pub mod dns_provider;
pub mod doctor;
pub mod dry_run;
pub mod federation;
pub mod flow_error;
pub mod idp;
pub mod idp_test;
pub mod impact;
pub mod journal;
mod journaled;
pub mod journaled_code;
pub mod login_log;
pub mod plan;
pub mod policy_decision;
pub mod preflight;
pub mod publish;
pub mod recovery;
pub mod rename;
pub mod select;
pub mod setup;
pub mod sign_in;
pub mod status;
pub mod steps;
pub mod target;
pub mod timeline;
pub mod token;
pub mod trial;
pub mod undo;
pub mod update;
pub mod verify;
pub mod wait;

pub use flow_error::{FlowError, FlowErrorKind, Signal};

use crate::api::Client;
use crate::api::ids::AccountId;
use crate::clock::Clock;
use crate::dns::Resolver;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Api(#[from] crate::api::Error),
    #[error(transparent)]
    ApiContext(Box<api_error::ApiErrorContext>),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl Error {
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Flow(error) => error.messages(),
            Self::Api(error) => error.sentences(),
            Self::ApiContext(api_error) => {
                let mut sentences = api_error.error.sentences();
                sentences.extend(api_error.causes.iter().cloned());
                sentences
            }
        }
    }

    pub fn line(&self) -> String {
        self.sentences().join(": ")
    }

    pub fn api(&self) -> Option<&crate::api::Error> {
        match self {
            Self::Api(error) => Some(error),
            Self::ApiContext(context) => Some(&context.error),
            Self::Flow(_) => None,
        }
    }

    /// Whether the same request for another object would fail as well.
    pub fn concerns_every_object(&self) -> bool {
        use crate::api::ErrorKind as Kind;
        match self {
            Self::Flow(error) => !matches!(
                error.kind,
                FlowErrorKind::NotConfirmed | FlowErrorKind::Conflict | FlowErrorKind::Refused
            ),
            Self::Api(_) | Self::ApiContext(_) => self.api().is_some_and(|error| {
                matches!(error.fault, crate::api::RequestError::NotSent { .. })
                    || matches!(
                        error.kind(),
                        Kind::Unauthenticated
                            | Kind::Forbidden
                            | Kind::RateLimited
                            | Kind::Untrusted
                            | Kind::OutOfTime
                            | Kind::Setup
                    )
            }),
        }
    }

    /// Adds causes; those of an API error come after its own.
    #[must_use]
    pub fn causes(self, causes: impl IntoIterator<Item = String>) -> Self {
        let mut context = match self {
            Self::Api(error) => api_error::ApiErrorContext::new(error),
            Self::ApiContext(context) => *context,
            Self::Flow(error) => return Self::Flow(error.causes(causes)),
        };
        context.causes.extend(causes);
        context.into()
    }
}

pub struct Env<'a> {
    pub client: &'a Client,
    pub account: &'a AccountId,
    pub resolver: &'a Resolver,
    pub clock: &'a Clock,
    pub journal: &'a journal::Journal<'a>,
    pub writes: dry_run::Writes<'a>,
}

fn without_repeats<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in all {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
