//! What it takes to start at all.

use std::collections::BTreeMap;
use std::io::Write;

use super::Result;
use super::contest::{Contender, judge, medians, millis};
use super::installed::Installed;

/// Measures and judges.
pub fn run(installed: &Installed, out: &mut impl Write) -> Result {
    let contenders = [
        Contender {
            name: "cfsso --version",
            line: format!("{} --version", installed.program),
            env: BTreeMap::new(),
        },
        Contender { name: "true", line: "true".to_owned(), env: BTreeMap::new() },
    ];
    let [version, nothing] = medians(&contenders, out)?[..] else {
        return Err("a contender is missing".into());
    };
    let more = millis(version.wall) - millis(nothing.wall);
    judge(out, "ms that `--version` takes more than `true`", more, 2.0)
}
