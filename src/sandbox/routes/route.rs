//! A route: method, path, permission, and the function that answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State as Shared};
use axum::http::StatusCode;
use axum::routing::{MethodFilter, on};

use super::parent;
use super::request::ApiRequest;
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::Outcome;
use crate::sandbox::auth::Identity;
use crate::sandbox::query::Parameters;
use crate::sandbox::shared::AppState;
use crate::sandbox::state::State;

/// The callers that a route accepts. Reads require the right to read, writes the right to write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gate {
    /// The route checks the credential itself.
    Open,
    /// Any valid credential; the route checks the account named in the body.
    Caller,
    /// The permission in any account.
    Anywhere(Area),
    /// The permission, held by a user and not by an account.
    User(Area),
    /// The permission in the account of the path.
    Account(Area),
    /// The same, if the account has Access.
    Access(Area),
    /// The permission in the zone of the path.
    Zone(Area),
}

/// The handler. A refusal changes nothing.
#[derive(Clone, Copy, Debug)]
enum Run {
    Read(Read),
    Write(Write),
}

type Read = fn(&State, &ApiRequest) -> Outcome;
type Write = fn(&mut State, &ApiRequest) -> Outcome;

#[derive(Debug)]
pub(super) struct Route {
    method: MethodFilter,
    path: &'static str,
    gate: Gate,
    /// The query parameters that are modelled; if none, all are ignored.
    query: Option<&'static [&'static str]>,
    status: StatusCode,
    run: Run,
}

impl Route {
    pub const fn get(path: &'static str, gate: Gate, read: Read) -> Self {
        Self::new(MethodFilter::GET, path, gate, Run::Read(read))
    }

    pub const fn post(path: &'static str, gate: Gate, write: Write) -> Self {
        Self::new(MethodFilter::POST, path, gate, Run::Write(write))
    }

    pub const fn put(path: &'static str, gate: Gate, write: Write) -> Self {
        Self::new(MethodFilter::PUT, path, gate, Run::Write(write))
    }

    pub const fn patch(path: &'static str, gate: Gate, write: Write) -> Self {
        Self::new(MethodFilter::PATCH, path, gate, Run::Write(write))
    }

    pub const fn delete(path: &'static str, gate: Gate, write: Write) -> Self {
        Self::new(MethodFilter::DELETE, path, gate, Run::Write(write))
    }

    const fn new(method: MethodFilter, path: &'static str, gate: Gate, run: Run) -> Self {
        Self { method, path, gate, query: None, status: StatusCode::OK, run }
    }

    /// Accepts only these query parameters and those for paging.
    pub const fn accepts(mut self, query: &'static [&'static str]) -> Self {
        self.query = Some(query);
        self
    }

    pub const fn answers(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub fn add_to(&'static self, router: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
        let answer = async move |Extension(identity): Extension<Identity>,
                                 Shared(shared): Shared<Arc<AppState>>,
                                 Path(path): Path<Vec<(String, String)>>,
                                 query: Parameters,
                                 body: Bytes| {
            self.answer(
                &shared,
                &ApiRequest {
                    identity,
                    path,
                    query,
                    body,
                    now: shared.clock.now(),
                    origin: shared.origin.clone(),
                    grant_limit: shared.grant_limit,
                    log_behavior: *shared.log_behavior(),
                },
            )
        };
        router.route(self.path, on(self.method, answer))
    }

    fn answer(&self, shared: &AppState, request: &ApiRequest) -> Outcome {
        let answer = match self.run {
            Run::Read(run) => shared.store.read(|state| {
                self.check(Right::Read, state, request)?;
                run(state, request)
            }),
            Run::Write(run) => shared.store.change(|state| {
                self.check(Right::Write, state, request)?;
                run(state, request)
            }),
        }?;
        let answer = answer.with_status(self.status);
        Ok(match self.gate {
            // Responses about shares have no `messages` (API reference, section 7).
            Gate::Account(Area::Shares) => answer.without_messages(),
            _ => answer,
        })
    }

    fn check(&self, right: Right, state: &State, request: &ApiRequest) -> Outcome<()> {
        let in_account =
            |area| request.caller()?.may_in_account(state, request.account(), area, right);
        match self.gate {
            Gate::Open => {}
            Gate::Caller => {
                request.caller()?;
            }
            Gate::Anywhere(area) => request.caller()?.may(area, right)?,
            Gate::User(area) => request.caller()?.may_as_user(area, right)?,
            Gate::Account(area) => in_account(area)?,
            Gate::Access(area) => {
                in_account(area)?;
                parent::auth_domain(state, request)?;
            }
            Gate::Zone(area) => parent::check_zone(state, request, area, right)?,
        }
        self.query.map_or(Ok(()), |known| request.query.only(known))
    }
}
