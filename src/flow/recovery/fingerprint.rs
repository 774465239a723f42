//! A short hash of each part of the state that a recovery card describes. Pure.

use std::fmt;

use serde::Serialize;

use crate::flow::doctor::{AuditId, Finding};
use crate::sha256;

const LABEL: &str = "cfsso/card/v1";

const NOT_READ: &str = "x";

const PARTS: [&str; 4] = ["connectors", "SSO App", "identity providers", "super administrators"];

/// `None` for a part that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint([Option<String>; PARTS.len()]);

/// 24 bits of SHA-256, against accidental changes.
pub fn part(account: &str, state: &impl Serialize) -> String {
    let text = serde_json::to_string(state).expect("a state is plain data");
    let hash = sha256::of(format!("{account}\n{text}").as_bytes());
    hash[..6].to_owned()
}

impl Fingerprint {
    pub(super) fn new(parts: [Option<String>; PARTS.len()]) -> Self {
        Self(parts)
    }

    pub fn find(card: &str) -> Option<Self> {
        let (_, rest) = card.rsplit_once(LABEL)?;
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let parts: Vec<_> = rest[..end.unwrap_or(rest.len())].split('-').collect();
        let is_part =
            |part: &&str| part.len() == 6 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parts = parts.into_iter().map(|part| match part {
            NOT_READ => Some(None),
            part => is_part(&part).then(|| Some(part.to_owned())),
        });
        parts.collect::<Option<Vec<_>>>()?.try_into().ok().map(Self)
    }

    /// A part that was not read, now or when the card was made, is not compared.
    pub fn check(&self, now: &Self) -> Finding {
        let id = AuditId::RecoveryCard;
        let parts = || PARTS.iter().zip(self.0.iter().zip(&now.0));
        let names = |is_so: fn(&Option<String>, &Option<String>) -> bool| {
            let named = parts().filter(|(_, (then, now))| is_so(then, now));
            named.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        };
        let changed = names(|then, now| then.is_some() && now.is_some() && then != now);
        let not_compared = names(|then, now| then.is_none() || now.is_none());
        let left_out = if not_compared.is_empty() {
            String::new()
        } else {
            format!(" (not compared: {not_compared})")
        };
        if !changed.is_empty() {
            let detail = format!("changed since the card was made: {changed}{left_out}");
            return Finding::failed(id, detail, "`cfsso recovery prepare --card FILE`");
        }
        if parts().all(|(_, (then, now))| then.is_none() || now.is_none()) {
            return Finding::not_checked(id, "the token cannot read what the card describes");
        }
        Finding::passed(id, format!("the card describes the present state{left_out}"))
    }
}

/// As on a card: `cfsso/card/v1 3f2a91-0c7be4-d2a1c0-x`.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(|part| part.as_deref().unwrap_or(NOT_READ)).collect();
        write!(f, "{LABEL} {}", parts.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::check::CheckState;

    fn of(parts: [&str; 4]) -> Fingerprint {
        Fingerprint(parts.map(|part| (part != NOT_READ).then(|| part.to_owned())))
    }

    #[test]
    fn a_fingerprint_is_found_in_any_card_and_in_nothing_else() {
        let one = of(["a1b2c3", "000000", "x", "ffffff"]);
        let text = one.to_string();
        assert_eq!(text, "cfsso/card/v1 a1b2c3-000000-x-ffffff");
        for card in [text.clone(), format!("<p><code>{text}</code>"), format!("State `{text}`.")] {
            assert_eq!(Fingerprint::find(&card), Some(one.clone()), "{card}");
        }
        for card in ["", "cfsso/card/v1", "cfsso/card/v1 a1b2c3-x-x", "cfsso/card/v1 g-x-x-x"] {
            assert_eq!(Fingerprint::find(card), None, "{card}");
        }
    }

    #[test]
    fn what_differs_is_named_and_what_was_not_read_is_not_compared() {
        let card = of(["a1b2c3", "000000", "x", "ffffff"]);
        for (now, state, detail) in [
            (
                ["a1b2c3", "000001", "222222", "x"],
                CheckState::Failed,
                "changed since the card was made: SSO App (not compared: identity providers, \
                 super administrators)",
            ),
            (
                ["a1b2c3", "000000", "222222", "ffffff"],
                CheckState::Passed,
                "the card describes the present state (not compared: identity providers)",
            ),
            (
                ["x", "x", "222222", "x"],
                CheckState::NotChecked,
                "the token cannot read what the card describes",
            ),
        ] {
            let finding = card.check(&of(now));
            assert_eq!((finding.state, finding.detail.as_str()), (state, detail));
        }
    }

    #[test]
    fn the_hash_of_a_part_depends_on_the_account() {
        assert_eq!(part("a", &"state"), part("a", &"state"));
        assert_ne!(part("a", &"state"), part("b", &"state"));
    }
}
