//! Warnings fold and errors do not; known warnings are dropped.

use super::*;
use crate::finding::{FileId, code};

fn at(line: u32) -> At {
    At { file: FileId(0), line, column: 1, start: 0, end: 0 }
}

fn warning(name: &str, line: u32) -> Finding {
    Finding::warning(code::SPECIAL_ADDRESS, format!("`{name}` is not reachable")).at(at(line), "")
}

#[test]
fn warnings_of_one_kind_are_one() {
    let mut findings = Findings::default();
    for line in 1..=9 {
        findings.push(warning(&format!("192.168.0.{line}"), line));
        findings.push(Finding::error(code::BAD_NAME, format!("`{line}` is none")).at(at(line), ""));
    }
    findings.push(Finding::warning(code::SPECIAL_ADDRESS, "another sentence").at(at(10), ""));
    let folded = findings.folded();
    let of = |code: super::super::Code| folded.iter().filter(move |f| f.finding.code == code);
    assert_eq!(of(code::BAD_NAME).count(), 9);
    let special: Vec<_> = of(code::SPECIAL_ADDRESS).collect();
    assert_eq!(special.len(), 2);
    assert_eq!((special[0].more, special[0].places.len()), (8, FOLDED_PLACES_MAX));
    assert_eq!(special[0].places[0], at(2));
    let mut files = Files::default();
    files.add("pops.yaml", "");
    let text = crate::finding::render::text(&findings, &files, false);
    assert!(text.contains("= and 8 more like it: pops.yaml:2:1, pops.yaml:3:1, "), "{text}");
}

#[test]
fn strict_counts_stay_true() {
    let mut findings = Findings::default();
    (0..200).for_each(|line| findings.push(warning("a", line)));
    findings.push(Finding::note(code::UNUSED_POLICY, "unused"));
    let strict = findings.strict();
    let count = |severity| strict.count(severity);
    assert_eq!([Severity::Error, Severity::Warning, Severity::Note].map(count), [200, 0, 1]);
}

#[test]
fn what_was_told_is_not_told_again() {
    let mut files = Files::default();
    files.add("pops.yaml", "");
    let mut before = Findings::default();
    before.push(warning("a", 1));
    let told = Told::new(&before, &files);
    let mut now = Findings::default();
    // Lines above it have moved it.
    now.push(warning("a", 7));
    now.push(warning("b", 2));
    now.push(Finding::error(code::BAD_NAME, "wrong"));
    let left: Vec<String> =
        told.new_ones(now, &files).iter().map(|finding| finding.message.clone()).collect();
    assert_eq!(left, ["`b` is not reachable", "wrong"]);
}
