//! Query parameters and paging. Unknown parameters are refused: an ignored filter would return
//! wrong results.

use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::answer::{ApiErrorResponse, ApiResponse, Outcome};

#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

#[derive(Clone, Copy, Debug)]
pub(super) struct PageSize {
    pub min: usize,
    pub max: usize,
    pub default: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Paging {
    /// Returns everything, without `result_info`.
    Never,
    Always(PageSize),
    OnRequest(PageSize),
}

/// For accounts and zones (API reference, section 1.5).
pub(super) const SMALL_PAGES: PageSize = PageSize { min: 5, max: 50, default: 20 };

/// Accepted without effect: they only change the order.
const IGNORED_PARAMS: [&str; 2] = ["order", "direction"];

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Outcome<Self> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            // The real code is unknown.
            Err(error) => Err(ApiErrorResponse::bad_request(1006, error.body_text())),
        }
    }
}

impl Parameters {
    /// Refuses parameters other than `known` and those for paging.
    pub fn only(&self, known: &[&str]) -> Outcome<()> {
        let is_known = |name: &str| {
            known.contains(&name)
                || IGNORED_PARAMS.contains(&name)
                || matches!(name, "page" | "per_page")
        };
        match self.0.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => {
                Err(ApiErrorResponse::not_simulated(format!("the query parameter `{name}`")))
            }
            None => Ok(()),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether `value` passes the filter `name`, if that is given.
    pub fn allow(&self, name: &str, value: impl Serialize) -> bool {
        self.get(name).is_none_or(|wanted| json!(value) == *wanted)
    }

    fn is_paged(&self) -> bool {
        self.get("page").is_some() || self.get("per_page").is_some()
    }

    pub fn list<T: Serialize>(&self, items: Vec<T>, paging: Paging) -> Outcome {
        match paging {
            Paging::Always(size) => self.page(items, size),
            Paging::OnRequest(size) if self.is_paged() => self.page(items, size),
            Paging::Never | Paging::OnRequest(_) => Ok(ApiResponse::of(items)),
        }
    }

    pub fn page<T: Serialize>(&self, items: Vec<T>, size: PageSize) -> Outcome {
        let page = self.number("page", 1, 1..=usize::MAX)?;
        let per_page = self.number("per_page", size.default, size.min..=size.max)?;
        let total = items.len();
        let skipped = per_page.saturating_mul(page - 1);
        let items: Vec<T> = items.into_iter().skip(skipped).take(per_page).collect();
        let info = json!({
            "page": page,
            "per_page": per_page,
            "count": items.len(),
            "total_count": total,
            "total_pages": total.div_ceil(per_page),
        });
        Ok(ApiResponse::of(items).with_result_info(info))
    }

    /// [`Parameters::page`] with totals of zero, as the login log returns them.
    pub fn page_without_totals<T: Serialize>(&self, items: Vec<T>, size: PageSize) -> Outcome {
        let limit = self.number("limit", size.max, 1..=usize::MAX)?.min(size.max);
        let items = if self.is_paged() { items } else { items.into_iter().take(limit).collect() };
        let info = json!({ "page": 1, "per_page": 0, "count": 0, "total_count": 0 });
        Ok(self.page(items, size)?.with_result_info(info))
    }

    /// The page at the cursor; the response contains the next cursor.
    pub fn page_by_cursor<T: Serialize>(&self, items: Vec<T>, size: PageSize) -> Outcome {
        let limit = self.number("limit", size.default, size.min..=size.max)?;
        let start = self.number("cursor", 0, 0..=usize::MAX)?;
        let rest = items.len().saturating_sub(start);
        let page: Vec<T> = items.into_iter().skip(start).take(limit).collect();
        let cursor = if rest > limit { (start + limit).to_string() } else { String::new() };
        let info = json!({ "count": page.len().to_string(), "cursor": cursor });
        Ok(ApiResponse::of(page).with_result_info(info))
    }

    pub fn time(&self, name: &str) -> Outcome<Option<Timestamp>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(name, text))
    }

    fn number(&self, name: &str, default: usize, range: RangeInclusive<usize>) -> Outcome<usize> {
        let Some(text) = self.get(name) else { return Ok(default) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(invalid(name, text)),
        }
    }
}

/// The real code is unknown.
fn invalid(name: &str, text: &str) -> ApiErrorResponse {
    ApiErrorResponse::bad_request(1006, format!("`{name}` cannot be `{text}`"))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    use super::*;

    fn parameters(list: &[(&str, &str)]) -> Parameters {
        Parameters(list.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_page_outside_of_the_bounds_is_refused() {
        for (list, is_accepted) in [
            (vec![], true),
            (vec![("per_page", "5")], true),
            (vec![("per_page", "50"), ("page", "9")], true),
            (vec![("per_page", "4")], false),
            (vec![("per_page", "51")], false),
            (vec![("page", "0")], false),
            (vec![("page", "x")], false),
        ] {
            let page = parameters(&list).page(vec![json!(1)], SMALL_PAGES);
            assert_eq!(page.is_ok(), is_accepted, "{list:?}");
        }
    }

    #[test]
    fn an_unknown_filter_is_not_passed_over() {
        assert!(parameters(&[("name", "a"), ("page", "1")]).only(&["name"]).is_ok());
        let refusal = parameters(&[("tag", "a")]).only(&["name"]).unwrap_err();
        assert_eq!(refusal.into_response().status(), StatusCode::NOT_IMPLEMENTED);
    }
}
