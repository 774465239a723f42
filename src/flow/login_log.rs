//! Sign-ins from the Access login log. Which values its filters take is undocumented.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Env, Error};
use crate::api::access_log::{self, LoginRow};
use crate::api::app::App;
use crate::rfc3339;

/// A sign-in or a denied attempt, from the Access login log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Login {
    /// When the sign-in was made (RFC 3339); `null` if the log has no valid time.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub at: Option<Timestamp>,
    /// The email address that was used.
    pub email: String,
    /// Whether Access allowed the sign-in.
    pub allowed: Option<bool>,
    /// The type of the identity provider, such as `okta`.
    pub idp_type: Option<String>,
    /// The country code of the IP address, in upper case.
    pub country: Option<String>,
    /// The IP address.
    pub ip: Option<String>,
    /// The Cloudflare Ray ID of the request.
    pub ray_id: Option<String>,
    /// The hostname and path of the application.
    pub app_domain: Option<String>,
}

pub struct Filter {
    /// `None` means all applications.
    pub app: Option<App>,
    pub email: Option<String>,
    pub denied: bool,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Includes both ends of the period; whether the API does is undocumented.
    pub fn admits(&self, row: &LoginRow) -> bool {
        let is_of_app =
            self.app.as_ref().is_none_or(|app| row.is_of_app(app.id.as_str(), app.aud.as_deref()));
        let is_of_user =
            self.email.as_ref().is_none_or(|email| row.email().eq_ignore_ascii_case(email));
        let is_in_time = row
            .at()
            .is_none_or(|at| at >= self.since && self.until.is_none_or(|until| at <= until));
        is_of_app && is_of_user && is_in_time && (!self.denied || row.allowed == Some(false))
    }
}

impl Login {
    pub fn new(row: &LoginRow) -> Self {
        Self {
            at: row.at(),
            email: row.email().to_owned(),
            allowed: row.allowed,
            idp_type: row.connection.clone(),
            country: row.country.as_ref().map(|country| country.to_uppercase()),
            ip: row.ip_address.clone(),
            ray_id: row.ray_id.clone(),
            app_domain: row.app_domain.clone(),
        }
    }

    pub fn redacted(mut self) -> Self {
        self.email = redact_email(&self.email);
        self
    }
}

pub fn redact_email(email: &str) -> String {
    email.rsplit_once('@').map_or_else(|| "***".to_owned(), |(_, domain)| format!("***@{domain}"))
}

/// Newest first, without duplicates: rows with the same text.
pub async fn read(env: &Env<'_>, filter: &Filter) -> Result<Vec<Login>, Error> {
    let request = access_log::list(env.account, filter.since, filter.until);
    let rows = env.client.list(&request).await?;
    let mut seen = BTreeSet::new();
    let wanted = rows.iter().filter(|row| filter.admits(row) && seen.insert(row.text()));
    let mut logins: Vec<_> = wanted.map(Login::new).collect();
    logins.sort_by_key(|login| std::cmp::Reverse(login.at));
    Ok(logins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_filtered_by_app_user_time_and_decision() {
        let app = serde_json::from_str(r#"{"id":"a1","aud":"x1","type":"dash_sso"}"#).unwrap();
        let filter = Filter {
            app: Some(app),
            email: Some("Ada@cool.cats".to_owned()),
            denied: true,
            since: "2026-03-01T12:00:00Z".parse().unwrap(),
            until: Some("2026-03-01T13:00:00Z".parse().unwrap()),
        };
        let base = r#"{"app_uid":"a1","user_email":"ada@cool.cats","allowed":false,"created_at":"2026-03-01T12:30:00Z"}"#;
        for (from, to, expected) in [
            (r#""a1""#, r#""a2""#, false),
            ("ada@", "ADA@", true),
            ("ada@", "tom@", false),
            ("false", "true", false),
            ("12:30", "11:59", false),
            ("12:30", "13:01", false),
            ("12:30", "12:00", true),
            ("2026-03-01T12:30:00Z", "?", true),
        ] {
            let row = serde_json::from_str(&base.replace(from, to)).unwrap();
            assert_eq!(filter.admits(&row), expected, "{from} {to}");
        }
    }

    #[test]
    fn a_redacted_address_shows_its_domain_only() {
        for (email, shown) in
            [("ada@cool.cats", "***@cool.cats"), ("", "***"), ("a@b@cool.cats", "***@cool.cats")]
        {
            assert_eq!(redact_email(email), shown);
        }
    }
}
