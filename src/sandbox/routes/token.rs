//! Token verification (API reference, section 8.1). As documented, an account token is invalid on
//! the user's route.

use axum::http::StatusCode;
use serde_json::json;

use super::request::ApiRequest;
use super::route::{Gate, Route};
use crate::api::ids::AccountId;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::auth::{Identity, malformed_token};
use crate::sandbox::state::{State, Token};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/user/tokens/verify", Gate::Open, verify_for_user),
    Route::get("/accounts/{account}/tokens/verify", Gate::Open, verify_for_account),
];

fn verify_for_user(_: &State, request: &ApiRequest) -> Outcome {
    verify(&request.identity, None)
}

fn verify_for_account(state: &State, request: &ApiRequest) -> Outcome {
    let account = request.account();
    let is_known = state.accounts.iter().any(|known| known.id == account);
    ApiErrorResponse::unroutable(&format!("/accounts/{account}/tokens/verify"))
        .when(account.parse::<AccountId>().is_err() || !is_known)?;
    verify(&request.identity, Some(account))
}

/// Not documented for an expired token: the schema has a status `expired`, but operators report
/// the error of an invalid one, which is returned here.
fn verify(identity: &Identity, owner: Option<&str>) -> Outcome {
    match identity {
        Identity::Token(token) if token.owner.as_deref() == owner => Ok(active(token)),
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
