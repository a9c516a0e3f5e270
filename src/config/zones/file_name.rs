//! What the name of a file in the folder of zones tells: whether it is a zone file, and of which
//! zone.

use crate::wire::name::{Name, NameError};
use std::path::Path;

/// The name of a file of zone text, without its ending, that is the root zone: its own name is
/// empty.
const ROOT_FILE: &str = "root";

/// What a file of the folder is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Left behind by editors.
    Passed,
    /// A zone file in YAML.
    Yaml,
    /// Zone text.
    Text,
    /// No zone file.
    Foreign,
    /// It ends like a zone file, and its name is not UTF-8.
    Unnameable,
}

/// The kind of a file.
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

/// Whether whatever bears this name is taken for a zone file: a folder or a pipe in the place of
/// one is a fault of the zone, or of the file, and not its end.
pub(crate) fn is_zone_file(path: &Path) -> bool {
    matches!(kind(path), Kind::Yaml | Kind::Text | Kind::Unnameable)
}

/// The apex that a file is called after; the error has the name without its ending, and why it is
/// none.
pub(super) fn zone_of_stem(path: &Path) -> Result<Name, (String, NameError)> {
    let stem = stem(path);
    match Name::parse(&format!("{}.", stem.trim_end_matches('.')), None) {
        Ok(_) if stem.eq_ignore_ascii_case(ROOT_FILE) => Ok(Name::root()),
        Ok(apex) => Ok(apex),
        Err(error) => Err((stem.to_owned(), error)),
    }
}

/// The first character of a file's name, without its ending, that is unusual in the name of a zone:
/// a file manager puts a blank or a parenthesis into the name of a copy. An escaped character is
/// meant.
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
