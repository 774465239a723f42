//! Domain verification: schedule, result, and the lookup, which uses the network.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::Resolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData};
use jiff::{SignedDuration, Timestamp};

use super::error::Error;
use super::shared::AppState;
use super::state::{Connector, VerificationRun};
use crate::api::connector::VerificationStatus;

/// Documentation of dashboard SSO.
const WINDOW: SignedDuration = SignedDuration::from_hours(48);
/// The real intervals are unknown: these start at a second and double.
const FIRST_CHECK: SignedDuration = SignedDuration::from_secs(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// For the sandbox's own name server.
const TIMEOUT: Duration = Duration::from_secs(2);

impl VerificationRun {
    pub(super) fn begin(now: Timestamp) -> Self {
        Self { began: now, next: after(now, FIRST_CHECK) }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        now >= self.next
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= after(self.began, WINDOW)
    }

    /// The first check after `now`: intervals double.
    fn following(&self, now: Timestamp) -> Timestamp {
        let mut next = self.next;
        while next <= now {
            let since = next.duration_since(self.began).clamp(FIRST_CHECK, LONGEST);
            next = after(next, since);
        }
        next.min(after(self.began, WINDOW))
    }
}

fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CheckResult {
    Found,
    Missing,
    Error,
}

fn apply_result(
    connector: &mut Connector,
    run: VerificationRun,
    look: CheckResult,
    now: Timestamp,
) {
    let status = match look {
        CheckResult::Found => VerificationStatus::Verified,
        CheckResult::Error => VerificationStatus::Failed,
        CheckResult::Missing if run.is_over(now) => VerificationStatus::Failed,
        CheckResult::Missing => {
            connector.run = Some(VerificationRun { next: run.following(now), ..run });
            return;
        }
    };
    connector.status = status;
    connector.run = None;
    connector.updated_on = now;
}

/// Runs the checks that are due. Called before every request and every change of DNS: nothing
/// changes in between, so a late check returns what one in time would have returned.
pub(super) async fn run_due_checks(shared: &AppState) {
    let now = shared.clock.now();
    let due: Vec<(String, VerificationRun, String, String)> = shared.store.read(|state| {
        let due = |connector: &Connector| {
            let run = connector.run.filter(|run| run.is_due(now))?;
            let Connector { id, email_domain, code, .. } = connector.clone();
            Some((id, run, email_domain, code))
        };
        state.connectors.iter().filter_map(due).collect()
    });
    for (id, run, domain, code) in due {
        let is_broken = shared.faults().fail_verification();
        let look = match is_broken {
            true => CheckResult::Error,
            false if is_published(shared.dns, &domain, &code).await => CheckResult::Found,
            false => CheckResult::Missing,
        };
        // A state that cannot be written fails at the next change; the check is then repeated.
        let _ = shared.store.change(|state| -> Result<(), Error> {
            let asked = state.connectors.iter_mut().find(|connector| connector.id == id);
            if let Some(connector) = asked.filter(|connector| connector.run == Some(run)) {
                apply_result(connector, run, look, now);
            }
            Ok(())
        });
    }
}

async fn is_published(server: SocketAddr, domain: &str, code: &str) -> bool {
    let Ok(name) = Name::from_ascii(format!("{domain}.")) else { return false };
    let Ok(resolver) = resolver(server) else { return false };
    let Ok(lookup) = resolver.txt_lookup(name).await else { return false };
    lookup.answers().iter().any(|record| match &record.data {
        RData::TXT(txt) => txt.txt_data.concat() == code.as_bytes(),
        _ => false,
    })
}

fn resolver(
    server: SocketAddr,
) -> Result<Resolver<TokioRuntimeProvider>, hickory_resolver::net::NetError> {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.into());
    let config = ResolverConfig::from_name_servers(vec![server]);
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options: &mut ResolverOpts = builder.options_mut();
    options.cache_size = 0;
    options.timeout = TIMEOUT;
    options.attempts = 1;
    options.recursion_desired = false;
    options.use_hosts_file = ResolveHosts::Never;
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn looks_come_after_1_2_4_8_seconds_and_then_hourly_up_to_two_days() {
        let mut run = VerificationRun::begin(at(0));
        let mut looks = Vec::new();
        while !run.is_over(run.next) {
            looks.push(run.next.as_second());
            run.next = run.following(run.next);
        }
        assert_eq!(looks[..6], [1, 2, 4, 8, 16, 32]);
        assert!(looks.windows(2).all(|pair| pair[1] - pair[0] <= 3600));
        assert_eq!(run.next, at(172_800));
    }

    #[test]
    fn looks_that_were_missed_are_made_up_for_by_one() {
        let run = VerificationRun::begin(at(0));
        assert!(!run.is_due(at(0)));
        assert!(run.is_due(at(1)));
        assert_eq!(run.following(at(100)), at(128));
    }

    #[test]
    fn a_look_verifies_or_waits_until_the_two_days_are_over() {
        let seeded = super::super::state::State::seed().connectors.remove(0);
        for (now, look, status, is_running) in [
            (1, CheckResult::Found, VerificationStatus::Verified, false),
            (1, CheckResult::Missing, VerificationStatus::Pending, true),
            (1, CheckResult::Error, VerificationStatus::Failed, false),
            (172_799, CheckResult::Missing, VerificationStatus::Pending, true),
            (172_800, CheckResult::Missing, VerificationStatus::Failed, false),
            (172_800, CheckResult::Found, VerificationStatus::Verified, false),
        ] {
            let run = VerificationRun::begin(at(0));
            let mut connector =
                Connector { status: VerificationStatus::Pending, run: Some(run), ..seeded.clone() };
            apply_result(&mut connector, run, look, at(now));
            assert_eq!((connector.status, connector.run.is_some()), (status, is_running), "{now}");
        }
    }
}
