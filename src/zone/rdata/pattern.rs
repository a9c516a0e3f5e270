//! Regular expressions for record data, for editors: the form of the leading words, as far as the
//! types of their fields determine it.

use super::shape::{self, Field};
use crate::wire::rr::RrType;

/// Regular expression (in the dialect of JSON Schema, ECMA-262) that matches every valid text of a
/// type's data; `None` if the first word may be anything. It accepts all text with quotes or
/// backslashes, because words can be quoted and every type has the generic form of RFC 3597.
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

/// Form of one word of a field; `None` if it may be anything, or several words.
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
