//! JSON Web Key Sets (RFC 7517): finds the keys that can verify a login.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::certificate;
use crate::input::depth::{self, TooDeep};
use crate::input::text;

/// Signature algorithms of OpenID Connect (RFC 7518 section 3.1, RFC 8037), without those for
/// shared secrets, which a public key set cannot contain.
const ALGORITHMS: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K",
    "EdDSA", "Ed25519",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// As text: `RS256 kid1`.
    pub valid: Vec<String>,
    pub rejected: Vec<RejectedKey>,
    /// Oddities that do not affect the valid keys.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key `{kid}` {reason}")]
pub struct RejectedKey {
    /// The ID, or the position in the set.
    pub kid: String,
    pub reason: RejectReason,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    #[error("is for encryption")]
    Encryption,
    /// Unknown, or a shared secret.
    #[error("has the type `{0}`, which cannot verify signatures")]
    Type(String),
    #[error("is for the algorithm `{0}`, which cannot verify signatures")]
    Algorithm(String),
    #[error("is an RSA key of {0} bits; 2048 are required")]
    TooShort(usize),
    #[error("expired on {0}")]
    Expired(Timestamp),
    #[error("contains no public key")]
    MissingParameter,
}

impl RejectReason {
    /// Whether no one can verify signatures with the key.
    pub fn is_certain(&self) -> bool {
        match self {
            Self::Encryption | Self::MissingParameter => true,
            Self::Type(kind) => kind == "oct",
            Self::Algorithm(_) | Self::TooShort(_) | Self::Expired(_) => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    #[error("it is not JSON")]
    Json,
    #[error(transparent)]
    Deep(#[from] TooDeep),
    #[error("it is JSON without `keys`")]
    Keys,
}

pub fn read(body: &[u8], now: Timestamp) -> Result<Jwks, JwksError> {
    let text = text::decode(body).map_err(|_| JwksError::Json)?;
    depth::check(text.as_bytes())?;
    let value: Value = serde_json::from_str(&text).map_err(|_| JwksError::Json)?;
    let keys = match value.get("keys") {
        Some(Value::Array(keys)) => keys.as_slice(),
        Some(Value::Null) => &[],
        _ => return Err(JwksError::Keys),
    };
    let mut jwks = Jwks { valid: Vec::new(), rejected: Vec::new(), notes: Vec::new() };
    for (index, key) in keys.iter().enumerate() {
        let kid = key["kid"].as_str().map_or_else(|| format!("#{}", index + 1), str::to_owned);
        match check_key(key, now) {
            Ok(algorithm) => {
                jwks.valid.push(format!("{algorithm} `{kid}`"));
                let expired = certificate_end(key).filter(|end| *end < now);
                jwks.notes.extend(
                    expired.map(|end| format!("the certificate of key `{kid}` expired on {end}")),
                );
            }
            Err(reason) => jwks.rejected.push(RejectedKey { kid, reason }),
        }
    }
    Ok(jwks)
}

/// The algorithm of a key, or its type, if it can verify a login.
fn check_key(key: &Value, now: Timestamp) -> Result<String, RejectReason> {
    if key["use"] == "enc" {
        return Err(RejectReason::Encryption);
    }
    let kind = key["kty"].as_str().unwrap_or_default();
    if !["RSA", "EC", "OKP"].contains(&kind) {
        return Err(RejectReason::Type(kind.to_owned()));
    }
    let algorithm = key["alg"].as_str();
    if let Some(other) = algorithm.filter(|name| !ALGORITHMS.contains(name)) {
        return Err(RejectReason::Algorithm(other.to_owned()));
    }
    if let Some(end) = expires_at(key).filter(|end| *end < now) {
        return Err(RejectReason::Expired(end));
    }
    match kind {
        "RSA" => check_length(key)?,
        _ if decoded(key, "x").is_none() => return Err(RejectReason::MissingParameter),
        _ => {}
    }
    Ok(algorithm.unwrap_or(kind).to_owned())
}

fn check_length(key: &Value) -> Result<(), RejectReason> {
    let bits = certificate::bits(&decoded(key, "n").ok_or(RejectReason::MissingParameter)?);
    if bits < 2048 { Err(RejectReason::TooShort(bits)) } else { Ok(()) }
}

fn decoded(key: &Value, field: &str) -> Option<Vec<u8>> {
    let text = key[field].as_str()?.trim_end_matches('=');
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// `exp`, which some sets have.
fn expires_at(key: &Value) -> Option<Timestamp> {
    Timestamp::from_second(key["exp"].as_i64()?).ok()
}

/// The `x5c` certificate's end (RFC 7517, section 4.7). Verification uses the key, not the
/// certificate.
fn certificate_end(key: &Value) -> Option<Timestamp> {
    let certificate = certificate::read(key["x5c"][0].as_str()?).ok()?;
    Some(certificate.not_after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn modulus(bits: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8])
    }

    #[test]
    fn keys_that_verify_are_told_from_others() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let ended = Timestamp::from_second(1_700_000_000).unwrap();
        let n = modulus(2048);
        for (key, expected) in [
            (
                json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "a", "n": n }),
                Ok("RS256"),
            ),
            (json!({ "kty": "RSA", "n": n }), Ok("RSA")),
            (json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" }), Ok("EC")),
            (json!({ "kty": "OKP", "alg": "EdDSA", "x": "AAAA" }), Ok("EdDSA")),
            (json!({ "kty": "RSA", "exp": 1_900_000_000, "n": n }), Ok("RSA")),
            (json!({ "kty": "RSA", "use": "enc", "n": n }), Err(RejectReason::Encryption)),
            (json!({ "kty": "oct", "k": "AAAA" }), Err(RejectReason::Type("oct".to_owned()))),
            (json!({}), Err(RejectReason::Type(String::new()))),
            (json!("key"), Err(RejectReason::Type(String::new()))),
            (
                json!({ "kty": "RSA", "alg": "HS256", "n": n }),
                Err(RejectReason::Algorithm("HS256".to_owned())),
            ),
            (json!({ "kty": "RSA", "n": modulus(1024) }), Err(RejectReason::TooShort(1024))),
            (json!({ "kty": "RSA" }), Err(RejectReason::MissingParameter)),
            (json!({ "kty": "RSA", "n": "!" }), Err(RejectReason::MissingParameter)),
            (json!({ "kty": "EC" }), Err(RejectReason::MissingParameter)),
            (
                json!({ "kty": "RSA", "exp": 1_700_000_000, "n": n }),
                Err(RejectReason::Expired(ended)),
            ),
        ] {
            assert_eq!(check_key(&key, now), expected.map(str::to_owned), "{key}");
        }
    }

    #[test]
    fn an_expired_certificate_beside_a_key_is_a_note() {
        let mut params = rcgen::CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(2025, 1, 1);
        let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let x5c = base64::engine::general_purpose::STANDARD.encode(certificate.der());
        let set =
            json!({ "keys": [{ "kty": "RSA", "kid": "old", "n": modulus(2048), "x5c": [x5c] }] });
        let body = set.to_string();
        for (day, notes) in [("2024-12-31T00:00:00Z", 0), ("2025-01-02T00:00:00Z", 1)] {
            let jwks = read(body.as_bytes(), day.parse().unwrap()).unwrap();
            assert_eq!((jwks.valid.len(), jwks.notes.len()), (1, notes), "{day}");
            for note in jwks.notes {
                assert_eq!(note, "the certificate of key `old` expired on 2025-01-01T00:00:00Z");
            }
        }
    }

    #[test]
    fn what_is_no_key_set_is_said() {
        for (body, expected) in [
            ("<html>", JwksError::Json),
            ("", JwksError::Json),
            ("{}", JwksError::Keys),
            (r#"{"keys":{}}"#, JwksError::Keys),
            ("[]", JwksError::Keys),
        ] {
            assert_eq!(read(body.as_bytes(), Timestamp::UNIX_EPOCH), Err(expected), "{body}");
        }
        let deep = read("[".repeat(200_000).as_bytes(), Timestamp::UNIX_EPOCH);
        assert_eq!(deep, Err(JwksError::Deep(TooDeep)));
        let none = read(br#"{"keys":[]}"#, Timestamp::UNIX_EPOCH).unwrap();
        assert!(none.valid.is_empty() && none.rejected.is_empty());
        let absent = "\u{feff}{\"keys\":null}";
        assert_eq!(read(absent.as_bytes(), Timestamp::UNIX_EPOCH).unwrap(), none);
    }
}
