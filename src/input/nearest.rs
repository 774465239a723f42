/// The name most similar to `word` (Jaro-Winkler, 0.0 to 1.0), if at least this similar.
pub fn nearest<'a>(
    word: &str,
    names: impl Iterator<Item = &'a str>,
    at_least: f64,
) -> Option<&'a str> {
    let similar = names.map(|name| (strsim::jaro_winkler(word, name), name));
    let similar = similar.filter(|(similarity, _)| *similarity >= at_least);
    similar.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
