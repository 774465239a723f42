//! What the API does with every kind of object: list, get, create, update, delete.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::request::ApiRequest;
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, Outcome};
use crate::sandbox::query::Paging;
use crate::sandbox::state::State;

pub(super) trait ApiResource {
    const PAGING: Paging = Paging::Never;

    /// The objects below the path, in list order.
    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>>;

    fn id(&self) -> &str;

    /// Whether the object passes the filters of a list.
    fn is_selected(&self, _: &ApiRequest) -> bool {
        true
    }

    fn to_json(&self, state: &State, request: &ApiRequest) -> impl Serialize;

    /// The response if the path names no object.
    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::missing()
    }
}

pub(super) trait WritableResource: ApiResource + Sized {
    fn all_mut<'a>(state: &'a mut State, request: &ApiRequest) -> Outcome<&'a mut Vec<Self>>;

    /// A rule for all writes, checked after reading the body and before finding the object.
    fn check_write(_: &State, _: &ApiRequest) -> Outcome<()> {
        Ok(())
    }

    fn check_delete(&self, _: &State) -> Outcome<()> {
        Ok(())
    }

    /// Adds it, or replaces the object with its ID.
    fn store(self, state: &mut State, request: &ApiRequest) -> Outcome<()> {
        let all = Self::all_mut(state, request)?;
        match all.iter_mut().find(|known| known.id() == self.id()) {
            Some(known) => *known = self,
            None => all.push(self),
        }
        Ok(())
    }
}

pub(super) trait Create: WritableResource {
    type Fields: DeserializeOwned;

    fn create(fields: Self::Fields, state: &mut State, request: &ApiRequest) -> Outcome<Self>;
}

pub(super) trait Update: WritableResource + Clone {
    type Fields: DeserializeOwned;

    fn update(self, fields: Self::Fields, state: &mut State, request: &ApiRequest)
    -> Outcome<Self>;
}

pub(super) fn find<'a, T: ApiResource>(state: &'a State, request: &ApiRequest) -> Outcome<&'a T> {
    let mut all = T::all(state, request)?.into_iter();
    all.find(|known| known.id() == request.id()).ok_or_else(T::missing)
}

pub(super) fn list<T: ApiResource>(state: &State, request: &ApiRequest) -> Outcome {
    let selected = T::all(state, request)?.into_iter().filter(|known| known.is_selected(request));
    let shown = selected.map(|known| known.to_json(state, request)).collect();
    request.query.list(shown, T::PAGING)
}

pub(super) fn get<T: ApiResource>(state: &State, request: &ApiRequest) -> Outcome {
    Ok(ApiResponse::of(find::<T>(state, request)?.to_json(state, request)))
}

pub(super) fn create<T: Create>(state: &mut State, request: &ApiRequest) -> Outcome {
    let fields = request.body()?;
    T::check_write(state, request)?;
    let created = T::create(fields, state, request)?;
    let answer = ApiResponse::of(created.to_json(state, request));
    created.store(state, request)?;
    Ok(answer)
}

pub(super) fn update<T: Update>(state: &mut State, request: &ApiRequest) -> Outcome {
    let fields = request.body()?;
    T::check_write(state, request)?;
    let before = find::<T>(state, request)?.clone();
    let updated = before.update(fields, state, request)?;
    let answer = ApiResponse::of(updated.to_json(state, request));
    updated.store(state, request)?;
    Ok(answer)
}

pub(super) fn delete<T: WritableResource>(state: &mut State, request: &ApiRequest) -> Outcome {
    T::check_write(state, request)?;
    find::<T>(state, request)?.check_delete(state)?;
    T::all_mut(state, request)?.retain(|known| known.id() != request.id());
    Ok(ApiResponse::of(json!({ "id": request.id() })))
}
