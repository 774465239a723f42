//! Finding, creating and deleting grants. A lost response never creates two.

use crate::api::grant::{self, Grant};
use crate::api::idp::{self, Idp};
use crate::api::ids::GrantId;
use crate::api::request_error::RequestError;
use crate::api::{self, ErrorKind};
use crate::flow::action::Action;
use crate::flow::api_error::ApiErrorContext;
use crate::flow::plan::Difference;
use crate::flow::{Env, Error, FlowError};

pub async fn list(env: &Env<'_>) -> Result<Vec<Grant>, Error> {
    let mut grants = env.client.list(&grant::list(env.account)).await?;
    grants.sort_by(|a, b| {
        (a.idp_id.as_str(), a.id.as_str()).cmp(&(b.idp_id.as_str(), b.id.as_str()))
    });
    Ok(grants)
}

/// A wrong ID fails with the list of existing grants.
pub async fn find(env: &Env<'_>, id: &GrantId) -> Result<Grant, Error> {
    match env.client.send(&grant::get(env.account, id)).await {
        Err(error) if error.kind() == ErrorKind::NotFound => match list(env).await {
            Ok(grants) => Err(not_found_error(id, &grants).into()),
            Err(_) => Err(error.into()),
        },
        answer => Ok(answer?),
    }
}

fn not_found_error(id: &GrantId, grants: &[Grant]) -> FlowError {
    let error = FlowError::not_found(format!("no federation grant `{id}` in this account"))
        .hint("`cfsso federation list`");
    if grants.is_empty() {
        return error.cause("the account has no federation grants");
    }
    error.causes(grants.iter().map(|grant| format!("it has {}", describe(grant, None))))
}

pub fn create_action(env: &Env<'_>, idp: &Idp) -> Action<Grant> {
    Action::new(
        format!("create the federation grant of {}", idp.name),
        grant::create(env.account, &idp.id),
        [Difference::new("idp_id", (), idp.id.as_str())],
    )
}

/// A refusal lists the existing grants: their maximum per account has changed over time.
pub async fn create(env: &Env<'_>, idp: &Idp) -> Result<Grant, Error> {
    let find = async || {
        let grants = env.client.list(&grant::list(env.account)).await?;
        Ok(grants.into_iter().find(|grant| grant.idp_id == idp.id))
    };
    match env.execute_once(&create_action(env, idp), find).await {
        Err(Error::Api(error)) => Err(explain_rejection(env, error).await),
        created => Ok(created?.into_inner()),
    }
}

async fn explain_rejection(env: &Env<'_>, error: api::Error) -> Error {
    let is_refusal = matches!(&error.fault, RequestError::Rejected(_))
        && matches!(
            error.kind(),
            ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::Other | ErrorKind::Forbidden
        );
    if !is_refusal {
        return error.into();
    }
    let idps = idp::list(env.account);
    let (grants, idps) = tokio::join!(list(env), env.client.list(&idps));
    add_hints(error, &grants.unwrap_or_default(), &idps.unwrap_or_default()).into()
}

fn add_hints(error: api::Error, grants: &[Grant], idps: &[Idp]) -> ApiErrorContext {
    let says_organization = error
        .api_errors()
        .iter()
        .any(|error| error.message.to_ascii_lowercase().contains("organization"));
    let is_forbidden = error.kind() == ErrorKind::Forbidden;
    let mut api_error = ApiErrorContext::new(error);
    if says_organization {
        return api_error
            .cause("identity providers are shared between accounts of one Cloudflare organization")
            .hint("a super administrator can add the account to an organization in the dashboard");
    }
    if is_forbidden {
        return api_error.hint(
            "the permission for grants is not documented; likely \
             Access: Organizations, Identity Providers, and Groups Write, \
             of a member of the organization",
        );
    }
    for grant in grants {
        let idp = idps.iter().find(|idp| idp.id == grant.idp_id);
        api_error = api_error.cause(format!("existing grant: {}", describe(grant, idp)));
    }
    match grants {
        [] => api_error,
        [first, ..] => api_error.hint(format!(
            "if the limit of the account is reached: `cfsso federation unshare {}`",
            first.idp_id
        )),
    }
}

pub fn describe(grant: &Grant, idp: Option<&Idp>) -> String {
    let name = idp.map_or_else(
        || grant.idp_id.to_string(),
        |idp| format!("{} ({})", idp.name, idp.kind.as_str()),
    );
    format!("{}  for {name}", grant.id)
}

pub fn delete_action(env: &Env<'_>, grant: &Grant, idp: &str) -> Action<()> {
    Action::new(
        format!("delete the federation grant of {idp} (all recipients lose it immediately)"),
        grant::delete(env.account, &grant.id),
        [Difference::new("id", grant.id.as_str(), ())],
    )
    .before(grant.text())
    .shown_by(format!("cfsso federation get {}", grant.id))
}

/// `created` is the journal entry that created it, if that is to be undone.
pub async fn delete(
    env: &Env<'_>,
    grant: &Grant,
    idp: &str,
    created: Option<String>,
) -> Result<(), Error> {
    let read = grant::get(env.account, &grant.id);
    env.execute_deletion(&delete_action(env, grant, idp).undoing(created), &read).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ApiError, ErrorResponse};

    fn refusal(message: &str) -> api::Error {
        let refusal = ErrorResponse {
            status: 409,
            errors: vec![ApiError::new(Some(12132), message)],
            ray: None,
            retry_after: None,
        };
        api::Error::refused("POST /accounts/a/access/idp_federation_grants", refusal)
    }

    #[test]
    fn a_refused_grant_is_told_with_those_that_stand() {
        let grant = serde_json::from_str(r#"{"id":"g1","idp_id":"p1"}"#).unwrap();
        let idp = serde_json::from_str(r#"{"id":"p1","name":"Okta","type":"okta"}"#).unwrap();
        let api_error = add_hints(refusal("too many grants"), &[grant], &[idp]);
        assert_eq!(api_error.causes, ["existing grant: g1  for Okta (okta)"]);
        assert!(api_error.hint.unwrap().ends_with("`cfsso federation unshare p1`"));
    }

    #[test]
    fn an_account_without_an_organization_is_recognised() {
        let api_error = add_hints(refusal("Account is not part of an Organization"), &[], &[]);
        assert!(api_error.hint.unwrap().contains("add the account to an organization"));
    }
}
