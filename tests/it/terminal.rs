//! Scenes on a pseudo-terminal: the program itself, with typed input.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pty_process::Size;
use pty_process::blocking::{Command, open};
use rustix::termios::{LocalModes, tcgetattr};

/// How long the program may take until it says what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

struct Session {
    home: tempfile::TempDir,
    child: Child,
    pty: std::sync::Arc<pty_process::blocking::Pty>,
    output: Receiver<Vec<u8>>,
    /// What is on the screen so far, control sequences included.
    screen: String,
    /// How much of it was waited for.
    seen: usize,
}

impl Session {
    /// Starts `cfsso --sandbox` with these words, on a terminal of this size.
    fn start(line: &str, (columns, rows): (u16, u16), variables: &[(&str, &str)]) -> Self {
        Self::in_home(tempfile::tempdir().unwrap(), line, (columns, rows), variables)
    }

    fn in_home(
        home: tempfile::TempDir,
        line: &str,
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cfsso"))
            .args(["--sandbox"])
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", home.path())
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8");
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let child = command.spawn(pts).unwrap();
        let pty = std::sync::Arc::new(pty);
        let (sender, output) = channel();
        let reader = std::sync::Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The other end is closed with an error on Linux.
            while let Ok(count @ 1..) = (&*reader).read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { home, child, pty, output, screen: String::new(), seen: 0 }
    }

    /// Waits until the program has written this.
    fn expect(&mut self, text: &str) {
        while !self.screen[self.seen..].contains(text) {
            let Ok(bytes) = self.output.recv_timeout(PATIENCE) else {
                panic!("waiting for {text:?}:\n{}", self.screen);
            };
            self.screen += &String::from_utf8_lossy(&bytes);
        }
        self.seen += self.screen[self.seen..].find(text).unwrap() + text.len();
    }

    fn send(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Types an answer once the question is on the screen.
    fn answer(&mut self, question: &str, keys: &str) {
        self.expect(question);
        self.send(&format!("{keys}\r"));
    }

    /// Waits for the end; the exit code.
    fn end(&mut self) -> i32 {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.screen),
            }
        }
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Whether the terminal shows what is typed.
    fn echoes(&self) -> bool {
        let mode = tcgetattr(self.pty.as_fd()).unwrap();
        mode.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }
}

const SECRET: &str = "s3cr3t-of-the-client";

/// Goes through the whole set-up; what is typed is edited on the way.
fn set_up(session: &mut Session) {
    // Cursor keys: `cool.cts` becomes `cool.cats`.
    session.answer("Email domain", "cool.cts\u{1b}[D\u{1b}[Da");
    session.answer("Number", "okta");
    // A paste, in brackets as terminals send it.
    session.answer("Okta URL", "\u{1b}[200~https://cats.okta.com\u{1b}[201~");
    session.answer("Client ID", "0oa1");
    session.answer("secret (hidden)", SECRET);
    session.answer("Publish", "");
    session.answer("Number", "2");
    session.answer("Go on?", "");
    session.answer("fallback?", "");
    session.answer("to enable SSO", "cool.cats");
    session.expect("SSO is enforced");
    assert_eq!(session.end(), 0, "{}", session.screen);
    assert!(!session.screen.contains(SECRET), "{}", session.screen);
    assert!(session.echoes());
}

#[test]
fn a_set_up_from_the_domain_to_enforcement() {
    set_up(&mut Session::start("setup", (80, 24), &[]));
}

#[test]
fn a_narrow_window_will_do() {
    set_up(&mut Session::start("setup", (40, 24), &[]));
}

#[test]
fn a_screen_reader_gets_lines_without_redrawing() {
    for variable in [("CFSSO_PLAIN", "1"), ("TERM", "dumb")] {
        let mut session = Session::start("setup", (80, 24), &[variable]);
        session.answer("Email domain", "cool.cats");
        session.answer("Number", "1");
        session.answer("Publish", "n");
        session.answer("Number", "3");
        session.answer("Go on?", "n");
        assert_eq!(session.end(), 3, "{}", session.screen);
        let redraws = ["\u{1b}[K", "\u{1b}[2K", "\u{1b}[?2026h", "\r\u{1b}["];
        assert!(redraws.iter().all(|code| !session.screen.contains(code)), "{:?}", session.screen);
    }
}

#[test]
fn escape_goes_back_and_the_arrow_up_recalls() {
    let mut session = Session::start("setup", (80, 24), &[]);
    session.answer("Email domain", "cool.dogs");
    session.answer("anyway?", "y");
    session.expect("Number");
    session.send("\u{1b}");
    session.expect("anyway?");
    session.send("\u{1b}");
    session.expect("Email domain");
    // The last but one answer.
    session.send("\u{1b}[A\u{1b}[A\r");
    session.expect("at cool.dogs");
    session.answer("anyway?", "q");
    assert_eq!(session.end(), 3, "{}", session.screen);
}

#[test]
fn every_way_out_leaves_the_terminal_as_it_was() {
    for (keys, code) in [("\u{3}", 130), ("\u{4}", 3)] {
        for hidden in [false, true] {
            let mut session = Session::start("setup", (80, 24), &[]);
            session.answer("Email domain", "cool.cats");
            session.expect("Number");
            if hidden {
                session.send("jumpcloud\r");
                session.answer("Client ID", "c");
                session.expect("hidden)");
            }
            session.send(keys);
            assert_eq!(session.end(), code, "{keys:?}\n{}", session.screen);
            assert!(session.echoes(), "{keys:?}");
            assert!(!session.home.path().join(".local/state/cfsso/journal").exists());
        }
    }
}

#[test]
fn what_was_interrupted_is_resumed() {
    let mut session = Session::start("setup", (80, 24), &[]);
    session.answer("Email domain", "cool.cats");
    session.answer("Number", "1");
    session.answer("Publish", "y");
    session.answer("Number", "2");
    session.answer("Go on?", "y");
    session.expect("fallback?");
    session.send("\u{3}");
    assert_eq!(session.end(), 130, "{}", session.screen);
    let home = std::mem::replace(&mut session.home, tempfile::tempdir().unwrap());
    let mut session = Session::in_home(home, "setup", (80, 24), &[]);
    session.answer("Email domain [cool.cats]", "");
    session.expect("exists, verified");
    session.answer("Number", "1");
    session.answer("Number", "2");
    session.answer("Go on?", "");
    session.answer("fallback?", "n");
    session.answer("to enable SSO", "cool.cats");
    session.expect("SSO is enforced");
    assert_eq!(session.end(), 0, "{}", session.screen);
}

#[test]
fn a_wrong_word_at_a_confirmation_is_asked_again() {
    let mut session = Session::start("setup cool.cats --publish-txt --enable", (80, 24), &[]);
    session.answer("to enable SSO", "cool.cat");
    session.expect("warning");
    session.answer("to enable SSO", "ool.catsx\u{8}\u{1}c");
    session.expect("SSO is enforced");
    assert_eq!(session.end(), 0, "{}", session.screen);
}
