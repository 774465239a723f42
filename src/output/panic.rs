//! Ends the program at a panic: terminal restored, no core dump (it would contain the token).

use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::process;

use super::ExitCode;
use super::terminal_mode::TerminalMode;
use crate::api::mask::mask;

/// Applies to all threads. Release builds do not unwind, so no guard would restore the terminal.
pub fn exit_at_panic() {
    let mode = TerminalMode::save();
    panic::set_hook(Box::new(move |panic| {
        if let Ok(mode) = &mode {
            mode.restore();
        }
        let _ = io::stderr().write_all(message(panic).as_bytes());
        #[expect(clippy::exit, reason = "there is nothing to return to")]
        process::exit(ExitCode::Failure.code().into());
    }));
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    let what = mask(panic.payload_as_str().unwrap_or("unknown"));
    let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
    format!(
        "\nerror: a bug in cfsso: {what}{place}\n\
         hint: `cfsso journal list` shows what was sent; report this message\n"
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const CHILD: &str = "CFSSO_TEST_PANICS";

    #[test]
    fn a_panic_is_a_message_without_secrets_and_an_exit_code() {
        if crate::Process::current().env.contains_key(CHILD) {
            exit_at_panic();
            let thread = std::thread::spawn(|| panic!("cfut_planted0token0planted0token0planted"));
            let _ = thread.join();
            return;
        }
        let test = "output::panic::tests::a_panic_is_a_message_without_secrets_and_an_exit_code";
        let ran = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("error: a bug in cfsso: cfut_[masked] (src/output/panic.rs:"),
            "{stderr}"
        );
        assert!(!stderr.contains("planted"), "{stderr}");
    }
}
