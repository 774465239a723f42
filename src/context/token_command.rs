//! Runs the `token_command` of a profile, without a shell.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::flow::{FlowError, FlowErrorKind};

/// The limit without `--timeout`: the user may have to unlock a password manager.
const PATIENCE: Duration = Duration::from_mins(2);

/// In bytes.
const MOST: u64 = 64 * 1024;

/// Variables with credentials, which are not passed to the command.
const CREDENTIALS: [&str; 4] =
    ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_TOKEN_FILE", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"];

/// The command's output. It runs in a process group of its own, which is killed if it takes too
/// long, prints too much or is no longer waited for.
pub(super) async fn output(
    command: &[String],
    within: Option<Duration>,
) -> Result<Vec<u8>, FlowError> {
    let Some((program, args)) = command.split_first() else {
        return Err(no_token("`token_command` of the profile is empty"));
    };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    for name in CREDENTIALS {
        command.env_remove(name);
    }
    #[cfg(unix)]
    command.process_group(0);
    let failed = |what: &str| no_token(format!("the token command `{program}` {what}"));
    let child = command.spawn().map_err(|error| {
        no_token(format!("cannot run the token command `{program}`")).cause(error.to_string())
    })?;
    let mut group = Group(child);
    let within = within.unwrap_or(PATIENCE);
    let Ok(read) = timeout(within, group.read()).await else {
        return Err(failed(&format!("did not end within {:.1} s", within.as_secs_f32()))
            .hint("`--timeout` sets the time limit of the command"));
    };
    let (bytes, is_whole) = read.map_err(|error| failed("failed").cause(error.to_string()))?;
    if !is_whole {
        return Err(failed(&format!("printed more than {MOST} bytes")));
    }
    let Ok(status) = timeout(within, group.0.wait()).await else {
        return Err(failed("printed a token and did not end"));
    };
    match status {
        Ok(status) if status.success() => Ok(bytes),
        Ok(status) => Err(failed(&format!("failed: {status}"))),
        Err(error) => Err(failed("failed").cause(error.to_string())),
    }
}

pub(super) fn no_token(message: impl Into<String>) -> FlowError {
    FlowError::new(FlowErrorKind::NoToken, message)
}

/// A running command and its children.
struct Group(Child);

impl Group {
    /// The output, and whether it is complete.
    async fn read(&mut self) -> std::io::Result<(Vec<u8>, bool)> {
        let mut bytes = Vec::new();
        let stdout = self.0.stdout.as_mut().expect("the output is piped");
        let length = stdout.take(MOST + 1).read_to_end(&mut bytes).await?;
        Ok((bytes, length as u64 <= MOST))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // After the wait, the process ID is free: the group could be another's.
        #[cfg(unix)]
        if let Some(group) = self.0.id().and_then(|id| i32::try_from(id).ok())
            && let Some(group) = rustix::process::Pid::from_raw(group)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
