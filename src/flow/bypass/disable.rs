//! The first bypass: disables SSO, so that users sign in with a password.

use crate::api::connector::Connector;
use crate::flow::action::Action;
use crate::flow::connector::{self, Selector};
use crate::flow::journal::Cause;
use crate::flow::{Env, Error, FlowError};

#[derive(Clone, Debug)]
pub enum Selection {
    All,
    Selected(Vec<Selector>),
    /// Fails if several are enabled.
    OnlyEnabled,
}

pub async fn read_connectors(
    env: &Env<'_>,
    selection: &Selection,
) -> Result<Vec<Connector>, Error> {
    if let Selection::Selected(selectors) = selection
        && let [only @ Selector::Id(_)] = selectors.as_slice()
    {
        return Ok(vec![connector::find_leniently(env, only).await?]);
    }
    Ok(select(connector::list(env).await?, selection)?)
}

pub fn select(all: Vec<Connector>, selection: &Selection) -> Result<Vec<Connector>, FlowError> {
    match selection {
        Selection::All => Ok(all),
        Selection::Selected(selectors) => {
            let mut found: Vec<Connector> = Vec::new();
            for selector in selectors {
                let connector = connector::select(&all, selector)?;
                if found.iter().all(|known| known.id != connector.id) {
                    found.push(connector.clone());
                }
            }
            Ok(found)
        }
        Selection::OnlyEnabled => {
            let domains: Vec<_> =
                all.iter().filter(|it| is_enabled(it)).map(|it| it.email_domain.clone()).collect();
            if domains.len() < 2 {
                return Ok(all);
            }
            let message = format!("{} connectors are enabled; specify which", domains.len());
            Err(FlowError::usage(message).cause(format!("domains: {}", domains.join(", "))).hint(
                format!("`cfsso bypass disable --all`, or `cfsso bypass disable {}`", domains[0]),
            ))
        }
    }
}

/// A connector without the field may be enabled.
pub fn is_enabled(connector: &Connector) -> bool {
    connector.enabled != Some(false)
}

/// One PATCH, whose response confirms it.
pub async fn apply(env: &Env<'_>, connector: &Connector) -> Result<Connector, Error> {
    connector::execute_disabling(env, &connector.id, &action(env, connector)).await
}

pub fn record_unsent(env: &Env<'_>, connector: &Connector) -> Result<(), FlowError> {
    action(env, connector).record_unsent(env)
}

fn action(env: &Env<'_>, connector: &Connector) -> Action<Connector> {
    connector::disable_action(env, connector).caused_by(Cause::Bypass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    fn connectors(list: &[(&str, &str)]) -> Vec<Connector> {
        list.iter()
            .enumerate()
            .map(|(at, (domain, enabled))| {
                let text =
                    format!(r#"{{"id":"c{at}","email_domain":"{domain}","enabled":{enabled}}}"#);
                serde_json::from_str(&text).unwrap()
            })
            .collect()
    }

    #[test]
    fn what_is_meant_is_what_is_disabled() {
        let named = |text: &str| {
            Selection::Selected(text.split(' ').map(|word| word.parse().unwrap()).collect())
        };
        let one = [("a.example", "true"), ("b.example", "false"), ("c.example", "false")];
        let two = [("a.example", "true"), ("b.example", "false"), ("c.example", "null")];
        for (all, selection, expected) in [
            (&one, Selection::All, Ok("c0")),
            (&two, Selection::All, Ok("c0 c2")),
            (&one, Selection::OnlyEnabled, Ok("c0")),
            (&two, Selection::OnlyEnabled, Err(FlowErrorKind::Usage)),
            (&two, named("a.example c0 A.EXAMPLE."), Ok("c0")),
            (&two, named("b.example"), Ok("")),
            (&two, named("c2 a.example"), Ok("c2 c0")),
            (&two, named("d.example"), Err(FlowErrorKind::NotFound)),
            (&two, named("c7"), Err(FlowErrorKind::NotFound)),
        ] {
            let found = select(connectors(all), &selection).map(|found| {
                let ids: Vec<_> =
                    found.iter().filter(|it| is_enabled(it)).map(|it| it.id.to_string()).collect();
                ids.join(" ")
            });
            let found = found.map_err(|error| error.kind);
            assert_eq!(found, expected.map(str::to_owned), "{selection:?}");
        }
        assert!(select(Vec::new(), &Selection::OnlyEnabled).unwrap().is_empty());
    }
}
