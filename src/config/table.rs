//! Reads a map of the tree key by key, so that every other key is a finding.

use super::other_words;
use super::tree::{Key, Node, ValueKind};
use crate::finding::{At, Finding, Findings, code};

/// Reader of a map.
pub(super) struct MapReader<'n> {
    /// Place of the map.
    pub(crate) at: At,
    what: String,
    entries: &'n [(Key, Node)],
    used: Vec<bool>,
    known: Vec<&'static str>,
}

impl<'n> MapReader<'n> {
    /// Opens `node` as a map; `what` names it for the operator (`a policy`).
    pub(crate) fn open(node: &'n Node, what: impl Into<String>, out: &mut Findings) -> Option<MapReader<'n>> {
        let what = what.into();
        match &node.kind {
            ValueKind::Map(entries) => Some(MapReader {
                at: node.at,
                what,
                entries,
                used: vec![false; entries.len()],
                known: Vec::new(),
            }),
            ValueKind::Null | ValueKind::Text(_) | ValueKind::List(_) => {
                let finding = Finding::error(
                    code::BAD_VALUE,
                    format!("{what} must be a map of keys, not {}", shown(node)),
                )
                .at(node.at, "expected `key: value` here");
                out.push(match node.kind {
                    ValueKind::Null => finding.help("remove it, write its keys, or `{}` if it has none"),
                    _ => finding,
                });
                None
            }
        }
    }

    /// Value of a key, if the key is present. A key without a value has [`ValueKind::Null`], which
    /// every reader refuses, because an empty key must not mean the same as a missing one.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.take_entry(key).map(|(_, node)| node)
    }

    /// A key and its value, if the key is present.
    pub(crate) fn take_entry(&mut self, key: &'static str) -> Option<(&'n Key, &'n Node)> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let index = self.entries.iter().position(|(k, _)| &*k.text == key)?;
        *self.used.get_mut(index)? = true;
        self.entries.get(index).map(|(key, node)| (key, node))
    }

    /// Value of a required key.
    pub(crate) fn need(&mut self, key: &'static str, out: &mut Findings) -> Option<&'n Node> {
        let node = self.take(key);
        if node.is_none() {
            out.push(Finding::error(code::MISSING_KEY, needs(&self.what, key)).at(self.at, "in here"));
        }
        node
    }

    /// True if an unknown key is probably `key` with a typing error, which [`MapReader::finish`]
    /// reports.
    pub(crate) fn mistyped(&self, key: &str) -> bool {
        self.entries
            .iter()
            .zip(&self.used)
            .any(|((written, _), used)| !used && nearest(&written.text, [key]).is_some())
    }

    /// Keys not yet taken, in order; they count as taken from now on.
    pub(crate) fn rest(&mut self) -> Vec<(&'n Key, &'n Node)> {
        #[cfg(test)]
        asked::record(&self.what, &self.known);
        let used = std::mem::take(&mut self.used);
        self.used = vec![true; self.entries.len()];
        self.entries.iter().zip(used).filter(|(_, used)| !used).map(|((key, node), _)| (key, node)).collect()
    }

    /// Ends the reading: the keys that are left are unknown.
    pub(crate) fn finish(mut self, out: &mut Findings) {
        #[cfg(test)]
        asked::record(&self.what, &self.known);
        for (key, _) in self.rest() {
            let mut finding =
                Finding::error(code::UNKNOWN_KEY, format!("{} has no key `{}`", self.what, key.text))
                    .at(key.at, "not known here");
            if out.is_full(code::UNKNOWN_KEY, key.at) {
                // The finding is only counted, so skip the costly search for the intended key.
                out.push(finding);
                continue;
            }
            let theirs = other_words::here(&key.text, &self.known);
            match theirs.or_else(|| nearest(&key.text, self.known.iter().copied())) {
                Some(near) if theirs.is_some() => {
                    finding = finding.help(format!("here it is called `{near}`"));
                }
                Some(near) => {
                    finding = finding.help(format!("did you mean `{near}`?"));
                    // A key with a typing error is one fault, not also a missing key.
                    let missing = needs(&self.what, near);
                    out.retain(|told| {
                        !(told.code == code::MISSING_KEY
                            && told.at == Some(self.at)
                            && told.message == missing)
                    });
                }
                None if !self.known.is_empty() => {
                    let list: Vec<String> = self.known.iter().map(|k| format!("`{k}`")).collect();
                    finding = finding.help(format!("the keys here are {}", list.join(", ")));
                }
                None => {}
            }
            out.push(finding);
        }
    }
}

fn needs(what: &str, key: &str) -> String {
    format!("{what} needs the key `{key}`")
}

/// Candidate that `text` most likely means.
pub(super) fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Names longer than this are not worth the quadratic comparison.
    if text.len() > 64 {
        return None;
    }
    let wanted = text.to_ascii_lowercase();
    let most = 1 + text.chars().count() / 4;
    candidates
        .into_iter()
        .filter(|c| c.len() <= 128)
        .map(|c| (strsim::osa_distance(&wanted, &c.to_ascii_lowercase()), c))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, c)| c)
}

/// Value in a sentence: short text in backticks, else its kind.
pub(super) fn shown(node: &Node) -> String {
    match &node.kind {
        ValueKind::Null => "nothing".to_owned(),
        ValueKind::Text(text) if text.chars().count() <= 60 => format!("`{text}`"),
        ValueKind::Text(text) => format!("`{}...`", text.chars().take(57).collect::<String>()),
        ValueKind::List(_) => "a list".to_owned(),
        ValueKind::Map(_) => "a map".to_owned(),
    }
}

/// Keys that were taken from each kind of map, for comparison with the catalogue.
#[cfg(test)]
pub(super) mod asked {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    type Keys = BTreeMap<String, BTreeSet<&'static str>>;

    thread_local! {
        static KEYS: RefCell<Keys> = RefCell::default();
    }

    /// Kind of a map without its name: `the PoP` for "the PoP `fra`".
    fn kind(what: &str) -> String {
        what.split_once(" `").map_or(what, |(kind, _)| kind).to_owned()
    }

    /// Records the keys that were taken from a map.
    pub(in super::super) fn record(what: &str, known: &[&'static str]) {
        KEYS.with_borrow_mut(|keys| keys.entry(kind(what)).or_default().extend(known));
    }

    /// All keys taken on this thread.
    pub(in super::super) fn keys() -> Keys {
        KEYS.with_borrow(Clone::clone)
    }
}
