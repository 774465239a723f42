//! Commands side by side: each has its turn in every round, so that what else
//! the machine does hits all alike.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use super::Result;
use super::sample::{self, Sample};

const ROUNDS: usize = 31;
/// Rounds that are not counted: they fill the caches.
const WARM_UP: usize = 3;

/// A command line and its environment under a name.
pub struct Contender {
    /// What it is called in the table.
    pub name: &'static str,
    /// Its words, separated by blanks.
    pub line: String,
    /// What is set besides the environment of the benchmark.
    pub env: BTreeMap<String, String>,
}

/// The medians of each contender, in their order.
pub fn medians(contenders: &[Contender], out: &mut impl Write) -> Result<Vec<Sample>> {
    let mut taken = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..WARM_UP + ROUNDS {
        for (contender, samples) in contenders.iter().zip(&mut taken) {
            let sample = sample::take(&contender.line, &contender.env)?;
            if round >= WARM_UP {
                samples.push(sample);
            }
        }
    }
    let medians: Vec<Sample> = taken.iter().map(|samples| median_of(samples)).collect();
    let title = format!("MEDIAN OF {ROUNDS} RUNS");
    writeln!(out, "\n{title:<44}{:>10}{:>10}{:>11}", "WALL", "CPU", "MEMORY")?;
    for (contender, median) in contenders.iter().zip(&medians) {
        let Contender { name, .. } = contender;
        let (wall, cpu, memory) = (millis(median.wall), millis(median.cpu), mebi(median.memory));
        writeln!(out, "{name:<44}{wall:>7.2} ms{cpu:>7.2} ms{memory:>7.2} MiB")?;
    }
    Ok(medians)
}

fn median_of(samples: &[Sample]) -> Sample {
    fn median<T: Copy + Ord>(values: impl Iterator<Item = T>) -> T {
        let mut values: Vec<T> = values.collect();
        values.sort_unstable();
        values[values.len() / 2]
    }
    Sample {
        wall: median(samples.iter().map(|sample| sample.wall)),
        cpu: median(samples.iter().map(|sample| sample.cpu)),
        memory: median(samples.iter().map(|sample| sample.memory)),
    }
}

/// Says what came out against what is expected at most.
pub fn judge(out: &mut impl Write, what: &str, found: f64, most: f64) -> Result {
    let verdict = if found <= most { "met" } else { "MISSED" };
    Ok(writeln!(out, "{verdict}: {what} {found:.2}, expected at most {most:.2}")?)
}

/// Milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// MiB of KiB.
pub fn mebi(kibi: u64) -> f64 {
    f64::from(u32::try_from(kibi).unwrap_or(u32::MAX)) / 1024.0
}
