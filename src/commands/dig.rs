use serde::Serialize;

use super::Outcome;
use crate::context::Context;
use crate::dns::{self, Diagnosis, LookupResult, Role, Scope, Server, Transport, Verdict};
use crate::domain::EmailDomain;
use crate::error_report;
use crate::flow::FlowError;
use crate::flow::connector::{self, Selector};
use crate::output::{ExitCode, Page, Render, Status, Text};
use crate::plural::count_noun;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso dig cool.cats
  cfsso dig cool.cats --connector cool.cats --wait --timeout 1h
  cfsso dig cool.cats --expect cloudflare_dashboard_sso=0123456789abcdef -o json
  cfsso dig cool.cats --short --server 1.1.1.1")]
pub struct Args {
    /// Email domain
    domain: EmailDomain,

    /// Expected verification code, with or without its prefix
    #[arg(long, value_name = "CODE", conflicts_with = "connector", value_parser = dns::parse_code)]
    expect: Option<String>,

    /// Connector whose verification code is expected [default: that of the domain]
    #[arg(long, value_name = "CONNECTOR")]
    connector: Option<Selector>,

    /// Print only the records, as `dig +short TXT` does
    #[arg(long)]
    short: bool,

    /// Wait until every name server returns the code
    #[arg(long)]
    wait: bool,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let resolver = context.resolver().await?;
    context.screen.start_progress(format!("querying the name servers of {}", args.domain));
    let expected = expected(&args, context).await?;
    if args.wait && expected.is_none() {
        let message = format!("no verification code of {} to wait for", args.domain);
        return Err(FlowError::usage(message).hint("`--connector` or `--expect`").into());
    }
    let expected = expected.as_deref().map(str::as_bytes);
    let LookupResult { lookup, mut diagnosis } = if args.wait {
        let deadline = context.wait_deadline();
        let on_look = |diagnosis: &_| show_wait(diagnosis, args.domain.as_str(), context);
        let found =
            dns::wait_until_visible(resolver, &args.domain, expected, deadline, on_look).await;
        context.screen.end_progress();
        found
    } else {
        let lookup = resolver.lookup(&args.domain, expected, Scope::All).await;
        let diagnosis = dns::diagnose(&lookup, expected, context.clock.now());
        LookupResult { lookup, diagnosis }
    };
    if diagnosis.verdict == Verdict::Unreachable && context.is_out_of_time() {
        diagnosis.remedy = Some("a longer `--timeout`".to_owned());
    }
    let exit = if diagnosis.verdict.is_visible() { ExitCode::Done } else { ExitCode::NotYet };
    if args.short {
        return Ok(Outcome::done(Short(dns::short_lines(&lookup))).exit(exit));
    }
    Ok(Outcome::done(dns::Report::new(&args.domain, expected, lookup, diagnosis)).exit(exit))
}

pub(super) fn show_wait(diagnosis: &Diagnosis, subject: &str, context: &Context) {
    context.screen.event(&LookupEvent {
        event: "waiting",
        verdict: diagnosis.verdict,
        text: &diagnosis.summary,
    });
    context.screen.start_wait(format!("{subject}: {}", diagnosis.summary));
}

#[derive(Serialize)]
struct LookupEvent<'a> {
    event: &'static str,
    verdict: Verdict,
    text: &'a str,
}

async fn expected(args: &Args, context: &Context) -> anyhow::Result<Option<String>> {
    if args.expect.is_some() {
        return Ok(args.expect.clone());
    }
    let Some(selector) = &args.connector else {
        return match code_of_domain(&args.domain, context).await {
            // DNS can be checked without the API.
            Err(error) if !args.wait => {
                let error = error_report::to_failure(&error).message;
                context.screen.warn(Text::prose(format!("not compared with a connector: {error}")));
                Ok(None)
            }
            code => code,
        };
    };
    let connector = connector::find(&context.env().await?, selector).await?;
    match connector.code() {
        Some(code) => Ok(Some(code.to_owned())),
        None => {
            Err(FlowError::not_yet(format!("the API returned no verification code for {selector}"))
                .hint(format!("`cfsso connector get {selector} -o json`"))
                .into())
        }
    }
}

/// `None` without a token, or if the account has no connector of the domain.
async fn code_of_domain(domain: &EmailDomain, context: &Context) -> anyhow::Result<Option<String>> {
    if context.lacks_credentials() {
        return Ok(None);
    }
    let connectors = connector::list(&context.env().await?).await?;
    let connector = connector::select_by_domain(&connectors, domain)?;
    Ok(connector.and_then(|connector| connector.code()).map(str::to_owned))
}

#[derive(Serialize)]
#[serde(transparent)]
struct Short(Vec<String>);

impl Render for Short {
    fn show(&self, page: &mut Page) {
        for line in &self.0 {
            page.literal(line);
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.clone()
    }
}

impl Render for dns::Report {
    fn show(&self, page: &mut Page) {
        let mark = match self.verdict {
            Verdict::Visible => Status::Done,
            Verdict::PartiallyPublished | Verdict::CachedNegative | Verdict::CachedStale => {
                Status::Running
            }
            _ => Status::Failed,
        };
        page.line(page.state(mark, &self.verdict.to_string()) + "  " + Text::strong(&self.name));
        page.paragraph(Text::prose(&self.summary));
        if !self.servers.is_empty() {
            page.blank();
            let rows: Vec<_> =
                self.servers.iter().map(|server| row(server, self.expected.as_deref())).collect();
            page.table(&["SERVER", "ROLE", "ANSWER", "TTL", "TIME"], &rows);
        }
        if !self.texts.is_empty() {
            page.blank();
            page.line(Text::dim(format!("TXT records of {}", self.name)));
            for text in &self.texts {
                let is_code = self.expected.as_ref() == Some(text) || text.starts_with(dns::PREFIX);
                page.line(
                    Text::plain("  ")
                        + if is_code { Text::strong(text) } else { Text::plain(text) },
                );
            }
        }
        let evidence: Vec<_> =
            self.evidence.iter().filter(|line| !self.summary.contains(*line)).collect();
        if !evidence.is_empty() {
            page.blank();
        }
        for line in evidence {
            page.labeled("- ", Text::prose(line));
        }
        if let Some(remedy) = &self.fix {
            page.blank();
            page.labeled(Text::strong("Next:") + " ", Text::prose(remedy));
        }
    }

    fn names(&self) -> Vec<String> {
        self.texts.clone()
    }
}

fn row(server: &Server, expected: Option<&str>) -> Vec<Text> {
    let address = server.server.strip_suffix(":53").unwrap_or(&server.server);
    let name = server.name.as_ref().map(|name| format!("  {name}")).unwrap_or_default();
    let role = match server.role {
        Role::Authoritative => "authoritative",
        Role::Recursive => "recursive",
    };
    let ttl = server.ttl.or(server.negative_ttl).map(|ttl| format!("{ttl} s")).unwrap_or_default();
    let time = server.rtt_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
    vec![
        Text::plain(address) + Text::dim(name),
        Text::plain(role),
        answer(server, expected),
        Text::plain(ttl),
        Text::dim(time),
    ]
}

fn answer(server: &Server, expected: Option<&str>) -> Text {
    if let Some(error) = &server.error {
        return Text::bad(error.to_string());
    }
    let has_code = match expected {
        Some(code) => server.serves(code.as_bytes()),
        None => {
            server.records.iter().any(|record| record.joined().starts_with(dns::PREFIX.as_bytes()))
        }
    };
    let via = if server.transport == Transport::Udp { "" } else { ", not over UDP" };
    let code = if expected.is_some() { "the code" } else { "a code" };
    match (has_code, server.records.len(), server.rcode) {
        (true, _, _) => Text::good(format!("has {code}{via}")),
        (false, 0, Some(rcode)) if rcode.is_answer() => {
            Text::warn(format!("no TXT records, {rcode}"))
        }
        (false, 0, Some(rcode)) => Text::bad(rcode.to_string()),
        (false, 0, None) => Text::bad("nothing"),
        (false, count, _) => {
            Text::warn(format!("{}, without {code}{via}", count_noun(count, "TXT record")))
        }
    }
}
