//! Tables without borders, fitted to the terminal. Words are never broken, since an ID in two
//! halves cannot be copied.
//!
//! Columns are arranged and wrapped without styles, which are applied afterwards: the layout is the
//! same with and without colour.

use comfy_table::{
    Column, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle,
    Width,
};
use unicode_width::UnicodeWidthStr;

use super::text::Text;

const GAP: usize = 2;
/// Text cannot contain these: its control characters are removed.
const CELL_END: char = '\u{1f}';
const ROW_END: char = '\u{1e}';

/// Lines of at most `width` columns. If the longest words do not fit, rows become lists of fields.
pub(super) fn table_lines(headers: &[&str], rows: &[Vec<Text>], width: Option<usize>) -> Vec<Text> {
    let headers: Vec<Text> = headers.iter().map(Text::dim).collect();
    let least = longest_words(&headers, rows);
    let gaps = GAP * headers.len().saturating_sub(1);
    match width {
        Some(width) if least.iter().sum::<usize>() + gaps > width => vertical(&headers, rows),
        _ => horizontal(&headers, rows, &least, width),
    }
}

/// In columns, for each column of the table.
fn longest_words(headers: &[Text], rows: &[Vec<Text>]) -> Vec<usize> {
    let longest = |(column, header): (usize, &Text)| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.chain([header]).map(Text::longest_word).max().unwrap_or(0)
    };
    headers.iter().enumerate().map(longest).collect()
}

fn horizontal(
    headers: &[Text],
    rows: &[Vec<Text>],
    least: &[usize],
    width: Option<usize>,
) -> Vec<Text> {
    let laid_out: Vec<String> = layout(headers, rows, least, width).lines().collect();
    let blocks = laid_out.split(|line| line.starts_with(ROW_END));
    let rows = [headers].into_iter().chain(rows.iter().map(Vec::as_slice));
    blocks.zip(rows).flat_map(|(lines, row)| styled(lines, row)).collect()
}

/// The table without styles. `CELL_END` takes one column of the gap.
fn layout(headers: &[Text], rows: &[Vec<Text>], least: &[usize], width: Option<usize>) -> Table {
    let row_end = LineStyle::none().fill(ROW_END);
    let cell_end = ContentLineStyle::none().junction(CELL_END);
    let mut table = Table::new();
    table
        .load_style(
            TableStyle::new()
                .header_lines(cell_end)
                .header_separator(row_end)
                .content_lines(cell_end)
                .row_separator(row_end),
        )
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headers.iter().map(Text::word_separators))
        .add_rows(rows.iter().map(|row| row.iter().map(Text::word_separators)));
    if let Some(width) = width {
        table.set_width(columns(width));
    }
    let rightmost = headers.len().saturating_sub(1);
    for (column, least) in table.column_iter_mut().zip(least) {
        keep_words(column, *least, if column.index == rightmost { 0 } else { GAP - 1 });
    }
    table
}

/// Keeps a column at least as wide as its longest word, which would be broken otherwise.
fn keep_words(column: &mut Column, least: usize, padding: usize) {
    let least = Width::Fixed(columns(least + padding));
    column
        .set_padding((0, columns(padding)))
        .set_constraint(ColumnConstraint::LowerBoundary(least));
}

fn columns(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

fn styled(lines: &[String], row: &[Text]) -> Vec<Text> {
    let parts: Vec<Vec<&str>> = lines.iter().map(|line| line.split(CELL_END).collect()).collect();
    let mut styled = vec![Text::default(); lines.len()];
    for (column, cell) in row.iter().enumerate() {
        let parts: Vec<&str> =
            parts.iter().map(|line| line.get(column).copied().unwrap_or_default()).collect();
        for ((line, words), part) in styled.iter_mut().zip(cell.split_like(&parts)).zip(&parts) {
            line.push(words.padded(part.width() + 1));
        }
    }
    styled
}

fn vertical(headers: &[Text], rows: &[Vec<Text>]) -> Vec<Text> {
    let width = headers.iter().map(Text::width).max().unwrap_or(0) + GAP;
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            lines.push(Text::default());
        }
        let fields = headers.iter().zip(row);
        lines.extend(fields.map(|(header, cell)| header.clone().padded(width) + cell.clone()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: Option<usize>) -> String {
        let row = |domain: &str, id: &str, state: &str, note: &str| {
            vec![domain.into(), Text::dim(id), Text::good(state), note.into()]
        };
        let rows = [
            row("cool.cats", "68ca7b2e-7c1f-4a0e-9d2b-0f6d5a1c9e11", "verified", "3 days ago"),
            row("größe.example", "0b", "pending", "the TXT record is on 2 of 3 servers"),
        ];
        let lines = table_lines(&["DOMAIN", "ID", "STATE", "SINCE"], &rows, width);
        lines.iter().map(|line| line.render(false).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn whole_when_there_is_no_width_to_keep() {
        insta::assert_snapshot!(drawn(None), @r"
        DOMAIN         ID                                    STATE     SINCE
        cool.cats      68ca7b2e-7c1f-4a0e-9d2b-0f6d5a1c9e11  verified  3 days ago
        größe.example  0b                                    pending   the TXT record is on 2 of 3 servers
        ");
    }

    #[test]
    fn the_widest_cells_wrap_and_ids_stay_whole() {
        insta::assert_snapshot!(drawn(Some(80)), @r"
        DOMAIN         ID                                    STATE     SINCE
        cool.cats      68ca7b2e-7c1f-4a0e-9d2b-0f6d5a1c9e11  verified  3 days ago
        größe.example  0b                                    pending   the TXT record is
                                                                       on 2 of 3 servers
        ");
    }

    #[test]
    fn fields_where_columns_do_not_fit() {
        insta::assert_snapshot!(drawn(Some(50)), @r"
        DOMAIN  cool.cats
        ID      68ca7b2e-7c1f-4a0e-9d2b-0f6d5a1c9e11
        STATE   verified
        SINCE   3 days ago

        DOMAIN  größe.example
        ID      0b
        STATE   pending
        SINCE   the TXT record is on 2 of 3 servers
        ");
    }

    #[test]
    fn code_stays_whole_and_styles_stay_with_their_words() {
        let note =
            Text::plain("run ") + Text::code("cfsso dig") + Text::warn(" to see why it waits");
        let lines = table_lines(&["ID", "NEXT"], &[vec!["0b".into(), note]], Some(16));
        let lines: Vec<_> =
            lines.iter().map(|line| line.render(true).trim_end().to_owned()).collect();
        assert_eq!(
            lines,
            [
                "\u{1b}[2mID\u{1b}[0m  \u{1b}[2mNEXT\u{1b}[0m",
                "0b  run",
                "    \u{1b}[36m`cfsso dig`\u{1b}[0m",
                "    \u{1b}[33mto see why\u{1b}[0m",
                "    \u{1b}[33mit waits\u{1b}[0m",
            ]
        );
    }

    #[test]
    fn no_rows_leave_the_headers() {
        assert_eq!(table_lines(&["A", "B"], &[], Some(80)).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_word_is_broken_or_lost_and_the_width_is_kept(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a-zß日]{1,9}( [a-z]{1,12}){0,6}", 3), 0..4),
            width in 10_usize..90,
        ) {
            let cells = |row: &Vec<String>| row.iter().map(Text::dim).collect();
            let texts: Vec<Vec<Text>> = rows.iter().map(cells).collect();
            let lines: Vec<_> = table_lines(&["A", "B", "C"], &texts, Some(width))
                .iter()
                .map(|line| line.render(false).trim_end().to_owned())
                .collect();
            let drawn = lines.join(" ");
            let mut drawn: Vec<&str> = drawn.split_whitespace().filter(|word| !["A", "B", "C"].contains(word)).collect();
            let mut given: Vec<&str> = rows.iter().flatten().flat_map(|cell| cell.split(' ')).collect();
            drawn.sort_unstable();
            given.sort_unstable();
            proptest::prop_assert_eq!(drawn, given);
            if lines[0].contains('B') {
                for line in &lines {
                    proptest::prop_assert!(line.width() <= width, "{}", line);
                }
            }
        }
    }
}
