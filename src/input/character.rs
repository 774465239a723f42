use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Whether a pasted value can contain this character unnoticed: white space, control, format,
/// private-use and unassigned characters (Unicode general categories Z*, Cc, Cf, Co and Cn).
pub fn is_invisible(character: char) -> bool {
    use GeneralCategory as Category;
    character.is_whitespace()
        || matches!(
            CodePointMapData::<Category>::new().get(character),
            Category::Control
                | Category::Format
                | Category::PrivateUse
                | Category::Unassigned
                | Category::SpaceSeparator
                | Category::LineSeparator
                | Category::ParagraphSeparator
        )
}

/// A name for a character that cannot be printed: `zero-width space (U+200B)`.
pub fn describe(character: char) -> String {
    let name = match character {
        ' ' => "space",
        '\t' => "tab",
        '\n' => "line feed",
        '\r' => "carriage return",
        '\0' => "NUL",
        '\u{1b}' => "escape",
        '\u{a0}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{200b}' => "zero-width space",
        '\u{200c}' => "zero-width non-joiner",
        '\u{200d}' => "zero-width joiner",
        '\u{2028}' => "line separator",
        '\u{2060}' => "word joiner",
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "text direction mark"
        }
        '\u{feff}' => "byte-order mark",
        _ if character.is_control() => "control character",
        _ if character.is_whitespace() => "white space",
        _ => "invisible character",
    };
    format!("{name} (U+{:04X})", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_recognised_and_named() {
        for (character, name) in [
            (' ', "space (U+0020)"),
            ('\u{a0}', "no-break space (U+00A0)"),
            ('\u{200b}', "zero-width space (U+200B)"),
            ('\u{202e}', "text direction mark (U+202E)"),
            ('\u{feff}', "byte-order mark (U+FEFF)"),
            ('\u{7}', "control character (U+0007)"),
            ('\u{3000}', "white space (U+3000)"),
            ('\u{e000}', "invisible character (U+E000)"),
            ('\u{e0061}', "invisible character (U+E0061)"),
        ] {
            assert!(is_invisible(character), "{name}");
            assert_eq!(describe(character), name);
        }
        for character in ['a', '~', 'é', '漢', '"', '•', '😀'] {
            assert!(!is_invisible(character), "{character}");
        }
    }
}
