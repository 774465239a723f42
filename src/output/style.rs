//! Whether to colour, to animate and to draw beyond ASCII. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Always, Self::Never]
            .into_iter()
            .find(|choice| choice.name() == word)
            .ok_or_else(|| format!("unknown value `{word}` (auto, always, never)"))
    }
}

/// The style of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
    pub unicode: bool,
    /// Columns to wrap at; `None` if lines must not be wrapped.
    pub width: Option<usize>,
}

pub type Environment = BTreeMap<String, String>;

/// `NO_COLOR` (no-color.org) and `CLICOLOR_FORCE` (bixense.com/clicolors) count if set and not
/// empty; `CLICOLOR_FORCE=0` forces nothing.
pub fn use_color(choice: ColorChoice, env: &Environment, is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if is_set(env, "NO_COLOR") => false,
        ColorChoice::Auto if is_set(env, "CLICOLOR_FORCE") && !is(env, "CLICOLOR_FORCE", "0") => {
            true
        }
        ColorChoice::Auto => is_terminal && !is(env, "TERM", "dumb"),
    }
}

/// Not in CI, which logs the output, nor for a screen reader (`CFSSO_PLAIN`).
pub fn use_progress(env: &Environment, is_terminal: bool) -> bool {
    let in_ci = is_set(env, "CI") && !is(env, "CI", "false");
    let is_plain = is_set(env, "CFSSO_PLAIN") && !is(env, "CFSSO_PLAIN", "0");
    is_terminal && !is(env, "TERM", "dumb") && !in_ci && !is_plain
}

/// Whether the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set names UTF-8 (POSIX, section
/// 8.2). Windows has no such variables and always supports Unicode.
pub fn use_unicode(env: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| is_set(env, name));
    let is_utf8 = match locale {
        Some(name) => {
            let value = env[name].to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        }
        None => cfg!(windows),
    };
    is_utf8 && !is(env, "TERM", "dumb")
}

fn is_set(env: &Environment, name: &str) -> bool {
    env.get(name).is_some_and(|value| !value.is_empty())
}

fn is(env: &Environment, name: &str, value: &str) -> bool {
    env.get(name).is_some_and(|found| found == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = &'static [(&'static str, &'static str)];

    fn env(pairs: Pairs) -> Environment {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_terminal() {
        let table: [(ColorChoice, Pairs, bool, bool); 13] = [
            (ColorChoice::Auto, &[], true, true),
            (ColorChoice::Auto, &[], false, false),
            (ColorChoice::Auto, &[("TERM", "dumb")], true, false),
            (ColorChoice::Auto, &[("TERM", "xterm-256color")], true, true),
            (ColorChoice::Auto, &[("CI", "true")], true, true),
            (ColorChoice::Auto, &[("NO_COLOR", "1")], true, false),
            (ColorChoice::Auto, &[("NO_COLOR", "")], true, true),
            (ColorChoice::Auto, &[("CLICOLOR_FORCE", "1")], false, true),
            (ColorChoice::Auto, &[("CLICOLOR_FORCE", "0")], false, false),
            (ColorChoice::Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true, false),
            (ColorChoice::Auto, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], true, true),
            (ColorChoice::Always, &[("NO_COLOR", "1"), ("TERM", "dumb")], false, true),
            (ColorChoice::Never, &[("CLICOLOR_FORCE", "1")], true, false),
        ];
        for (choice, pairs, is_terminal, wanted) in table {
            let decided = use_color(choice, &env(pairs), is_terminal);
            assert_eq!(decided, wanted, "{choice:?} {pairs:?} {is_terminal}");
        }
    }

    #[test]
    fn only_a_real_terminal_is_redrawn() {
        let table: [(Pairs, bool, bool); 6] = [
            (&[], true, true),
            (&[], false, false),
            (&[("TERM", "dumb")], true, false),
            (&[("CI", "true")], true, false),
            (&[("CI", "false")], true, true),
            (&[("CI", "")], true, true),
        ];
        for (pairs, is_terminal, wanted) in table {
            assert_eq!(use_progress(&env(pairs), is_terminal), wanted, "{pairs:?} {is_terminal}");
        }
    }

    #[test]
    fn symbols_need_a_locale_that_has_them() {
        let table: [(Pairs, bool); 7] = [
            (&[("LANG", "de_DE.UTF-8")], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "C")], false),
            (&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "UTF-8")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "dumb")], false),
            (&[], cfg!(windows)),
        ];
        for (pairs, wanted) in table {
            assert_eq!(use_unicode(&env(pairs)), wanted, "{pairs:?}");
        }
    }

    #[test]
    fn the_flag_reads_its_three_words() {
        assert_eq!("auto".parse(), Ok(ColorChoice::Auto));
        assert_eq!("always".parse(), Ok(ColorChoice::Always));
        assert_eq!("never".parse(), Ok(ColorChoice::Never));
        assert!("yes".parse::<ColorChoice>().is_err());
    }
}
