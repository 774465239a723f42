//! Verification of tokens (API reference, section 8.1), with the documented
//! confusion: an account's token is invalid on the user's route.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;

use super::Outcome;
use crate::api::ids::AccountId;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::{Identity, malformed_token};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::Token;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/user/tokens/verify", get(of_user))
        .route("/accounts/{account}/tokens/verify", get(of_account))
}

async fn of_user(Extension(identity): Extension<Identity>) -> Outcome {
    verified(identity, |token| token.owner.is_none())
}

async fn of_account(
    Extension(identity): Extension<Identity>,
    State(shared): State<Arc<AppState>>,
    Path(account): Path<String>,
) -> Outcome {
    let is_known = shared.store.read(|state| state.accounts.iter().any(|a| a.id == account));
    if account.parse::<AccountId>().is_err() || !is_known {
        return Err(ApiErrorResponse::unroutable(&format!("/accounts/{account}/tokens/verify")));
    }
    verified(identity, |token| token.owner.as_deref() == Some(account.as_str()))
}

/// What an expired token is answered is not documented: the schema has a status
/// `expired`, operators report the error of an invalid one, which is shown here.
fn verified(identity: Identity, is_at_home: impl Fn(&Token) -> bool) -> Outcome {
    match identity {
        Identity::Token(token) if is_at_home(&token) => Ok(active(&token)),
        Identity::Malformed => Err(malformed_token()),
        _ => Err(ApiErrorResponse::new(StatusCode::UNAUTHORIZED, 1000, "Invalid API Token")),
    }
}

fn active(token: &Token) -> ApiResponse {
    let mut result = json!({ "id": token.id, "status": "active" });
    if let Some(end) = token.expires_on {
        result["expires_on"] = time(end).into();
    }
    ApiResponse::of(result).with_message(10000, "This API Token is valid and active")
}
