use super::{Include, PAGE, ResourceType, Share, collection};
use crate::api::ids::AccountId;
use crate::api::request::Request;

/// Unset means everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `active`, `deleting` or `deleted`.
    pub status: Option<String>,
    /// `sent` or `received`.
    pub kind: Option<String>,
    /// `account` or `organization`.
    pub target_type: Option<String>,
    pub resource_types: Vec<ResourceType>,
    /// `name` or `created`.
    pub order: Option<String>,
    /// `asc` or `desc`.
    pub direction: Option<String>,
    /// `key=value` or `key`.
    pub tags: Vec<String>,
    pub include: Include,
}

/// The API supports both (API reference, section 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// With this page size.
    Paged(u32),
    /// The API returns everything if no page is requested.
    Unpaged,
}

impl Default for Paging {
    fn default() -> Self {
        Self::Paged(PAGE)
    }
}

impl Paging {
    pub(super) fn of<T>(self, request: Request<Vec<T>>) -> Request<Vec<T>> {
        match self {
            Self::Paged(size) => request.paged(size),
            Self::Unpaged => request,
        }
    }
}

pub fn list(account: &AccountId, filter: &Filter, paging: Paging) -> Request<Vec<Share>> {
    let mut request = Request::get(&collection(account));
    for (name, value) in [
        ("status", &filter.status),
        ("kind", &filter.kind),
        ("target_type", &filter.target_type),
        ("order", &filter.order),
        ("direction", &filter.direction),
    ] {
        if let Some(value) = value {
            request = request.query(name, value);
        }
    }
    for kind in &filter.resource_types {
        request = request.query("resource_types", kind.as_str());
    }
    for tag in &filter.tags {
        request = request.query("tag", tag);
    }
    paging.of(filter.include.of(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_asks_for_just_what_it_was_narrowed_down_to() {
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let all = list(&account, &Filter::default(), Paging::Unpaged);
        assert!(all.query_params().is_empty());
        assert_eq!(all.paging(), None);
        let filter = Filter {
            status: Some("active".to_owned()),
            kind: Some("sent".to_owned()),
            resource_types: vec![ResourceType::IdpFederationGrant, ResourceType::TrustGrant],
            tags: vec!["env=production".to_owned(), "team".to_owned()],
            include: Include::ALL,
            ..Filter::default()
        };
        let request = list(&account, &filter, Paging::default());
        let query: Vec<_> =
            request.query_params().iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            query,
            [
                "status=active",
                "kind=sent",
                "resource_types=idp-federation-grant",
                "resource_types=trust-grant",
                "tag=env=production",
                "tag=team",
                "include_resources=true",
                "include_recipient_counts=true",
            ]
        );
        assert_eq!(request.paging(), Some(crate::api::request::Paging::Numbered { size: 100 }));
    }
}
