//! The note before a confirmation that says how many members a connector change affects.

use crate::api::member;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::{Env, preflight};
use crate::output::Text;
use crate::plural::count_noun;

/// Prints nothing if the token lacks the permission to read members.
pub async fn note(domain: &str, env: &Env<'_>, context: &Context) {
    let Ok(domain) = domain.parse::<EmailDomain>() else { return };
    if !context.asks() {
        return;
    }
    let Ok(members) = env.client.list(&member::list(env.account)).await else { return };
    let count = preflight::at_domain(&members, &domain).count();
    context.screen.note(Text::prose(format!(
        "this concerns {} with an address at {domain}: `cfsso impact {domain}`",
        count_noun(count, "member")
    )));
}
