//! Texts of adapters on their way into logs, entries and answers: cut to size, and one line of what can be seen.

/// The text, at most so many bytes of it, as one line: white space that would break it becomes a space, and other
/// characters that steer a terminal or a reader's eye are escaped.
pub fn one_line(text: &str, most_bytes: usize) -> String {
    let cut = text.floor_char_boundary(most_bytes);
    let mut line = String::with_capacity(cut);
    for char in text.get(..cut).unwrap_or_default().chars() {
        match char {
            '\n' | '\r' | '\t' => line.push(' '),
            char if steers(char) => line.extend(char.escape_default()),
            char => line.push(char),
        }
    }
    if cut < text.len() {
        line.push('…');
    }
    line
}

/// Whether a character does something instead of showing something: control characters, line and paragraph
/// separators, and those that change the direction of what follows (Unicode Technical Report 36, section 2.8).
pub fn steers(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_short_line() {
        assert_eq!(one_line("a\nb\u{1b}[31mc", 100), "a b\\u{1b}[31mc");
        assert_eq!(one_line("\u{202e}live\u{2028}x", 100), "\\u{202e}live\\u{2028}x");
        assert_eq!(one_line("Zoë 李 🏦", 100), "Zoë 李 🏦");
        let long = one_line(&"ü".repeat(100), 99);
        assert_eq!((long.chars().count(), long.ends_with('…')), (50, true));
    }
}
