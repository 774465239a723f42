//! DNS providers, recognized by the names of a domain's name servers.

use serde::{Serialize, Serializer};

use super::publish::{RecordFormat, TxtRecord};

#[derive(Debug, PartialEq, Eq)]
pub struct DnsProvider {
    pub name: &'static str,
    /// Ends of the names of its name servers, or parts if the ends vary.
    servers: &'static [&'static str],
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Paste(RecordFormat),
    Azure,
    Doctl,
    Page(&'static str),
}

const fn page(
    name: &'static str,
    servers: &'static [&'static str],
    at: &'static str,
) -> DnsProvider {
    DnsProvider { name, servers, place: Place::Page(at) }
}

const PROVIDERS: &[DnsProvider] = &[
    DnsProvider {
        name: "Amazon Route 53",
        servers: &[".awsdns-"],
        place: Place::Paste(RecordFormat::Route53),
    },
    DnsProvider {
        name: "Google Cloud DNS",
        servers: &["ns-cloud-"],
        place: Place::Paste(RecordFormat::Gcloud),
    },
    DnsProvider { name: "Azure DNS", servers: &[".azure-dns."], place: Place::Azure },
    DnsProvider { name: "DigitalOcean", servers: &[".digitalocean.com"], place: Place::Doctl },
    page("GoDaddy", &[".domaincontrol.com"], "My Products, Domains, DNS, Add New Record"),
    page(
        "Namecheap",
        &[".registrar-servers.com", ".namecheaphosting.com"],
        "Domain List, Manage, Advanced DNS, Add New Record (TXT Record, host @)",
    ),
    page(
        "Hetzner",
        &[".hetzner.com", ".hetzner.de", ".second-ns.com"],
        "DNS, the zone, Add record",
    ),
    page("Gandi", &[".gandi.net"], "Domain, DNS Records, Add"),
    page(
        "OVHcloud",
        &[".ovh.net", ".ovh.ca", ".anycast.me"],
        "Web Cloud, Domain names, DNS zone, Add an entry",
    ),
    page("IONOS", &[".ui-dns."], "Domains & SSL, the domain, DNS, Add record"),
    page("Porkbun", &[".porkbun.com"], "Domain Management, DNS"),
    page("DNSimple", &[".dnsimple.com", ".dnsimple-edge."], "the domain, DNS, Add record"),
    page("NS1", &[".nsone.net"], "Zones, the zone, Add record"),
    page(
        "Squarespace",
        &[".squarespacedns.com", ".googledomains.com"],
        "Domains, DNS, Custom records",
    ),
    page("Vercel", &[".vercel-dns.com"], "Domains, the domain, DNS Records"),
    page("INWX", &[".inwx.de", ".inwx.eu"], "Nameserver, the domain, DNS entry"),
    page("Infomaniak", &[".infomaniak.ch", ".infomaniak.com"], "Domains, DNS zone, Add a record"),
    page("Akamai Edge DNS", &[".akam.net"], "Edge DNS, the zone, Record sets"),
    page("UltraDNS", &[".ultradns."], "Zones, the zone, Add record"),
    page(
        "Cloudflare (another account)",
        &[".ns.cloudflare.com"],
        "the zone's account, DNS, Records, Add record",
    ),
];

impl Serialize for DnsProvider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// `None` if the name servers belong to different providers.
pub fn dns_provider<'a>(
    name_servers: impl IntoIterator<Item = &'a str>,
) -> Option<&'static DnsProvider> {
    let of = |server: &str| {
        let server = format!(".{}", server.trim_end_matches('.').to_ascii_lowercase());
        let is = |pattern: &&str| {
            let is_part = pattern.ends_with(['.', '-']);
            server.ends_with(*pattern) || (is_part && server.contains(*pattern))
        };
        PROVIDERS.iter().find(|provider| provider.servers.iter().any(is))
    };
    let mut providers = name_servers.into_iter().map(of);
    let first = providers.next()??;
    providers.all(|other| other == Some(first)).then_some(first)
}

impl DnsProvider {
    pub fn instruction(&self, record: &TxtRecord) -> String {
        match self.place {
            Place::Paste(format) => record.in_format(format),
            Place::Azure => azure(record),
            Place::Doctl => doctl(record),
            Place::Page(at) => at.to_owned(),
        }
    }
}

fn azure(TxtRecord { name, value, .. }: &TxtRecord) -> String {
    format!(
        "az network dns record-set txt add-record --resource-group RESOURCE_GROUP \
         --zone-name {name} --record-set-name @ --value {value}"
    )
}

fn doctl(TxtRecord { name, value, ttl, .. }: &TxtRecord) -> String {
    format!(
        "doctl compute domain records create {name} --record-type TXT --record-name @ \
         --record-data {value} --record-ttl {ttl}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_told_by_all_name_servers() {
        for (servers, expected) in [
            (&["ns-2048.awsdns-64.com.", "ns-1.awsdns-02.org"][..], Some("Amazon Route 53")),
            (&["ns-cloud-a1.googledomains.com"], Some("Google Cloud DNS")),
            (&["ns1-01.azure-dns.com", "ns2-01.azure-dns.net"], Some("Azure DNS")),
            (&["NS07.DOMAINCONTROL.COM"], Some("GoDaddy")),
            (&["dns1.registrar-servers.com"], Some("Namecheap")),
            (&["ns1.digitalocean.com"], Some("DigitalOcean")),
            (&["helium.ns.hetzner.de", "hydrogen.ns.hetzner.com"], Some("Hetzner")),
            (&["ns-59-a.gandi.net"], Some("Gandi")),
            (&["dns10.ovh.net", "ns10.ovh.net"], Some("OVHcloud")),
            (&["ns1045.ui-dns.org"], Some("IONOS")),
            (&["maceio.porkbun.com"], Some("Porkbun")),
            (&["ns1.dnsimple.com", "ns2.dnsimple-edge.net"], Some("DNSimple")),
            (&["dns1.p01.nsone.net"], Some("NS1")),
            (&["ada.ns.cloudflare.com"], Some("Cloudflare (another account)")),
            (&["ns1.digitalocean.com", "dns1.p01.nsone.net"], None),
            (&["ns1.company.example"], None),
            (&[], None),
        ] {
            let found = dns_provider(servers.iter().copied());
            assert_eq!(found.map(|provider| provider.name), expected, "{servers:?}");
        }
    }

    #[test]
    fn the_instruction_has_the_record_in_it() {
        let record = TxtRecord::new(&"cool.cats".parse().unwrap(), "cloudflare_dashboard_sso=1");
        for provider in PROVIDERS {
            let has_record = provider.instruction(&record).contains("cloudflare_dashboard_sso=1");
            assert_eq!(has_record, !matches!(provider.place, Place::Page(_)), "{}", provider.name);
        }
    }
}
