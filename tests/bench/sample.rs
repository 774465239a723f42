//! One measured run of a command, or of several joined by pipes.
//!
//! A process is told the CPU time and the peak memory of all its children
//! together, so each run gets a process of its own that measures it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cfsso::Process;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

use super::Result;

/// The first argument that asks for [`measure`].
pub const ROLE: &str = "measure";
const PIPE: &str = "|";

/// What one run took.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Sample {
    /// From the start of the first command to the end of the last.
    pub wall: Duration,
    /// User and system time of all commands.
    pub cpu: Duration,
    /// The peak resident set of the largest command, in KiB.
    pub memory: u64,
}

/// Has a command line measured; its words are separated by blanks. Of the
/// environment only `PATH` stays: proxies and certificates of this machine
/// would be measured too.
pub fn take(line: &str, env: &BTreeMap<String, String>) -> Result<Sample> {
    let output = Command::new(itself()?)
        .arg(ROLE)
        .args(line.split(' '))
        .env_clear()
        .envs(Process::current().env.get_key_value("PATH"))
        .envs(env)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("`{line}` cannot be measured").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The path of the benchmark.
pub fn itself() -> Result<String> {
    Ok(std::env::current_exe()?.to_string_lossy().into_owned())
}

/// Runs a pipeline and prints its [`Sample`].
pub fn measure(pipeline: &[String], out: &mut impl Write) -> Result {
    let started = Instant::now();
    for (words, mut child) in started_all(pipeline)? {
        let status = child.wait()?;
        if !status.success() {
            return Err(format!("`{}` ended with {status}", words.join(" ")).into());
        }
    }
    let wall = started.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds();
    // Linux counts KiB and macOS bytes (getrusage(2)).
    let unit = if cfg!(target_os = "macos") { 1024 } else { 1 };
    let memory = u64::try_from(usage.max_rss())? / unit;
    let sample = Sample { wall, cpu: Duration::from_micros(cpu.try_into()?), memory };
    Ok(writeln!(out, "{}", serde_json::to_string(&sample)?)?)
}

/// Starts all commands at once, each reading what the one before it writes.
fn started_all(pipeline: &[String]) -> Result<Vec<(&[String], Child)>> {
    let commands: Vec<&[String]> = pipeline.split(|word| word == PIPE).collect();
    let mut started: Vec<(&[String], Child)> = Vec::new();
    for (index, words) in commands.iter().enumerate() {
        let (program, args) = words.split_first().ok_or("a command without words")?;
        let stdin = match started.last_mut().and_then(|(_, child)| child.stdout.take()) {
            Some(pipe) => pipe.into(),
            None => Stdio::null(),
        };
        let is_last = index + 1 == commands.len();
        let stdout = if is_last { Stdio::null() } else { Stdio::piped() };
        let child = Command::new(program).args(args).stdin(stdin).stdout(stdout).spawn()?;
        started.push((words, child));
    }
    Ok(started)
}
