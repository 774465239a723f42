//! Verification: when to begin it, beginning it, and following it to its end.

use jiff::Timestamp;

use super::action::Action;
use super::plan::Difference;
use super::{Error, Stop, StopKind, Tools, wait};
use crate::api::Kind;
use crate::api::connector::{self, Connector, Fields, Status};
use crate::api::ids::ConnectorId;
use crate::dns::{Judgement, Verdict};

/// What comes next for a connector's verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Nothing,
    /// Begin: no run is under way.
    Begin,
    /// Wait: a run is under way.
    Follow,
}

/// What comes next, by the state that the API tells.
pub fn next(connector: &Fields) -> Next {
    match connector.status() {
        Some(Status::Verified) => Next::Nothing,
        Some(Status::Pending) => Next::Follow,
        // Beginning a run that an unknown state already is does no harm.
        Some(Status::Awaiting | Status::Failed | Status::Other(_)) | None => Next::Begin,
    }
}

/// Whether a verification begun now can succeed. Where nobody could be asked,
/// Cloudflare may see more than this machine does.
pub fn can_succeed(judgement: &Judgement) -> bool {
    matches!(judgement.verdict, Verdict::Visible | Verdict::Unreachable)
}

/// Begins verification.
pub fn beginning(tools: &Tools<'_>, domain: &str, id: &ConnectorId) -> Action<()> {
    Action::new(
        format!("begin the verification of {domain}"),
        connector::begin_verification(tools.account, id),
        [Difference::new("verification.status", (), "pending")],
    )
}

/// Executes [`beginning`] and reads the connector's new state, which the answer
/// does not contain. A refusal counts as begun if the connector shows it.
pub async fn begin(tools: &Tools<'_>, connector: &Connector) -> Result<Connector, Error> {
    let id = &connector.id;
    let read = async || tools.client.send(&connector::get(tools.account, id)).await;
    let find = async || Ok((next(&*read().await?) != Next::Begin).then_some(()));
    let action = beginning(tools, &connector.email_domain, id);
    let Err(error) = tools.execute_once(&action, find).await else {
        return Ok(read().await?);
    };
    if let Error::Api(refused) = &error
        && matches!(refused.kind(), Kind::Conflict | Kind::Invalid)
    {
        let connector = read().await?;
        if next(&connector) != Next::Begin {
            return Ok(connector);
        }
    }
    Err(error)
}

/// Begins verification where no run is under way, and follows it until the
/// domain is proven. A run that ends without a proof is begun once more.
pub async fn until_verified(
    tools: &Tools<'_>,
    mut connector: Connector,
    deadline: Timestamp,
    on_look: &dyn Fn(&Connector),
) -> Result<Connector, Error> {
    for _ in 0..2 {
        if next(&connector) == Next::Begin {
            connector = begin(tools, &connector).await?;
        }
        connector = until_ended(tools, connector, deadline, on_look).await?;
        if connector.is_verified() {
            return Ok(connector);
        }
    }
    Err(failed(&connector).into())
}

async fn until_ended(
    tools: &Tools<'_>,
    connector: Connector,
    deadline: Timestamp,
    on_look: &dyn Fn(&Connector),
) -> Result<Connector, Error> {
    let mut seen = connector;
    let mut first = true;
    let ended = wait::poll(tools.clock, deadline, async || {
        if !first {
            seen = tools.client.send(&connector::get(tools.account, &seen.id)).await?;
        }
        first = false;
        on_look(&seen);
        Ok((next(&seen) != Next::Follow).then(|| seen.clone()))
    })
    .await?;
    ended.ok_or_else(|| pending(&seen).into())
}

/// Waits until a connector reads as `wanted`.
pub async fn until(
    tools: &Tools<'_>,
    connector: Connector,
    deadline: Timestamp,
    wanted: impl Fn(&Connector) -> bool,
    on_look: &dyn Fn(&Connector),
) -> Result<Option<Connector>, Error> {
    let id = connector.id.clone();
    let mut seen = Some(connector);
    wait::poll(tools.clock, deadline, async || {
        let now = match seen.take() {
            Some(connector) => connector,
            None => tools.client.send(&connector::get(tools.account, &id)).await?,
        };
        on_look(&now);
        Ok(wanted(&now).then_some(now))
    })
    .await
}

fn pending(connector: &Fields) -> Stop {
    Stop::new(StopKind::NotYet, format!("`{}` is not verified yet", connector.email_domain))
        .cause("Cloudflare looks for the TXT record for up to two days, and is still looking")
        .hint(format!("`cfsso connector verify {} --wait`", connector.email_domain))
}

fn failed(connector: &Fields) -> Stop {
    let status = connector.status().map_or("unknown", Status::as_str);
    Stop::new(
        StopKind::NotYet,
        format!("the verification of `{}` ended as {status}", connector.email_domain),
    )
    .cause("Cloudflare did not find the TXT record")
    .hint(format!("`cfsso dig {0} --connector {0}`", connector.email_domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_under_way_is_followed() {
        for (status, wanted) in [
            (r#""verified""#, Next::Nothing),
            (r#""pending""#, Next::Follow),
            (r#""awaiting""#, Next::Begin),
            (r#""failed""#, Next::Begin),
            (r#""new""#, Next::Begin),
            ("null", Next::Begin),
        ] {
            let text = format!(
                r#"{{"id":"c1","email_domain":"cool.cats","verification":{{"status":{status}}}}}"#
            );
            let connector: Connector = serde_json::from_str(&text).unwrap();
            assert_eq!(next(&connector), wanted, "{status}");
        }
        let bare: Connector =
            serde_json::from_str(r#"{"id":"c1","email_domain":"cool.cats"}"#).unwrap();
        assert_eq!(next(&bare), Next::Begin);
    }
}
