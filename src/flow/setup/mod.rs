//! Guided set-up: create → publish → wait → verify → check → enable. Each step
//! is computed from what the server shows, so that a second run resumes.

mod checklist;
mod outlook;

use std::cell::RefCell;

pub use checklist::{Enabling, Event, Report, Step, StepId, Wishes};
pub use outlook::plan;

use super::plan::Plan;
use super::preflight::{self, Served, Subject, Terms};
use super::publish::{self, Place, TxtRecord};
use super::steps::{StepState, Steps};
use super::{Error, Stop, StopKind, Tools, connector, verify};
use crate::api::connector::{BeginVerification, Connector, Status};
use crate::api::ids::ConnectorId;
use crate::api::zone::Zone;
use crate::dns::{self, Awaited, Judgement, Reach, Survey, Verdict};

/// What was seen at the name servers.
struct Seen {
    survey: Survey,
    judgement: Judgement,
}

struct Setup<'a> {
    tools: &'a Tools<'a>,
    wishes: &'a Wishes,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: Steps<'a, StepId>,
    report: RefCell<Report>,
}

/// Sets a domain up as far as `wishes` say. The report tells how far it came,
/// also where it ended early.
pub async fn run(
    tools: &Tools<'_>,
    wishes: &Wishes,
    on_event: &dyn Fn(&Event<'_>),
    confirm: impl AsyncFnOnce() -> Result<(), Error>,
) -> (Report, Result<(), Error>) {
    let report = Report {
        schema: Report::SCHEMA,
        ok: false,
        domain: wishes.domain.to_string(),
        steps: Vec::new(),
        checks: Vec::new(),
        record: None,
        result: None,
        next: None,
    };
    let steps = Steps::new(|step| on_event(&Event::Step(step)));
    let setup = Setup { tools, wishes, on_event, steps, report: RefCell::new(report) };
    let end = setup.go(confirm).await;
    if let Err(error) = &end {
        setup.steps.conclude(error);
    }
    let mut report = setup.report.into_inner();
    report.ok = end.is_ok();
    report.next = end.is_err().then(|| wishes.again()).or(report.next);
    report.steps = setup.steps.into_ended();
    (report, end)
}

impl Setup<'_> {
    async fn go(&self, confirm: impl AsyncFnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let domain = &self.wishes.domain;
        let (connectors, survey) = tokio::join!(
            connector::list(self.tools),
            self.tools.resolver.survey(domain, None, Reach::Authoritative)
        );
        let connectors = connectors?;
        let standing = connector::pick(&connectors, domain)?.cloned();
        let (connector, place) = if let Some(connector) = standing {
            (self.stands(connector), None)
        } else {
            // The zone is looked up while the connector is created.
            let (connector, place) = tokio::join!(self.create(), self.place());
            (connector?, place?)
        };
        let seen = self.publish(&connector, survey, place).await?;
        let seen = self.await_visible(&connector, seen).await?;
        let connector = self.verify(connector).await?;
        self.enable(connector, connectors, &seen, confirm).await
    }

    fn stands(&self, connector: Connector) -> Connector {
        if self.wishes.fedramp == Some(true) && connector.use_fedramp_language != Some(true) {
            let text = format!(
                "the connector that stands does not have the FedRAMP wording; \
                 `cfsso connector update {} --fedramp` sets it",
                self.wishes.domain
            );
            self.tell(&Event::Warning { text: &text });
        }
        self.steps.end(StepId::Create, StepState::DoneAlready, format!("ID {}", connector.id));
        self.saw(&connector);
        connector
    }

    async fn create(&self) -> Result<Connector, Error> {
        self.steps.begin(StepId::Create);
        // Without waiting, Cloudflare may as well begin its two days of looking
        // now; otherwise they begin once the record is there to be found.
        let begin =
            if self.wishes.wait { BeginVerification::Later } else { BeginVerification::Now };
        let connector =
            connector::create(self.tools, &self.wishes.domain, begin, self.wishes.fedramp).await?;
        self.saw(&connector);
        self.steps.end(StepId::Create, StepState::Done, format!("ID {}", connector.id));
        Ok(connector)
    }

    async fn place(&self) -> Result<Option<Place>, Error> {
        if self.wishes.publish_txt {
            publish::place(self.tools, &self.wishes.domain).await.map(Some)
        } else {
            Ok(None)
        }
    }

    async fn publish(
        &self,
        connector: &Connector,
        survey: Survey,
        place: Option<Place>,
    ) -> Result<Seen, Error> {
        let domain = &self.wishes.domain;
        let code = code(connector)?;
        let record = TxtRecord::new(domain, code);
        self.report.borrow_mut().record = Some(record.clone());
        let seen = self.judge(connector, survey);
        let settled = if connector.is_verified() {
            Some("not needed any more: the domain is verified")
        } else {
            (seen.judgement.verdict == Verdict::Visible).then_some(code)
        };
        // Stale codes are looked for even where the record has done its work.
        if let Some(detail) = settled
            && !self.wishes.replace_stale_txt
        {
            self.steps.end(StepId::PublishTxt, StepState::DoneAlready, detail);
            return Ok(seen);
        }
        self.steps.begin(StepId::PublishTxt);
        let place = match place {
            Some(place) => place,
            None => self
                .place()
                .await?
                .unwrap_or_else(|| Place::Elsewhere("--publish-txt was not given".to_owned())),
        };
        match place {
            Place::Zone { zone, warning } => {
                // Who serves the domain is somebody else: the record goes there, too.
                if let Some(text) = &warning
                    && settled.is_none()
                {
                    self.tell(&Event::Warning { text });
                    self.tell(&Event::Publish { record: &record, reason: text });
                }
                if self.publish_in(&zone, &record, &connector.id).await? {
                    let resolver = self.tools.resolver;
                    let survey = resolver.survey(domain, None, Reach::Authoritative).await;
                    return Ok(self.judge(connector, survey));
                }
            }
            Place::Elsewhere(reason) => {
                if let Some(detail) = settled {
                    self.steps.end(StepId::PublishTxt, StepState::DoneAlready, detail);
                    return Ok(seen);
                }
                self.steps.end(StepId::PublishTxt, StepState::Todo, format!("by hand: {reason}"));
                self.tell(&Event::Publish { record: &record, reason: &reason });
            }
        }
        Ok(seen)
    }

    /// Whether stale codes were removed, so that what was served before is not
    /// what is served now.
    async fn publish_in(
        &self,
        zone: &Zone,
        record: &TxtRecord,
        id: &ConnectorId,
    ) -> Result<bool, Error> {
        let records =
            publish::records(self.tools, &zone.id, &self.wishes.domain, &record.content).await?;
        for code in &records.foreign {
            self.tell(&Event::Warning {
                text: &format!("another code stands at {} and is left alone: {code}", record.name),
            });
        }
        if !records.stands {
            publish::create(self.tools, &zone.id, record, id).await?;
        }
        for stale in &records.stale {
            if self.wishes.replace_stale_txt {
                self.tools.execute(&publish::deletion(&zone.id, stale)).await?;
            } else {
                let text = format!(
                    "a stale code of this program stands at {}: {}; --replace-stale-txt removes it",
                    record.name,
                    stale.txt().unwrap_or_default()
                );
                self.tell(&Event::Warning { text: &text });
            }
        }
        let removed = self.wishes.replace_stale_txt && !records.stale.is_empty();
        let stood = records.stands && !removed;
        let state = if stood { StepState::DoneAlready } else { StepState::Done };
        self.steps.end(StepId::PublishTxt, state, format!("in the zone {}", zone.name));
        Ok(removed)
    }

    async fn await_visible(&self, connector: &Connector, seen: Seen) -> Result<Seen, Error> {
        if seen.judgement.verdict == Verdict::Visible {
            let detail = preflight::served(&seen.survey, &seen.judgement);
            self.steps.end(StepId::TxtVisible, StepState::DoneAlready, detail);
            return Ok(seen);
        }
        if connector.is_verified() {
            let detail = format!("not needed any more, and not so now: {}", seen.judgement.summary);
            self.steps.end(StepId::TxtVisible, StepState::DoneAlready, detail);
            return Ok(seen);
        }
        self.steps.begin(StepId::TxtVisible);
        let now = self.tools.clock.now();
        let deadline = if self.wishes.wait { self.wishes.deadline } else { now };
        let Awaited { survey, judgement } = dns::await_visible(
            self.tools.resolver,
            &self.wishes.domain,
            Some(code(connector)?.as_bytes()),
            deadline,
            |_, judgement| self.tell(&Event::Waiting { text: &judgement.summary, since: now }),
        )
        .await;
        if !judgement.verdict.is_visible() {
            return Err(not_visible(self.wishes, &judgement).into());
        }
        self.steps.end(StepId::TxtVisible, StepState::Done, preflight::served(&survey, &judgement));
        Ok(Seen { survey, judgement })
    }

    async fn verify(&self, connector: Connector) -> Result<Connector, Error> {
        if connector.is_verified() {
            self.steps.end(StepId::Verify, StepState::DoneAlready, "verified");
            return Ok(connector);
        }
        self.steps.begin(StepId::Verify);
        let since = self.tools.clock.now();
        let deadline = if self.wishes.wait { self.wishes.deadline } else { since };
        let connector = verify::until_verified(self.tools, connector, deadline, &|connector| {
            let status = connector.status().map_or("unknown", Status::as_str);
            self.tell(&Event::Waiting {
                text: &format!("Cloudflare's verification, now {status}"),
                since,
            });
        })
        .await?;
        self.saw(&connector);
        self.steps.end(StepId::Verify, StepState::Done, "verified");
        Ok(connector)
    }

    async fn enable(
        &self,
        connector: Connector,
        others: Vec<Connector>,
        seen: &Seen,
        confirm: impl AsyncFnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        if connector.is_enabled() {
            self.steps.end(
                StepId::Enable,
                StepState::DoneAlready,
                "sign-in through the identity provider is enforced",
            );
            return Ok(());
        }
        let Some(enabling) = &self.wishes.enable else {
            self.steps.end(StepId::Enable, StepState::Todo, "not asked for");
            self.report.borrow_mut().next =
                Some(format!("cfsso connector enable {}", self.wishes.domain));
            return Ok(());
        };
        self.preflight(&connector, others, seen, enabling).await?;
        self.steps.begin(StepId::Enable);
        confirm().await?;
        let connector = connector::enable(self.tools, &self.wishes.domain, &connector).await?;
        self.saw(&connector);
        self.steps.end(
            StepId::Enable,
            StepState::Done,
            "read back: sign-in through the identity provider is enforced",
        );
        Ok(())
    }

    async fn preflight(
        &self,
        connector: &Connector,
        mut connectors: Vec<Connector>,
        seen: &Seen,
        enabling: &Enabling,
    ) -> Result<(), Error> {
        self.steps.begin(StepId::Preflight);
        // The list was read before this run created one.
        connectors.retain(|other| other.id != connector.id);
        connectors.push(connector.clone());
        let facts = Box::pin(preflight::gather(self.tools, &enabling.asking)).await;
        let subject = Subject {
            connector,
            domain: &self.wishes.domain,
            served: Served { survey: &seen.survey, judgement: &seen.judgement },
        };
        let terms = Terms { now: self.tools.clock.now(), min_token_days: enabling.min_token_days };
        let checks: Vec<_> = preflight::judge(subject, &connectors, &facts, &terms)
            .into_iter()
            .map(|check| check.accepting(&enabling.accepted))
            .collect();
        self.report.borrow_mut().checks.clone_from(&checks);
        let plan = Plan::new(checks, Vec::new());
        let passes = plan.passes(&format!("enabling `{}`", self.wishes.domain));
        let state = if passes.is_ok() { StepState::Done } else { StepState::Refused };
        self.steps.end(StepId::Preflight, state, plan.tally());
        self.tell(&Event::Checks { checks: &plan.checks });
        Ok(passes?)
    }

    fn judge(&self, connector: &Connector, survey: Survey) -> Seen {
        let expected = connector.code().map(str::as_bytes);
        let judgement = dns::judge(&survey, expected, self.tools.clock.now());
        Seen { survey, judgement }
    }

    fn saw(&self, connector: &Connector) {
        self.report.borrow_mut().result = Some(connector.clone());
    }

    fn tell(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }
}

fn code(connector: &Connector) -> Result<&str, Stop> {
    connector.code().ok_or_else(|| {
        Stop::new(
            StopKind::NotYet,
            format!("the API tells no verification code for `{}`", connector.email_domain),
        )
        .hint(format!("`cfsso connector get {} -o json`", connector.id))
    })
}

fn not_visible(wishes: &Wishes, judgement: &Judgement) -> Stop {
    let domain = &wishes.domain;
    Stop::new(
        StopKind::NotYet,
        format!("the TXT record of `{domain}` is not published everywhere yet"),
    )
    .causes([Some(judgement.summary.clone()), judgement.remedy.clone()].into_iter().flatten())
    .hint(format!("`{}`", wishes.again()))
}
