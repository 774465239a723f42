//! The accounts that a share with a whole organization leaves out (reference on
//! logs and newest facts, section 4.5).

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::parent;
use super::request::ApiRequest;
use super::resource::{ApiResource, Create, WritableResource, create, get, list};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome, time};
use crate::sandbox::query::Paging;
use crate::sandbox::state::{Excluded, Share, State, Target};

const ALL: &str = "/accounts/{account}/shares/{share}/excluded-recipients";
const ONE: &str = "/accounts/{account}/shares/{share}/excluded-recipients/{id}";
const GATE: Gate = Gate::Account(Area::Shares);

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Excluded>).accepts(&[]),
    Route::post(ALL, GATE, create::<Excluded>).answers(StatusCode::CREATED),
    Route::put(ALL, GATE, replace).answers(StatusCode::NO_CONTENT),
    Route::get(ONE, GATE, get::<Excluded>),
    Route::delete(ONE, GATE, delete),
];

impl ApiResource for Excluded {
    const PAGING: Paging = parent::SHARE_PAGING;

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        Ok(parent::share(state, request)?.excluded.iter().collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        json!({
            "id": self.id,
            "account_id": self.account,
            "created": time(self.created),
            "modified": time(self.created),
        })
    }

    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 1004, "excluded recipient not found")
    }
}

impl WritableResource for Excluded {
    fn all_mut<'a>(state: &'a mut State, request: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut parent::share_mut(state, request)?.excluded)
    }

    /// The share has to be active, and with a whole organization.
    fn check_write(state: &State, request: &ApiRequest) -> Outcome<()> {
        let recipients = &parent::active_share(state, request)?.recipients;
        let is_all = recipients.iter().any(|known| matches!(known.target, Target::Organization(_)));
        ApiErrorResponse::invalid_body("only a share with an organization excludes recipients")
            .when(!is_all)
    }
}

#[derive(Deserialize)]
pub(super) struct Given {
    account_id: String,
}

impl Create for Excluded {
    type Fields = Given;

    fn create(fields: Given, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let share = parent::share(state, request)?;
        check_account(&fields, share, state)?;
        let is_excluded = share.excluded.iter().any(|known| known.account == fields.account_id);
        ApiErrorResponse::new(StatusCode::CONFLICT, 1001, "the account is excluded already")
            .when(is_excluded)?;
        Ok(Self { id: state.next_id(), account: fields.account_id, created: request.now })
    }
}

fn check_account(fields: &Given, share: &Share, state: &State) -> Outcome<()> {
    let account = &fields.account_id;
    ApiErrorResponse::invalid_body(format!("account {account} is not in the organization"))
        .when(state.parent(account).as_ref() != Some(&share.organization))
}

/// Replaces the list: what is in it already keeps its ID.
fn replace(state: &mut State, request: &ApiRequest) -> Outcome {
    let list: Vec<Given> = request.body()?;
    Excluded::check_write(state, request)?;
    let share = parent::share(state, request)?.clone();
    let mut excluded = Vec::new();
    for fields in list {
        check_account(&fields, &share, state)?;
        let known = share.excluded.iter().find(|known| known.account == fields.account_id);
        excluded.push(known.cloned().unwrap_or_else(|| Excluded {
            id: state.next_id(),
            account: fields.account_id,
            created: request.now,
        }));
    }
    *Excluded::all_mut(state, request)? = excluded;
    Ok(ApiResponse::without_result())
}

/// The answer is what was deleted.
fn delete(state: &mut State, request: &ApiRequest) -> Outcome {
    Excluded::check_write(state, request)?;
    let answer = get::<Excluded>(state, request)?;
    Excluded::all_mut(state, request)?.retain(|known| known.id != request.id());
    Ok(answer)
}
