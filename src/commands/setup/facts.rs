//! The state of the account that a guided set-up reads before its questions.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::super::idp::get;
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::idp::Idp;
use crate::api::member::{self, Member};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::{Env, app, connector, idp, preflight};
use crate::idp::Fetcher;
use crate::idp::check::{self, CheckOptions, IdpCheck, Subject};

pub(super) struct Facts {
    pub connectors: Vec<Connector>,
    pub idps: Vec<Idp>,
    pub problems: Vec<Option<String>>,
    pub sso_app: Option<App>,
    pub team: Option<String>,
    pub members: Option<Vec<Member>>,
}

impl Facts {
    /// Reads in parallel; only connectors and identity providers have to be readable.
    pub async fn read(env: &Env<'_>, context: &Context) -> anyhow::Result<Self> {
        context.screen.start_progress("reading the account");
        let fetcher = context.fetcher().await?;
        let members = member::list(env.account);
        let (connectors, idps, apps, team, members) = tokio::join!(
            connector::list(env),
            idp::list(env),
            app::list(env),
            get::team(env),
            env.client.list(&members),
        );
        let (connectors, idps) = (connectors?, idps?);
        let problems = problems(&idps, &fetcher, context).await;
        context.screen.end_progress();
        let apps = apps.unwrap_or_default();
        Ok(Self {
            connectors,
            problems,
            idps,
            sso_app: app::dash_sso(&apps).ok().cloned(),
            team: team.ok(),
            members: members.ok(),
        })
    }

    /// A domain whose set-up is not finished, or the email domain of most members.
    pub fn likely_domain(&self) -> Option<EmailDomain> {
        let unfinished = self.connectors.iter().find(|connector| !connector.is_enabled());
        if let Some(domain) = unfinished.and_then(|one| one.email_domain.parse().ok()) {
            return Some(domain);
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.iter().flatten() {
            if let Some((_, domain)) = member.email().rsplit_once('@') {
                *counts.entry(domain).or_default() += 1;
            }
        }
        let has_connector =
            |domain: &str| self.connectors.iter().any(|one| one.email_domain == domain);
        let mut likely: Vec<_> = counts
            .into_iter()
            .filter_map(|(domain, count)| Some((count, domain.parse::<EmailDomain>().ok()?)))
            .filter(|(_, domain)| domain.ineligible().is_none() && !has_connector(domain.as_str()))
            .collect();
        likely.sort_by_key(|(count, _)| *count);
        likely.pop().map(|(_, domain)| domain)
    }

    pub fn members_at(&self, domain: &EmailDomain) -> Option<usize> {
        Some(preflight::at_domain(self.members.as_ref()?, domain).count())
    }
}

async fn problems(idps: &[Idp], fetcher: &Fetcher, context: &Context) -> Vec<Option<String>> {
    let options = CheckOptions::new(context.clock.now(), 1);
    let tested = idps.iter().map(async |idp| {
        let points = check::check(fetcher, Subject::of(idp), &options).await;
        points.iter().find(|point| point.is_failure()).map(IdpCheck::describe)
    });
    join_all(tested).await
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn facts(addresses: &[&str], connectors: &[&str]) -> Facts {
        let member = |address: &&str| {
            let json = serde_json::json!({ "id": "m", "email": address }).to_string();
            serde_json::from_str(&json).unwrap()
        };
        let connector = |domain: &&str| {
            let (domain, enabled) =
                domain.strip_suffix(" off").map_or((*domain, true), |domain| (domain, false));
            let json = serde_json::json!({ "id": "c", "email_domain": domain, "enabled": enabled });
            let json = json.to_string();
            serde_json::from_str(&json).unwrap()
        };
        Facts {
            connectors: connectors.iter().map(connector).collect(),
            idps: Vec::new(),
            problems: Vec::new(),
            sso_app: None,
            team: None,
            members: Some(addresses.iter().map(member).collect()),
        }
    }

    #[test]
    fn the_domain_of_most_members_is_proposed_unless_it_cannot_be_set_up() {
        for (addresses, connectors, expected) in [
            (&["a@cool.cats", "b@cool.cats", "c@cool.dogs"][..], &[][..], Some("cool.cats")),
            (&["a@cool.cats", "b@cool.cats", "c@cool.dogs"], &["cool.cats"], Some("cool.dogs")),
            (&["a@cool.cats", "c@cool.dogs"], &["cool.birds off"], Some("cool.birds")),
            (&["a@gmail.com", "b@gmail.com", "c@cool.dogs"], &[], Some("cool.dogs")),
            (&["a@gmail.com"], &[], None),
            (&[], &[], None),
        ] {
            let likely = facts(addresses, connectors).likely_domain();
            let likely = likely.as_ref().map(EmailDomain::as_str);
            assert_eq!(likely, expected, "{addresses:?} {connectors:?}");
        }
    }
}
