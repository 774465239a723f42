//! A verification code as people paste it.

use super::near_miss::{is_blank, is_quote};
use super::txt::PREFIX;

/// The value of the record. Quotes and blanks around it are dropped; the prefix may be missing.
pub fn parse_code(text: &str) -> Result<String, String> {
    let plain = text.trim_matches(|letter| is_quote(letter) || is_blank(letter));
    let (secret, is_secret): (_, fn(&u8) -> bool) = match plain.strip_prefix(PREFIX) {
        Some(secret) => (secret, |byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)),
        // Any word could be meant as something else.
        None => (plain, u8::is_ascii_hexdigit),
    };
    if secret.is_empty() || !secret.as_bytes().iter().all(is_secret) {
        return Err(format!("not a verification code, such as `{PREFIX}0123456789abcdef`"));
    }
    Ok(format!("{PREFIX}{secret}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_code_is_the_value_or_an_error() {
        const CODE: &str = "cloudflare_dashboard_sso=5f2c9a";
        for text in [
            CODE,
            " cloudflare_dashboard_sso=5f2c9a\n",
            "\"cloudflare_dashboard_sso=5f2c9a\"",
            "“cloudflare_dashboard_sso=5f2c9a” ",
            "5f2c9a",
            "'5f2c9a'",
        ] {
            assert_eq!(parse_code(text).as_deref(), Ok(CODE), "{text}");
        }
        for text in [
            "",
            " ",
            "\"\"",
            "cloudflare_dashboard_sso=",
            "cloudflare_dashboard_sso=5f 2c",
            "cloudflare_dashboard_sso=\"5f2c\"",
            "cloudflare_dashbord_sso=5f2c",
            "CLOUDFLARE_DASHBOARD_SSO=5f2c",
            "v=spf1 -all",
            "cool.cats",
            "5f2c\u{200b}9a",
        ] {
            assert!(parse_code(text).is_err(), "{text}");
        }
    }
}
