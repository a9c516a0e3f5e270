//! Ids: a parameter or field that holds an index of a slot, policy, target, feed or PoP has a type
//! of its own, so that an index of one list cannot be used for another.

use super::{Source, none, sources, words};

/// Names of what has an id, in singular and plural, with the type.
const NAMED: &[(&str, &str, &str)] = &[
    ("slot", "slots", "SlotId"),
    ("policy", "policies", "PolicyId"),
    ("target", "targets", "TargetId"),
    ("feed", "feeds", "FeedId"),
    ("pop", "pops", "PopId"),
];

/// Integers that indexes are kept in.
const INTEGERS: &[&str] = &["usize", "u16", "u32"];

/// True if a type is a bare integer, by reference or optional. A plural may be a count, so there
/// only lists of integers are meant.
fn is_bare(of: &str, is_plural: bool) -> bool {
    let of = of.trim_start_matches(['&', ' ']).trim_start_matches("mut ");
    let (one, list) = (
        of.strip_prefix("Option<").unwrap_or(of),
        ["Vec<", "[", "Box<[", "BTreeSet<", "HashSet<"].iter().find_map(|open| of.strip_prefix(open)),
    );
    let inner = if is_plural { list.unwrap_or_default() } else { one };
    INTEGERS.iter().any(|integer| {
        inner.strip_prefix(integer).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    })
}

/// Parameters of functions and fields whose name promises an id and whose type is a bare integer.
/// Variables and parameters of closures stay inside one function.
fn bare(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (one, many, id) in NAMED {
            for (name, is_plural) in [(one, false), (many, true)] {
                for at in words(line, name) {
                    let (before, behind) = (&line[..at], &line[at + name.len()..]);
                    let is_closure = before.matches('|').count() % 2 == 1;
                    let is_variable = before.trim_end().ends_with("let") || before.ends_with("let mut ");
                    let of = behind.strip_prefix(": ");
                    if of.is_some_and(|of| is_bare(of, is_plural)) && !(is_closure || is_variable) {
                        found.push(format!("{}:{number}: `{name}` is an integer; take `{id}`", source.path));
                    }
                }
            }
        }
    }
    found
}

/// The makers of latency maps number PoPs in lists of their own: all of a map, or those with a
/// place.
const OTHER_LISTS: &str = "src/latency/";

#[test]
fn indexes_have_a_type_of_their_own() {
    let sources = sources("src");
    let kept = sources.iter().filter(|source| !source.is_test && !source.path.starts_with(OTHER_LISTS));
    none(kept.flat_map(bare).collect());
}

/// The reader finds parameters and fields, and leaves counts, variables and closures alone.
#[test]
fn bare_indexes_are_found() {
    let source = |text: &str| Source {
        path: "src/steer/view.rs".to_owned(),
        text: text.to_owned(),
        code: text.to_owned(),
        is_test: false,
    };
    for faulty in [
        "    pub fn slot(&self, slot: u32) -> &SlotView {",
        "fn member(snapshot: &Snapshot, policy: usize, pop: PopId) -> Member {",
        "    pub(crate) pop: u16,",
        "    feed: Option<u32>,",
        "        target: &usize,",
        "    slots: Box<[u32]>,",
        "fn undamped(slots: &[u32]) {",
    ] {
        assert_eq!(bare(&source(faulty)).len(), 1, "{faulty}");
    }
    for sound in [
        "    pub fn slot(&self, slot: SlotId) -> &SlotView {",
        "    pops: u32,",
        "    pub(crate) target: f64,",
        "        target: &[u8],",
        "        let slot: usize = 0;",
        "    let is_in = |pop: usize| serves[pop];",
        "    // slot: u32",
        "    up_slot: u32,",
    ] {
        assert_eq!(bare(&source(sound)), [""; 0], "{sound}");
    }
}
