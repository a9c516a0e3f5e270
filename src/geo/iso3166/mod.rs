//! Registers of ISO 3166: countries (part 1) and subdivisions (part 2).
//!
//! The countries are in the table of [`hubs`], one row for each code and for XK (Kosovo), which
//! databases use. ISO 3166-1 leaves some codes to its users. Such a code has a meaning only by
//! agreement, so a condition with it matches only if the operator's databases or networks use the
//! code.

mod subdivisions;

use super::hubs;
use super::place::{Country, Subdivision};
use subdivisions::SUBDIVISIONS;

/// Status of a two-letter code in ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A country, or XK.
    Country,
    /// User-assigned: AA, QM to QZ, XA to XZ and ZZ, except those that mean "unknown".
    OfUsers,
    /// Not a country: unassigned, withdrawn, or a word for "unknown".
    Nothing,
}

/// Status of a code.
pub(crate) fn standing(country: Country) -> Standing {
    let code = country.code();
    if hubs::find(country).is_some() {
        Standing::Country
    } else if is_unknown(code) {
        Standing::Nothing
    } else {
        match code.as_bytes() {
            b"AA" | [b'X', _] | [b'Q', b'M'..=b'Z'] => Standing::OfUsers,
            _ => Standing::Nothing,
        }
    }
}

/// True for codes by which databases say that the country is unknown: those of MaxMind (A1
/// anonymous proxy, A2 satellite, O1 other; AP and EU for no country in particular), IP2Location
/// (`-`) and the address registries (ZZ), and XX.
pub(crate) fn is_unknown(code: &str) -> bool {
    const WORDS: [&str; 10] = ["", "-", "--", "A1", "A2", "AP", "EU", "O1", "XX", "ZZ"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(code.trim()))
}

/// Country from a database; `None` also for the codes of an unknown country, such as ZZ.
pub(crate) fn said(code: &str) -> Option<Country> {
    if is_unknown(code) { None } else { Country::from_code(code) }
}

/// Code in use, for a common wrong code or one of an older standard.
pub(crate) fn meant(country: Country) -> Option<&'static str> {
    const HABITS: [(&str, &str); 22] = [
        ("AN", "CW"), // Netherlands Antilles, dissolved in 2010: Curacao was its capital
        ("BU", "MM"),
        ("CS", "RS"),
        ("DD", "DE"),
        ("EL", "GR"), // the European Union's code of Greece
        ("EN", "GB"),
        ("FX", "FR"),
        ("JA", "JP"),
        ("NH", "VU"),
        ("PO", "PT"),
        ("RB", "BY"),
        ("RH", "ZW"),
        ("SF", "FI"),
        ("SP", "ES"),
        ("SU", "RU"),
        ("SW", "SE"),
        ("TP", "TL"),
        ("UK", "GB"), // exceptionally reserved
        ("VD", "VN"),
        ("WL", "LC"),
        ("YU", "RS"),
        ("ZR", "CD"),
    ];
    HABITS.iter().find(|(written, _)| *written == country.code()).map(|(_, meant)| *meant)
}

/// True if ISO 3166-2 has the subdivision; `None` for a country without subdivisions.
pub(crate) fn has_subdivision(country: Country, subdivision: Subdivision) -> Option<bool> {
    let words = words_of(country)?;
    Some(words.split(' ').any(|word| holds(word, subdivision.code())))
}

/// All subdivisions of a country.
pub(crate) fn subdivisions_of(country: Country) -> Vec<String> {
    let mut all = Vec::new();
    for word in words_of(country).unwrap_or_default().split_whitespace() {
        match range(word) {
            Some((first, last, digits)) => {
                all.extend((first..=last).map(|number| format!("{number:0digits$}")));
            }
            None => all.push(word.to_owned()),
        }
    }
    all
}

fn words_of(country: Country) -> Option<&'static str> {
    let row = SUBDIVISIONS.binary_search_by(|(code, _)| (*code).cmp(country.code())).ok()?;
    Some(SUBDIVISIONS[row].1)
}

/// First and last number of a range such as `01-19`, and their number of digits.
fn range(word: &str) -> Option<(u32, u32, usize)> {
    let (first, last) = word.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, first.len()))
}

fn holds(word: &str, code: &str) -> bool {
    match range(word) {
        Some((first, last, digits)) => {
            code.len() == digits && code.parse().is_ok_and(|number: u32| (first..=last).contains(&number))
        }
        None => word == code,
    }
}

#[cfg(test)]
mod tests;
