//! What was probably meant by a mistyped name.

/// The name most like `word` (Jaro-Winkler), if it is at least this similar: 0.0 is
/// nothing in common, 1.0 the same.
pub fn nearest<'a>(
    word: &str,
    names: impl Iterator<Item = &'a str>,
    at_least: f64,
) -> Option<&'a str> {
    let similar = names.map(|name| (strsim::jaro_winkler(word, name), name));
    let similar = similar.filter(|(similarity, _)| *similarity >= at_least);
    similar.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
