//! Unsharing: the grant first, which takes effect at once, then the share; or
//! single recipients out of the share, which leaves the others alone.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::arrival::Arrival;
use super::directory::Directory;
use super::progress::{Event, Step, StepId};
use super::standing::{Held, Standing};
use super::{default_name, grant, records};
use crate::api::idp::Idp;
use crate::api::ids::{AccountId, ShareId};
use crate::api::share::{Association, Recipient, Share};
use crate::flow::plan::{Change, Plan};
use crate::flow::steps::{StepState, Steps};
use crate::flow::wait::poll;
use crate::flow::{Error, Stop, StopKind, Tools};

/// What is asked for.
pub struct Wishes {
    pub idp: Idp,
    /// The accounts to take it from; none means all, by ending the grant.
    pub from: Option<Vec<AccountId>>,
    /// Wait until it is gone everywhere.
    pub wait: bool,
    /// When waiting ends.
    pub deadline: Timestamp,
}

/// What unsharing came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether everything that was asked for is done.
    pub ok: bool,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// Who loses the identity provider, as they were before.
    pub result: Vec<Arrival>,
}

impl Report {
    /// The name of the report's JSON form.
    pub const SCHEMA: &'static str = "cfsso/federation-unshare/v1";
}

/// One deed of unsharing.
#[derive(Debug)]
pub enum Deed<'a> {
    /// Take a recipient out of a share.
    Remove(&'a Held, &'a Recipient),
    /// Delete a grant of the identity provider.
    DeleteGrant(&'a crate::api::grant::Grant),
    /// Delete a share that is of nothing else.
    DeleteShare(&'a Share),
    /// Take the grant out of a share that is of other things too.
    Withdraw(&'a Held, &'a crate::api::share::resource::Fields),
}

/// What is to do, in its order. Pure.
pub fn decide<'a>(
    standing: &'a Standing,
    idp: &Idp,
    from: Option<&[AccountId]>,
) -> Result<Vec<Deed<'a>>, Stop> {
    let Some(from) = from else { return Ok(end(standing, idp)) };
    let mut deeds = Vec::new();
    for account in from {
        deeds.extend(taken_from(standing, account)?);
    }
    Ok(deeds)
}

/// The deeds that end it for everybody. A share that an earlier run left
/// without its grant is known by its name alone.
fn end<'a>(standing: &'a Standing, idp: &Idp) -> Vec<Deed<'a>> {
    let mut deeds: Vec<_> = standing.grants.iter().map(Deed::DeleteGrant).collect();
    for held in &standing.shares {
        let is_its = |id: &str| standing.grants.iter().any(|grant| grant.id.as_str() == id);
        let active = || held.resources.iter().filter(|resource| resource.is_active());
        if active().all(|resource| resource.grant().is_some_and(is_its)) {
            deeds.push(Deed::DeleteShare(&held.share));
        } else {
            let its = active().filter(|resource| resource.grant().is_some_and(is_its));
            deeds.extend(its.map(|resource| Deed::Withdraw(held, resource)));
        }
    }
    let name = default_name(idp);
    let left = standing.orphans.iter().filter(|share| share.name == name);
    deeds.extend(left.map(Deed::DeleteShare));
    deeds
}

fn taken_from<'a>(standing: &'a Standing, account: &AccountId) -> Result<Vec<Deed<'a>>, Stop> {
    if let Some(held) = standing.shares.iter().find(|held| held.share.is_for_organization()) {
        let message =
            format!("`{account}` cannot be taken out: the whole organization receives it");
        return Err(Stop::new(StopKind::Refused, message)
            .cause(format!("the share {} is with every account of the organization", held.share.id))
            .hint("share with single accounts instead: `cfsso federation unshare <IDP>`, then `cfsso federation share <IDP> --to <ACCOUNT>`"));
    }
    let mut its = standing.shares.iter().flat_map(|held| {
        let of = held.recipients.iter().filter(|one| one.account() == Some(account));
        of.map(move |recipient| (held, recipient))
    });
    let present: Vec<_> = its.clone().filter(|(_, recipient)| !is_out(recipient)).collect();
    if present.is_empty() && its.next().is_none() {
        let message = format!("`{account}` is no recipient of this identity provider");
        return Err(Stop::new(StopKind::NotFound, message)
            .causes(standing.shares.iter().flat_map(|held| &held.recipients).filter_map(|one| {
                let account = one.account().filter(|_| one.is_in())?;
                Some(format!("{account} is one"))
            }))
            .hint("`cfsso federation status`"));
    }
    Ok(present.into_iter().map(|(held, recipient)| Deed::Remove(held, recipient)).collect())
}

fn is_out(recipient: &Recipient) -> bool {
    matches!(
        recipient.association_status,
        Some(Association::Disassociating | Association::Disassociated)
    )
}

/// Who loses the identity provider.
pub fn losing(standing: &Standing, deeds: &[Deed<'_>], directory: &Directory) -> Vec<Arrival> {
    let ends = deeds.iter().any(|deed| matches!(deed, Deed::DeleteGrant(_)));
    let all = standing.shares.iter().flat_map(|held| &held.recipients);
    all.filter(|one| {
        let is_removed = deeds
            .iter()
            .any(|deed| matches!(deed, Deed::Remove(_, who) if std::ptr::eq(*who, *one)));
        one.is_in() && (ends || is_removed)
    })
    .map(|recipient| Arrival::of(recipient, directory))
    .collect()
}

/// What the deeds send.
pub fn plan(tools: &Tools<'_>, idp: &Idp, deeds: &[Deed<'_>]) -> Plan {
    let change = |deed: &Deed<'_>| -> Change {
        match deed {
            Deed::Remove(held, recipient) => {
                records::removal(tools, &held.share.id, recipient).change()
            }
            Deed::DeleteGrant(grant) => grant::deletion(tools, grant, &idp.name).change(),
            Deed::DeleteShare(share) => records::deletion(tools, share).change(),
            Deed::Withdraw(held, resource) => {
                records::resource_removal(tools, &held.share.id, resource).change()
            }
        }
    };
    Plan::new(Vec::new(), deeds.iter().map(change).collect())
}

/// Does the deeds. The report tells how far it came, also where it ended early.
pub async fn run(
    tools: &Tools<'_>,
    wishes: &Wishes,
    deeds: &[Deed<'_>],
    losing: Vec<Arrival>,
    on_event: &dyn Fn(&Event<'_>),
) -> (Report, Result<(), Error>) {
    let steps = Steps::new(|step| on_event(&Event::Step(step)));
    let run = Run { tools, wishes, on_event, steps: &steps };
    let end = run.go(deeds).await;
    if let Err(error) = &end {
        steps.conclude(error);
    }
    let steps = steps.into_ended();
    (Report { schema: Report::SCHEMA, ok: end.is_ok(), steps, result: losing }, end)
}

struct Run<'a> {
    tools: &'a Tools<'a>,
    wishes: &'a Wishes,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: &'a Steps<'a, StepId>,
}

impl Run<'_> {
    async fn go(&self, deeds: &[Deed<'_>]) -> Result<(), Error> {
        if deeds.is_empty() {
            let id = if self.wishes.from.is_some() {
                StepId::RemoveRecipients
            } else {
                StepId::DeleteGrant
            };
            self.steps.end(id, StepState::DoneAlready, "nothing is shared with them");
        }
        let mut ended = None;
        for deed in deeds {
            let done = self.deed(deed).await;
            match (done, ended) {
                (Ok(()), _) => {}
                (Err(error), None) => return Err(error),
                (Err(error), Some(grant)) => {
                    self.steps.conclude(&error);
                    return Err(half_done(grant, &error, self.wishes).into());
                }
            }
            if let Deed::DeleteGrant(grant) = deed {
                ended = Some(grant.id.as_str());
            }
        }
        if self.wishes.wait { self.settle(deeds).await } else { Ok(()) }
    }

    async fn deed(&self, deed: &Deed<'_>) -> Result<(), Error> {
        let Self { tools, steps, .. } = *self;
        let (id, detail) = match deed {
            Deed::Remove(held, recipient) => {
                steps.begin(StepId::RemoveRecipients);
                tools.execute(&records::removal(tools, &held.share.id, recipient)).await?;
                let who = recipient.account().map_or("it", AccountId::as_str);
                (StepId::RemoveRecipients, format!("{who} is being taken out"))
            }
            Deed::DeleteGrant(grant) => {
                steps.begin(StepId::DeleteGrant);
                grant::delete(tools, grant, &self.wishes.idp.name).await?;
                (StepId::DeleteGrant, format!("ID {}, seen to be gone", grant.id))
            }
            Deed::DeleteShare(share) => {
                steps.begin(StepId::DeleteShare);
                records::delete(tools, share).await?;
                (StepId::DeleteShare, format!("ID {}, seen to be going", share.id))
            }
            Deed::Withdraw(held, resource) => {
                steps.begin(StepId::DeleteShare);
                tools.execute(&records::resource_removal(tools, &held.share.id, resource)).await?;
                let detail = format!("the share {} stays for what else it is of", held.share.id);
                (StepId::DeleteShare, detail)
            }
        };
        steps.end(id, StepState::Done, detail);
        Ok(())
    }

    /// Waits until what was begun has come to its end.
    async fn settle(&self, deeds: &[Deed<'_>]) -> Result<(), Error> {
        let since = self.tools.clock.now();
        for deed in deeds {
            match deed {
                Deed::DeleteShare(share) => {
                    let text = format!("the deletion of the share {}", share.id);
                    (self.on_event)(&Event::Waiting { text: &text, since });
                    records::until_deleted(self.tools, &share.id, self.wishes.deadline).await?;
                }
                Deed::Remove(held, recipient) => {
                    let text = format!("the removal of {}", name(recipient));
                    (self.on_event)(&Event::Waiting { text: &text, since });
                    self.until_out(&held.share.id, recipient).await?;
                }
                Deed::DeleteGrant(_) | Deed::Withdraw(..) => {}
            }
        }
        Ok(())
    }

    async fn until_out(&self, share: &ShareId, who: &Recipient) -> Result<(), Error> {
        let gone = poll(self.tools.clock, self.wishes.deadline, async || {
            let all = records::recipients(self.tools, share).await?;
            let still = all.iter().find(|one| one.id == who.id);
            Ok(still
                .is_none_or(|one| one.association_status == Some(Association::Disassociated))
                .then_some(()))
        })
        .await?;
        gone.ok_or_else(|| {
            let message = format!("`{}` is still being taken out", name(who));
            Stop::new(StopKind::NotYet, message).hint("`cfsso federation status`").into()
        })
    }
}

fn name(recipient: &Recipient) -> &str {
    recipient.account().map_or(recipient.id.as_str(), AccountId::as_str)
}

fn half_done(grant: &str, error: &Error, wishes: &Wishes) -> Stop {
    let message = format!("the grant `{grant}` is deleted, but its share was not seen to go");
    Stop::new(StopKind::HalfDone, message)
        .causes(error.sentences())
        .cause("no recipient has the identity provider any more: what is left is a record")
        .hint(format!(
            "`cfsso federation unshare {}` again, or `cfsso federation status`",
            wishes.idp.id
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const C: &str = "cccccccccccccccccccccccccccccccc";

    fn standing(target: &str, others: &str) -> Standing {
        let grant = r#"{"id":"x1","resource_id":"g1","resource_type":"idp-federation-grant"}"#;
        let recipients = format!(
            r#"[{{"id":"r1","account_id":"{A}","association_status":"associated"}},
                {{"id":"r2","account_id":"{B}","association_status":"disassociated"}}]"#
        );
        let share = format!(r#"{{"id":"s1","name":"mine","target_type":"{target}"}}"#);
        let orphans = r#"[{"id":"s8","name":"Identity provider: Okta"},{"id":"s9","name":"x"}]"#;
        Standing {
            grants: serde_json::from_str(r#"[{"id":"g1","idp_id":"p1"}]"#).unwrap(),
            shares: vec![Held {
                share: serde_json::from_str(&share).unwrap(),
                resources: serde_json::from_str(&format!("[{grant}{others}]")).unwrap(),
                recipients: serde_json::from_str(&recipients).unwrap(),
            }],
            orphans: serde_json::from_str(orphans).unwrap(),
        }
    }

    fn told(deeds: &[Deed<'_>]) -> Vec<String> {
        deeds
            .iter()
            .map(|deed| match deed {
                Deed::Remove(_, one) => format!("remove {}", one.id),
                Deed::DeleteGrant(grant) => format!("grant {}", grant.id),
                Deed::DeleteShare(share) => format!("share {}", share.id),
                Deed::Withdraw(_, resource) => format!("resource {}", resource.id),
            })
            .collect()
    }

    fn okta() -> Idp {
        serde_json::from_str(r#"{"id":"p1","name":"Okta","type":"okta"}"#).unwrap()
    }

    #[test]
    fn the_grant_goes_first_and_a_share_of_other_things_stays() {
        let ruleset = r#",{"id":"x2","resource_id":"w1","resource_type":"custom-ruleset"}"#;
        for (others, expected) in [
            ("", ["grant g1", "share s1", "share s8"]),
            (ruleset, ["grant g1", "resource x1", "share s8"]),
        ] {
            let standing = standing("account", others);
            let deeds = decide(&standing, &okta(), None).unwrap();
            assert_eq!(told(&deeds), expected);
            let losing = losing(&standing, &deeds, &Directory::default());
            assert_eq!(losing.len(), 1, "one is removed already");
        }
    }

    #[test]
    fn single_recipients_are_taken_out_and_nothing_else() {
        for (target, account, expected) in [
            ("account", A, Ok(vec!["remove r1".to_owned()])),
            ("account", B, Ok(Vec::new())),
            ("account", C, Err(StopKind::NotFound)),
            ("organization", A, Err(StopKind::Refused)),
        ] {
            let standing = standing(target, "");
            let from = [account.parse().unwrap()];
            let deeds = decide(&standing, &okta(), Some(&from));
            let seen = deeds.map(|deeds| told(&deeds)).map_err(|stop| stop.kind);
            assert_eq!(seen, expected, "{target} {account}");
        }
    }
}
