use super::facts::{Facts, NotChecked};
use super::names;
use crate::api::member::Member;
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId, Severity};

pub fn at_domain<'a>(
    members: &'a [Member],
    domain: &'a EmailDomain,
) -> impl Iterator<Item = &'a Member> {
    members.iter().filter(|member| domain.has_address(member.email()))
}

/// Plus addresses cannot sign in with SSO (API reference, section 2).
pub(super) fn plus_addressed<'a>(
    domain: &EmailDomain,
    facts: &'a Facts,
) -> Result<Check, &'a NotChecked> {
    let id = CheckId::MembersPlusAddressed;
    let members = facts.members.as_ref()?;
    let found = at_domain(members, domain).map(|member| member.email());
    let found: Vec<_> = found.filter(|address| has_plus(address)).collect();
    if found.is_empty() {
        return Ok(Check::passed(id, format!("no member of {domain} uses a plus address")));
    }
    let evidence = format!("plus addresses cannot use SSO: {}", names(found));
    Ok(Check::failed(id, evidence, "invite them without the plus"))
}

pub(in crate::flow) fn super_admin<'a>(
    domain: &EmailDomain,
    facts: &'a Facts,
) -> Result<Check, &'a NotChecked> {
    let id = CheckId::MembersSuperAdmin;
    let members = facts.members.as_ref()?;
    let supers = members.iter().filter(|member| member.is_super_administrator());
    let (accepted, others): (Vec<_>, Vec<_>) = supers.partition(|member| member.is_accepted());
    let (inside, outside): (Vec<_>, Vec<_>) = accepted
        .iter()
        .map(|member| member.email())
        .partition(|address| domain.has_address(address));
    let able: Vec<_> = inside.iter().copied().filter(|address| !has_plus(address)).collect();
    let invited = pending(members, &others);
    let remedy = "invite a super administrator of another domain";
    Ok(match (able.is_empty(), outside.is_empty()) {
        (_, false) => Check::passed(
            id,
            format!(
                "super admins without SSO: {}; with SSO: {}{invited}",
                names(outside),
                if inside.is_empty() { "none".to_owned() } else { names(inside) }
            ),
        ),
        (false, true) => Check::failed(
            id,
            format!("all super admins use SSO ({domain}): {}{invited}", names(able)),
            remedy,
        )
        .with_severity(Severity::Warning),
        (true, true) if inside.is_empty() => Check::failed(
            id,
            format!(
                "no accepted member is a super administrator by role or policy (user groups are not \
                 checked){invited}"
            ),
            remedy,
        ),
        (true, true) => Check::failed(
            id,
            format!("none could sign in with SSO, for the plus: {}{invited}", names(inside)),
            remedy,
        ),
    })
}

/// Names pending super administrators, counts the others.
fn pending(members: &[Member], supers: &[&Member]) -> String {
    let waiting = supers.iter().filter(|member| member.is_pending());
    let waiting: Vec<_> = waiting.map(|member| member.email()).collect();
    if !waiting.is_empty() {
        return format!("; invited and not counted: {}", names(waiting));
    }
    let invited = members.iter().filter(|member| member.is_pending());
    let invited: Vec<_> = invited.map(|member| member.email()).collect();
    if invited.is_empty() {
        return String::new();
    }
    format!("; invited, without an answer yet: {}", names(invited))
}

pub(in crate::flow) fn has_plus(address: &str) -> bool {
    address.split_once('@').is_some_and(|(local, _)| local.contains('+'))
}
