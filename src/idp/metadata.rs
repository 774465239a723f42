//! SAML metadata: sign-on URL and certificates (SAML 2.0 Metadata, sections 2.3 and 2.4).

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::certificate::{self, Certificate};
use super::fetch::{AllowedHosts, FetchError, Fetcher};
use super::saml::{self, Entity, XmlError};
use crate::input::text::{self, Undecodable};

/// In bytes.
pub const MAX_SIZE: usize = 16 * 1024 * 1024;

const BINDINGS: &str = "urn:oasis:names:tc:SAML:2.0:bindings:";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Access calls it issuer.
    pub entity_id: String,
    pub sso_url: Url,
    pub binding: Binding,
    pub certificates: Vec<Certificate>,
    /// A roll-over keeps the old certificate for a while.
    pub expired: Vec<Certificate>,
    pub valid_until: Option<Timestamp>,
    pub wants_signed_requests: bool,
    /// The last part of each format.
    pub name_id_formats: Vec<String>,
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    Redirect,
    Post,
}

#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    #[error("the metadata in `{}` cannot be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("it has {} bytes; the limit for SAML metadata is {MAX_SIZE}", size.map_or_else(|| "too many".to_owned(), |size| size.to_string()))]
    TooLarge { size: Option<u64> },
    #[error("the metadata at `{url}` cannot be read")]
    HtmlPage { url: String, source: FetchError },
    #[error("it is not SAML metadata: {0}")]
    NotIdp(MetadataProblem),
    #[error("it describes {} identity providers; specify one", .0.len())]
    MultipleEntities(Vec<String>),
    #[error("it describes no identity provider `{0}`")]
    NoSuchEntity(String),
    #[error("it was valid until {0}; fetch it again from the IdP")]
    Outdated(Timestamp),
    #[error("its signing certificate `{subject}` expired on {since}")]
    Expired { subject: String, since: Timestamp },
    #[error("its signing certificate cannot be read: {0}")]
    Certificate(certificate::CertificateError),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataProblem {
    #[error("it is empty")]
    Empty,
    #[error("{0}")]
    Encoding(Undecodable),
    #[error("it is a web page")]
    WebPage,
    #[error("{0}")]
    Xml(XmlError),
    #[error("it has no `EntityDescriptor`")]
    NoEntity,
    #[error("it describes a service provider, not an identity provider")]
    ServiceProvider,
    #[error("it has no `entityID`")]
    NoEntityId,
    #[error("it has no sign-on URL with the binding HTTP-Redirect or HTTP-POST")]
    NoService,
    #[error("it has no signing certificate")]
    NoCertificate,
    #[error("its `validUntil` is not a time: `{0}`")]
    Date(String),
}

/// Reads at most `MAX_SIZE` bytes.
pub fn from_file(
    path: &Path,
    entity_id: Option<&str>,
    now: Timestamp,
) -> Result<Metadata, MetadataError> {
    let unreadable = |source| MetadataError::File { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > MAX_SIZE as u64 {
        return Err(MetadataError::TooLarge { size: Some(size) });
    }
    let mut bytes = Vec::new();
    // The size of a pipe is unknown, so the limit must apply here, too.
    file.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    read(&bytes, entity_id, now)
}

pub async fn from_url(
    fetcher: &Fetcher,
    url: &Url,
    entity_id: Option<&str>,
    now: Timestamp,
) -> Result<Metadata, MetadataError> {
    match fetcher.read(url, &AllowedHosts::of([url])).await {
        Ok(body) => read(&body, entity_id, now),
        Err(FetchError::TooLarge { .. }) => Err(MetadataError::TooLarge { size: None }),
        Err(source) => Err(MetadataError::HtmlPage { url: url.to_string(), source }),
    }
}

/// The identity provider with this entity ID, or the only one.
pub fn read(
    bytes: &[u8],
    entity_id: Option<&str>,
    now: Timestamp,
) -> Result<Metadata, MetadataError> {
    if bytes.len() > MAX_SIZE {
        return Err(MetadataError::TooLarge { size: None });
    }
    let text = text::decode_xml(bytes);
    let text = text.map_err(|error| MetadataError::NotIdp(MetadataProblem::Encoding(error)))?;
    let mut found = found(text.trim()).map_err(MetadataError::NotIdp)?;
    if let Some(id) = entity_id {
        found.retain(|entity| entity.id == id);
        if found.is_empty() {
            return Err(MetadataError::NoSuchEntity(id.to_owned()));
        }
    }
    if found.len() > 1 {
        return Err(MetadataError::MultipleEntities(
            found.into_iter().map(|entity| entity.id).collect(),
        ));
    }
    let entity = found.pop().ok_or(MetadataError::NotIdp(MetadataProblem::NoEntity))?;
    metadata(entity, now)
}

fn found(text: &str) -> Result<Vec<Entity>, MetadataProblem> {
    if text.is_empty() {
        return Err(MetadataProblem::Empty);
    }
    let start = text.get(..200).unwrap_or(text).to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.contains("<html") {
        return Err(MetadataProblem::WebPage);
    }
    let found = saml::parse(text).map_err(MetadataProblem::Xml)?;
    match (found.idps.is_empty(), found.others) {
        (true, 0) => Err(MetadataProblem::NoEntity),
        (true, _) => Err(MetadataProblem::ServiceProvider),
        (false, _) => Ok(found.idps),
    }
}

fn metadata(entity: Entity, now: Timestamp) -> Result<Metadata, MetadataError> {
    if entity.id.is_empty() {
        return Err(MetadataError::NotIdp(MetadataProblem::NoEntityId));
    }
    let valid_until = earliest_expiry(&entity.valid_until).map_err(MetadataError::NotIdp)?;
    if let Some(end) = valid_until.filter(|end| *end < now) {
        return Err(MetadataError::Outdated(end));
    }
    let (binding, sso_url) =
        service(&entity.services).ok_or(MetadataError::NotIdp(MetadataProblem::NoService))?;
    let Certificates { good, expired, notes } = certificates(&entity.certificates, now)?;
    Ok(Metadata {
        entity_id: entity.id,
        sso_url,
        binding,
        certificates: good,
        expired,
        valid_until,
        wants_signed_requests: entity.wants_signed_requests,
        name_id_formats: entity.name_id_formats,
        notes,
    })
}

fn earliest_expiry(times: &[String]) -> Result<Option<Timestamp>, MetadataProblem> {
    // XML Schema allows a time without zone, which SAML defines as UTC.
    let read = |text: &String| {
        let found = text.parse().or_else(|_| format!("{text}Z").parse());
        found.map_err(|_| MetadataProblem::Date(text.clone()))
    };
    let times: Vec<Timestamp> = times.iter().map(read).collect::<Result<_, _>>()?;
    Ok(times.into_iter().min())
}

/// Prefers the redirect binding, which Access uses.
fn service(services: &[(String, String)]) -> Option<(Binding, Url)> {
    let known = services.iter().filter_map(|(binding, location)| {
        let binding = match binding.strip_prefix(BINDINGS)? {
            "HTTP-Redirect" => Binding::Redirect,
            "HTTP-POST" => Binding::Post,
            _ => return None,
        };
        Some((binding, Url::parse(location).ok()?))
    });
    known.min_by_key(|(binding, _)| *binding)
}

/// Valid and expired certificates, each once, and notes on unreadable ones.
struct Certificates {
    good: Vec<Certificate>,
    expired: Vec<Certificate>,
    notes: Vec<String>,
}

fn certificates(texts: &[String], now: Timestamp) -> Result<Certificates, MetadataError> {
    let mut all: Vec<Certificate> = Vec::new();
    let mut unreadable = Vec::new();
    for (text, position) in texts.iter().zip(1..) {
        match certificate::read_all(text) {
            Ok(found) => all.extend(found),
            Err(error) => unreadable.push((position, error)),
        }
    }
    let mut seen = HashSet::new();
    all.retain(|one| seen.insert(one.base64.clone()));
    if let ([], [(_, error), ..]) = (all.as_slice(), unreadable.as_slice()) {
        return Err(MetadataError::Certificate(*error));
    }
    let note = |(position, error)| format!("certificate {position} was left out: {error}");
    let notes = unreadable.into_iter().map(note).collect();
    let (expired, good): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|certificate| certificate.is_expired(now));
    match (good.is_empty(), expired.iter().max_by_key(|certificate| certificate.not_after)) {
        (true, Some(last)) => {
            Err(MetadataError::Expired { subject: last.subject.clone(), since: last.not_after })
        }
        (true, None) => Err(MetadataError::NotIdp(MetadataProblem::NoCertificate)),
        (false, _) => Ok(Certificates { good, expired, notes }),
    }
}

impl Metadata {
    /// No offered name format is an email address: Access then needs an attribute with it.
    pub fn lacks_email_name(&self) -> bool {
        let may_be_email = |format: &String| ["emailAddress", "unspecified"].contains(&&**format);
        !self.name_id_formats.is_empty() && !self.name_id_formats.iter().any(may_be_email)
    }

    pub fn config(&self) -> Map<String, Value> {
        let certificates: Vec<_> =
            self.certificates.iter().map(|certificate| &certificate.base64).collect();
        let mut fields = Map::new();
        fields.insert("sso_target_url".to_owned(), json!(self.sso_url));
        fields.insert("issuer_url".to_owned(), json!(self.entity_id));
        fields.insert("idp_public_certs".to_owned(), json!(certificates));
        if self.wants_signed_requests {
            fields.insert("sign_request".to_owned(), json!(true));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    /// Expires with the year before `year`.
    fn certificate(name: &str, year: i32) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        STANDARD.encode(params.self_signed(&key).unwrap().der())
    }

    fn key(usage: &str, certificate: &str) -> String {
        format!(
            "<md:KeyDescriptor{usage}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{certificate}\n\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        )
    }

    fn service(binding: &str, location: &str) -> String {
        format!(r#"<md:SingleSignOnService Binding="{BINDINGS}{binding}" Location="{location}"/>"#)
    }

    fn entity(id: &str, attributes: &str, role: &str) -> String {
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{id}"{attributes}>{role}</md:EntityDescriptor>"#
        )
    }

    fn idp(attributes: &str, inner: &str) -> String {
        entity("https://idp.cats/a?b=1&amp;c=2", attributes, &role(inner))
    }

    fn role(inner: &str) -> String {
        format!(
            r#"<md:IDPSSODescriptor WantAuthnRequestsSigned="true">{inner}</md:IDPSSODescriptor>"#
        )
    }

    fn usual() -> String {
        service("HTTP-POST", "https://idp.cats/post")
            + &service("SOAP", "https://idp.cats/soap")
            + &service("HTTP-Redirect", "https://idp.cats/redirect?x=1&amp;y=2")
    }

    fn read_text(text: &str) -> Result<Metadata, String> {
        read(text.as_bytes(), None, now()).map_err(|error| error.to_string())
    }

    #[test]
    fn metadata_fills_the_configuration() {
        let (signing, any) = (certificate("signing", 2030), certificate("any", 2031));
        let encryption = certificate("encryption", 2030);
        let keys = key(r#" use="signing""#, &signing)
            + &key("", &any)
            + &key(r#" use="encryption""#, &encryption)
            + &key("", &signing);
        let text = idp(r#" validUntil="2027-01-01T00:00:00""#, &(keys + &usual()));
        for text in [
            text.clone(),
            format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<!-- x -->{text}"),
            text.replace("md:", "").replace("xmlns:md", "xmlns").replace(":md=", "="),
            text.replace("</ds:X509C", "&#13;\n</ds:X509C"),
            format!(
                r#"<m:EntitiesDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2028-01-01T00:00:00Z">{text}{}</m:EntitiesDescriptor>"#,
                entity("https://sp.cats", "", "<md:SPSSODescriptor/>")
            ),
        ] {
            let found = read_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(found.binding, Binding::Redirect);
            assert_eq!(found.valid_until, Some("2027-01-01T00:00:00Z".parse().unwrap()));
            assert!(found.expired.is_empty());
            assert_eq!(
                Value::Object(found.config()),
                json!({
                    "sso_target_url": "https://idp.cats/redirect?x=1&y=2",
                    "issuer_url": "https://idp.cats/a?b=1&c=2",
                    "idp_public_certs": [signing, any],
                    "sign_request": true,
                })
            );
        }
    }

    #[test]
    fn a_form_is_taken_where_there_is_no_redirect() {
        let inner =
            key("", &certificate("a", 2030)) + &service("HTTP-POST", "https://idp.cats/post");
        let found = read_text(&idp("", &inner)).unwrap();
        assert_eq!(
            (found.binding, found.sso_url.as_str()),
            (Binding::Post, "https://idp.cats/post")
        );
    }

    #[test]
    fn an_expired_certificate_is_named_and_left_out_beside_a_good_one() {
        let old = key("", &certificate("old", 2026));
        let error = read_text(&idp("", &(old.clone() + &usual()))).unwrap_err();
        assert!(error.contains("CN=old` expired on 2026-01-01T00:00:00Z"), "{error}");
        let both = read_text(&idp("", &(old + &key("", &certificate("new", 2030)) + &usual())));
        let both = both.unwrap();
        assert_eq!((both.certificates.len(), both.expired.len()), (1, 1));
        assert!(both.certificates[0].subject.contains("new"));
    }

    #[test]
    fn certificates_are_taken_however_they_are_written_and_a_bad_one_is_named() {
        let (one, two) = (certificate("one", 2030), certificate("two", 2031));
        let der = |text: &str| STANDARD.decode(text).unwrap();
        let pem = |text: &str| certificate::read(text).unwrap().pem();
        for (keys, count, notes) in [
            (key("", &(pem(&one) + &pem(&two))), 2, &[][..]),
            (key("", &STANDARD.encode([der(&one), der(&two)].concat())), 2, &[]),
            (key("", &STANDARD.encode(pem(&one))), 1, &[]),
            (key("", &one) + &key("", "bm8=") + &key("", &two), 2, &["certificate 2 was left out"]),
        ] {
            let found = read_text(&idp("", &(keys + &usual()))).unwrap();
            assert_eq!(found.certificates.len(), count, "{found:?}");
            assert_eq!(found.notes.len(), notes.len());
            assert!(found.notes.iter().zip(notes).all(|(note, it)| note.starts_with(it)));
        }
        let error = read_text(&idp("", &(key("", "bm8=") + &usual()))).unwrap_err();
        assert!(error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn one_of_many_providers_is_taken_by_its_entity_id() {
        let good = key("", &certificate("a", 2030)) + &usual();
        let entities: String =
            (0..3).map(|n| entity(&format!("https://idp{n}.cats"), "", &role(&good))).collect();
        let text = format!(
            r#"<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">{entities}</EntitiesDescriptor>"#
        );
        let found = read(text.as_bytes(), Some("https://idp1.cats"), now()).unwrap();
        assert_eq!(found.entity_id, "https://idp1.cats");
        let Err(MetadataError::MultipleEntities(ids)) = read(text.as_bytes(), None, now()) else {
            panic!()
        };
        assert_eq!(ids, ["https://idp0.cats", "https://idp1.cats", "https://idp2.cats"]);
        let error = read(text.as_bytes(), Some("https://x"), now()).unwrap_err();
        assert!(matches!(error, MetadataError::NoSuchEntity(_)), "{error}");
        for end in [text.len() - 30, text.len() / 2] {
            let error = read(&text.as_bytes()[..end], None, now()).unwrap_err().to_string();
            assert!(error.contains("ends early"), "{error}");
        }
    }

    #[test]
    fn names_that_are_no_addresses_are_told() {
        const FORMAT: &str = "urn:oasis:names:tc:SAML:";
        for (formats, lacks) in [
            (&[][..], false),
            (&["1.1:nameid-format:emailAddress"], false),
            (&["1.1:nameid-format:unspecified"], false),
            (&["2.0:nameid-format:persistent"], true),
            (&["2.0:nameid-format:transient", "1.1:nameid-format:emailAddress"], false),
        ] {
            let names: Vec<_> = formats
                .iter()
                .map(|format| format!("<md:NameIDFormat> {FORMAT}{format}\n</md:NameIDFormat>"))
                .collect();
            let names = names.concat();
            let inner = key("", &certificate("a", 2030)) + &names + &usual();
            assert_eq!(read_text(&idp("", &inner)).unwrap().lacks_email_name(), lacks, "{names}");
        }
    }

    #[test]
    fn what_is_no_metadata_says_what_it_is() {
        let good = key("", &certificate("a", 2030));
        let entities = |inner: &str| {
            format!(
                r#"<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">{inner}</EntitiesDescriptor>"#
            )
        };
        let one = idp("", &(good.clone() + &usual()));
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>"#;
        for (text, expected) in [
            (String::new(), "it is not SAML metadata: it is empty"),
            ("<!DOCTYPE html><html>".to_owned(), "it is a web page"),
            ("<html><body>Sign in".to_owned(), "it is a web page"),
            (r#"{"issuer":"x"}"#.to_owned(), "no `EntityDescriptor`"),
            ("<a><b></a>".to_owned(), "it is not XML"),
            ("<a/>".to_owned(), "no `EntityDescriptor`"),
            ("<EntityDescriptor entityID='x'/>".to_owned(), "no `EntityDescriptor`"),
            (format!("{bomb}{one}"), "document type definition"),
            (one.replace("<ds:KeyInfo>", "<ds:KeyInfo>&c;"), "the entity `&c;`"),
            (entity("https://sp.cats", "", "<md:SPSSODescriptor/>"), "a service provider"),
            (entities(""), "no `EntityDescriptor`"),
            (entities(&(one.clone() + &one)), "it describes 2 identity providers"),
            (entity("", "", &role(&(good.clone() + &usual()))), "has no `entityID`"),
            (idp("", &good), "has no sign-on URL"),
            (idp("", &(good.clone() + &service("SOAP", "https://idp.cats/"))), "no sign-on URL"),
            (idp("", &usual()), "has no signing certificate"),
            (idp("", &(key("", "garbage") + &usual())), "certificate cannot be read"),
            (
                idp(r#" validUntil="2026-05-31T23:59:59Z""#, &(good.clone() + &usual())),
                "it was valid until 2026-05-31T23:59:59Z",
            ),
            (
                idp(r#" validUntil="soon""#, &(good + &usual())),
                "`validUntil` is not a time: `soon`",
            ),
        ] {
            let error = read_text(&text).unwrap_err();
            assert!(error.contains(expected), "{error}\n{text}");
        }
        assert!(read(&[0xff, 0xfe, 0x3c], None, now()).unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn a_large_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.xml");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(50 * 1024 * 1024).unwrap();
        let error = from_file(&path, None, now()).unwrap_err().to_string();
        assert_eq!(error, "it has 52428800 bytes; the limit for SAML metadata is 16777216");
        let missing =
            from_file(&folder.path().join("missing"), None, now()).unwrap_err().to_string();
        assert!(missing.contains("missing` cannot be read"), "{missing}");
        assert!(matches!(
            read(&vec![b' '; MAX_SIZE + 1], None, now()),
            Err(MetadataError::TooLarge { size: None })
        ));
    }

    #[test]
    fn a_file_is_read_as_text_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.xml");
        let text = idp("", &(key("", &certificate("a", 2030)) + &usual()));
        std::fs::write(&path, &text).unwrap();
        assert_eq!(from_file(&path, None, now()).unwrap(), read_text(&text).unwrap());
    }
}
