//! Verification: when to start it, starting it, and waiting for its end.

use jiff::Timestamp;

use super::action::Action;
use super::plan::Difference;
use super::{Env, Error, FlowError, wait};
use crate::api::ErrorKind;
use crate::api::connector::{self, Connector, ConnectorFields, VerificationStatus};
use crate::api::ids::ConnectorId;
use crate::dns::{Diagnosis, Verdict};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyAction {
    None,
    Begin,
    Wait,
}

pub fn next_action(connector: &ConnectorFields) -> VerifyAction {
    match connector.status() {
        Some(VerificationStatus::Verified) => VerifyAction::None,
        Some(VerificationStatus::Pending) => VerifyAction::Wait,
        // An unknown state may be a run in progress: starting another one is harmless.
        Some(
            VerificationStatus::Awaiting
            | VerificationStatus::Failed
            | VerificationStatus::Other(_),
        )
        | None => VerifyAction::Begin,
    }
}

/// Also without a response: Cloudflare may see more than this machine.
pub fn can_succeed(diagnosis: &Diagnosis) -> bool {
    matches!(diagnosis.verdict, Verdict::Visible | Verdict::Unreachable)
}

pub fn begin_action(env: &Env<'_>, domain: &str, id: &ConnectorId) -> Action<()> {
    Action::new(
        format!("start the verification of {domain}"),
        connector::begin_verification(env.account, id),
        [Difference::new("verification.status", (), "pending")],
    )
}

/// A refused start counts as started if the connector shows it.
pub async fn begin(env: &Env<'_>, connector: &Connector) -> Result<Connector, Error> {
    let id = &connector.id;
    let read = async || env.client.send(&connector::get(env.account, id)).await;
    let find = async || Ok((next_action(&*read().await?) != VerifyAction::Begin).then_some(()));
    let action = begin_action(env, &connector.email_domain, id);
    let Err(error) = env.execute_once(&action, find).await else {
        return if env.is_dry_run() { Ok(connector.clone()) } else { Ok(read().await?) };
    };
    if let Error::Api(refused) = &error
        && matches!(refused.kind(), ErrorKind::Conflict | ErrorKind::Invalid)
    {
        let connector = read().await?;
        if next_action(&connector) != VerifyAction::Begin {
            return Ok(connector);
        }
    }
    Err(error)
}

/// A run that ends without success is repeated once. `resume`: the command that continues later.
pub async fn wait_until_verified(
    env: &Env<'_>,
    mut connector: Connector,
    deadline: Timestamp,
    resume: &str,
    on_look: &dyn Fn(&Connector),
) -> Result<Connector, Error> {
    for _ in 0..2 {
        if next_action(&connector) == VerifyAction::Begin {
            connector = begin(env, &connector).await?;
        }
        let domain = connector.email_domain.clone();
        let is_final = |connector: &Connector| next_action(connector) != VerifyAction::Wait;
        let ended = poll_until(env, connector, deadline, is_final, on_look).await?;
        connector = ended.ok_or_else(|| pending(&domain, resume))?;
        if connector.is_verified() {
            return Ok(connector);
        }
    }
    Err(failed(&connector).into())
}

pub async fn poll_until(
    env: &Env<'_>,
    connector: Connector,
    deadline: Timestamp,
    wanted: impl Fn(&Connector) -> bool,
    on_look: &dyn Fn(&Connector),
) -> Result<Option<Connector>, Error> {
    let id = connector.id.clone();
    let mut latest = Some(connector);
    wait::poll(env.clock, deadline, async || {
        let now = match latest.take() {
            Some(connector) => connector,
            None => env.client.send(&connector::get(env.account, &id)).await?,
        };
        on_look(&now);
        Ok(wanted(&now).then_some(now))
    })
    .await
}

fn pending(domain: &str, resume: &str) -> FlowError {
    FlowError::not_yet(format!("{domain} is not verified yet"))
        .cause("Cloudflare checks the TXT record for up to two days")
        .hint(format!("`{resume}`"))
}

fn failed(connector: &ConnectorFields) -> FlowError {
    let status = connector.status().map_or("unknown", VerificationStatus::as_str);
    FlowError::not_yet(format!("verification of {}: {status}", connector.email_domain))
        .cause("Cloudflare did not find the TXT record")
        .hint(format!("`cfsso dig {0} --connector {0}`", connector.email_domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_under_way_is_followed() {
        for (status, wanted) in [
            (r#""verified""#, VerifyAction::None),
            (r#""pending""#, VerifyAction::Wait),
            (r#""awaiting""#, VerifyAction::Begin),
            (r#""failed""#, VerifyAction::Begin),
            (r#""new""#, VerifyAction::Begin),
            ("null", VerifyAction::Begin),
        ] {
            let text = format!(
                r#"{{"id":"c1","email_domain":"cool.cats","verification":{{"status":{status}}}}}"#
            );
            let connector: Connector = serde_json::from_str(&text).unwrap();
            assert_eq!(next_action(&connector), wanted, "{status}");
        }
        let bare: Connector =
            serde_json::from_str(r#"{"id":"c1","email_domain":"cool.cats"}"#).unwrap();
        assert_eq!(next_action(&bare), VerifyAction::Begin);
    }
}
