use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::api::ids::AccountId;
use crate::private_file;

#[derive(Debug, PartialEq, Eq)]
pub enum TokenSource {
    File(PathBuf),
    Command(Vec<String>),
}

/// Appends a profile to the configuration file, which is created if missing.
pub fn add_profile(
    config: &Path,
    name: &str,
    account: &AccountId,
    source: &TokenSource,
) -> io::Result<()> {
    let text = match fs::read_to_string(config) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    private_file::create_folder(private_file::folder_of(config))?;
    // A symbolic link to the file is kept.
    let config = fs::canonicalize(config).unwrap_or_else(|_| config.to_owned());
    private_file::replace(&config, &(text.clone() + &entry(&text, name, account, source)))
}

fn entry(before: &str, name: &str, account: &AccountId, source: &TokenSource) -> String {
    let between = match before {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let mut entry = format!("{between}[profiles.{name}]\naccount = \"{account}\"\n");
    let source = match source {
        TokenSource::File(file) => ("token_file", toml::Value::String(file.display().to_string())),
        TokenSource::Command(words) => ("token_command", words.clone().into()),
    };
    let _ = writeln!(entry, "{} = {}", source.0, source.1);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_back_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("cfsso/config.toml");
        let account: AccountId = "01a7362d577a6c3019a474fd6f485823".parse().unwrap();
        let file = TokenSource::File("/home/ada/it's.token".into());
        add_profile(&config, "default", &account, &file).unwrap();
        fs::write(&config, fs::read_to_string(&config).unwrap() + "# mine").unwrap();
        let command = TokenSource::Command(vec!["op".into(), "read".into(), "a \"b\"".into()]);
        add_profile(&config, "sso", &account, &command).unwrap();
        let text = fs::read_to_string(&config).unwrap();
        let read = super::super::file::read(&config, &text).unwrap();
        assert_eq!(
            read.profiles["default"].token_file.as_deref(),
            Some(Path::new("/home/ada/it's.token"))
        );
        assert_eq!(
            read.profiles["sso"].token_command.as_deref(),
            Some(&["op".to_owned(), "read".to_owned(), "a \"b\"".to_owned()][..])
        );
        assert!(text.contains("# mine\n\n[profiles.sso]"), "{text}");
    }
}
