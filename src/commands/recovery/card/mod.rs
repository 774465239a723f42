mod html;
mod markdown;
mod text;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::flow::FlowError;
use crate::flow::recovery::card::Card;
use crate::flow::recovery::fingerprint::Fingerprint;
use crate::{input, private_file};

#[derive(Clone, Debug)]
pub struct CardFile {
    pub path: PathBuf,
    format: CardFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardFormat {
    Text,
    Markdown,
    Html,
}

impl CardFormat {
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Html, "html"), (Self::Markdown, "md"), (Self::Text, "txt")];
}

impl FromStr for CardFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let extension = extension.unwrap_or_default().to_ascii_lowercase();
        let found = CardFormat::ALL.iter().find(|(_, known)| *known == extension);
        match found {
            Some((format, _)) => Ok(Self { path, format: *format }),
            None => Err("the name of a card ends in .html, .md or .txt".to_owned()),
        }
    }
}

impl CardFile {
    pub fn in_folder(folder: &Path, (format, extension): (CardFormat, &str)) -> Self {
        Self { path: folder.join(format!("recovery-card.{extension}")), format }
    }

    /// Fails if there is anything but an older card.
    pub fn ensure_replaceable(&self) -> Result<(), FlowError> {
        if !self.path.is_file() {
            return Ok(());
        }
        let text = input::file::read(&self.path, input::file::MAX_SIZE).unwrap_or_default();
        if Fingerprint::find(&String::from_utf8_lossy(&text)).is_some() {
            return Ok(());
        }
        let name = self.path.display();
        let message = format!("{name} exists, and is not a recovery card: not replaced");
        Err(FlowError::conflict(message).hint("`--card` with another name"))
    }

    /// Replaces an older card.
    pub fn write(&self, card: &Card) -> Result<(), FlowError> {
        private_file::replace(&self.path, &render(card, self.format)).map_err(|error| {
            let message = format!("cannot write the card {}", self.path.display());
            FlowError::usage(message).cause(error.to_string())
        })
    }
}

fn render(card: &Card, format: CardFormat) -> String {
    match format {
        CardFormat::Text => text::render(card),
        CardFormat::Markdown => markdown::render(card),
        CardFormat::Html => html::render(card),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::recovery::card::{Block, Section};

    fn card() -> Card {
        let fields = vec![
            ("SSO App".to_owned(), "<b>App</b> | *1*\u{1b}[1m".to_owned()),
            ("Identity provider".to_owned(), "Company".to_owned()),
        ];
        let script = "a() { b; }\nif a && \"$b\" < c; then d; fi".to_owned();
        Card {
            title: "Recovery card".to_owned(),
            sections: vec![Section {
                title: "Start",
                starts_page: true,
                blocks: vec![
                    Block::Text("Use `sh` & wait.".to_owned()),
                    Block::Fields(fields),
                    Block::Commands { label: "Run `it`", script },
                ],
            }],
            foot: "Made 2026-03-01. State: cfsso/card/v1 a1b2c3-a1b2c3-a1b2c3-x".to_owned(),
        }
    }

    #[test]
    fn plain_text_has_commands_to_copy() {
        insta::assert_snapshot!(render(&card(), CardFormat::Text), @r#"
        Recovery card
        ================================================================================

        Start
        -----
        Use `sh` & wait.
        SSO App            <b>App</b> | *1*
        Identity provider  Company

        Run `it`:
            a() { b; }
            if a && "$b" < c; then d; fi

        Made 2026-03-01. State: cfsso/card/v1 a1b2c3-a1b2c3-a1b2c3-x
        "#);
    }

    #[test]
    fn markdown_escapes_what_comes_from_the_account() {
        insta::assert_snapshot!(render(&card(), CardFormat::Markdown), @r#"
        # Recovery card

        ## Start

        Use `sh` & wait.

        - **SSO App**: &lt;b>App&lt;/b> \| \*1\*
        - **Identity provider**: Company

        Run `it`:

        ```sh
        a() { b; }
        if a && "$b" < c; then d; fi
        ```

        ---

        Made 2026-03-01. State: cfsso/card/v1 a1b2c3-a1b2c3-a1b2c3-x
        "#);
    }

    #[test]
    fn a_page_is_complete_and_escapes_what_comes_from_the_account() {
        let page = render(&card(), CardFormat::Html);
        insta::assert_snapshot!(page.split_once("</style>").unwrap().1, @r#"
        </head>
        <body>
        <h1>Recovery card</h1>
        <section class="page">
        <h2>Start</h2>
        <p>Use <code>sh</code> &amp; wait.</p>
        <dl>
        <dt>SSO App</dt><dd>&lt;b&gt;App&lt;/b&gt; | *1*</dd>
        <dt>Identity provider</dt><dd>Company</dd>
        </dl>
        <p class="label">Run <code>it</code></p>
        <pre>a() { b; }
        if a &amp;&amp; &quot;$b&quot; &lt; c; then d; fi</pre>
        </section>
        <footer>Made 2026-03-01. State: cfsso/card/v1 a1b2c3-a1b2c3-a1b2c3-x</footer>
        </body>
        </html>
        "#);
        for outside in ["<script", "<link", "url(", "src="] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("prefers-color-scheme: dark") && page.contains("size: A4"));
    }

    #[test]
    fn the_extension_of_a_card_is_its_format() {
        for (name, format) in [
            ("card.html", Some(CardFormat::Html)),
            ("a/b.c/Card.MD", Some(CardFormat::Markdown)),
            ("card.txt", Some(CardFormat::Text)),
            ("card.pdf", None),
            ("html", None),
            ("", None),
        ] {
            let file = name.parse::<CardFile>().ok();
            assert_eq!(file.map(|file| file.format), format, "{name}");
        }
    }
}
