//! Selects an object by ID, name or type. Pure.

use super::FlowError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub kind: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub struct Noun {
    pub singular: &'static str,
    pub list_command: &'static str,
}

/// The index of the match: by ID, else by name, else by name in any case, else by the type
/// `kind`. Several matches are an error that lists them.
pub fn select_one(
    noun: Noun,
    candidates: &[Candidate<'_>],
    text: &str,
    kind: Option<&str>,
) -> Result<usize, FlowError> {
    let is_id = |candidate: &Candidate<'_>| candidate.id == text;
    let is_name = |candidate: &Candidate<'_>| candidate.name == text;
    let is_like = |candidate: &Candidate<'_>| candidate.name.to_lowercase() == text.to_lowercase();
    let is_kind =
        |candidate: &Candidate<'_>| candidate.kind == text || Some(candidate.kind) == kind;
    let matchers: [&dyn Fn(&Candidate<'_>) -> bool; 4] = [&is_id, &is_name, &is_like, &is_kind];
    for matcher in matchers {
        let found: Vec<_> = (0..candidates.len()).filter(|&at| matcher(&candidates[at])).collect();
        match found.as_slice() {
            [] => {}
            [only] => return Ok(*only),
            several => return Err(ambiguous_error(noun, candidates, text, several)),
        }
    }
    Err(not_found_error(noun, candidates, text))
}

fn ambiguous_error(
    noun: Noun,
    candidates: &[Candidate<'_>],
    text: &str,
    found: &[usize],
) -> FlowError {
    let message = format!("`{text}` names {} {}s", found.len(), noun.singular);
    FlowError::conflict(message)
        .causes(found.iter().map(|&at| describe(&candidates[at])))
        .hint(format!("specify one by its ID, `{}`", candidates[found[0]].id))
}

fn not_found_error(noun: Noun, candidates: &[Candidate<'_>], text: &str) -> FlowError {
    let message = format!("no {} `{text}` in this account", noun.singular);
    let error = FlowError::not_found(message).hint(format!("`{}`", noun.list_command));
    if candidates.is_empty() {
        return error.cause(format!("the account has no {}s", noun.singular));
    }
    error.causes(
        candidates.iter().take(10).map(|candidate| format!("existing: {}", describe(candidate))),
    )
}

fn describe(candidate: &Candidate<'_>) -> String {
    format!("{}  {} ({})", candidate.id, candidate.name, candidate.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    const NOUN: Noun = Noun { singular: "identity provider", list_command: "cfsso idp list" };
    const ALL: [Candidate<'static>; 5] = [
        Candidate { id: "p1", name: "Okta", kind: "okta" },
        Candidate { id: "p2", name: "okta", kind: "okta" },
        Candidate { id: "p3", name: "p1", kind: "azureAD" },
        Candidate { id: "p4", name: "Staff", kind: "saml" },
        Candidate { id: "p5", name: "saml", kind: "oidc" },
    ];

    #[test]
    fn an_id_comes_before_a_name_and_a_name_before_a_type() {
        for (text, kind, found) in [
            ("p1", None, Ok("p1")),
            ("Okta", None, Ok("p1")),
            ("okta", Some("okta"), Ok("p2")),
            ("OKTA", Some("okta"), Err("`OKTA` names 2 identity providers")),
            ("staff", None, Ok("p4")),
            ("azuread", Some("azureAD"), Ok("p3")),
            ("saml", Some("saml"), Ok("p5")),
            ("github", Some("github"), Err("no identity provider `github` in this account")),
            ("", None, Err("no identity provider `` in this account")),
        ] {
            let picked = select_one(NOUN, &ALL, text, kind).map(|at| ALL[at].id);
            assert_eq!(
                picked.as_ref().map_err(|error| error.message.as_str()),
                found.as_ref().map_err(|text| *text),
                "{text}"
            );
        }
    }

    #[test]
    fn an_ambiguous_name_lists_the_candidates() {
        let error = select_one(NOUN, &ALL, "OKTA", None).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::Conflict);
        assert_eq!(error.causes, ["p1  Okta (okta)", "p2  okta (okta)"]);
        let error = select_one(NOUN, &[], "x", None).unwrap_err();
        assert_eq!(error.causes, ["the account has no identity providers"]);
    }
}
