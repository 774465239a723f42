//! Tables without borders, fitted to the terminal without ever breaking a
//! word, since an ID in two halves cannot be copied.

use super::text::Text;

const GAP: usize = 2;

/// The lines of a table that fits `width` columns where one is given. Where
/// not even its longest words fit side by side, each row becomes a list of
/// fields.
pub(super) fn table_lines(headers: &[&str], rows: &[Vec<Text>], width: Option<usize>) -> Vec<Text> {
    let headers: Vec<Text> = headers.iter().map(Text::dim).collect();
    let natural = columns(&headers, rows, Text::width);
    let Some(width) = width else {
        return side_by_side(&headers, rows, &natural);
    };
    let least = columns(&headers, rows, Text::longest_word);
    match fit(&natural, &least, width.saturating_sub(GAP * headers.len().saturating_sub(1))) {
        Some(widths) => side_by_side(&headers, rows, &widths),
        None => one_under_another(&headers, rows),
    }
}

/// The most that `measure` says of any cell in each column.
fn columns(headers: &[Text], rows: &[Vec<Text>], measure: impl Fn(&Text) -> usize) -> Vec<usize> {
    let widest = |(column, header): (usize, &Text)| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.chain([header]).map(&measure).max().unwrap_or(0)
    };
    headers.iter().enumerate().map(widest).collect()
}

/// Widths that add up to `available` at most: the widest columns give way
/// first, none below its longest word.
fn fit(natural: &[usize], least: &[usize], available: usize) -> Option<Vec<usize>> {
    if least.iter().sum::<usize>() > available {
        return None;
    }
    let capped = |cap: usize| -> Vec<usize> {
        natural.iter().zip(least).map(|(&wide, &least)| wide.min(cap).max(least)).collect()
    };
    let widest = natural.iter().copied().max().unwrap_or(0);
    (0..=widest).rev().map(capped).find(|widths| widths.iter().sum::<usize>() <= available)
}

fn side_by_side(headers: &[Text], rows: &[Vec<Text>], widths: &[usize]) -> Vec<Text> {
    let mut lines = row_lines(headers, widths);
    for row in rows {
        lines.extend(row_lines(row, widths));
    }
    lines
}

fn row_lines(row: &[Text], widths: &[usize]) -> Vec<Text> {
    let cells: Vec<Vec<Text>> =
        row.iter().zip(widths).map(|(cell, &width)| cell.wrap(width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |index: usize| {
        let mut line = Text::default();
        let mut start = 0;
        for (cell, width) in cells.iter().zip(widths) {
            line = line.padded(start) + cell.get(index).cloned().unwrap_or_default();
            start += width + GAP;
        }
        line
    };
    (0..height).map(line).collect()
}

fn one_under_another(headers: &[Text], rows: &[Vec<Text>]) -> Vec<Text> {
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
