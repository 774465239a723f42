use std::fmt::Display;

/// `1 connector`, `2 connectors`.
pub fn count_noun<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// "`a`, `b`"; "none" if there are none.
pub fn code_list(names: &[impl Display]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        for (count, words) in [(0, "0 days"), (1, "1 day"), (2, "2 days"), (-1, "-1 days")] {
            assert_eq!(count_noun(count, "day"), words);
        }
    }
}
