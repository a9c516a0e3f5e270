//! Information from the name of a file in the folder of zones: whether it is a zone file, and of
//! which zone.

use crate::wire::name::{Name, NameError};
use std::path::Path;

/// Stem of the zone text file of the root zone, whose own name is empty.
const ROOT_FILE: &str = "root";

/// Kind of a file in the folder, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A leftover of an editor.
    Passed,
    /// A zone file in YAML.
    Yaml,
    /// Zone text.
    Text,
    /// Not a zone file.
    Foreign,
    /// A file with the ending of a zone file and a name that is not UTF-8.
    Unnameable,
}

/// Kind of a file.
pub(super) fn kind(path: &Path) -> Kind {
    let name = path.file_name().unwrap_or_default();
    let shown = name.to_string_lossy();
    if shown.starts_with(['.', '#']) || shown.ends_with('~') {
        return Kind::Passed;
    }
    match path.extension().and_then(|e| e.to_str()).unwrap_or("") {
        "yaml" | "yml" | "zone" if name.to_str().is_none() => Kind::Unnameable,
        "yaml" | "yml" => Kind::Yaml,
        "zone" => Kind::Text,
        _ => Kind::Foreign,
    }
}

/// True if a path has the name of a zone file. A folder or pipe with such a name counts too: it is
/// a fault of that zone or file, and does not mean that the zone is gone.
pub(crate) fn is_zone_file(path: &Path) -> bool {
    matches!(kind(path), Kind::Yaml | Kind::Text | Kind::Unnameable)
}

/// Apex that a file is named after; the error has the stem, and the reason why it is not a name.
pub(super) fn zone_of_stem(path: &Path) -> Result<Name, (String, NameError)> {
    let stem = stem(path);
    match Name::parse(&format!("{}.", stem.trim_end_matches('.')), None) {
        Ok(_) if stem.eq_ignore_ascii_case(ROOT_FILE) => Ok(Name::root()),
        Ok(apex) => Ok(apex),
        Err(error) => Err((stem.to_owned(), error)),
    }
}

/// First character of a file's stem that is unusual in a zone name: file managers put blanks or
/// parentheses into the names of copies. Escaped characters are intended, and do not count.
pub(super) fn odd_character(path: &Path) -> Option<char> {
    let mut characters = stem(path).chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => _ = characters.next(),
            '-' | '_' | '.' => {}
            _ if character.is_ascii_alphanumeric() => {}
            _ => return Some(character),
        }
    }
    None
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("")
}

#[cfg(test)]
mod tests;
