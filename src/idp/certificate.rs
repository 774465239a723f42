//! Signing certificates, from files, PEM or the bare base64 in SAML metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_parser::asn1_rs::{Any, Class, FromBer as _, Oid, Tag};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::input::text;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// A distinguished name.
    pub subject: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub key: Key,
    pub signature: String,
    /// The certificate, without line breaks.
    pub base64: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub algorithm: Algorithm,
    /// 0 if unknown.
    pub bits: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Rsa,
    Ec,
    /// Ed25519 or Ed448.
    Ed,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("it is empty")]
    Empty,
    #[error("it is a private key, not a certificate")]
    PrivateKey,
    #[error("it is PEM, but not a certificate")]
    OtherPem,
    #[error("it is neither PEM nor base64")]
    Base64,
    #[error("it is neither DER nor text")]
    Text,
    #[error("it contains several certificates, but one is needed")]
    Several,
    #[error("its base64 is not an X.509 certificate")]
    X509,
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// PEM labels of certificates.
const PEM: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "PKCS7"];

/// PEM or bare base64, with any line breaks.
pub fn read(text: &str) -> Result<Certificate, CertificateError> {
    let mut all = read_all(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(CertificateError::Several),
    }
}

/// DER, PKCS#7, or a text as for [`read_all`].
pub fn read_file(bytes: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    // A SEQUENCE over 255 bytes, or of indefinite length (BER): not text.
    if bytes.starts_with(&[0x30, 0x82]) || bytes.starts_with(&[0x30, 0x80]) {
        return of_der(bytes);
    }
    read_all(&text::decode(bytes).map_err(|_| CertificateError::Text)?)
}

/// Reads PEM blocks with anything between them, PKCS#7, or base64 of DER (one or several) or PEM.
pub fn read_all(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    if text.contains("PRIVATE KEY-----") {
        return Err(CertificateError::PrivateKey);
    }
    let blocks: Vec<_> = PEM.iter().flat_map(|kind| blocks(text, kind)).collect();
    if !blocks.is_empty() {
        let all: Result<Vec<_>, _> = blocks.into_iter().map(of_base64).collect();
        return all.map(|all| all.concat());
    }
    if text.contains("-----BEGIN") {
        return Err(CertificateError::OtherPem);
    }
    of_base64(text)
}

/// The contents of each PEM block of a kind (RFC 7468).
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let (begin, end) = (format!("-----BEGIN {kind}-----"), format!("-----END {kind}-----"));
    text.split(begin.as_str())
        .skip(1)
        .map(|after| after.split(end.as_str()).next().unwrap_or(after))
        .collect()
}

fn of_base64(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    // Often left over from double escaping in JSON or a shell.
    let base64: String = text.replace("\\n", "").split_whitespace().collect();
    if base64.is_empty() {
        return Err(CertificateError::Empty);
    }
    let bytes = STANDARD.decode(&base64).map_err(|_| CertificateError::Base64)?;
    // Some products encode a whole PEM in base64 again.
    match std::str::from_utf8(&bytes) {
        Ok(inner) if inner.contains("-----BEGIN") => read_all(inner),
        _ => of_der(&bytes),
    }
}

/// Several certificates in a row, or those of a PKCS#7 bundle.
fn of_der(bytes: &[u8]) -> Result<Vec<Certificate>, CertificateError> {
    let mut rest = pkcs7(bytes).unwrap_or(bytes);
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (after, parsed) =
            X509Certificate::from_der(rest).map_err(|_| CertificateError::X509)?;
        all.push(certificate(&parsed, &rest[..rest.len() - after.len()])?);
        rest = after;
    }
    if all.is_empty() { Err(CertificateError::X509) } else { Ok(all) }
}

/// The field `certificates` of `SignedData` (RFC 5652, sections 3 and 5.1).
fn pkcs7(bytes: &[u8]) -> Option<&[u8]> {
    const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
    let (_, bundle) = Any::from_ber(bytes).ok()?;
    let (content, kind) = Oid::from_ber(bundle.data).ok()?;
    if kind.to_id_string() != SIGNED_DATA {
        return None;
    }
    let (_, content) = Any::from_ber(content).ok()?;
    let (_, signed) = Any::from_ber(content.data).ok()?;
    let mut rest = signed.data;
    while let Ok((after, field)) = Any::from_ber(rest) {
        if field.class() == Class::ContextSpecific && field.tag() == Tag(0) {
            return Some(field.data);
        }
        rest = after;
    }
    None
}

fn certificate(parsed: &X509Certificate<'_>, der: &[u8]) -> Result<Certificate, CertificateError> {
    let time = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| CertificateError::X509)
    };
    Ok(Certificate {
        subject: subject(parsed),
        not_before: time(parsed.validity().not_before)?,
        not_after: time(parsed.validity().not_after)?,
        key: key(parsed),
        signature: signature(parsed),
        base64: STANDARD.encode(der),
    })
}

fn subject(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject().to_string();
    if subject.is_empty() { "without a subject".to_owned() } else { subject }
}

fn key(certificate: &X509Certificate<'_>) -> Key {
    let (algorithm, bits) = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => (Algorithm::Rsa, bits(key.modulus)),
        Ok(PublicKey::EC(point)) => (Algorithm::Ec, curve_bits(point.key_size())),
        _ => {
            let oid = certificate.public_key().algorithm.algorithm.to_id_string();
            match oid.as_str() {
                "1.3.101.112" => (Algorithm::Ed, 256),
                "1.3.101.113" => (Algorithm::Ed, 456),
                _ => (Algorithm::Other, 0),
            }
        }
    };
    Key { algorithm, bits }
}

/// Coordinates are whole bytes; only P-521 has another size.
fn curve_bits(bits: usize) -> usize {
    if bits == 528 { 521 } else { bits }
}

/// OpenSSL's name; the OID if unknown.
fn signature(certificate: &X509Certificate<'_>) -> String {
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        other => other,
    };
    name.to_owned()
}

/// The length of a big-endian number.
pub(super) fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let top = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() - zeros) * 8 - top
}

impl Certificate {
    pub fn pem(&self) -> String {
        let lines = self.base64.as_bytes().chunks(64);
        let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
        format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.not_after < now
    }

    /// Uses a broken hash: MD2, MD5 or SHA-1.
    pub fn has_weak_signature(&self) -> bool {
        let name = self.signature.to_ascii_lowercase();
        name.starts_with("md") || name.contains("sha1")
    }
}

impl Key {
    /// Below the minimum of NIST SP 800-131A: RSA 2048, elliptic curves 224 bits. Other keys pass.
    pub fn is_too_short(self) -> bool {
        match self.algorithm {
            Algorithm::Rsa => self.bits < 2048,
            Algorithm::Ec => self.bits < 224,
            Algorithm::Ed | Algorithm::Other => false,
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.algorithm {
            Algorithm::Rsa => write!(formatter, "RSA of {} bits", self.bits),
            Algorithm::Ec => write!(formatter, "elliptic curve of {} bits", self.bits),
            Algorithm::Ed => write!(formatter, "Edwards curve of {} bits", self.bits),
            Algorithm::Other => write!(formatter, "key of an unknown algorithm"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl req -x509 -newkey rsa:1024 -sha1`.
    const WEAK: &str = "MIIB+zCCAWSgAwIBAgIBATANBgkqhkiG9w0BAQUFADAYMRYwFAYDVQQDDA1pZHAuY29vbC5jYXRzMCAXDTI2\
        MTEyMjIyNDEyMVoYDzIwODEwODI1MjI0MTIxWjAYMRYwFAYDVQQDDA1pZHAuY29vbC5jYXRzMIGfMA0GCSqG\
        SIb3DQEBAQUAA4GNADCBiQKBgQDYw8FIiCURR4SA9d6MyLvyyHDsGUGeaL7XHgOytK5dbZUimveNkPinQBcW\
        0a0pABO4ILMYThbcSKFNcfLqm04bsqdxFi3Z3MCWrh2f+YiHal7mIpjM1B/i8QV7Q2t1R03F8Y5vQth7CNeV\
        l43kD7P4Wqk1HFTvkY3O1alJIpMLpQIDAQABo1MwUTAdBgNVHQ4EFgQUp1wamDLhK7c17Hq1igpzrnCvEyQw\
        HwYDVR0jBBgwFoAUp1wamDLhK7c17Hq1igpzrnCvEyQwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQUF\
        AAOBgQA5UFs+kzj+HFrcDY6oA6LRecQPEAYJLh8cg6NDVmNAFtXEH0b4XlzIUSEK3MphSA44IUs3uLnalxbl\
        GHXleVwHbRBgAap+9p9i3ebuAzkH4Sji72m+k0vv4X74Ubm59Os5DQqMSd6EPt6ofcgKAczAMoxmmkZSfWcX\
        f2QNlf9oMg==";
    /// Made with `openssl req -x509 -newkey rsa:2048 -sha256`.
    const STRONG: &str = "MIIDADCCAeigAwIBAgIBATANBgkqhkiG9w0BAQsFADAYMRYwFAYDVQQDDA1pZHAuY29vbC5jYXRzMCAXDTI2\
        MTEyMjIyNDEyMVoYDzIwODEwODI1MjI0MTIxWjAYMRYwFAYDVQQDDA1pZHAuY29vbC5jYXRzMIIBIjANBgkq\
        hkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtdhnsHHkQ/zCc4OCgxPlb1GuwVzWvmPRHp41h++y0lfKI8+2pxkX\
        BA1Oc7fEZZQAF+N9II9oWhKuArPqjxrlS2tFsGty991G7/7I2FbYSekOCEBCpSohkrlJpIBzYzWSQV1wjXKp\
        ATnYEUpL+L8GgkkNEtRcvwbyurid3EP3EmQYqzRAjVpeDZXK7u9mYU7Y87s4ptJzJJUvxCNCbJFPvOziAanI\
        X5LOh74tTeLFRZBIszksy11Aw6UnQ58CMTrT3AjznV2GOdGEg9T0qyG+1zXI0jZca0D+5Q4FXIlc/gZTLR8z\
        5+9SAXeZzuuQzokb2JvKfGVirwJhAd2CnB3uNwIDAQABo1MwUTAdBgNVHQ4EFgQUv70qbaTdUIDcRPL+dPKN\
        nCdJOr4wHwYDVR0jBBgwFoAUv70qbaTdUIDcRPL+dPKNnCdJOr4wDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG\
        9w0BAQsFAAOCAQEAWCmm/LpmmvFREszuqydGo39wq7M3bRu/6bNBAY6jfujwpbBKx4Zi9AMUDy3zgzp6Mzwf\
        bKMEvAHZoRknE+8KU4y3RfQ3l+a/jynuSigDUC64Yxi5I+QoavR4tLSepqx+vZCDu57Mn0LGRBBQSfleR+fa\
        zAWO6ATNqlhqHHAZvuByhtf5usceJy1FCKGwnTKS9xdNXx1opwC9Sb2Eowt1k9NK7EbxZSlzKucPAMSsCiaR\
        yFyPlEPOChB683HLA0NlEPONbBnXag9KLpYtzKsBOYdXNssfBTnEN8kTHB82ylATwC6w1Ex9hOBhdqwDQxRW\
        nym/3AEho3v6ZywLfo9W+Q==";
    /// Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp521r1 -sha512`.
    const CURVE: &str = "MIIB6TCCAUugAwIBAgIBATAKBggqhkjOPQQDBDAPMQ0wCwYDVQQDDARwNTIxMCAXDTI2MTEyMjIyNDEyMVoY\
        DzIwODEwODI1MjI0MTIxWjAPMQ0wCwYDVQQDDARwNTIxMIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBZkTu\
        Qt1FkiCAxMma+PHDP24LbraIGtWNJ6HQvgHbx6yOnFatzzCM94MwhDkkcn0Qc00LEQ9kFLvp1JyQiJTCCQIB\
        exrj+ISn5QzDcJ2A8MRi01GqzhN6HWFHrgQNsdfkEwpebNbPwAHUnPZd2NVHyHgn4fJcgH+gXhZfN/sPbyaP\
        TYCjUzBRMB0GA1UdDgQWBBT/NjlgtYskzlvYBxfEtOzU6EM9qjAfBgNVHSMEGDAWgBT/NjlgtYskzlvYBxfE\
        tOzU6EM9qjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMEA4GLADCBhwJCAZU0ZVtqo92yLj6DcEyY0aE1\
        ucycSCdihprzfiVGbNpZ/FD2ZxsOYRUDmbbjxS5XVpPruOtVH6obatj+8wc9t+MFAkEMtiOtbU0v/ZQk4/Ce\
        SmxVO9+8beq+Yq8PUm+JLKAwTpDc7zCyvsEh4qnAN0dJLJtsI7pBKvxVLRCb5hGWDz1crQ==";

    #[test]
    fn key_and_signature_are_told() {
        for (text, subject, key, signature, is_short, is_broken) in [
            (WEAK, "CN=idp.cool.cats", "RSA of 1024 bits", "sha1WithRSAEncryption", true, true),
            (
                STRONG,
                "CN=idp.cool.cats",
                "RSA of 2048 bits",
                "sha256WithRSAEncryption",
                false,
                false,
            ),
            (CURVE, "CN=p521", "elliptic curve of 521 bits", "ecdsa-with-SHA512", false, false),
        ] {
            let found = read(text).unwrap();
            assert_eq!((found.subject.as_str(), found.signature.as_str()), (subject, signature));
            assert_eq!(found.key.to_string(), key);
            assert_eq!(
                (found.key.is_too_short(), found.has_weak_signature()),
                (is_short, is_broken)
            );
        }
    }

    #[test]
    fn pem_and_base64_of_any_shape_are_the_same_certificate() {
        let expected = read(STRONG).unwrap();
        let pem = expected.pem();
        for text in [
            STRONG.to_owned(),
            pem.clone(),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\n"),
            format!("  {}\n  {}\n", &STRONG[..100], &STRONG[100..]),
            format!("Bag Attributes\n{pem}trailer"),
        ] {
            assert_eq!(read(&text).unwrap(), expected, "{text}");
        }
        let both = format!("{pem}{}", read(CURVE).unwrap().pem());
        assert_eq!(read_all(&both).unwrap().len(), 2);
        assert_eq!(read_all(STRONG).unwrap(), [expected]);
    }

    fn tagged(tag: u8, inside: &[&[u8]]) -> Vec<u8> {
        let inside = inside.concat();
        let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, &inside].concat()
    }

    #[test]
    fn bundles_and_wrapped_certificates_are_read() {
        let (one, two) = (read(STRONG).unwrap(), read(CURVE).unwrap());
        let der = |one: &Certificate| STANDARD.decode(&one.base64).unwrap();
        let joined = [der(&one), der(&two)].concat();
        // As from `openssl crl2pkcs7 -nocrl`: PKCS#7 SignedData with certificates only.
        let data = tagged(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"]);
        let signed =
            tagged(0x30, &[b"\x02\x01\x01\x31\x00", &data, &tagged(0xA0, &[&joined]), b"\x31\x00"]);
        let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
        let bundle = tagged(0x30, &[oid, &tagged(0xA0, &[&signed])]);
        // The same in BER with indefinite lengths (X.690 section 8.1.3.6), as from
        // `openssl cms -sign -stream`.
        let open =
            |tag: u8, parts: &[&[u8]]| [&[tag, 0x80], parts.concat().as_slice(), &[0, 0]].concat();
        let signed = open(
            0x30,
            &[
                b"\x02\x01\x01\x31\x00",
                &open(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"]),
                &open(0xA0, &[&joined]),
                b"\x31\x00",
            ],
        );
        let ber = open(0x30, &[oid, &open(0xA0, &[&signed])]);
        let base64 = STANDARD.encode(&bundle);
        for bytes in [
            bundle.clone(),
            ber.clone(),
            STANDARD.encode(&ber).into_bytes(),
            joined.clone(),
            base64.clone().into_bytes(),
            STANDARD.encode(&joined).into_bytes(),
            STANDARD.encode(one.pem() + &two.pem()).into_bytes(),
            format!("-----BEGIN PKCS7-----\n{base64}\n-----END PKCS7-----\n").into_bytes(),
            format!("subject=CN=a\n{}issuer=CN=b\n{}", one.pem(), two.pem()).into_bytes(),
        ] {
            assert_eq!(read_file(&bytes).unwrap(), [one.clone(), two.clone()]);
        }
        assert_eq!(read(&STANDARD.encode(&joined)), Err(CertificateError::Several));
        for cut in 1..bundle.len() {
            let _ = read_file(&bundle[..cut]);
        }
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let cut = &STRONG[..400];
        for (text, expected) in [
            ("", CertificateError::Empty),
            ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", CertificateError::Empty),
            (
                "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----",
                CertificateError::PrivateKey,
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nMC4=\n-----END PUBLIC KEY-----",
                CertificateError::OtherPem,
            ),
            ("no base64!", CertificateError::Base64),
            ("Z2FyYmFnZQ==", CertificateError::X509),
            (cut, CertificateError::X509),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn a_certificate_expires_after_its_last_second() {
        let certificate = read(STRONG).unwrap();
        let end = certificate.not_after;
        assert!(!certificate.is_expired(end));
        assert!(certificate.is_expired(end + jiff::SignedDuration::from_secs(1)));
        assert!(certificate.not_before < end);
    }

    #[test]
    fn bits_are_counted_without_leading_zeros() {
        for (number, expected) in
            [(&[][..], 0), (&[0, 0], 0), (&[1], 1), (&[0, 0x80, 0], 16), (&[0x7f, 0xff], 15)]
        {
            assert_eq!(bits(number), expected, "{number:?}");
        }
    }
}
