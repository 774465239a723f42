//! Sign-ins of people: not part of the API; any client of the simulator can cause one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};

use super::request::parse;
use crate::sandbox::answer::Outcome;
use crate::sandbox::shared::AppState;
use crate::sandbox::sign_in::{self, PATH};
use crate::sandbox::sign_in_attempt::SignInResult;

pub(in crate::sandbox) fn routes() -> Router<Arc<AppState>> {
    Router::new().route(PATH, post(sign_in))
}

async fn sign_in(State(shared): State<Arc<AppState>>, bytes: Bytes) -> Outcome<Json<SignInResult>> {
    let attempt = parse(&bytes)?;
    Ok(Json(sign_in::run(&shared, &attempt, shared.clock.now())?))
}
