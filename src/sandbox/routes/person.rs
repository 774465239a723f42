//! People, who are no part of the API: whoever reaches the simulator may play
//! one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};

use super::body;
use crate::sandbox::answer::ApiErrorResponse;
use crate::sandbox::shared::AppState;
use crate::sandbox::sign_in::{self, SignInResult};

/// Where somebody signs in.
pub(in crate::sandbox) const PATH: &str = "/people/sign-in";

pub(in crate::sandbox) fn routes() -> Router<Arc<AppState>> {
    Router::new().route(PATH, post(sign_in))
}

async fn sign_in(
    State(shared): State<Arc<AppState>>,
    bytes: Bytes,
) -> Result<Json<SignInResult>, ApiErrorResponse> {
    let attempt = body(&bytes)?;
    Ok(Json(sign_in::run(&shared, &attempt, shared.clock.now())?))
}
