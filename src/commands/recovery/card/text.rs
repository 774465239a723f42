//! The card as plain text: prose at 80 columns, commands never broken.

use crate::flow::recovery::card::{Block, Card};
use crate::output::{Page, Style, Text, sanitize};

const WIDTH: usize = 80;

pub(super) fn render(card: &Card) -> String {
    let style = Style { colour: false, unicode: true, width: Some(WIDTH) };
    let mut page = Page::new(style, jiff::Timestamp::UNIX_EPOCH);
    page.paragraph(card.title.as_str());
    page.line("=".repeat(WIDTH));
    for section in &card.sections {
        page.blank();
        page.line(section.title);
        page.line("-".repeat(section.title.chars().count()));
        for block in &section.blocks {
            show(block, &mut page);
        }
    }
    page.blank();
    page.line(&*sanitize(&card.foot));
    page.into_string()
}

fn show(block: &Block, page: &mut Page) {
    match block {
        Block::Text(text) => page.paragraph(text.as_str()),
        Block::Fields(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(label, value)| (&**label, Text::plain(value))).collect();
            page.fields(&fields);
        }
        Block::Commands { label, script } => {
            page.blank();
            page.paragraph(format!("{label}:"));
            let lines: Vec<_> = script.lines().map(|line| format!("    {line}")).collect();
            page.literal(&lines.join("\n"));
        }
    }
}
