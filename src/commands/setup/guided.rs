//! Set-up by questions. The answers become the command lines that do the same without
//! questions; those are run, and shown at the end.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::super::Outcome;
use super::super::idp::ask::{self, Asker, NewIdp};
use super::super::idp::get;
use super::repair::{self, Repairs};
use super::{Args, credentials, options, show};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::idp::{Idp, IdpType};
use crate::api::member::{self, Member};
use crate::context::Context;
use crate::dns::{self, Delegation, Lookup, Scope};
use crate::domain::EmailDomain;
use crate::flow::check::Check;
use crate::flow::publish::{self, DnsHost};
use crate::flow::setup::{self, Event, Report, Step};
use crate::flow::steps::StepState;
use crate::flow::{Env, Error, FlowError, FlowErrorKind, app, connector, idp};
use crate::idp::Fetcher;
use crate::idp::check::{self, CheckOptions, IdpCheck, Subject};
use crate::input::nearest::nearest;
use crate::interview::{Answers, Choice, Interview, Question};
use crate::output::{Page, Status, Text};
use crate::plural::count_noun;
use crate::shell;

/// The words of the command that creates an identity provider.
const IDP_CREATE: [&str; 2] = ["idp", "create"];

/// What is read before the questions.
struct Facts {
    connectors: Vec<Connector>,
    idps: Vec<Idp>,
    /// What is wrong with each identity provider, in their order.
    problems: Vec<Option<String>>,
    sso_app: Option<App>,
    team: Option<String>,
    members: Option<Vec<Member>>,
}

/// What is known of a domain.
#[derive(Clone)]
struct DomainFacts {
    survey: Lookup,
    mail: Option<Vec<String>>,
    host: DnsHost,
}

/// What the answers came to.
struct Chosen {
    domain: EmailDomain,
    new_idp: Option<NewIdp>,
    /// The words after `cfsso` that do the rest.
    words: Vec<String>,
}

/// Asks, and sets the domain up.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let answers = match &args.answers {
        Some(file) => Answers::read(context, file).await?,
        None => Answers::default(),
    };
    let interview = Interview::new(context, answers);
    credentials::ask(&interview, context).await?;
    let tools = context.tools().await?;
    let facts = Facts::read(&tools, context).await?;
    let guide = Guide {
        args: &args,
        context,
        interview: &interview,
        tools: &tools,
        facts: &facts,
        domains: RefCell::default(),
        asker: Asker {
            context,
            interview: &interview,
            idps: &facts.idps,
            team: facts.team.as_deref(),
            seen: RefCell::default(),
        },
    };
    let chosen = interview.walk(async || guide.ask().await).await?;
    interview.settle();
    guide.carry_out(chosen).await
}

impl Facts {
    async fn read(tools: &Env<'_>, context: &Context) -> anyhow::Result<Self> {
        context.screen.start_progress("reading the account");
        let fetcher = context.fetcher().await?;
        let members = member::list(tools.account);
        let (connectors, idps, apps, team, members) = tokio::join!(
            connector::list(tools),
            idp::list(tools),
            app::list(tools),
            get::team(tools),
            tools.client.list(&members),
        );
        let (connectors, idps) = (connectors?, idps?);
        let problems = problems(&idps, &fetcher, context).await;
        context.screen.end_progress();
        let apps = apps.unwrap_or_default();
        Ok(Self {
            connectors,
            problems,
            idps,
            sso_app: apps.into_iter().find(|app| app.is_dash_sso()),
            team: team.ok(),
            members: members.ok(),
        })
    }

    /// The domain that most members have their address at and that has no connector.
    fn likely_domain(&self) -> Option<EmailDomain> {
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

    /// How many members have an address at the domain.
    fn members_at(&self, domain: &EmailDomain) -> Option<usize> {
        let members = self.members.as_ref()?;
        Some(members.iter().filter(|member| domain.has_address(member.email())).count())
    }
}

/// What is wrong with each identity provider, as far as it can be tested from here.
async fn problems(idps: &[Idp], fetcher: &Fetcher, context: &Context) -> Vec<Option<String>> {
    let options = CheckOptions::new(context.clock.now(), 1);
    let tested = idps.iter().map(async |idp| {
        let points = check::check(fetcher, Subject::of(idp), &options).await;
        points.iter().find(|point| point.is_failure()).map(IdpCheck::describe)
    });
    join_all(tested).await
}

/// The questions, and what they depend on.
struct Guide<'a> {
    args: &'a Args,
    context: &'a Context,
    interview: &'a Interview<'a>,
    tools: &'a Env<'a>,
    facts: &'a Facts,
    /// What is known of the domains that were given.
    domains: RefCell<BTreeMap<String, DomainFacts>>,
    asker: Asker<'a>,
}

impl Guide<'_> {
    /// Asks for everything before the first change, the consent last.
    async fn ask(&self) -> anyhow::Result<Chosen> {
        let (domain, known) = self.ask_domain().await?;
        let connector = connector::select_by_domain(&self.facts.connectors, &domain)?;
        let mut words = vec!["setup".to_owned(), domain.to_string()];
        if connector.is_some_and(|connector| connector.is_enabled()) {
            return Ok(Chosen { domain, new_idp: None, words });
        }
        let new_idp = self.ask_idp(&domain).await?;
        let is_verified = connector.is_some_and(|connector| connector.is_verified());
        if !is_verified && self.ask_publish(&domain, &known).await? {
            words.push("--publish-txt".to_owned());
        }
        words.extend(self.ask_enable().await?);
        if self.args.fedramp {
            words.push("--fedramp".to_owned());
        }
        let chosen = Chosen { domain, new_idp, words };
        self.confirm(&chosen).await?;
        Ok(chosen)
    }

    async fn ask_domain(&self) -> anyhow::Result<(EmailDomain, DomainFacts)> {
        let domain = if let Some(domain) = &self.args.domain {
            connector::ensure_eligible(domain)?;
            domain.clone()
        } else {
            let mut question = domain_question();
            question.default = self.facts.likely_domain().map(|domain| domain.to_string());
            self.interview.ask(&question, read_domain).await?
        };
        let known = self.domain_facts(&domain).await?;
        let doubts = doubts(&domain, &known, self.facts);
        self.interview.show(&|page| {
            describe_domain(&domain, &known, self.facts, page);
            for doubt in &doubts {
                page.labeled(Text::warn("warning: "), Text::prose(doubt));
            }
        });
        if doubts.is_empty() {
            return Ok((domain, known));
        }
        let help =
            "A connector of a wrong domain can be deleted: `cfsso connector delete <DOMAIN>`";
        let text = format!("Set up {domain} anyway?");
        let question = Question::yes_no("domain.anyway", text, help).with_default("no");
        if self.interview.confirm(&question).await? {
            return Ok((domain, known));
        }
        match &self.args.domain {
            Some(_) => Err(declined().into()),
            None => Err(Interview::rejected("domain", "")),
        }
    }

    async fn domain_facts(&self, domain: &EmailDomain) -> anyhow::Result<DomainFacts> {
        let known = self.domains.borrow().get(domain.as_str()).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        self.context.screen.start_progress(format!("looking {domain} up"));
        let resolver = self.tools.resolver;
        let look = async {
            let survey = resolver.survey(domain, None, Scope::Authoritative).await;
            let mail = resolver.mail_servers(&survey, domain).await;
            (survey, mail)
        };
        let ((survey, mail), host) = tokio::join!(look, publish::dns_host(self.tools, domain));
        self.context.screen.end_progress();
        let known = DomainFacts { survey, mail, host: host? };
        self.domains.borrow_mut().insert(domain.to_string(), known.clone());
        Ok(known)
    }

    /// Asks for the identity provider; one that is to be created is returned.
    async fn ask_idp(&self, domain: &EmailDomain) -> anyhow::Result<Option<NewIdp>> {
        let idps = || self.facts.idps.iter().zip(&self.facts.problems);
        let usable = || idps().filter(|(idp, _)| idp.kind != IdpType::OneTimePin);
        let existing = usable().map(|(idp, problem)| {
            let state = problem.as_deref().unwrap_or("no problems found");
            let label = format!("{} ({}): {state}", idp.name, idp.kind.as_str());
            Choice::new(format!("use {}", idp.name), label)
        });
        let new = ask::vendor_choices()
            .map(|choice| Choice::new(choice.answer, format!("{} (new)", choice.label)));
        let help = "What your users sign in with. A new one needs a client (OpenID Connect) or an \
                    application (SAML) at the product; the next step says what to enter there";
        let mut question =
            Question::text("idp", "Identity provider", help).with_choices(existing.chain(new));
        let healthy = usable().find(|(_, problem)| problem.is_none());
        question.default = healthy.map(|(idp, _)| format!("use {}", idp.name));
        let answer = self.interview.ask(&question, |answer| Ok(answer.to_owned())).await?;
        match ask::vendor(&answer) {
            Some(vendor) => Ok(Some(self.asker.ask(vendor, Some(domain.as_str())).await?)),
            None => Ok(None),
        }
    }

    async fn ask_publish(&self, domain: &EmailDomain, known: &DomainFacts) -> anyhow::Result<bool> {
        let DnsHost::Cloudflare { zone, .. } = &known.host else {
            self.interview.show(&|page| {
                page.paragraph(Text::prose(format!(
                    "TXT record: to be published by hand, since there is {}.",
                    describe_host(&known.host)
                )));
            });
            return Ok(false);
        };
        let help = format!(
            "Cloudflare verifies {domain} by a TXT record. The zone {} is in this account: cfsso \
             creates the record there; `cfsso journal undo` deletes it",
            zone.name
        );
        let text = format!("Publish the TXT record in the zone {}?", zone.name);
        let question = Question::yes_no("publish", text, help).with_default("yes");
        self.interview.confirm(&question).await
    }

    async fn ask_enable(&self) -> anyhow::Result<Vec<String>> {
        let help = "While SSO is enabled, users of the domain cannot sign in with a password. On \
                    trial, SSO is disabled again unless a user signs in through the identity \
                    provider, so that a lockout cannot last longer than that";
        let question = Question::text("enable", "Enable SSO", help)
            .with_choices([
                Choice::new(
                    "trial",
                    "on trial: disabled again after 10 minutes unless a user signs in",
                ),
                Choice::new("now", "at once, once the checks pass"),
                Choice::new("no", "no: only create and verify the connector"),
            ])
            .with_default("trial");
        let answer = self.interview.ask(&question, |answer| Ok(answer.to_owned())).await?;
        let words: &[&str] = match answer.as_str() {
            "trial" => &["--enable", "--trial"],
            "now" => &["--enable"],
            _ => &[],
        };
        Ok(words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Shows what would be sent, and asks once for all of it.
    async fn confirm(&self, chosen: &Chosen) -> anyhow::Result<()> {
        self.interview.ensure_only_asked(&["apply", "repair.", "emergency_token_file"])?;
        let args: Args = repair::parse(&chosen.words)?;
        let options = options(chosen.domain.clone(), args, self.context).await?;
        let plan = setup::plan(self.tools, &options).await?;
        let admitted = self.admission(chosen);
        self.interview.show(&|page| {
            page.blank();
            page.line(Text::strong("Plan:"));
            let new = chosen.new_idp.iter();
            let new = new.map(|idp| format!("create the identity provider {}", idp.name));
            let admits = admitted.iter().map(|_| "allow it in the SSO App".to_owned());
            let rest = plan.changes.iter().map(|change| change.title.clone());
            for (number, title) in new.chain(admits).chain(rest).enumerate() {
                page.line(format!("  {}. {title}", number + 1));
            }
            page.paragraph(Text::dim(untouched(self.facts, &chosen.domain)));
        });
        let help = "Nothing has been sent yet. Each change is written to the journal first: \
                    `cfsso journal undo` undoes it. The same command resumes what is interrupted";
        let question = Question::yes_no("apply", "Go on?", help).agreeing();
        if self.interview.confirm(&question).await? { Ok(()) } else { Err(declined().into()) }
    }

    /// The command that allows a new identity provider in the SSO App, where that lists
    /// those that it allows.
    fn admission(&self, chosen: &Chosen) -> Option<Vec<String>> {
        let new = chosen.new_idp.as_ref()?;
        let app = self.facts.sso_app.as_ref()?;
        let lists = !app.listed_idps().is_empty();
        lists.then(|| ["app", "idps", "--add", &new.name].map(str::to_owned).into())
    }

    /// Makes the changes; asks again only where a check finds a problem, and before SSO
    /// is enabled.
    async fn carry_out(&self, chosen: Chosen) -> anyhow::Result<Outcome> {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if let Some(new) = &chosen.new_idp {
            let created = idp::create(self.tools, &new.body, |_| ()).await?;
            let detail = format!("created  {}", created.id);
            self.context.screen.step(Status::Done, "Identity provider", detail);
            lines.push(new.words.clone());
        }
        if let Some(words) = self.admission(&chosen) {
            self.context.agreed(Box::pin(repair::run(&words, self.context))).await?;
            lines.push(words);
        }
        let repairs = Repairs::new(self.context, self.interview);
        let (report, end) = self.set_up(&chosen, &repairs).await?;
        lines.extend(repairs.done());
        for line in lines.iter_mut().filter(|line| line.starts_with(&IDP_CREATE.map(str::to_owned)))
        {
            line.push("--if-not-exists".to_owned());
        }
        let mut last = chosen.words.clone();
        if last.iter().any(|word| word == "--enable") {
            last.extend(["--confirm".to_owned(), chosen.domain.to_string()]);
        }
        lines.push(last);
        let is_done = |step: &Step| step.state == StepState::Done;
        if end.is_ok() && report.steps.iter().any(is_done) {
            self.context.screen.show(&|page| show_end(&lines, page));
        }
        Ok(Outcome::done(report).failed(end.err()))
    }

    /// Runs the steps, again after each repair.
    async fn set_up(
        &self,
        chosen: &Chosen,
        repairs: &Repairs<'_>,
    ) -> anyhow::Result<(Report, anyhow::Result<()>)> {
        let checks: RefCell<Vec<Check>> = RefCell::default();
        let mut is_rerun = false;
        loop {
            let args: Args = repair::parse(&chosen.words)?;
            let options = options(chosen.domain.clone(), args, self.context).await?;
            // What ended the steps before enabling: a repair, or a failure of one.
            let stopped: RefCell<Option<anyhow::Result<()>>> = RefCell::default();
            let on_event = |event: &Event<'_>| {
                if let Event::Checks { checks: seen } = event {
                    *checks.borrow_mut() = seen.to_vec();
                }
                let is_shown = match event {
                    Event::Step(step) if is_rerun => step.state != StepState::Skipped,
                    _ => true,
                };
                if is_shown && stopped.borrow().is_none() {
                    show(event, self.args.bell, self.context);
                }
            };
            let before_enabling = async || -> Result<(), Error> {
                let found = checks.borrow().clone();
                *stopped.borrow_mut() = match repairs.offer(&found).await {
                    Ok(false) => return Ok(()),
                    Ok(true) => Some(Ok(())),
                    Err(error) => Some(Err(error)),
                };
                Err(declined().into())
            };
            let tools = self.tools;
            let steps = super::steps(tools, &options, &on_event, before_enabling, self.context);
            let (report, end) = Box::pin(steps).await;
            match (stopped.into_inner(), end) {
                (Some(Err(error)), _) => return Ok((report, Err(error))),
                (Some(Ok(())), _) => {}
                (None, Err(Error::Flow(stop))) if stop.kind == FlowErrorKind::Refused => {
                    if !repairs.offer(&report.checks).await? {
                        return Ok((report, Err(stop.into())));
                    }
                }
                (None, end) => return Ok((report, end.map_err(Into::into))),
            }
            is_rerun = true;
        }
    }
}

/// Which domain a connector is for.
pub fn domain_question() -> Question {
    let help = "The part of your users' email addresses after the `@`: all users with such an \
                address will sign in through the identity provider";
    Question::text("domain", "Email domain", help)
}

pub fn read_domain(text: &str) -> Result<EmailDomain, String> {
    let domain: EmailDomain =
        text.trim_start_matches('@').parse().map_err(|error| format!("{error}"))?;
    match domain.ineligible() {
        Some(reason) => Err(reason.to_string()),
        None => Ok(domain),
    }
}

/// What speaks against a domain, before anything is created for it. Pure.
fn doubts(domain: &EmailDomain, known: &DomainFacts, facts: &Facts) -> Vec<String> {
    let mut doubts = Vec::new();
    if known.survey.delegation == Delegation::NoDelegation {
        doubts.push(format!("there is no domain {domain} in the DNS"));
    } else if known.mail.as_ref().is_some_and(Vec::is_empty) {
        doubts.push(format!("{domain} has no mail server (MX record): it cannot receive email"));
    }
    if facts.members_at(domain) == Some(0) {
        let others = facts
            .members
            .iter()
            .flatten()
            .filter_map(|member| member.email().rsplit_once('@').map(|(_, domain)| domain));
        let meant = nearest(domain.as_str(), others, 0.8);
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        doubts.push(format!("no member of this account has an address at {domain}{meant}"));
    }
    if domain.is_academic() {
        doubts.push(format!("{domain} is an academic domain: Cloudflare has to approve it"));
    }
    doubts
}

/// Says in a few lines what is known of a domain.
fn describe_domain(domain: &EmailDomain, known: &DomainFacts, facts: &Facts, page: &mut Page) {
    page.blank();
    let mut fields = Vec::new();
    if let Some(count) = facts.members_at(domain) {
        fields.push((
            "  members",
            format!("{} with an address at {domain}", count_noun(count, "member")),
        ));
    }
    match known.mail.as_deref() {
        Some([first, rest @ ..]) => {
            let more =
                if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            fields.push(("  mail", format!("received by {first}{more}")));
        }
        Some([]) => fields.push(("  mail", "no mail server".to_owned())),
        None => fields.push(("  mail", "not known: no name server answered".to_owned())),
    }
    fields.push(("  DNS", describe_host(&known.host)));
    let connector = facts.connectors.iter().find(|one| one.email_domain == domain.as_str());
    let state = match connector {
        None => "none yet".to_owned(),
        Some(one) if one.is_enabled() => "exists, SSO is enabled".to_owned(),
        Some(one) if one.is_verified() => "exists, verified".to_owned(),
        Some(_) => "exists, not verified".to_owned(),
    };
    fields.push(("  connector", state));
    let codes = dns::sso_codes(&known.survey);
    let own = connector.and_then(|one| one.code()).map(str::as_bytes);
    if codes.iter().any(|code| Some(code.as_slice()) != own) {
        let text = "another verification code is published: perhaps of another account";
        fields.push(("  TXT", text.to_owned()));
    }
    let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, Text::plain(text))).collect();
    page.fields(&fields);
}

fn describe_host(host: &DnsHost) -> String {
    match host {
        DnsHost::Cloudflare { zone, .. } => format!("zone {} in this account", zone.name),
        DnsHost::External(reason) => reason.clone(),
    }
}

/// What the plan leaves as it is.
fn untouched(facts: &Facts, domain: &EmailDomain) -> String {
    let others = facts.connectors.iter().filter(|one| one.email_domain != domain.as_str()).count();
    let mut kept = vec![
        count_noun(facts.idps.len(), "identity provider"),
        count_noun(others, "other connector"),
    ];
    kept.retain(|text| !text.starts_with('0'));
    if kept.is_empty() {
        return "Nothing that exists is changed.".to_owned();
    }
    format!("Not changed: {}, members, zones.", kept.join(", "))
}

/// Says what to keep, and how to do the same without questions.
fn show_end(lines: &[Vec<String>], page: &mut Page) {
    page.blank();
    if lines.iter().flatten().any(|word| word == "--enable") {
        page.line(Text::strong("Keep for a lockout:"));
        let bypass = "  `cfsso bypass`: disables SSO or allows one-time PIN, with a token";
        page.line(Text::prose(bypass));
        page.line(Text::prose("  `cfsso recovery check`: tests that this would work"));
        page.blank();
    }
    page.line(Text::strong("The same without questions:"));
    for line in lines {
        page.literal(&format!("  cfsso {}", shell::line(line)));
    }
    page.blank();
    page.line(Text::strong("In GitHub Actions, these lines after `run: |`, with:"));
    page.literal("    env:");
    let secrets = lines.iter().flatten().filter(|word| word.ends_with("_SECRET"));
    for name in std::iter::once("CLOUDFLARE_API_TOKEN").chain(secrets.map(String::as_str)) {
        page.literal(&format!("      {name}: ${{{{ secrets.{name} }}}}"));
    }
    page.blank();
}

fn declined() -> FlowError {
    FlowError::new(FlowErrorKind::Declined, "declined: nothing was sent")
}
