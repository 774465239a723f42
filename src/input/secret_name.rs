/// Whether a field, header, parameter, variable or flag of this name holds a secret. Recognises any
/// notation (`client_secret`, `X-Api-Token`, `clientSecret`) and fields that do not exist yet.
pub fn is_secret_name(name: &str) -> bool {
    /// Endings of a word.
    const ENDINGS: [&str; 8] = [
        "secret",
        "secrets",
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "apikey",
        "apitoken",
    ];
    /// Anywhere in the name.
    const PARTS: [&str; 8] = [
        "private_key",
        "api_key",
        "auth_key",
        "service_key",
        "api_token",
        "access_token",
        "refresh_token",
        "client_assertion",
    ];
    /// Such a name holds a location, not the secret.
    const LOCATION_SUFFIXES: [&str; 2] = ["_file", "_stdin"];
    const NAMES: [&str; 4] = ["authorization", "proxy_authorization", "cookie", "set_cookie"];
    let name = snake_case(name);
    if LOCATION_SUFFIXES.iter().any(|place| name.ends_with(place)) {
        return false;
    }
    let is_part = |part: &str| format!("_{name}_").contains(&format!("_{part}_"));
    name.split('_').any(|word| ENDINGS.iter().any(|ending| word.ends_with(ending)))
        || NAMES.contains(&name.as_str())
        || PARTS.iter().any(|part| is_part(part))
        || is_token(&name)
}

/// Ends with `token`. In a policy, `service_token` is a rule that names a token by its ID.
fn is_token(name: &str) -> bool {
    let before = name.strip_suffix("token");
    before.is_some_and(|before| {
        before.is_empty() || before.ends_with('_') && !before.ends_with("service_")
    })
}

/// The words of a name in lower case, joined by `_`.
fn snake_case(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    let mut was_lower = false;
    for character in name.chars() {
        let starts_word = character.is_ascii_uppercase() && was_lower;
        if starts_word || !character.is_alphanumeric() {
            words.push('_');
        }
        if character.is_alphanumeric() {
            words.push(character.to_ascii_lowercase());
        }
        was_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    words
}

/// Whether `text` can be the name of an environment variable. A pasted secret rarely is.
pub fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised_in_any_notation() {
        for name in [
            "client_secret",
            "clientSecret",
            "CLIENT-SECRET",
            "clientsecret",
            "secrets",
            "secret_key",
            "my.secret",
            "password",
            "db_passwd",
            "private_key",
            "privateKey",
            "api_key",
            "apikey",
            "X-Api-Token",
            "X-Auth-Key",
            "x-auth-user-service-key",
            "CF-Access-Client-Secret",
            "cf-access-token",
            "Authorization",
            "proxy-authorization",
            "Set-Cookie",
            "cookie",
            "token",
            "OKTA_TOKEN",
            "id_token",
            "accessToken",
            "tunnel_secret",
            "app_api_token_old",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "",
            "client_id",
            "secretary",
            "secretariat",
            "token_url",
            "client-secret-file",
            "--token-stdin",
            "token_id",
            "service_token",
            "any_valid_service_token",
            "strict_service_token_auth",
            "read_service_tokens_from_header",
            "authorization_server_id",
            "key",
            "public_key",
            "certs_url",
            "tokens",
            "www-authenticate",
            "name",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
