//! Whether a list has another page (API reference, section 1.5). Totals contradict each other in
//! recorded responses, so they only add pages, or end a full one.

use serde::Deserialize;

/// Ends the paging of a server that ignores `page`.
pub const MAX_PAGES: u32 = 1000;

pub const MAX_RECORDS: usize = 100_000;

/// Per list, without envelopes.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// `result_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Paging {
    /// May be fewer than requested.
    pub per_page: Option<u64>,
    pub total_count: Option<u64>,
    pub total_pages: Option<u64>,
    /// Start of the next page, for lists paged by cursor.
    pub cursor: Option<String>,
}

impl Paging {
    /// Empty if `result_info` has another shape.
    pub fn read(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Whether another page follows page `page`, which has `items` of the requested `size`.
pub fn has_next_page(page: u32, items: usize, size: u32, paging: &Paging) -> bool {
    let (page, items) = (u64::from(page), items as u64);
    let size =
        paging.per_page.filter(|&per_page| per_page > 0).map_or(u64::from(size), |per_page| {
            // A server may use a smaller page size than requested.
            per_page.min(u64::from(size))
        });
    if items < size {
        return false;
    }
    let more_items = paging.total_count.is_some_and(|count| count > page * size);
    match paging.total_pages {
        // With a full page, totals of zero mean nothing: the login log returns them.
        Some(pages) if pages > 0 && paging.total_count != Some(0) => page < pages || more_items,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_with_a_short_page_or_the_last_one() {
        for (page, items, info, expected) in [
            (1, 0, "{}", false),
            (1, 49, "{}", false),
            (1, 50, "{}", true),
            (1, 50, r#"{"total_pages":1}"#, false),
            (1, 50, r#"{"total_pages":2}"#, true),
            (2, 50, r#"{"total_pages":2,"total_count":100}"#, false),
            // The totals contradict each other: one more request is safer.
            (1, 50, r#"{"total_pages":1,"total_count":120}"#, true),
            (1, 49, r#"{"total_pages":9,"total_count":900}"#, false),
            (1, 20, r#"{"per_page":20,"total_pages":3}"#, true),
            (1, 20, r#"{"per_page":20}"#, true),
            (1, 50, r#"{"per_page":0,"total_pages":0}"#, true),
            (1, 50, r#"{"total_count":0,"total_pages":1}"#, true),
            (1, 49, r#"{"total_count":0}"#, false),
            (1, 50, r#"{"per_page":"x","total_pages":3}"#, true),
            (1, 50, r#"["odd"]"#, true),
            (1, 50, "null", true),
        ] {
            let paging = Paging::read(Some(info));
            assert_eq!(has_next_page(page, items, 50, &paging), expected, "{page} {items} {info}");
        }
        assert!(has_next_page(1, 50, 50, &Paging::read(None)));
    }
}
