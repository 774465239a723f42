//! What the operating system gives a program: arguments, environment, streams,
//! terminal and clock. Tests run whole commands in-process on one of these.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};

use crate::clock::Clock;

/// One run of the program.
pub struct Process {
    /// The arguments, the program's name first.
    pub args: Vec<OsString>,
    /// The environment variables that are valid Unicode.
    pub env: BTreeMap<String, String>,
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
    /// Which streams are a terminal, and how wide it is.
    pub terminal: Terminal,
    pub clock: Clock,
}

/// The terminal behind the standard streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// The width in columns, where it is known.
    pub width: Option<u16>,
}

impl Process {
    /// The process this program really runs in.
    pub fn current() -> Self {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            args: std::env::args_os().collect(),
            env,
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
                width: terminal_size::terminal_size().map(|(width, _)| width.0),
            },
            clock: Clock::system(),
        }
    }
}

/// Has a write beyond the limit for a file's size (`ulimit -f`) fail as any
/// other, instead of ending the process without a word.
pub fn outlive_file_size_limit() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let number = rustix::process::Signal::XFSZ.as_raw();
        // Without a handler it is as it was: there is nothing better to do.
        drop(signal(SignalKind::from_raw(number)));
    }
}

/// Comes back when the program is asked to end: by Ctrl-C, or by `SIGTERM`
/// where there is one.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
