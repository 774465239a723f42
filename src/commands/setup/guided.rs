//! Set-up by questions: the answers become the command lines that do the same.

mod carry_out;

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::idp::ask::{self, Asker, NewIdp};
use super::super::idp::create;
use super::super::{Outcome, parse, plan_output};
use super::domain::{
    DomainFacts, describe_domain, describe_host, domain_question, doubts, read_domain,
};
use super::facts::Facts;
use super::repair::{REPAIR, REPAIRABLE};
use super::{Args, ENABLING, credentials, options};
use crate::api::idp::{Idp, IdpType};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::plan::Plan;
use crate::flow::publish::DnsHost;
use crate::flow::setup::{self, Options};
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{Env, FlowError, app, connector, idp, preflight};
use crate::interview::{Answers, Choice, Interview, Question, declined};
use crate::output::Text;
use crate::plural::count_noun;
use crate::shell;

struct Chosen {
    domain: EmailDomain,
    /// `None` if SSO is enabled already.
    idp: Option<Provider>,
    publish: bool,
    enable: Enabling,
    fedramp: bool,
}

enum Provider {
    Existing(Idp),
    New(NewIdp),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Enabling {
    OnTrial,
    AtOnce,
    Not,
}

impl Chosen {
    fn new_idp(&self) -> Option<&NewIdp> {
        match &self.idp {
            Some(Provider::New(new)) => Some(new),
            Some(Provider::Existing(_)) | None => None,
        }
    }

    /// The words after `cfsso` for what is left once the identity provider exists.
    fn setup_words(&self) -> Vec<String> {
        let options = [
            ("--publish-txt", self.publish),
            ("--enable", self.enable != Enabling::Not),
            ("--trial", self.enable == Enabling::OnTrial),
            ("--fedramp", self.fedramp),
        ];
        let options = options.into_iter().filter(|(_, is_wanted)| *is_wanted);
        let options = options.map(|(option, _)| option);
        ["setup", self.domain.as_str()].into_iter().chain(options).map(str::to_owned).collect()
    }
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let answers = match &args.answers {
        Some(file) => Answers::read(context, file).await?,
        None => Answers::default(),
    };
    let interview = Interview::new(context, answers);
    credentials::ask(&interview, context).await?;
    let env = context.env().await?;
    let facts = Facts::read(&env, context).await?;
    let guide = Guide {
        args: &args,
        context,
        interview: &interview,
        env: &env,
        facts: &facts,
        domains: RefCell::default(),
        asker: Asker::new(context, &interview, &facts.idps, facts.team.as_deref()),
    };
    let chosen = interview.walk(async || guide.ask().await).await?;
    interview.settle();
    if context.settings.options.dry_run {
        return guide.dry_run(&chosen).await;
    }
    guide.carry_out(chosen).await
}

struct Guide<'a> {
    args: &'a Args,
    context: &'a Context,
    interview: &'a Interview<'a>,
    env: &'a Env<'a>,
    facts: &'a Facts,
    domains: RefCell<BTreeMap<String, DomainFacts>>,
    asker: Asker<'a>,
}

impl Guide<'_> {
    /// Asks everything before the first change; consent comes last.
    async fn ask(&self) -> anyhow::Result<Chosen> {
        let (domain, known) = self.ask_domain().await?;
        let connector = connector::select_by_domain(&self.facts.connectors, &domain)?;
        let fedramp = self.args.fedramp;
        if connector.is_some_and(|connector| connector.is_enabled()) {
            if self.interview.has_file() {
                let text = format!("SSO is enabled for {domain}: the other answers are not used");
                self.context.screen.note(text);
            }
            let (publish, enable) = (false, Enabling::Not);
            return Ok(Chosen { domain, idp: None, publish, enable, fedramp });
        }
        let idp = Some(self.ask_idp(&domain).await?);
        let is_verified = connector.is_some_and(|connector| connector.is_verified());
        let publish = !is_verified && self.ask_publish(&domain, &known).await?;
        let enable = self.ask_enable().await?;
        let chosen = Chosen { domain, idp, publish, enable, fedramp };
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
            Some(_) => Err(declined("nothing was sent").into()),
            None => Err(Interview::rejected("domain", "")),
        }
    }

    async fn domain_facts(&self, domain: &EmailDomain) -> anyhow::Result<DomainFacts> {
        let known = self.domains.borrow().get(domain.as_str()).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        self.context.screen.start_progress(format!("looking {domain} up"));
        let known = DomainFacts::read(self.env, domain, &self.facts.connectors).await;
        self.context.screen.end_progress();
        let known = known?;
        self.domains.borrow_mut().insert(domain.to_string(), known.clone());
        Ok(known)
    }

    async fn ask_idp(&self, domain: &EmailDomain) -> anyhow::Result<Provider> {
        let idps = || self.facts.idps.iter().zip(&self.facts.problems);
        let usable = || idps().filter(|(idp, _)| preflight::is_company_idp(idp));
        let existing = usable().map(|(idp, problem)| {
            let state = problem.as_deref().unwrap_or("no problems found");
            let label = format!("{} ({}): {state}", idp.name, idp.kind.as_str());
            Choice::new(format!("use {}", idp.name), label)
        });
        let new = ask::vendor_choices()
            .filter(|choice| choice.answer != "cloudflare")
            .map(|choice| Choice::new(choice.answer, format!("{} (new)", choice.label)));
        let help = "What your users sign in with. A new one needs a client (OpenID Connect) or an \
                    application (SAML) at the product; the next step says what to enter there";
        let mut question =
            Question::text("idp", "Identity provider", help).with_choices(existing.chain(new));
        // When resumed after an interruption, the identity provider created last is meant.
        let is_resumed = !self.facts.connectors.is_empty();
        let mut healthy = usable().filter(|(_, problem)| problem.is_none());
        let healthy = if is_resumed { healthy.next_back() } else { healthy.next() };
        question.default = healthy.map(|(idp, _)| format!("use {}", idp.name));
        let answer = self.interview.ask(&question, |answer| Ok(answer.to_owned())).await?;
        let Some(vendor) = ask::vendor(&answer) else {
            let mut all = usable().map(|(idp, _)| idp);
            let used = all.find(|idp| answer == format!("use {}", idp.name));
            return Ok(Provider::Existing(used.expect("the answer is a choice").clone()));
        };
        let new = self.asker.ask(vendor, Some(domain.as_str())).await?;
        let Some(existing) = idp::find_existing(&self.facts.idps, &new.body)? else {
            return Ok(Provider::New(new));
        };
        let differences = create::differences(existing, &new.body)?;
        if !differences.is_empty() {
            let name = &existing.name;
            let message = format!("the identity provider {name} exists with other settings");
            return Err(FlowError::conflict(message)
                .causes(differences)
                .hint(format!("`idp: use {name}` takes it as it is; `idp.name` names a new one"))
                .into());
        }
        self.context.screen.note(format!("the identity provider {} exists", existing.name));
        Ok(Provider::Existing(existing.clone()))
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
        let question = Question::yes_no("publish", text, help).with_default("yes").unattended("no");
        self.interview.confirm(&question).await
    }

    async fn ask_enable(&self) -> anyhow::Result<Enabling> {
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
            .with_default("trial")
            .unattended("no");
        let read = |answer: &str| match answer {
            "trial" => Ok(Enabling::OnTrial),
            "now" => Ok(Enabling::AtOnce),
            _ => Ok(Enabling::Not),
        };
        self.interview.ask(&question, read).await
    }

    async fn confirm(&self, chosen: &Chosen) -> anyhow::Result<()> {
        self.interview.ensure_known(&other_answers())?;
        if chosen.enable == Enabling::Not {
            self.warn_of_unused_repairs();
        } else if !self.context.settings.options.dry_run {
            // Fail now rather than after the first changes.
            self.context.can_confirm(chosen.domain.as_str(), ENABLING)?;
        }
        let options = self.options(chosen).await?;
        let plan = setup::dry_run(self.env, &options).await?;
        let admitted = self.admission(chosen);
        self.interview.show(&|page| {
            page.blank();
            page.line(Text::strong("Plan:"));
            let new = chosen.new_idp().into_iter();
            let new = new.map(|idp| format!("create the identity provider {}", idp.name));
            let admits = admitted.iter().map(|name| format!("allow {name} in the SSO App"));
            let rest = plan.changes.iter().map(|change| change.title.clone());
            for (number, title) in new.chain(admits).chain(rest).enumerate() {
                page.line(format!("  {}. {title}", number + 1));
            }
            match chosen.enable {
                Enabling::OnTrial => page.paragraph("SSO is enabled on trial, after the checks."),
                Enabling::AtOnce => page.paragraph("SSO is enabled after the checks."),
                Enabling::Not => {}
            }
            page.paragraph(Text::dim(untouched(self.facts, &chosen.domain)));
            if let Some(text) = chosen.new_idp().and_then(|new| self.choice_of_users(new)) {
                page.paragraph(Text::prose(text));
            }
        });
        let help = "Nothing has been sent yet. Each change is written to the journal first: \
                    `cfsso journal undo` undoes it. The same command resumes what is interrupted";
        let question = Question::yes_no("apply", "Go on?", help).agreeing();
        if self.interview.confirm(&question).await? {
            Ok(())
        } else {
            Err(declined("nothing was sent").into())
        }
    }

    fn warn_of_unused_repairs(&self) {
        let mut unused = self.interview.unused();
        unused.retain(|key| key.starts_with(REPAIR));
        if !unused.is_empty() {
            let text = format!("not repaired, since SSO is not enabled: {}", unused.join(", "));
            self.context.screen.warn(text);
        }
    }

    async fn options(&self, chosen: &Chosen) -> anyhow::Result<Options> {
        options(chosen.domain.clone(), parse(&chosen.setup_words())?, self.context).await
    }

    /// Says that users can choose other identity providers, whose sign-ins a trial counts too.
    fn choice_of_users(&self, new: &NewIdp) -> Option<String> {
        let app = self.facts.sso_app.as_ref();
        let others = self.facts.idps.iter().filter(|idp| idp.kind != IdpType::OneTimePin);
        let others = others.filter(|idp| app.is_none_or(|app| app.admits(&idp.id)));
        let others: Vec<_> = others.map(|idp| idp.name.as_str()).collect();
        (!others.is_empty()).then(|| {
            format!(
                "Users can also choose {} on the sign-in page. To allow only {}: \
                 `cfsso app idps --only {}` at the end.",
                others.join(", "),
                new.name,
                shell::quoted(&new.name)
            )
        })
    }

    /// The name of the identity provider, if the SSO App allows only others.
    fn admission<'c>(&self, chosen: &'c Chosen) -> Option<&'c str> {
        let app = self.facts.sso_app.as_ref()?;
        match chosen.idp.as_ref()? {
            Provider::Existing(idp) => (!app.admits(&idp.id)).then_some(&*idp.name),
            Provider::New(new) => (!app.listed_idps().is_empty()).then_some(&*new.name),
        }
    }

    async fn dry_run(&self, chosen: &Chosen) -> anyhow::Result<Outcome> {
        let options = self.options(chosen).await?;
        let mut plan = setup::dry_run(self.env, &options).await?;
        let mut changes = Vec::new();
        if let Some(new) = chosen.new_idp() {
            changes.push(idp::create_action(self.env, &new.body).change());
        }
        if let (Some(_), Some(app)) = (self.admission(chosen), &self.facts.sso_app) {
            let id = match &chosen.idp {
                Some(Provider::Existing(idp)) => idp.id.clone(),
                _ => "NEW-IDP".parse().expect("letters and a hyphen"),
            };
            let list = [app.listed_idps(), &[id.into()]].concat();
            let edit = Update::prepare(self.env, Target::App(app.id.clone()), |document| {
                app::set_allowed_idps(document, &list)
            });
            changes.extend(edit.await?.changes(self.env));
        }
        changes.append(&mut plan.changes);
        let plan = Plan::new(plan.checks, changes);
        let what = format!("enabling `{}`", chosen.domain);
        Ok(plan_output::finish_dry_run(self.context, plan, &what)?.unwrap_or_else(Outcome::silent))
    }
}

/// The questions that a run may leave out: a step is done already, or a check finds no problem.
fn other_answers() -> Vec<String> {
    let ids = [
        "account",
        "apply",
        "emergency_token_file",
        "keep_token",
        "profile",
        "publish",
        "token_command",
        "token_env",
        "token_file",
    ];
    let repairs = REPAIRABLE.iter().map(|id| format!("{REPAIR}{}", id.name()));
    ids.map(str::to_owned).into_iter().chain(repairs).collect()
}

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
    format!("Not changed: {}, members.", kept.join(", "))
}
