//! Publishes the TXT record that verifies a domain, or shows what to paste where.

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::action::Action;
use super::journaled_code::JournaledCodes;
use super::plan::{Change, Difference};
use super::{Env, Error};
use crate::api::ErrorKind;
use crate::api::connector::{Connector, ConnectorFields};
use crate::api::ids::{ConnectorId, ZoneId};
use crate::api::record::{self, Record};
use crate::api::zone::{self, Zone};
use crate::dns::PREFIX;
use crate::domain::EmailDomain;
use crate::shell;

/// Prefix of the comment of every record that this program creates.
const MARK: &str = "cfsso: SSO connector ";

/// A TXT record to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TxtRecord {
    /// The name of the record: the email domain itself.
    pub name: String,
    /// The type of the record, `TXT`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The value of the record, without quotes.
    pub value: String,
    /// The proposed TTL, in seconds.
    pub ttl: u32,
}

/// A way to publish a record by hand, ready to paste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RecordFormat {
    /// A line of a zone file (RFC 1035 section 5.1)
    Bind,
    /// A resource of the Cloudflare provider
    Terraform,
    /// A command of the AWS CLI
    Route53,
    /// A command of the Google Cloud CLI
    Gcloud,
}

/// Short, so that a wrong value is soon gone from caches.
const TTL: u32 = 300;

#[derive(Clone, Debug)]
pub enum DnsHost {
    Cloudflare {
        zone: Box<Zone>,
        warning: Option<String>,
    },
    /// Out of reach for this token, with the reason.
    External(String),
}

/// The verification codes at a domain.
#[derive(Debug, Default)]
pub struct TxtRecords {
    pub current: bool,
    /// Outdated codes that this program published; they may be deleted.
    pub stale: Vec<Record>,
    /// Of deleted connectors, by the journal, but not known to be published by this program.
    pub left_over: Vec<String>,
    pub foreign: Vec<String>,
}

/// The evidence for who published a record.
#[derive(Clone, Copy)]
pub struct Owners<'a> {
    pub connector: &'a ConnectorFields,
    /// All of the account.
    pub connectors: &'a [Connector],
    pub journal: &'a JournaledCodes,
}

impl TxtRecord {
    pub fn new(domain: &EmailDomain, code: &str) -> Self {
        Self { name: domain.to_string(), kind: "TXT", value: code.to_owned(), ttl: TTL }
    }

    /// `None` if the API did not return the domain or the code.
    pub fn of(connector: &ConnectorFields) -> Option<Self> {
        Some(Self::new(&connector.email_domain.parse().ok()?, connector.code()?))
    }

    pub fn in_format(&self, format: RecordFormat) -> String {
        let Self { name, value, ttl, .. } = self;
        let quoted = record::txt_content(value);
        match format {
            RecordFormat::Bind => format!("{name}. {ttl} IN TXT {quoted}"),
            RecordFormat::Terraform => {
                let label: String = name.chars().map(|c| if c == '.' { '_' } else { c }).collect();
                let escaped = quoted.replace('\\', "\\\\").replace('"', "\\\"");
                let escaped = escaped.replace("${", "$${").replace("%{", "%%{");
                format!(
                    "resource \"cloudflare_dns_record\" \"sso_{label}\" {{\n  \
                     zone_id = var.zone_id\n  \
                     name    = \"{name}\"\n  \
                     type    = \"TXT\"\n  \
                     content = \"{escaped}\"\n  \
                     ttl     = {ttl}\n\
                     }}"
                )
            }
            RecordFormat::Route53 => {
                let set = json!({ "Name": format!("{name}."), "Type": "TXT", "TTL": ttl,
                    "ResourceRecords": [{ "Value": quoted }] });
                let change = json!({ "Action": "CREATE", "ResourceRecordSet": set });
                let batch = shell::quoted(&json!({ "Changes": [change] }).to_string());
                format!(
                    "aws route53 change-resource-record-sets --hosted-zone-id ZONE_ID \
                     --change-batch {batch}"
                )
            }
            RecordFormat::Gcloud => format!(
                "gcloud dns record-sets create {name}. --zone=ZONE_NAME --type=TXT --ttl={ttl} --rrdatas={}",
                shell::quoted(&quoted)
            ),
        }
    }
}

/// Requests the zones of all names up to the registrable domain in parallel.
pub async fn dns_host(env: &Env<'_>, domain: &EmailDomain) -> Result<DnsHost, Error> {
    let lists = domain.ancestors().map(|name| {
        let request = zone::list(env.account, name);
        async move { env.client.list(&request).await }
    });
    match try_join_all(lists).await {
        Ok(zones) => Ok(choose(&zones.concat(), domain)),
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            Ok(DnsHost::External("no permission to read zones (Zone Read)".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The longest active name serves the domain.
pub fn choose(zones: &[Zone], domain: &EmailDomain) -> DnsHost {
    for name in domain.ancestors() {
        let of_name: Vec<_> = zones
            .iter()
            .filter(|zone| zone.name == name && zone.kind.as_deref() != Some("internal"))
            .collect();
        if let Some(zone) = of_name.iter().find(|zone| zone.is_active()) {
            let warning = (!zone.is_hosted_by_cloudflare()).then(|| {
                format!("the zone {name} is partial (CNAME setup): its DNS is hosted elsewhere")
            });
            return DnsHost::Cloudflare { zone: Box::new((*zone).clone()), warning };
        }
        if let Some(zone) = of_name.first() {
            let status = zone.status.as_deref().unwrap_or("of unknown status");
            return DnsHost::External(format!(
                "the zone {name} is {status}, not active: it uses other name servers"
            ));
        }
    }
    DnsHost::External(format!("no zone for {domain} in this account"))
}

/// The verification code in a TXT record of the domain itself.
fn code_of(record: &Record, domain: &EmailDomain) -> Option<String> {
    let is_txt = record.kind.as_deref().is_none_or(|kind| kind == "TXT");
    let is_of_domain = record.name.as_deref() == Some(domain.as_str());
    record.txt().filter(|text| is_txt && is_of_domain && text.starts_with(PREFIX))
}

impl Owners<'_> {
    /// Whether the record with this code is outdated and was published by this program. A comment
    /// alone is not enough: it can be copied, and it moves with a zone from another account.
    /// Required are:
    /// - a TXT record of the domain itself, whose value has the prefix of verification codes
    ///   ([`code_of`]);
    /// - a value that is the code of no connector of this account;
    /// - a comment as this program writes it;
    /// - if it names this connector: a journal that does not contradict it;
    /// - if it names another: a journal by which a deleted connector of this account had the code.
    fn is_stale(&self, record: &Record, code: &str) -> bool {
        let Self { connector, connectors, journal } = self;
        let comment = record.comment.as_deref().and_then(|comment| comment.strip_prefix(MARK));
        let Some(id) = comment.filter(|id| id.parse::<ConnectorId>().is_ok()) else {
            return false;
        };
        let is_outdated = if id == connector.id.as_str() {
            !journal.contradicts(id, code)
        } else {
            journal.is_of_deleted(code.as_bytes(), connectors)
        };
        is_outdated && connectors.iter().all(|other| other.code() != Some(code))
    }
}

pub fn classify(records: Vec<Record>, domain: &EmailDomain, owners: Owners<'_>) -> TxtRecords {
    let mut sorted = TxtRecords::default();
    for record in records {
        let Some(code) = code_of(&record, domain) else { continue };
        if Some(code.as_str()) == owners.connector.code() {
            sorted.current = true;
        } else if owners.is_stale(&record, &code) {
            sorted.stale.push(record);
        } else if owners.journal.is_of_deleted(code.as_bytes(), owners.connectors) {
            sorted.left_over.push(code);
        } else {
            sorted.foreign.push(code);
        }
    }
    sorted
}

/// Reads the journal only if there are other codes.
pub async fn records(
    env: &Env<'_>,
    zone: &ZoneId,
    domain: &EmailDomain,
    connector: &ConnectorFields,
    connectors: &[Connector],
) -> Result<TxtRecords, Error> {
    let records = env.client.list(&record::list_txt(zone, domain.as_str())).await?;
    let codes = || records.iter().filter_map(|record| code_of(record, domain));
    let has_others = codes().any(|code| Some(code.as_str()) != connector.code());
    let journal = if has_others { JournaledCodes::read(env) } else { JournaledCodes::default() };
    let owners = Owners { connector, connectors, journal: &journal };
    Ok(classify(records, domain, owners))
}

pub async fn is_published(
    env: &Env<'_>,
    zone: &ZoneId,
    domain: &EmailDomain,
    code: &str,
) -> Result<bool, Error> {
    let records = env.client.list(&record::list_txt(zone, domain.as_str())).await?;
    Ok(records.iter().any(|record| code_of(record, domain).as_deref() == Some(code)))
}

pub fn create_action(zone: &ZoneId, txt: &TxtRecord, id: &ConnectorId) -> Action<Record> {
    Action::new(
        format!("publish the TXT record of {}", txt.name),
        record::create_txt(zone, &txt.name, &txt.value, &format!("{MARK}{id}")),
        [Difference::new("content", (), txt.value.as_str())],
    )
    .after(Some(json!({ "id": "NEW-RECORD", "name": txt.name }).to_string()))
}

/// If a permission for the zone's records is missing: the reason to publish by hand.
pub fn unpermitted(error: &Error, zone: &Zone) -> Option<String> {
    let is_forbidden = matches!(error, Error::Api(error) if error.kind() == ErrorKind::Forbidden);
    is_forbidden.then(|| format!("no permission for the zone {} (DNS Write)", zone.name))
}

/// A record that exists counts as created.
pub async fn create(
    env: &Env<'_>,
    zone: &ZoneId,
    txt: &TxtRecord,
    id: &ConnectorId,
) -> Result<(), Error> {
    let find = async || {
        let records = env.client.list(&record::list_txt(zone, &txt.name)).await?;
        Ok(records.into_iter().find(|record| record.txt().as_ref() == Some(&txt.value)))
    };
    match env.execute_once(&create_action(zone, txt, id), find).await {
        Err(Error::Api(error)) if error.has_code(record::ERR_IDENTICAL_RECORD) => Ok(()),
        created => created.map(|_| ()),
    }
}

/// `None` if the record exists or the zone is not in this account.
pub async fn creation(
    env: &Env<'_>,
    domain: &EmailDomain,
    connector: &ConnectorFields,
) -> Result<Option<Change>, Error> {
    let (Some(code), DnsHost::Cloudflare { zone, .. }) =
        (connector.code(), dns_host(env, domain).await?)
    else {
        return Ok(None);
    };
    let is_published = is_published(env, &zone.id, domain, code).await?;
    let create = || create_action(&zone.id, &TxtRecord::new(domain, code), &connector.id).change();
    Ok((!is_published).then(create))
}

pub fn delete_action(zone: &ZoneId, record: &Record) -> Action<()> {
    Action::new(
        format!(
            "delete an outdated TXT record of {}",
            record.name.as_deref().unwrap_or("the domain")
        ),
        record::delete(zone, &record.id),
        [Difference::new("content", record.txt(), ())],
    )
    .before(record.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "cloudflare_dashboard_sso=0123456789abcdef";

    fn zone(name: &str, status: &str, kind: &str) -> Zone {
        serde_json::from_value(
            serde_json::json!({"id": "z1", "name": name, "status": status, "type": kind}),
        )
        .unwrap()
    }

    fn txt(name: &str, content: &str, comment: Option<&str>) -> Record {
        serde_json::from_value(
            serde_json::json!({"id": "r1", "name": name, "type": "TXT", "content": content, "comment": comment}),
        )
        .unwrap()
    }

    fn domain(text: &str) -> EmailDomain {
        text.parse().unwrap()
    }

    #[test]
    fn the_zone_is_the_longest_active_one() {
        let zones = [
            zone("cool.cats", "active", "full"),
            zone("eu.cool.cats", "pending", "full"),
            zone("part.cats", "active", "partial"),
            zone("twice.cats", "pending", "full"),
            zone("twice.cats", "active", "full"),
            zone("inner.cats", "active", "internal"),
        ];
        for (name, found, says) in [
            ("cool.cats", Some("cool.cats"), None),
            ("mail.cool.cats", Some("cool.cats"), None),
            ("eu.cool.cats", None, Some("is pending, not active")),
            ("part.cats", Some("part.cats"), Some("is partial")),
            ("twice.cats", Some("twice.cats"), None),
            ("inner.cats", None, Some("no zone for")),
            ("dogs.example", None, Some("no zone for")),
        ] {
            let (zone, text) = match choose(&zones, &domain(name)) {
                DnsHost::Cloudflare { zone, warning } => (Some(zone.name.clone()), warning),
                DnsHost::External(reason) => (None, Some(reason)),
            };
            assert_eq!(zone.as_deref(), found, "{name}");
            assert_eq!(text.is_some(), says.is_some(), "{name}: {text:?}");
            assert!(text.unwrap_or_default().contains(says.unwrap_or_default()), "{name}");
        }
    }

    fn connector(id: &str, code: &str) -> Connector {
        let text = format!(
            r#"{{"id":"{id}","email_domain":"cool.cats","verification":{{"code":"{code}"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn only_outdated_codes_that_this_program_published_are_stale() {
        const OLD: &str = "cloudflare_dashboard_sso=old";
        let connectors = [connector("c1", CODE), connector("c2", "cloudflare_dashboard_sso=dogs")];
        let (unknown, unreadable) = (JournaledCodes::default(), JournaledCodes::unreadable());
        let old = JournaledCodes::sample("c0", OLD);
        let ours = Some("cfsso: SSO connector c0");
        let alias = |kind: &str| {
            let text = json!({"id": "r1", "name": "cool.cats", "type": kind, "content": OLD,
                "comment": ours});
            serde_json::from_value(text).unwrap()
        };
        let at = |name: &str, code: &str, comment| {
            txt(name, &format!("\"cloudflare_dashboard_sso={code}\""), comment)
        };
        for (record, journal, expected) in [
            (txt("cool.cats", CODE, None), &unknown, "current"),
            (txt("cool.cats", CODE, ours), &unknown, "current"),
            // Of another account, from which the zone came, or published on another machine.
            (at("cool.cats", "old", ours), &unknown, "foreign"),
            (at("cool.cats", "old", ours), &unreadable, "foreign"),
            (at("cool.cats", "old", ours), &old, "stale"),
            // The code of this connector before it got another one.
            (at("cool.cats", "old", Some("cfsso: SSO connector c1")), &unknown, "stale"),
            (at("cool.cats", "old", Some("cfsso: SSO connector c1")), &unreadable, "foreign"),
            // A comment that was copied.
            (at("cool.cats", "theirs", ours), &old, "foreign"),
            (at("cool.cats", "old", Some("cfsso: SSO connector c2")), &unknown, "foreign"),
            (at("cool.cats", "old", Some("cfsso: SSO connector")), &unknown, "foreign"),
            (at("cool.cats", "old", Some("cfsso: SSO connector ")), &unknown, "foreign"),
            (at("cool.cats", "old", Some("cfsso: SSO connector c0 by Ada")), &unknown, "foreign"),
            // In use by another connector.
            (at("cool.cats", "dogs", ours), &unknown, "foreign"),
            (at("cool.cats", "noted", Some("by Ada")), &unknown, "foreign"),
            (at("cool.cats", "theirs", None), &old, "foreign"),
            (at("cool.cats", "old", None), &old, "left over"),
            (at("www.cool.cats", "old", ours), &old, ""),
            (txt("cool.cats", "\"v=spf1 -all\"", ours), &old, ""),
            (alias("CNAME"), &old, ""),
        ] {
            let shown = format!("{record:?} {journal:?}");
            let owners = Owners { connector: &connectors[0], connectors: &connectors, journal };
            let sorted = classify(vec![record], &domain("cool.cats"), owners);
            let found = [
                ("current", usize::from(sorted.current)),
                ("stale", sorted.stale.len()),
                ("left over", sorted.left_over.len()),
                ("foreign", sorted.foreign.len()),
            ];
            let found = found.iter().filter(|(_, count)| *count > 0).map(|(name, _)| *name);
            assert_eq!(found.collect::<String>(), expected, "{shown}");
        }
    }

    #[test]
    fn a_record_can_be_pasted_elsewhere() {
        let txt = TxtRecord::new(&domain("cool.cats"), CODE);
        let bind = txt.in_format(RecordFormat::Bind);
        assert_eq!(bind, format!("cool.cats. 300 IN TXT \"{CODE}\""));
        let gcloud = txt.in_format(RecordFormat::Gcloud);
        assert!(gcloud.ends_with(&format!("--rrdatas='\"{CODE}\"'")), "{gcloud}");
        let terraform = txt.in_format(RecordFormat::Terraform);
        assert!(terraform.starts_with("resource \"cloudflare_dns_record\" \"sso_cool_cats\" {\n"));
        assert!(terraform.contains(&format!("\n  content = \"\\\"{CODE}\\\"\"\n")), "{terraform}");
        let aws = txt.in_format(RecordFormat::Route53);
        let batch = aws.split('\'').nth(1).unwrap();
        let batch: serde_json::Value = serde_json::from_str(batch).unwrap();
        let value = &batch["Changes"][0]["ResourceRecordSet"]["ResourceRecords"][0]["Value"];
        assert_eq!(value, &format!("\"{CODE}\""));
    }
}
