//! The API's routes: one file per kind of object, with its routes, rules and responses, all without
//! I/O. `route.rs` and `resource.rs` do the rest. Other routes are answered as not modelled.

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
mod parent;
mod permission_group;
pub(super) mod person;
mod policy;
mod record;
mod request;
mod resource;
mod route;
mod share;
mod share_recipient;
mod share_resource;
mod token;
mod zone;

use std::sync::Arc;

use axum::Router;

use super::shared::AppState;
use route::Route;

const ROUTES: [&[Route]; 18] = [
    access_log::ROUTES,
    account::ROUTES,
    account_token::ROUTES,
    app::ROUTES,
    audit_log::ROUTES,
    connector::ROUTES,
    grant::ROUTES,
    identity_provider::ROUTES,
    member::ROUTES,
    organization::ROUTES,
    permission_group::ROUTES,
    policy::ROUTES,
    record::ROUTES,
    share::ROUTES,
    share_recipient::ROUTES,
    share_resource::ROUTES,
    token::ROUTES,
    zone::ROUTES,
];

pub(super) fn all() -> Router<Arc<AppState>> {
    ROUTES.into_iter().flatten().fold(Router::new(), |router, route| route.add_to(router))
}
