//! What the operating system gives a program. Tests run whole commands in-process on one of these.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};

use futures_util::{Stream, stream};

use crate::clock::Clock;
use crate::flow::Signal;
use crate::output::Measure;

pub struct Process {
    /// The program's name comes first.
    pub args: Vec<OsString>,
    /// Only those that are valid Unicode.
    pub env: BTreeMap<String, String>,
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
    pub terminal: Terminal,
    /// A shell command, for long text on a terminal.
    pub pager: Option<String>,
    pub clock: Clock,
}

/// Which standard streams are a terminal, and its size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// In columns, if known.
    pub width: Option<u16>,
    /// Measures the width again after the terminal is resized.
    pub measure: Option<Measure>,
}

impl Process {
    pub fn current() -> Self {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            args: std::env::args_os().collect(),
            pager: pager(&env),
            env,
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
                width: terminal_width(),
                measure: Some(terminal_width),
            },
            clock: Clock::system(),
        }
    }
}

fn terminal_width() -> Option<u16> {
    terminal_size::terminal_size().map(|(width, _)| width.0)
}

/// The environment's pager, chosen as by git; an empty one means none.
fn pager(env: &BTreeMap<String, String>) -> Option<String> {
    let chosen = env.get("CFSSO_PAGER").or_else(|| env.get("PAGER")).cloned();
    let less = || {
        let path = env.get("PATH")?;
        let is_there = std::env::split_paths(path).any(|folder| folder.join("less").is_file());
        is_there.then(|| "less".to_owned())
    };
    chosen.or_else(less).filter(|pager| !pager.is_empty() && pager != "cat")
}

pub struct Pager(Child);

impl Pager {
    /// `None` if it cannot be started: the text is then printed.
    pub fn start(
        command: &str,
        env: &BTreeMap<String, String>,
    ) -> Option<(Self, Box<dyn Write + Send>)> {
        let mut shell = Command::new(if cfg!(windows) { "cmd" } else { "sh" });
        if cfg!(windows) {
            shell.arg("/C").arg(command);
        } else {
            // If the pager does not exist, the text is printed.
            shell.arg("-c").arg(format!("{command}; test $? -ne 127 || cat"));
        }
        shell.stdin(Stdio::piped());
        if !env.contains_key("LESS") {
            // As git: quit if it fits one screen, keep colors, leave the screen as it is.
            shell.env("LESS", "FRX");
        }
        let mut child = shell.spawn().ok()?;
        let stdin = child.stdin.take()?;
        Some((Self(child), Box::new(stdin)))
    }
}

impl Drop for Pager {
    /// Waits until the reader quits.
    fn drop(&mut self) {
        // Nothing can be done if waiting fails.
        let _ = self.0.wait();
    }
}

/// Opens a page in the user's browser, as the desktop does; does not wait for it.
pub fn open_in_browser(url: &str) -> std::io::Result<()> {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    };
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}

/// Makes a write beyond the file size limit (`ulimit -f`) fail instead of killing the process.
pub fn outlive_file_size_limit() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let number = rustix::process::Signal::XFSZ.as_raw();
        // Without a handler the default applies; nothing else can be done.
        drop(signal(SignalKind::from_raw(number)));
    }
}

/// Ctrl-C, `SIGTERM` and `SIGHUP`, which no longer end the program once this is called.
pub fn signals() -> impl Stream<Item = Signal> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (SignalKind::interrupt(), Signal::Interrupt),
            (SignalKind::terminate(), Signal::Terminate),
            (SignalKind::hangup(), Signal::Hangup),
        ];
        // A signal without a listener ends the program as usual.
        let listeners = kinds.into_iter().filter_map(|(kind, meaning)| {
            let listener = signal(kind).ok()?;
            Some(Box::pin(stream::unfold(listener, move |mut listener| async move {
                listener.recv().await;
                Some((meaning, listener))
            })))
        });
        stream::select_all(listeners)
    }
    #[cfg(not(unix))]
    stream::unfold((), |()| async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Some((Signal::Interrupt, ()))
    })
}

/// Never returns. Calls `suspend` at each Ctrl-Z.
/// Its argument stops the process until it is continued.
pub async fn suspensions(suspend: impl Fn(fn())) {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        use tokio::signal::unix::{SignalKind, signal};
        let stop = || {
            // A process may always signal itself.
            let _ = kill_process(getpid(), Signal::STOP);
        };
        if let Ok(mut pressed) = signal(SignalKind::from_raw(Signal::TSTP.as_raw())) {
            while pressed.recv().await.is_some() {
                suspend(stop);
            }
        }
    }
    std::future::pending::<()>().await;
}

/// Returns when the program receives an interrupt: by Ctrl-C, or by `SIGTERM` where it exists.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_is_that_of_the_environment() {
        for (pairs, expected) in [
            (&[("PAGER", "more")][..], Some("more")),
            (&[("PAGER", "more"), ("CFSSO_PAGER", "most -s")], Some("most -s")),
            (&[("PAGER", "more"), ("CFSSO_PAGER", "")], None),
            (&[("PAGER", "cat")], None),
            (&[("PATH", "/nowhere")], None),
            (&[], None),
        ] {
            let env = pairs.iter().map(|(name, value)| (String::from(*name), String::from(*value)));
            assert_eq!(pager(&env.collect()).as_deref(), expected, "{pairs:?}");
        }
    }
}
