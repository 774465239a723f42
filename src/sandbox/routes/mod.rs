//! The API's routes: a resource is one file, which says its paths, its rules
//! and its answers. What no file names is not modelled, and says so.

mod access_log;
mod account;
mod account_token;
mod app;
pub(super) mod audit_log;
mod connector;
mod grant;
mod identity_provider;
mod member;
mod organization;
mod permission_group;
pub(super) mod person;
mod policy;
mod record;
mod share;
mod share_excluded;
mod share_recipient;
mod share_resource;
mod token;
mod zone;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use serde::de::DeserializeOwned;

use super::answer::ApiErrorResponse;
use super::shared::AppState;
use crate::input::depth;

/// All that is modelled.
pub(super) fn all() -> Router<Arc<AppState>> {
    Router::new()
        .merge(access_log::routes())
        .merge(account::routes())
        .merge(account_token::routes())
        .merge(app::routes())
        .merge(audit_log::routes())
        .merge(connector::routes())
        .merge(grant::routes())
        .merge(identity_provider::routes())
        .merge(member::routes())
        .merge(organization::routes())
        .merge(permission_group::routes())
        .merge(policy::routes())
        .merge(record::routes())
        .merge(share::routes())
        .merge(share_excluded::routes())
        .merge(share_recipient::routes())
        .merge(share_resource::routes())
        .merge(token::routes())
        .merge(zone::routes())
}

/// What a handler answers.
type Outcome = Result<super::answer::ApiResponse, ApiErrorResponse>;

/// Reads a body, whatever its `Content-Type` says: the API does not care.
fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiErrorResponse> {
    if let Err(error) = depth::check(bytes) {
        return Err(ApiErrorResponse::bad_request(6007, error.to_string()));
    }
    match serde_json::from_slice(bytes) {
        Ok(body) => Ok(body),
        Err(error) if error.is_data() => {
            // The real code differs from service to service and is unknown here.
            Err(ApiErrorResponse::bad_request(1001, format!("Invalid request body: {error}")))
        }
        Err(_) => Err(ApiErrorResponse::bad_request(6007, "Malformed JSON in request body")),
    }
}
