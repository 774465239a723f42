//! Certificates of PEM files. The reader of rustls is so slow on a system's bundle that it would
//! take longer than the rest of a command.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A certificate that is cut off or not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The certificates in `text` (RFC 7468, section 5); everything else is skipped.
pub(super) fn certificates(
    text: &[u8],
) -> impl Iterator<Item = Result<CertificateDer<'static>, Malformed>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = after(rest, BEGIN)?;
        Some(certificate(rest))
    })
}

/// The certificate after its first line.
fn certificate(text: &[u8]) -> Result<CertificateDer<'static>, Malformed> {
    let end = text.iter().position(|byte| *byte == b'-').ok_or(Malformed)?;
    let (body, rest) = text.split_at(end);
    if !rest.starts_with(END.as_bytes()) {
        return Err(Malformed);
    }
    let mut letters = Vec::with_capacity(body.len());
    for line in body.split(u8::is_ascii_whitespace) {
        letters.extend_from_slice(line);
    }
    STANDARD.decode(letters).map(CertificateDer::from).map_err(|_| Malformed)
}

/// The text after the next line that starts with `mark`.
fn after<'a>(text: &'a [u8], mark: &str) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        if let Some(found) = rest.strip_prefix(mark.as_bytes()) {
            return Some(found);
        }
        let line = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        rest = &rest[line + 1..];
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn read(text: &str) -> Vec<Result<CertificateDer<'static>, Malformed>> {
        certificates(text.as_bytes()).collect()
    }

    #[test]
    fn certificates_are_found_among_other_things() {
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        let made = made.self_signed(&key).unwrap();
        let (pem, der) = (made.pem(), made.der().clone());
        let secret = key.serialize_pem();
        let unix = pem.replace("\r\n", "\n");
        for (text, count) in [
            (String::new(), 0),
            ("no certificate".to_owned(), 0),
            (secret.clone(), 0),
            (pem.clone(), 1),
            (unix.clone(), 1),
            (unix.trim_end().to_owned(), 1),
            (unix.replace('\n', "\r\n"), 1),
            (unix.replace('\n', " \n"), 1),
            (format!("# Autorit\u{e9} de certification\n{unix}\n\n{secret}{unix}"), 2),
            (unix.replace(" CERTIFICATE", " TRUSTED CERTIFICATE"), 0),
        ] {
            assert_eq!(read(&text), vec![Ok(der.clone()); count], "{text}");
            let by_rustls: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
            assert_eq!(by_rustls.len(), count, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_is_told_and_the_next_one_read() {
        let good = format!("{BEGIN}\nAAEC\n{END}\n");
        for bad in [
            format!("{BEGIN}\nAAEC\n"),
            format!("{BEGIN}\nAA*C\n{END}\n"),
            format!("{BEGIN}\nAAE\n{END}\n"),
            format!("{BEGIN}\nAAEC\n-----END PRIVATE KEY-----\n"),
        ] {
            let read = read(&format!("{bad}{good}"));
            assert_eq!(read.len(), 2, "{bad}");
            assert_eq!(read[0], Err(Malformed), "{bad}");
            assert_eq!(read[1], Ok(CertificateDer::from(vec![0, 1, 2])), "{bad}");
        }
    }
}
