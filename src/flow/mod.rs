//! Guided change: what is there, what is to do, and doing it one seen step at a
//! time. Decides and sends; knows no command line and prints nothing.

pub mod action;
pub mod app;
pub mod break_glass;
pub mod bypass;
pub mod check;
pub mod connector;
pub mod diff;
pub mod doctor;
pub mod edit;
pub mod explained;
pub mod federation;
pub mod idp;
pub mod journal;
pub mod named;
pub mod plan;
pub mod preflight;
pub mod publish;
pub mod rename;
pub mod setup;
pub mod status;
pub mod steps;
pub mod stop;
pub mod target;
pub mod token;
pub mod verify;
pub mod wait;
pub mod way_in;
mod write;

pub use stop::{Stop, StopKind};

use crate::api::Client;
use crate::api::ids::AccountId;
use crate::clock::Clock;
use crate::dns::Resolver;

/// Why a flow ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Api(#[from] crate::api::Error),
    /// A request failed, and the flow knows more about it.
    #[error(transparent)]
    Explained(Box<explained::Explained>),
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl Error {
    /// The error and what led to it, one sentence each.
    pub fn sentences(&self) -> Vec<String> {
        match self {
            Self::Stop(stop) => stop.sentences(),
            Self::Api(error) => error.sentences(),
            Self::Explained(explained) => {
                let mut sentences = explained.error.sentences();
                sentences.extend(explained.causes.iter().cloned());
                sentences
            }
        }
    }

    /// All of them on one line.
    pub fn line(&self) -> String {
        self.sentences().join(": ")
    }
}

/// What a flow works with.
pub struct Tools<'a> {
    pub client: &'a Client,
    pub account: &'a AccountId,
    pub resolver: &'a Resolver,
    pub clock: &'a Clock,
    /// What is written down of each write.
    pub journal: &'a journal::Journal<'a>,
}
