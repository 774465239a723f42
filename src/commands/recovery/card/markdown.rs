use crate::flow::recovery::card::{Block, Card};
use crate::output::sanitize;

pub(super) fn render(card: &Card) -> String {
    let mut parts = vec![format!("# {}", escaped(&card.title))];
    for section in &card.sections {
        parts.push(format!("## {}", section.title));
        parts.extend(section.blocks.iter().map(block));
    }
    parts.push(format!("---\n\n{}\n", sanitize(&card.foot)));
    parts.join("\n\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(text) => sanitize(text).replace('<', "&lt;"),
        Block::Fields(fields) => {
            let rows = fields.iter();
            let rows = rows.map(|(label, value)| format!("- **{label}**: {}", escaped(value)));
            rows.collect::<Vec<_>>().join("\n")
        }
        Block::Commands { label, script } => format!("{label}:\n\n```sh\n{script}\n```"),
    }
}

/// Text from the account, with Markdown and HTML markup escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in sanitize(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            c => {
                if "\\`*_[]|".contains(c) {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
        }
    }
    escaped
}
