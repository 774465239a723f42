//! A terminal that does not show what is typed, for as long as a value lives.

use std::io;

/// While it exists, the terminal behind standard input does not echo. Has no effect
/// if standard input is not a terminal.
pub(super) struct EchoGuard {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

#[cfg(unix)]
impl EchoGuard {
    pub(super) fn begin() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, isatty, tcgetattr, tcsetattr};
        let stdin = io::stdin();
        if !isatty(&stdin) {
            return Ok(Self { before: None });
        }
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
        Ok(Self { before: Some(before) })
    }
}

#[cfg(unix)]
impl Drop for EchoGuard {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.before {
            // If the terminal was closed, the error cannot be reported anywhere.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
impl EchoGuard {
    pub(super) fn begin() -> io::Result<Self> {
        let why = "this terminal would show the secret: use a file or standard input";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }
}
