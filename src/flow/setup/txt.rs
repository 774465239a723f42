//! The steps of the TXT record: publish it, or print it, and wait until it is visible.

use std::time::Duration;

use jiff::Timestamp;

use super::{Event, Options, Setup, StepId};
use crate::api::connector::Connector;
use crate::api::zone::Zone;
use crate::dns::{self, Diagnosis, Lookup, LookupResult, Role, Scope, Verdict};
use crate::flow::dns_provider::{DnsProvider, dns_provider};
use crate::flow::publish::{self, DnsHost, TxtRecord, TxtRecords};
use crate::flow::steps::StepState;
use crate::flow::{Error, FlowError, preflight};

/// How long a record of a verified domain is looked for: no step depends on it.
const MAX_READ_BACK: Duration = Duration::from_mins(1);

impl Setup<'_> {
    pub(super) async fn place(&self) -> Result<Option<DnsHost>, Error> {
        if self.options.publish_txt {
            publish::dns_host(self.env, &self.options.domain).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Also returns whether a record was created that the name servers have to return soon.
    pub(super) async fn publish(
        &self,
        connector: &Connector,
        connectors: &[Connector],
        lookup: Lookup,
        place: Option<DnsHost>,
    ) -> Result<(LookupResult, bool), Error> {
        let domain = &self.options.domain;
        let code = code(connector)?;
        let record = TxtRecord::new(domain, code);
        self.report.borrow_mut().txt_record = Some(record.clone());
        let found = self.diagnose(connector, lookup);
        let is_visible = found.diagnosis.verdict == Verdict::Visible;
        // Whether Cloudflare checks a verified domain again is not documented.
        let skip_reason = match (connector.is_verified(), is_visible) {
            (true, false) if self.options.publish_txt => None,
            (true, _) => Some("not needed: the domain is verified"),
            (false, _) => is_visible.then_some(code),
        };
        // Stale codes are looked up even if the record is no longer needed.
        if let Some(detail) = skip_reason
            && !self.options.replace_stale_txt
        {
            self.steps.end(StepId::PublishTxt, StepState::Skipped, detail);
            return Ok((found, false));
        }
        self.steps.begin(StepId::PublishTxt);
        let place = match place {
            Some(place) => place,
            None => self
                .place()
                .await?
                .unwrap_or_else(|| DnsHost::External("--publish-txt not given".to_owned())),
        };
        let (zone, warning) = match place {
            DnsHost::Cloudflare { zone, warning } => (zone, warning),
            DnsHost::External(reason) => {
                match skip_reason {
                    Some(detail) => {
                        self.steps.end(StepId::PublishTxt, StepState::Skipped, detail);
                    }
                    None => self.publish_by_hand(&record, &reason, &found),
                }
                return Ok((found, false));
            }
        };
        // Another provider serves the domain: the record is needed there, too.
        if let Some(text) = &warning
            && skip_reason.is_none()
        {
            self.emit(&Event::Warning { text });
            let dns_provider = provider(&found.lookup);
            self.emit(&Event::Publish { record: &record, reason: text, dns_provider });
        }
        let records = match self.publish_in(&zone, &record, connector, connectors).await {
            Ok(records) => records,
            Err(error) => {
                let reason = publish::unpermitted(&error, &zone);
                let Some(reason) = reason.filter(|_| skip_reason.is_none()) else {
                    return Err(error);
                };
                if connector.is_verified() {
                    self.emit(&Event::Warning { text: &reason });
                    self.publish_by_hand(&record, &reason, &found);
                    return Ok((found, false));
                }
                let dns_provider = provider(&found.lookup);
                self.emit(&Event::Publish { record: &record, reason: &reason, dns_provider });
                return Err(error);
            }
        };
        let removed = self.remove_stale(&zone, &record, &records).await?;
        let is_new = !records.current && warning.is_none();
        if removed {
            let lookup = self.env.resolver.lookup(domain, None, Scope::Authoritative).await;
            return Ok((self.diagnose(connector, lookup), is_new));
        }
        Ok((found, is_new))
    }

    fn publish_by_hand(&self, record: &TxtRecord, reason: &str, found: &LookupResult) {
        self.steps.end(StepId::PublishTxt, StepState::Pending, format!("by hand: {reason}"));
        let dns_provider = provider(&found.lookup);
        self.emit(&Event::Publish { record, reason, dns_provider });
    }

    /// Creates the record; returns the records before.
    async fn publish_in(
        &self,
        zone: &Zone,
        record: &TxtRecord,
        connector: &Connector,
        connectors: &[Connector],
    ) -> Result<TxtRecords, Error> {
        let domain = &self.options.domain;
        let records = publish::records(self.env, &zone.id, domain, connector, connectors).await?;
        for code in &records.left_over {
            self.emit(&Event::Warning {
                text: &format!(
                    "the verification code of a deleted connector of this account (journal) at {} \
                     is left alone: {code}",
                    record.name
                ),
            });
        }
        for code in &records.foreign {
            self.emit(&Event::Warning {
                text: &format!(
                    "another verification code at {} is left alone: {code}",
                    record.name
                ),
            });
        }
        if !records.current {
            publish::create(self.env, &zone.id, record, &connector.id).await?;
        }
        Ok(records)
    }

    /// Returns whether a record was deleted, and ends the step.
    async fn remove_stale(
        &self,
        zone: &Zone,
        record: &TxtRecord,
        records: &TxtRecords,
    ) -> Result<bool, Error> {
        for stale in &records.stale {
            if self.options.replace_stale_txt {
                self.env.execute(&publish::delete_action(&zone.id, stale)).await?;
            } else {
                let text = format!(
                    "outdated verification code of cfsso at {}: {}; --replace-stale-txt deletes it",
                    record.name,
                    stale.txt().unwrap_or_default()
                );
                self.emit(&Event::Warning { text: &text });
            }
        }
        let removed = self.options.replace_stale_txt && !records.stale.is_empty();
        let stood = records.current && !removed;
        let state = if stood { StepState::Skipped } else { StepState::Done };
        self.steps.end(StepId::PublishTxt, state, format!("published in zone {}", zone.name));
        Ok(removed)
    }

    pub(super) async fn await_visible(
        &self,
        connector: &Connector,
        found: LookupResult,
        is_new: bool,
    ) -> Result<LookupResult, Error> {
        if found.diagnosis.verdict == Verdict::Visible {
            let detail = preflight::describe_published(&found.lookup, &found.diagnosis);
            self.steps.end(StepId::TxtVisible, StepState::Skipped, detail);
            return Ok(found);
        }
        let is_verified = connector.is_verified();
        if is_verified && (!is_new || found.diagnosis.verdict == Verdict::Unreachable) {
            let detail = format!("not needed: {}", found.diagnosis.summary);
            self.steps.end(StepId::TxtVisible, StepState::Skipped, detail);
            return Ok(found);
        }
        if self.env.is_dry_run() {
            return Ok(found);
        }
        self.steps.begin(StepId::TxtVisible);
        let now = self.env.clock.now();
        let mut deadline = if self.options.wait { self.options.deadline } else { now };
        if is_verified {
            let limit = now.saturating_add(MAX_READ_BACK).unwrap_or(Timestamp::MAX);
            deadline = deadline.min(limit);
        }
        let found = dns::wait_until_visible(
            self.env.resolver,
            &self.options.domain,
            Some(code(connector)?.as_bytes()),
            deadline,
            |diagnosis| self.emit(&Event::Waiting { text: &diagnosis.summary, since: now }),
        )
        .await;
        if is_verified && !found.diagnosis.verdict.is_visible() {
            let detail = found.diagnosis.summary.clone();
            self.steps.end(StepId::TxtVisible, StepState::Pending, detail);
            return Ok(found);
        }
        if !found.diagnosis.verdict.is_visible() {
            return Err(not_visible(self.options, &found.diagnosis).into());
        }
        self.steps.end(
            StepId::TxtVisible,
            StepState::Done,
            preflight::describe_published(&found.lookup, &found.diagnosis),
        );
        Ok(found)
    }

    fn diagnose(&self, connector: &Connector, lookup: Lookup) -> LookupResult {
        let expected = connector.code().map(str::as_bytes);
        let diagnosis = dns::diagnose(&lookup, expected, self.env.clock.now());
        LookupResult { lookup, diagnosis }
    }
}

fn provider(lookup: &Lookup) -> Option<&'static DnsProvider> {
    let servers = lookup.servers.iter().filter(|server| server.role == Role::Authoritative);
    dns_provider(servers.filter_map(|server| server.name.as_deref()))
}

fn code(connector: &Connector) -> Result<&str, FlowError> {
    connector.code().ok_or_else(|| {
        FlowError::not_yet(format!(
            "the API returned no verification code for {}",
            connector.email_domain
        ))
        .hint(format!("`cfsso connector get {} -o json`", connector.id))
    })
}

fn not_visible(options: &Options, diagnosis: &Diagnosis) -> FlowError {
    let domain = &options.domain;
    FlowError::not_yet(format!("the TXT record of {domain} is not visible everywhere yet"))
        .cause(diagnosis.summary.clone())
        .hint(match &diagnosis.remedy {
            Some(remedy) => format!("{remedy}; then `{}`", options.rerun_command()),
            None => format!("`{}`", options.rerun_command()),
        })
}
