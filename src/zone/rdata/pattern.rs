//! The shape of record data as a regular expression, for editors: what the words that data begins
//! with look like, as far as their kind tells.

use super::shape::{self, Field};
use crate::wire::rr::RrType;

/// A regular expression (as JSON Schema has it, ECMA-262) that every text of a type's data meets;
/// `None` where the first word may be anything. Text with quotes or backslashes may be whatever it
/// likes: words can be quoted, and every type has the form of RFC 3597.
pub(crate) fn pattern(rtype: RrType) -> Option<String> {
    let fields = shape::of(rtype)?;
    let words: Vec<&str> = fields.iter().map_while(|field| word(*field)).collect();
    if words.is_empty() {
        return None;
    }
    let rest = match fields.get(words.len()) {
        None => "",
        Some(Field::Types) => r"(\s+\S[\s\S]*)?",
        Some(_) => r"\s+\S[\s\S]*",
    };
    Some(format!(r#"^([\s\S]*["\\][\s\S]*|\s*{}{rest}\s*)$"#, words.join(r"\s+")))
}

/// What one word of a field looks like; `None` for those that may be anything, or several words.
fn word(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::V4 => "[0-9]+([.][0-9]+){3}",
        Field::V6 => "[0-9A-Fa-f:.]+",
        Field::U8 | Field::U16 | Field::U32 => "[+]?[0-9]+",
        Field::Time => "[0-9A-Za-z]+",
        Field::Eui48 => "[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}",
        Field::Eui64 => "[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){7}",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
