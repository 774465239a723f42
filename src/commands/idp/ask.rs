//! Asks for a new identity provider; the answers become the options of `idp create`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use secrecy::SecretString;
use serde_json::Value;

use super::super::parse;
use super::body;
use super::discovery_args::Published;
use super::get::draw;
use super::secret::Raw;
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::context::Context;
use crate::flow::FlowError;
use crate::idp::check::{self, CheckOptions, IdpCheck, IdpCheckId, Subject};
use crate::idp::guide::{self, Guide};
use crate::idp::vendor::{Input, VENDORS, Vendor};
use crate::idp::{config, kind};
use crate::interview::{Choice, Interview, Question};
use crate::output::Text;

pub struct Asker<'a> {
    context: &'a Context,
    interview: &'a Interview<'a>,
    idps: &'a [Idp],
    team: Option<&'a str>,
    /// The result for each option and address, so that each is fetched once.
    probed: RefCell<BTreeMap<String, ProbeResult>>,
    published: RefCell<Option<Rc<Published>>>,
}

pub struct NewIdp {
    /// The words after `cfsso`; secrets are passed by environment variables.
    pub words: Vec<String>,
    pub body: Document,
    pub name: String,
}

#[derive(Clone, Default)]
struct ProbeResult {
    published: Option<Rc<Published>>,
    trouble: Option<Trouble>,
}

#[derive(Clone, Debug)]
pub enum Trouble {
    Unusable(String),
    Failing(String),
    NoEmailName,
}

pub fn vendor_choices() -> impl Iterator<Item = Choice> {
    VENDORS.iter().map(|vendor| Choice::new(vendor.key, vendor.title))
}

pub fn vendor(answer: &str) -> Option<&'static Vendor> {
    VENDORS.iter().find(|vendor| vendor.key == answer)
}

pub fn vendor_of_type(name: &str) -> Option<&'static Vendor> {
    let kind = kind::find(name)?;
    VENDORS.iter().rfind(|vendor| vendor.kind == kind.name && !vendor.inputs.is_empty())
}

pub async fn ask_vendor(interview: &Interview<'_>) -> anyhow::Result<&'static Vendor> {
    let help = "The product that your users sign in with. It needs a client (OpenID Connect) or \
                an application (SAML) for Cloudflare; the next step says what to enter there";
    let question = Question::text("idp", "Identity provider", help).with_choices(vendor_choices());
    interview.ask(&question, |answer| vendor(answer).ok_or_else(|| "unknown product".into())).await
}

impl<'a> Asker<'a> {
    pub fn new(
        context: &'a Context,
        interview: &'a Interview<'a>,
        idps: &'a [Idp],
        team: Option<&'a str>,
    ) -> Self {
        let (probed, published) = Default::default();
        Self { context, interview, idps, team, probed, published }
    }

    /// `domain` is the default for the vendor's domain field.
    pub async fn ask(
        &self,
        vendor: &'static Vendor,
        domain: Option<&str>,
    ) -> anyhow::Result<NewIdp> {
        self.show_guide(vendor);
        self.published.take();
        let mut words: Vec<String> = vec!["idp".into(), "create".into(), vendor.kind.into()];
        words.extend(vendor.options.iter().map(|word| (*word).to_owned()));
        words.extend(["--name".to_owned(), self.ask_name(vendor).await?]);
        let mut secret = None;
        for input in vendor.inputs {
            let id = question_id(input);
            let default = domain.filter(|_| input.option == "apps-domain");
            let mut question = Question::text(&id, input.text, input.help);
            question.secret = input.secret;
            question.default = default.map(str::to_owned);
            let answer =
                self.interview.ask(&question, |text| read_input(vendor, input, text)).await?;
            if input.secret {
                secret = Some((input.option, answer));
                continue;
            }
            words.extend([format!("--{}", input.option), answer]);
            if input.is_address {
                self.check_address(vendor, &id, &mut words).await?;
            }
        }
        self.finish(words, secret).await
    }

    async fn finish(
        &self,
        mut words: Vec<String>,
        secret: Option<(&str, String)>,
    ) -> anyhow::Result<NewIdp> {
        let mut args: body::Args = parse(&words[1..])?;
        args.published.use_published(self.published.borrow().clone());
        if let Some((option, secret)) = secret {
            let field = option.replace('-', "_");
            words.extend([format!("--{option}-env"), field.to_uppercase()]);
            args.fields = args.fields.with_secret(&field, SecretString::from(secret));
        }
        let body = body::build_body(&args, self.context).await?;
        let name = body.parse_at(&["name"]).unwrap_or_default();
        Ok(NewIdp { words, body, name })
    }

    fn show_guide(&self, vendor: &Vendor) {
        let Some(team) = self.team else { return };
        let guide = guide::guide(vendor.product, &guide::values(team, None)).without_command();
        let guide = Guide { title: vendor.name(), ..guide };
        self.interview.show(&|page| {
            page.blank();
            draw(&guide, page);
            page.blank();
        });
    }

    /// Defaults to the product's name, unless that is taken. A file means the same identity provider
    /// in each run, the first of which created it.
    async fn ask_name(&self, vendor: &Vendor) -> anyhow::Result<String> {
        let name = vendor.name();
        let may_exist = |idp: &Idp| self.interview.has_file() && idp.kind.as_str() == vendor.kind;
        let is_taken = |name: &str| self.idps.iter().any(|idp| idp.name == name && !may_exist(idp));
        let free = (2..100).map(|number| format!("{name} {number}")).find(|name| !is_taken(name));
        let help = format!("What users see on the sign-in page. `{name}` exists already");
        let question =
            Question::text("idp.name", "Name", help).with_default(free.unwrap_or_default());
        if !is_taken(name) && !self.interview.has_answer(&question) {
            return Ok(name.to_owned());
        }
        let read = |name: &str| {
            if is_taken(name) { Err(format!("`{name}` exists")) } else { Ok(name.to_owned()) }
        };
        self.interview.ask(&question, read).await
    }

    /// An unusable address is rejected, and the question repeated.
    async fn check_address(
        &self,
        vendor: &Vendor,
        id: &str,
        words: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let key = words.join(" ");
        let known = self.probed.borrow().get(&key).cloned();
        let probe = if let Some(probe) = known {
            probe
        } else {
            let probe = self.probe(vendor, words).await?;
            self.probed.borrow_mut().insert(key, probe.clone());
            probe
        };
        self.published.replace(probe.published);
        match probe.trouble {
            None => Ok(()),
            Some(Trouble::Unusable(reason)) => Err(Interview::rejected(id, reason)),
            Some(Trouble::NoEmailName) => {
                let help = "The metadata offers no email address as name ID: Access takes it from \
                            an attribute, such as `email`";
                let text = "Attribute with the email address";
                let question = Question::text("idp.email_attribute", text, help);
                let attribute = self.interview.ask(&question, |name| Ok(name.to_owned())).await?;
                words.extend(["--email-attribute-name".to_owned(), attribute]);
                Ok(())
            }
            Some(Trouble::Failing(reason)) => {
                self.interview.show(&|page| page.paragraph(Text::warn("warning: ") + &*reason));
                let help = "The test runs on this machine; Cloudflare may reach what it does not";
                let text = "Use it anyway?";
                let question =
                    Question::yes_no(format!("{id}.anyway"), text, help).with_default("no");
                if self.interview.confirm(&question).await? {
                    return Ok(());
                }
                Err(Interview::rejected(id, ""))
            }
        }
    }

    async fn probe(&self, vendor: &Vendor, words: &[String]) -> anyhow::Result<ProbeResult> {
        self.context.screen.start_progress(format!("testing {}", vendor.name()));
        let args: body::Args = parse(&words[1..])?;
        let published = match args.published.fetch(self.context).await {
            Ok(published) => published,
            Err(error) => {
                let trouble = Some(Trouble::Unusable(sentence(&error)));
                return Ok(ProbeResult { trouble, published: None });
            }
        };
        if let Some(published) = published {
            published.show(self.context);
            let lacks_name =
                matches!(&*published, Published::Saml(found) if found.lacks_email_name());
            let trouble = lacks_name.then_some(Trouble::NoEmailName);
            return Ok(ProbeResult { published: Some(published), trouble });
        }
        let config = args.fields.read(self.context, Raw::default()).await?;
        let options = CheckOptions::new(self.context.clock.now(), 0);
        let subject = Subject::new(vendor.kind, &config);
        let points = check::check(&self.context.fetcher().await?, subject, &options).await;
        // Later questions fill in the missing fields.
        let tested = points.iter().filter(|point| point.id != IdpCheckId::Configuration);
        let failed: Vec<_> =
            tested.filter(|point| point.is_failure()).map(IdpCheck::describe).collect();
        let trouble = (!failed.is_empty()).then(|| Trouble::Failing(failed.join("; ")));
        Ok(ProbeResult { trouble, published: None })
    }
}

fn question_id(input: &Input) -> String {
    format!("idp.{}", input.option.replace('-', "_"))
}

/// Reads the answer for an option; a field of the type is validated.
fn read_input(vendor: &Vendor, input: &Input, text: &str) -> Result<String, String> {
    if input.secret {
        Raw::default().in_text(text).map_err(|unfit| format!("the secret {unfit}"))?;
    }
    if let Some(kind) = kind::find(vendor.kind)
        && let field = input.option.replace('-', "_")
        && kind.field(&field).is_some()
    {
        let checked = config::check_field(kind, &field, &Value::from(text.trim()));
        checked.map_err(|error| error.to_string())?;
    }
    Ok(text.to_owned())
}

fn sentence(error: &anyhow::Error) -> String {
    let flow_error = error.downcast_ref::<FlowError>();
    flow_error.map_or_else(|| error.to_string(), |flow_error| flow_error.messages().join(": "))
}
