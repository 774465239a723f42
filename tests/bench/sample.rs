//! One measured run of a command, or of several joined by pipes.
//!
//! Each run gets a process of its own, which starts it and waits for it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cfsso::Process;
use serde::{Deserialize, Serialize};
use wait4::Wait4;

use super::Result;

/// The first argument that asks for [`measure`].
pub const ROLE: &str = "measure";
const PIPE: &str = "|";
/// The exit code of `doctor` that found something.
const FINDINGS: i32 = 10;

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
    let mut cpu = Duration::ZERO;
    let mut memory = 0;
    for (words, child) in started_all(pipeline)? {
        let used = child.wait4()?;
        // Findings are a result, too.
        let is_result = used.status.success() || used.status.code() == Some(FINDINGS);
        if !is_result {
            return Err(format!("`{}` ended with {}", words.join(" "), used.status).into());
        }
        cpu += used.rusage.utime + used.rusage.stime;
        memory = memory.max(used.rusage.maxrss / 1024);
    }
    let sample = Sample { wall: started.elapsed(), cpu, memory };
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
