//! Prose in documents, held to the same words as comments (`prose.rs`): no pronoun stands in for
//! the actor. Code blocks and code spans are left out.

use super::prose::{STAND_INS, has_word};
use super::{files, none, top};
use std::fs;

/// Documents that are made from strings of the code, which `prose.rs` reads there.
const MADE: &[&str] = &["docs/configuration.md", "docs/findings.md", "docs/metrics.md"];

/// Documents name their actors.
#[test]
fn documents_name_their_subject() {
    let mut breaches = Vec::new();
    let mut read = 0;
    for path in files("").into_iter().filter(|path| path.ends_with(".md")) {
        if path.starts_with("benches/runs/") || MADE.contains(&path.as_str()) {
            continue;
        }
        read += 1;
        for (number, fault) in faults(&fs::read_to_string(top().join(&path)).unwrap()) {
            breaches.push(format!("{path}:{number}: {fault}"));
        }
    }
    assert!(read > 20, "{read} documents");
    none(breaches);
}

/// Line numbers, and the stand-in word of each line.
fn faults(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut is_block, mut is_span) = (false, false);
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if line.trim().is_empty() {
            // A span ends with its paragraph.
            is_span = false;
        } else if !is_block {
            let mut prose = String::new();
            for (index, piece) in line.split('`').enumerate() {
                is_span ^= index > 0;
                prose.push_str(if is_span { " - " } else { piece });
            }
            for word in STAND_INS.iter().filter(|word| has_word(&prose, word)) {
                found.push((number, format!("`{word}`: {}", line.trim())));
            }
        }
    }
    found
}

/// The rule finds what it forbids, and nothing else.
#[test]
fn faults_of_documents_are_found() {
    let rows = [
        ("Nobody reads this.", true),
        ("- PoPs that are switched off by hand", true),
        ("Read `nobody` and `told\nsaid` as they are.", false),
        ("```console\n$ echo nobody\n```", false),
        ("```console\n$ echo\n```\nnobody", true),
        ("One `code and said so.\n\nsomebody", true),
        ("Manual overrides", false),
    ];
    for (text, is_fault) in rows {
        assert_eq!(!faults(text).is_empty(), is_fault, "{text}");
    }
}
