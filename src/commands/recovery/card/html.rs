//! The card as a self-contained HTML page: black on white, two A4 pages.

use quick_xml::escape::escape;

use crate::flow::recovery::card::{Block, Card};
use crate::output::sanitize;

const STYLE: &str = "\
:root { color-scheme: light dark; --text: #1b1f24; --page: #fff; --code: #f3f4f6;
  --line: #c9ced6; --strong: #8a2c0d; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --page: #15181c;
  --code: #22262c; --line: #444b55; --strong: #ffb08a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--page);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4em; margin: 0 0 .6em; }
h2 { font-size: 1.1em; margin: 1.2em 0 .3em; border-bottom: 1px solid var(--line); }
p { margin: .4em 0; }
p.label { font-weight: 600; color: var(--strong); margin: .6em 0 .2em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: .3em 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
pre, code { font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  background: var(--code); border-radius: 3px; }
pre { font-size: .82em; padding: .5em .7em; margin: .2em 0; white-space: pre-wrap;
  overflow-wrap: anywhere; }
code { font-size: .9em; padding: 0 .2em; }
footer { margin-top: 1.5em; border-top: 1px solid var(--line); padding-top: .3em; }
@page { size: A4; margin: 11mm 12mm; }
@media print {
  :root { color-scheme: light; --text: #000; --page: #fff; --code: #fff; --line: #000;
    --strong: #000; }
  body { font-size: 9.4pt; line-height: 1.3; max-width: none; margin: 0; padding: 0; }
  h2 { margin: .7em 0 .2em; break-after: avoid; } p.label { break-after: avoid; }
  section.page { break-before: page; }
  pre { font-size: 7.8pt; border: .4pt solid #000; padding: .3em .5em; break-inside: avoid; }
  footer { margin-top: .8em; }
}";

pub(super) fn render(card: &Card) -> String {
    let title = text(&card.title);
    let sections = card.sections.iter().map(|section| {
        let class = if section.starts_page { " class=\"page\"" } else { "" };
        let blocks: String = section.blocks.iter().map(block).collect();
        format!("<section{class}>\n<h2>{}</h2>\n{blocks}</section>\n", text(section.title))
    });
    let sections = sections.collect::<Vec<_>>().concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n{sections}<footer>{}</footer>\n</body>\n</html>\n",
        text(&card.foot)
    )
}

fn block(block: &Block) -> String {
    match block {
        Block::Text(prose) => format!("<p>{}</p>\n", with_code(prose)),
        Block::Fields(fields) => {
            let rows = fields.iter().map(|(label, value)| {
                format!("<dt>{}</dt><dd>{}</dd>\n", text(label), text(value))
            });
            format!("<dl>\n{}</dl>\n", rows.collect::<Vec<_>>().concat())
        }
        Block::Commands { label, script } => format!(
            "<p class=\"label\">{}</p>\n<pre>{}</pre>\n",
            with_code(label),
            escape(script.as_str())
        ),
    }
}

fn text(text: &str) -> String {
    escape(&*sanitize(text)).into_owned()
}

fn with_code(prose: &str) -> String {
    let parts = prose.split('`').enumerate();
    let parts = parts.map(|(at, part)| match at % 2 {
        0 => text(part),
        _ => format!("<code>{}</code>", text(part)),
    });
    parts.collect()
}
