//! People, who are not part of the API: any client of the simulator can act as one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};

use super::body;
use crate::sandbox::answer::ApiErrorResponse;
use crate::sandbox::shared::AppState;
use crate::sandbox::sign_in::{self, SignInResult};

/// The path at which a user signs in.
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
