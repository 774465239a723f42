//! Members of the first account: super administrators of its domain and of others, a plus address,
//! a pending invitation.

use super::ACCOUNT_1;
use crate::sandbox::state::{Member, Membership, Role};

pub(in crate::sandbox) fn members() -> Vec<Member> {
    use Membership::{Accepted, Pending};
    use Role::{Administrator, ReadOnly, SuperAdministrator};

    let named = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
    [
        ("admin@cool.cats", named("Ada", "Cool"), SuperAdministrator, Accepted),
        ("rescue@dogs.test", named("Rex", "Rescue"), SuperAdministrator, Accepted),
        ("tom@cool.cats", named("Tom", "Cool"), Administrator, Accepted),
        ("tom+audit@cool.cats", named("Tom", "Cool"), ReadOnly, Accepted),
        ("kit@cool.cats", None, Administrator, Pending),
    ]
    .into_iter()
    .enumerate()
    .map(|(position, (email, name, role, status))| Member {
        id: format!("c001ca753e3be00000000000000000{:02}", position + 1),
        account: ACCOUNT_1.to_owned(),
        email: email.to_owned(),
        name,
        role,
        status,
    })
    .collect()
}
