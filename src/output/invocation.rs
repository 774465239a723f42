//! The global options that a printed command needs to work where this run does.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    options: Vec<(&'static str, Option<String>)>,
}

impl Invocation {
    /// Adds an option; its value, if any, is already quoted for a shell.
    pub fn with(mut self, flag: &'static str, value: Option<String>) -> Self {
        self.options.push((flag, value));
        self
    }

    /// Removes an option.
    pub fn without(mut self, flag: &str) -> Self {
        self.options.retain(|(other, _)| *other != flag);
        self
    }

    /// Adds the missing options to a `cfsso` command, unless it only explains.
    pub fn with_global_flags(&self, line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        let explains = words.get(1).is_none_or(|word| ["help", "schema"].contains(word))
            || words.last() == Some(&"--help");
        if words.first() != Some(&"cfsso") || explains {
            return line.to_owned();
        }
        let has = |flag: &str| words.iter().any(|word| word.split('=').next() == Some(flag));
        let mut line = line.to_owned();
        for (flag, value) in self.options.iter().filter(|(flag, _)| !has(flag)) {
            line = [&line, *flag].into_iter().chain(value.as_deref()).collect::<Vec<_>>().join(" ");
        }
        line
    }

    /// Applies `with_global_flags` to each command between backticks.
    pub fn add_global_flags(&self, sentence: &str) -> String {
        let mut rest = sentence;
        let mut whole = String::new();
        while let Some((before, code, after)) = first_code(rest) {
            whole = format!("{whole}{before}`{}`", self.with_global_flags(code));
            rest = after;
        }
        whole + rest
    }
}

/// Text before the first part between backticks, that part, and the text after it.
pub(super) fn first_code(sentence: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = sentence.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    Some((before, code, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_to_paste_works_where_the_run_did() {
        let nowhere = Invocation::default();
        let sandbox = Invocation::default().with("--sandbox", None);
        let profile = Invocation::default()
            .with("--account", Some("00000000000000000000000000000001".to_owned()))
            .with("--profile", Some("'my work'".to_owned()));
        for (invocation, sentence, whole) in [
            (&nowhere, "`cfsso connector list`", "`cfsso connector list`"),
            (&sandbox, "run `cfsso app list`, or not", "run `cfsso app list --sandbox`, or not"),
            (&sandbox, "`cfsso a` or `cfsso b`", "`cfsso a --sandbox` or `cfsso b --sandbox`"),
            (&sandbox, "`cfsso --sandbox setup a.b`", "`cfsso --sandbox setup a.b`"),
            (&sandbox, "`a.b` has no `--force`", "`a.b` has no `--force`"),
            (&sandbox, "an odd ` cfsso list", "an odd ` cfsso list"),
            (&sandbox, "`cfsso help findings`", "`cfsso help findings`"),
            (&sandbox, "`cfsso idp create --help`", "`cfsso idp create --help`"),
            (
                &profile,
                "`cfsso connector disable <DOMAIN> --account <ID>`",
                "`cfsso connector disable <DOMAIN> --account <ID> --profile 'my work'`",
            ),
            (
                &profile,
                "`cfsso enable a.b --profile=c`",
                "`cfsso enable a.b --profile=c --account 00000000000000000000000000000001`",
            ),
        ] {
            assert_eq!(invocation.add_global_flags(sentence), whole);
            assert_eq!(invocation.add_global_flags(whole), whole, "once is enough");
        }
    }
}
