//! Means that tests and benchmarks share: one decoder of replies, one way to start programs, one
//! place where server files are begun.

use super::{none, sources};

/// Words that only some files of `tests` and `benches` may have: the word, the files, and what the
/// others use.
const MEANS: &[(&str, &[&str], &str)] = &[
    ("CARGO_BIN_EXE", &["tests/support/program.rs"], "support::program::meridian starts the program"),
    (".spawn()", &["tests/support/program.rs"], "support::program::Process is a program that goes on"),
    ("domain::", &["tests/support/reply.rs"], "support::reply decodes replies"),
    (
        "hickory_proto",
        // Judges by another hand than the decoder's; the reasons stand there.
        &["tests/laws/reply.rs", "tests/scenarios/https.rs"],
        "support::reply decodes replies",
    ),
    (
        "\\nlisten:",
        // The others are inputs of the reader themselves.
        &[
            "tests/support/files.rs",
            "tests/bombs_yaml.rs",
            "tests/repository/schema.rs",
            "tests/program/refused.rs",
        ],
        "support::ServerFile begins a server file",
    ),
    ("dead_code", &[], "an item that only some programs use belongs to the crate tests/support"),
];

#[test]
fn tests_share_their_means() {
    let mut breaches = Vec::new();
    for source in sources("tests").iter().chain(&sources("benches")) {
        // The rules themselves name these words.
        if source.path.starts_with("tests/repository/tidy/") {
            continue;
        }
        for (word, files, instead) in MEANS {
            if source.code.contains(word) && !files.contains(&source.path.as_str()) {
                breaches.push(format!("{}: `{word}`: {instead}", source.path));
            }
        }
    }
    none(breaches);
}
