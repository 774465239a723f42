//! Enabling enforcement: the change itself. What is checked first is in
//! [`preflight`](super::preflight).

use super::plan::{Change, Difference};
use super::{Error, Stop, StopKind, Tools};
use crate::api::connector::{self, Connector};
use crate::api::ids::ConnectorId;
use crate::domain::EmailDomain;

/// Starts enforcement, and reads back that it is on.
pub async fn enable(tools: &Tools<'_>, connector: &Connector) -> Result<Connector, Error> {
    let request = connector::set_enabled(tools.account, &connector.id, true);
    let title = format!("enable enforcement for {}", connector.email_domain);
    tools.write(&request, Some(connector.text()), title).await?;
    let seen = tools.client.send(&connector::get(tools.account, &connector.id)).await?;
    if seen.is_enabled() {
        return Ok(seen);
    }
    Err(Stop::new(
        StopKind::NotSeen,
        format!("enabling `{}` was sent, but it does not read back as enabled", seen.email_domain),
    )
    .hint(format!("`cfsso connector get {}`", seen.id))
    .into())
}

/// The change that [`enable`] makes.
#[must_use]
pub fn enabling(
    tools: &Tools<'_>,
    domain: &EmailDomain,
    id: &ConnectorId,
    enabled: Option<bool>,
) -> Change {
    Change::new(
        format!("enable enforcement for {domain}"),
        &connector::set_enabled(tools.account, id, true),
        vec![Difference::new("enabled", enabled, true)],
    )
}
