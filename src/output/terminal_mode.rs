use std::io;

/// The mode of the terminal before a question, restored on drop.
/// Does nothing if standard input is not a terminal.
pub(super) struct TerminalMode {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

#[cfg(unix)]
impl TerminalMode {
    pub(super) fn save() -> io::Result<Self> {
        use rustix::termios::{isatty, tcgetattr};
        let stdin = io::stdin();
        let before = isatty(&stdin).then(|| tcgetattr(&stdin)).transpose()?;
        Ok(Self { before })
    }

    /// [`Self::save`], and turns echo off.
    pub(super) fn hide_input() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcsetattr};
        let saved = Self::save()?;
        if let Some(before) = &saved.before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        }
        Ok(saved)
    }

    /// Ignores an error: if the terminal was closed, it cannot be reported anywhere.
    pub(super) fn restore(&self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
impl TerminalMode {
    pub(super) fn save() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(super) fn hide_input() -> io::Result<Self> {
        let reason = "this terminal would show the secret: use a file or standard input";
        Err(io::Error::new(io::ErrorKind::Unsupported, reason))
    }

    pub(super) fn restore(&self) {}
}

impl TerminalMode {
    /// Restores the saved mode while `work` runs.
    pub(super) fn with_saved_mode(&self, work: impl FnOnce()) {
        let _during = Self::save();
        self.restore();
        work();
    }
}

impl Drop for TerminalMode {
    fn drop(&mut self) {
        self.restore();
    }
}
