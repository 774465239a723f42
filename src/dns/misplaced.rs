//! Names at which verification codes are published by mistake.

use hickory_proto::rr::Name;

use super::lookup::Location;

/// Labels of other verifications, or derived from the code's name.
const UNDERSCORE: [&str; 5] = [
    "_cloudflare_dashboard_sso",
    "_cloudflare-dashboard-sso",
    "cloudflare_dashboard_sso",
    "_cloudflare-challenge",
    "cloudflare-verify",
];

/// `unlikely` is a label that does not exist in practice: an answer for it is from a wildcard.
pub(super) fn names(domain: &Name, zone: &Name, unlikely: &str) -> Vec<(Name, Location)> {
    let below = |label: &str, place| Some((domain.prepend_label(label).ok()?, place));
    let mut names = vec![
        below(unlikely, Location::Wildcard),
        domain.clone().append_domain(zone).ok().map(|name| (name, Location::DuplicatedDomain)),
        below("www", Location::Www),
    ];
    names.extend(UNDERSCORE.iter().map(|label| below(label, Location::UnderscorePrefix)));
    if zone != domain && zone.num_labels() > 1 {
        names.push(Some((zone.clone(), Location::Apex)));
        let sibling = domain.base_name().prepend_label(unlikely).ok();
        names.push(sibling.map(|name| (name, Location::WildcardAbove)));
    }
    names.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::lookup::display_name;
    use super::*;

    fn listed(domain: &str, zone: &str) -> Vec<(String, Location)> {
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let found = names(&name(domain), &name(zone), "zq7");
        found.into_iter().map(|(name, place)| (display_name(&name), place)).collect()
    }

    #[test]
    fn an_apex_is_looked_for_below_itself() {
        let found = listed("cool.cats.", "cool.cats.");
        for (name, place) in [
            ("zq7.cool.cats", Location::Wildcard),
            ("cool.cats.cool.cats", Location::DuplicatedDomain),
            ("www.cool.cats", Location::Www),
            ("_cloudflare_dashboard_sso.cool.cats", Location::UnderscorePrefix),
            ("_cloudflare-challenge.cool.cats", Location::UnderscorePrefix),
        ] {
            assert!(found.contains(&(name.to_owned(), place)), "{name}");
        }
        assert!(!found.iter().any(|(_, place)| *place == Location::Apex));
    }

    #[test]
    fn a_name_below_the_apex_is_looked_for_there_too() {
        let found = listed("mail.cool.cats.", "cool.cats.");
        for (name, place) in [
            ("mail.cool.cats.cool.cats", Location::DuplicatedDomain),
            ("cool.cats", Location::Apex),
            ("zq7.cool.cats", Location::WildcardAbove),
        ] {
            assert!(found.contains(&(name.to_owned(), place)), "{name}");
        }
    }

    #[test]
    fn names_that_would_be_too_long_are_left_out() {
        let long = format!("{}.{}.{}.cool.cats.", "a".repeat(60), "b".repeat(60), "c".repeat(60));
        assert!(listed(&long, &long).iter().all(|(_, place)| *place != Location::DuplicatedDomain));
    }
}
