//! SVG text: numbers, escaped words, elements.

use super::projection::Point;
use std::fmt::Write as _;

/// Width of a picture.
pub(crate) const PAGE: f64 = 1600.0;

/// Words as text or attribute of XML. Control characters, which XML 1.0 forbids, are replaced.
pub(crate) fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                text.push('\u{fffd}');
            }
            letter => text.push(letter),
        }
    }
    text
}

/// Number with one decimal at most.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Words of at most `most` letters; longer ones end in an ellipsis.
pub(crate) fn short(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}

/// Width that a word takes at most, in the fonts of [`head`].
pub(crate) fn width(words: &str, size: f64) -> f64 {
    words.chars().count() as f64 * size * 0.64 + 2.0
}

/// Letters that have room in a width, by the same measure.
pub(crate) fn letters(room: f64, size: f64) -> usize {
    ((room - 2.0) / (size * 0.64)).max(0.0) as usize
}

/// Opening of a picture of this size, with its title for screen readers.
pub(crate) fn head(width: f64, height: f64, title: &str) -> String {
    let (width, height, title) = (number(width), number(height), escaped(title));
    let mut text = String::new();
    let _ = write!(text, r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" "#);
    let _ = write!(text, r#"width="{width}" height="{height}" font-size="12" "#);
    let _ = writeln!(text, r##"font-family="DejaVu Sans, Verdana, sans-serif" fill="#222">"##);
    let _ = writeln!(text, "<title>{title}</title>");
    let _ = writeln!(text, r##"<rect width="{width}" height="{height}" fill="#fff"/>"##);
    text
}

/// Line of words. `more` has further attributes, such as `font-weight="bold"`.
pub(crate) fn words(at: Point, size: f64, more: &str, words: &str) -> String {
    let (x, y, size) = (number(at.x), number(at.y), number(size));
    let space = if more.is_empty() { "" } else { " " };
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{space}{more}>{}</text>\n", escaped(words))
}

#[cfg(test)]
mod tests;
