//! Looks again and again until the code is published, or the deadline passes.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;

use super::resolver::{Reach, Resolver};
use super::survey::Survey;
use super::verdict::{Judgement, judge};
use crate::domain::EmailDomain;

/// The first pause between two looks.
const SHORTEST: Duration = Duration::from_secs(2);
/// The pause that they grow to, jitter included.
const LONGEST: Duration = Duration::from_secs(30);

/// How a wait ended: the last look, and what it meant.
#[derive(Clone, Debug)]
pub struct Awaited {
    pub survey: Survey,
    /// What it meant; `visible` unless the deadline passed.
    pub judgement: Judgement,
}

/// Looks at the authoritative (or named) servers until all serve the code or
/// `deadline` passes. Each look goes to `on_look`, so that a change can be shown.
/// Dropping the future stops it; nothing is left behind.
pub async fn await_visible(
    resolver: &Resolver,
    domain: &EmailDomain,
    expected: Option<&[u8]>,
    deadline: Timestamp,
    mut on_look: impl FnMut(&Survey, &Judgement),
) -> Awaited {
    let clock = resolver.clock();
    let mut pauses = pauses(fastrand::u64(..));
    loop {
        let survey = resolver.survey(domain, expected, Reach::Authoritative).await;
        let judgement = judge(&survey, expected, clock.now());
        on_look(&survey, &judgement);
        let left = Duration::try_from(clock.now().duration_until(deadline)).unwrap_or_default();
        if judgement.verdict.is_visible() || left.is_zero() {
            return Awaited { survey, judgement };
        }
        clock.sleep(pauses.next().unwrap_or(LONGEST).min(left)).await;
    }
}

/// Growing pauses with jitter, so that many waiting machines do not ask in step.
fn pauses(seed: u64) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST)
        // The jitter may double it.
        .with_max_delay(LONGEST / 2)
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
            assert!(pauses.iter().all(|pause| (SHORTEST..=LONGEST).contains(pause)), "{seed}");
            assert!(pauses[0] <= SHORTEST * 2, "{seed}");
            assert!(pauses[50..].iter().all(|pause| *pause >= LONGEST / 2), "{seed}");
            assert!(pauses[50..].windows(2).any(|two| two[0] != two[1]), "{seed}");
        }
    }
}
