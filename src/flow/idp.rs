//! Finding identity providers by what a person calls them.

use super::named::{self, Candidate, Noun};
use super::{Error, Stop, Tools};
use crate::api::Kind;
use crate::api::idp::{self, Idp, Type};
use crate::api::ids::IdpId;

const NOUN: Noun = Noun { one: "identity provider", listed_by: "cfsso idp list" };

/// All identity providers, by name and then ID.
pub async fn list(tools: &Tools<'_>) -> Result<Vec<Idp>, Error> {
    let mut idps = tools.client.list(&idp::list(tools.account)).await?;
    idps.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
    Ok(idps)
}

/// The identity provider that `text` names: one request, and by a wrong ID a
/// second one for the list of those there are.
pub async fn find(tools: &Tools<'_>, text: &str) -> Result<Idp, Error> {
    if let Some(id) = as_id(text) {
        match tools.client.send(&idp::get(tools.account, &id)).await {
            Err(error) if error.kind() == Kind::NotFound => {
                let Ok(idps) = list(tools).await else { return Err(error.into()) };
                let stop = match pick(&idps, text) {
                    Ok(found) => return Ok(found.clone()),
                    Err(stop) => stop,
                };
                return Err(stop
                    .cause("an ID of another account is not found in this one: check `--account`")
                    .into());
            }
            answer => return Ok(answer?),
        }
    }
    let idps = list(tools).await?;
    Ok(pick(&idps, text)?.clone())
}

/// The one of `idps` that `text` names.
pub fn pick<'a>(idps: &'a [Idp], text: &str) -> Result<&'a Idp, Stop> {
    let candidates: Vec<_> = idps
        .iter()
        .map(|idp| Candidate { id: idp.id.as_str(), name: &idp.name, kind: idp.kind.as_str() })
        .collect();
    let kind = Type::named(text);
    Ok(&idps[named::pick(NOUN, &candidates, text, Some(kind.as_str()))?])
}

/// `text` as an ID, where it looks like the UUID that IDs of Access are.
#[must_use]
pub fn as_id(text: &str) -> Option<IdpId> {
    looks_like_uuid(text).then(|| text.parse().ok()).flatten()
}

/// 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
#[must_use]
pub fn looks_like_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_taken_for_an_id() {
        for (text, is_id) in [
            ("f174e90a-fafe-4643-bbbc-4a0ed4fc8415", true),
            ("f174e90afafe4643bbbc4a0ed4fc8415", false),
            ("okta", false),
            ("", false),
            ("f174e90a-fafe-4643-bbbc-4a0ed4fc841g", false),
        ] {
            assert_eq!(as_id(text).is_some(), is_id, "{text}");
        }
    }
}
