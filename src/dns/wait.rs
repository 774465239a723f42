//! Repeats a lookup until the code is published or the deadline passes.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;

use super::diagnosis::diagnose;
use super::lookup::Lookup;
use super::resolver::{Resolver, Scope};
use super::verdict::Diagnosis;
use crate::domain::EmailDomain;

const MIN_INTERVAL: Duration = Duration::from_secs(2);
/// Includes jitter.
const MAX_INTERVAL: Duration = Duration::from_secs(30);
/// The time for a look before the deadline: cut short, it would report servers as silent.
const LAST_LOOK: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct LookupResult {
    pub lookup: Lookup,
    /// `visible` unless the deadline passed.
    pub diagnosis: Diagnosis,
}

/// Queries the authoritative (or given) servers until all have the code or `deadline` passes.
/// No look starts that could not end in time. `on_look` gets each diagnosis. Dropping the future leaves nothing running.
pub async fn wait_until_visible(
    resolver: &Resolver,
    domain: &EmailDomain,
    expected: Option<&[u8]>,
    deadline: Timestamp,
    mut on_look: impl FnMut(&Diagnosis),
) -> LookupResult {
    let clock = resolver.clock();
    let mut pauses = pauses(fastrand::u64(..));
    loop {
        let lookup = resolver.lookup(domain, expected, Scope::Authoritative).await;
        let diagnosis = diagnose(&lookup, expected, clock.now());
        on_look(&diagnosis);
        let time_left =
            Duration::try_from(clock.now().duration_until(deadline)).unwrap_or_default();
        let pause = time_left.saturating_sub(LAST_LOOK);
        let result = LookupResult { lookup, diagnosis };
        if result.diagnosis.verdict.is_visible() {
            return result;
        }
        if pause.is_zero() {
            clock.sleep(time_left).await;
            return result;
        }
        clock.sleep(pauses.next().unwrap_or(MAX_INTERVAL).min(pause)).await;
    }
}

/// Growing pauses, with jitter so that many waiting machines do not query at the same time.
fn pauses(seed: u64) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(MIN_INTERVAL)
        // Jitter may double it.
        .with_max_delay(MAX_INTERVAL / 2)
        .with_factor(1.5)
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(seed)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_jitter_and_never_end() {
        for seed in 0..20 {
            let pauses: Vec<Duration> = pauses(seed).take(100).collect();
            assert_eq!(pauses.len(), 100);
            assert!(
                pauses.iter().all(|pause| (MIN_INTERVAL..=MAX_INTERVAL).contains(pause)),
                "{seed}"
            );
            assert!(pauses[0] <= MIN_INTERVAL * 2, "{seed}");
            assert!(pauses[50..].iter().all(|pause| *pause >= MAX_INTERVAL / 2), "{seed}");
            assert!(pauses[50..].windows(2).any(|two| two[0] != two[1]), "{seed}");
        }
    }
}
