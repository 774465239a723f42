//! Parser for the XML of SAML metadata. Entities are never expanded; a document type is refused.

use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// An identity provider.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entity {
    pub id: String,
    /// From the entity, its role and the surrounding elements; the earliest applies.
    pub valid_until: Vec<String>,
    /// Binding and location of each single sign-on service.
    pub services: Vec<(String, String)>,
    pub certificates: Vec<String>,
    pub wants_signed_requests: bool,
    /// The last part of each format.
    pub name_id_formats: Vec<String>,
    is_idp: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entities {
    pub idps: Vec<Entity>,
    /// Number of entities without an identity provider: service providers.
    pub others: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    #[error("it is not XML: {0}")]
    Malformed(String),
    #[error("it ends early; download it again")]
    CutOff,
    #[error("it has a document type definition, which SAML metadata does not allow")]
    DocumentType,
    #[error("it uses the entity `&{0};`, which is not expanded")]
    Entity(String),
}

#[derive(Default)]
struct MetadataParser {
    found: Entities,
    entity: Option<Entity>,
    /// `validUntil` of the surrounding `EntitiesDescriptor`s.
    around: Vec<Option<String>>,
    in_idp: bool,
    /// Inside a `KeyDescriptor` for signing.
    in_key: bool,
    certificate: Option<String>,
    name_id_format: Option<String>,
    depth: usize,
}

pub(super) fn parse(text: &str) -> Result<Entities, XmlError> {
    let mut reader = NsReader::from_str(text);
    let mut walk = MetadataParser::default();
    loop {
        let (namespace, event) = match reader.read_resolved_event() {
            Ok(read) => read,
            Err(error) => return Err(unreadable(&error, text, reader.error_position())),
        };
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(name)) => name.to_owned(),
            ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
        };
        match event {
            Event::Eof if walk.depth > 0 => return Err(XmlError::CutOff),
            Event::Eof => return Ok(walk.found),
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::GeneralRef(name) => walk.reference(&name)?,
            Event::Start(element) => {
                walk.depth += 1;
                walk.start(&namespace, &element)?;
            }
            Event::Empty(element) => {
                walk.start(&namespace, &element)?;
                walk.end(&namespace, element.local_name().as_ref());
            }
            Event::End(element) => {
                walk.depth = walk.depth.saturating_sub(1);
                walk.end(&namespace, element.local_name().as_ref());
            }
            Event::Text(text) => walk.text(&text),
            Event::CData(text) => walk.text(&text),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// A document that ends within a tag, a comment or a reference was cut off.
fn unreadable(error: &Error, text: &str, position: u64) -> XmlError {
    let rest = usize::try_from(position).ok().and_then(|position| text.get(position..));
    let is_last = rest.is_none_or(|rest| !rest.get(1..).unwrap_or_default().contains('<'));
    match error {
        // These may also mean a mistake in the middle.
        Error::Syntax(SyntaxError::InvalidBangMarkup)
        | Error::IllFormed(IllFormedError::UnclosedReference)
            if !is_last =>
        {
            XmlError::Malformed(error.to_string())
        }
        Error::Syntax(_) | Error::IllFormed(IllFormedError::UnclosedReference) => XmlError::CutOff,
        _ => XmlError::Malformed(error.to_string()),
    }
}

impl MetadataParser {
    fn start(&mut self, namespace: &str, element: &BytesStart<'_>) -> Result<(), XmlError> {
        let name = element.local_name();
        match (namespace, name.as_ref()) {
            (METADATA, "EntitiesDescriptor") => {
                self.around.push(attribute(element, "validUntil")?);
            }
            (METADATA, "EntityDescriptor") => self.entity = Some(self.begin(element)?),
            (METADATA, "IDPSSODescriptor") => self.role(element)?,
            (METADATA, "KeyDescriptor") if self.in_idp => {
                self.in_key = attribute(element, "use")?.is_none_or(|usage| usage == "signing");
            }
            (METADATA, "SingleSignOnService") if self.in_idp => self.service(element)?,
            (METADATA, "NameIDFormat") if self.in_idp => self.name_id_format = Some(String::new()),
            (SIGNATURE, "X509Certificate") if self.in_key => {
                self.certificate = Some(String::new());
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&self, element: &BytesStart<'_>) -> Result<Entity, XmlError> {
        let own = attribute(element, "validUntil")?;
        Ok(Entity {
            id: attribute(element, "entityID")?.unwrap_or_default(),
            valid_until: self.around.iter().flatten().cloned().chain(own).collect(),
            ..Entity::default()
        })
    }

    fn role(&mut self, element: &BytesStart<'_>) -> Result<(), XmlError> {
        let Some(entity) = &mut self.entity else { return Ok(()) };
        self.in_idp = true;
        entity.is_idp = true;
        entity.valid_until.extend(attribute(element, "validUntil")?);
        entity.wants_signed_requests = attribute(element, "WantAuthnRequestsSigned")?
            .is_some_and(|value| value == "true" || value == "1");
        Ok(())
    }

    fn service(&mut self, element: &BytesStart<'_>) -> Result<(), XmlError> {
        let binding = attribute(element, "Binding")?;
        let location = attribute(element, "Location")?;
        if let (Some(entity), Some(binding), Some(location)) = (&mut self.entity, binding, location)
        {
            entity.services.push((binding, location));
        }
        Ok(())
    }

    fn end(&mut self, namespace: &str, name: &str) {
        match (namespace, name) {
            (METADATA, "EntitiesDescriptor") => {
                self.around.pop();
            }
            (METADATA, "EntityDescriptor") => match self.entity.take() {
                Some(entity) if entity.is_idp => self.found.idps.push(entity),
                _ => self.found.others += 1,
            },
            (METADATA, "IDPSSODescriptor") => self.in_idp = false,
            (METADATA, "KeyDescriptor") => self.in_key = false,
            (METADATA, "NameIDFormat") => {
                if let (Some(entity), Some(format)) = (&mut self.entity, self.name_id_format.take())
                {
                    let last = format.trim().rsplit(':').next().unwrap_or_default();
                    entity.name_id_formats.push(last.to_owned());
                }
            }
            (SIGNATURE, "X509Certificate") => {
                if let (Some(entity), Some(text)) = (&mut self.entity, self.certificate.take()) {
                    entity.certificates.push(text);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.certificate.as_mut().or(self.name_id_format.as_mut()) {
            open.push_str(text);
        }
    }

    /// Some tools write `&#13;` at line ends.
    fn reference(&mut self, name: &str) -> Result<(), XmlError> {
        match name {
            "amp" | "lt" | "gt" | "quot" | "apos" => Ok(()),
            "#13" | "#10" | "#9" | "#xD" | "#xd" | "#xA" | "#xa" | "#x9" => {
                self.text("\n");
                Ok(())
            }
            other if other.starts_with('#') => {
                self.text("?");
                Ok(())
            }
            other => Err(XmlError::Entity(other.to_owned())),
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, XmlError> {
    let malformed = |error: String| XmlError::Malformed(error);
    let Some(attribute) =
        element.try_get_attribute(name).map_err(|error| malformed(error.to_string()))?
    else {
        return Ok(None);
    };
    // Fails for entities that are not predefined by XML.
    let value = attribute
        .normalized_value(XmlVersion::Implicit1_0)
        .map_err(|error| malformed(error.to_string()))?;
    Ok(Some(value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str =
        r#"<?xml version="1.0"?><!-- < --><a b="1>" c='2'><?pi ?>&amp;<![CDATA[<]]><d/></a>"#;

    #[test]
    fn a_document_that_is_cut_anywhere_ends_early() {
        assert!(parse(WHOLE).is_ok());
        let prolog = WHOLE.find("<a").unwrap();
        let between = [0, WHOLE.find("<!--").unwrap(), prolog];
        for end in (0..WHOLE.len()).filter(|end| !between.contains(end)) {
            assert_eq!(parse(&WHOLE[..end]), Err(XmlError::CutOff), "{}", &WHOLE[..end]);
        }
    }

    #[test]
    fn a_mistake_in_the_middle_is_no_early_end() {
        for text in ["<a><!b></a>", "<a>b & c</a>", "<a></b></a>", "<a b='1' b='2'><c d=1 /></a>"] {
            let found = parse(text);
            assert!(!matches!(found, Err(XmlError::CutOff)), "{text} {found:?}");
        }
    }
}
