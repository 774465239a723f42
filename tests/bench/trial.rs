//! How soon a trial sends its revert: after its deadline, and after a signal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cfsso::sandbox::{Options, Sandbox, start};

use super::Result;
use super::contest::{judge, millis};
use super::installed::Installed;

const ROUNDS: usize = 5;

/// Measures and judges.
pub fn run(installed: &Installed, out: &mut impl Write) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sandbox = runtime.block_on(start(Options::default()))?;
    let journal = tempfile::tempdir()?;
    let program = |line: &str| {
        let mut command = Command::new(&installed.program);
        command.args(line.split(' ')).env_clear().envs(sandbox.environment());
        command.env("CFSSO_JOURNAL", journal.path().join("journal"));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    program("setup cool.cats --publish-txt").status()?;
    let (mut deadline, mut signal) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let child = on_trial(&mut program("enable cool.cats --trial 2s --yes -o ndjson"))?;
        // The deadline is counted from the request that enables.
        let enabled = patches(&sandbox);
        let late = reverted(&sandbox, enabled).saturating_sub(Duration::from_secs(2));
        deadline = deadline.max(late);
        child.wait_with_output()?;

        let child = on_trial(&mut program("enable cool.cats --trial 1h --yes -o ndjson"))?;
        let enabled = patches(&sandbox);
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        signal = signal.max(reverted(&sandbox, enabled));
        child.wait_with_output()?;
    }
    writeln!(out, "\n`enable --trial`, the slowest of {ROUNDS} reverts")?;
    judge(out, "ms from the deadline to the request", millis(deadline), 200.0)?;
    judge(out, "ms from the signal to the request", millis(signal), 200.0)
}

/// Starts a trial and comes back when SSO is on.
fn on_trial(command: &mut Command) -> Result<Child> {
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or("it has a standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    lines.next().ok_or("it tells that it began")??;
    // What it prints later is read by nobody, and does not block it.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(child)
}

fn patches(sandbox: &Sandbox) -> usize {
    sandbox.log().iter().filter(|request| request.method == "PATCH").count()
}

/// How long it takes until one more request is there.
fn reverted(sandbox: &Sandbox, before: usize) -> Duration {
    let began = Instant::now();
    while patches(sandbox) == before {
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}
