//! Named things as fields in words, and a line for each field that differs.
//!
//! Fields hold values of a file but not their places in it: moving a line is no change.

use std::collections::BTreeMap;

/// Most characters of both values of a change together; longer values are not shown.
const VALUES_MAX: usize = 160;

/// Names and values, in the order of display.
pub(super) type Fields = Vec<(String, String)>;

/// Word for a missing value.
pub(super) const NONE: &str = "none";

/// Value that may be missing.
pub(super) fn maybe<T>(value: Option<&T>, words: impl Fn(&T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), words)
}

/// List of values in words.
pub(super) fn list<T>(values: &[T], words: impl Fn(&T) -> String) -> String {
    match values {
        [] => NONE.to_owned(),
        values => values.iter().map(words).collect::<Vec<_>>().join(" "),
    }
}

/// Duration in milliseconds.
pub(super) fn millis(ms: impl Into<u64>) -> String {
    match ms.into() {
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// Adds a line for each field that differs.
pub(super) fn changed(what: &str, old: Fields, new: Fields, lines: &mut Vec<String>) {
    let mut old: BTreeMap<String, String> = old.into_iter().collect();
    let mut tell = |key: &str, from: &str, to: &str| {
        if from.chars().count() + to.chars().count() > VALUES_MAX {
            lines.push(format!("{what}: {key} changed"));
        } else {
            lines.push(format!("{what}: {key} {from} -> {to}"));
        }
    };
    for (key, to) in new {
        let from = old.remove(&key).unwrap_or_else(|| NONE.to_owned());
        if from != to {
            tell(&key, &from, &to);
        }
    }
    old.iter().filter(|(_, from)| *from != NONE).for_each(|(key, from)| tell(key, from, NONE));
}

/// Adds lines for a list of named things: new ones, removed ones, and each field that differs.
pub(super) fn compared(
    kind: &str,
    old: impl Iterator<Item = (String, Fields)>,
    new: impl Iterator<Item = (String, Fields)>,
    lines: &mut Vec<String>,
) {
    let mut all: BTreeMap<String, (Option<Fields>, Option<Fields>)> = BTreeMap::new();
    old.for_each(|(name, fields)| all.entry(name).or_default().0 = Some(fields));
    new.for_each(|(name, fields)| all.entry(name).or_default().1 = Some(fields));
    for (name, pair) in all {
        match pair {
            (None, Some(_)) => lines.push(format!("{kind} {name}: new")),
            (Some(_), None) => lines.push(format!("{kind} {name}: gone")),
            (Some(from), Some(to)) => changed(&format!("{kind} {name}"), from, to, lines),
            (None, None) => {}
        }
    }
}
