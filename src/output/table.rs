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
    fn the_widest_columns_give_way_first() {
        let table = [
            ([5, 20, 9], [5, 4, 4], 40, Some([5, 20, 9])),
            ([5, 20, 9], [5, 4, 4], 30, Some([5, 16, 9])),
            ([5, 20, 19], [5, 18, 4], 30, Some([5, 18, 7])),
            ([5, 20, 9], [5, 18, 4], 26, None),
        ];
        for (natural, least, available, widths) in table {
            let fitted = fit(&natural, &least, available);
            assert_eq!(fitted, widths.map(Vec::from), "{available}");
        }
    }

    #[test]
    fn no_rows_leave_the_headers() {
        assert_eq!(table_lines(&["A", "B"], &[], Some(80)).len(), 1);
    }
}
