//! Runs the scenarios: text files that say in an operator's words what is asked and what comes
//! back.
//!
//! Every `tests/scenarios/<area>/<behaviour>.scn` is run against the small deployment in
//! `tests/scenarios/lab`, changed as the scenario says. Replies are decoded by the crate `domain`,
//! so that no answer is checked by its own author. All failures of all files are reported at once.
//! `tests/scenarios/README.md` tells how to write one.

mod lab;
mod query;
mod run;
mod script;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A failure: the line it is about, and what is wrong.
pub struct Failure {
    /// Line of the scenario, from 1.
    pub line: usize,
    /// What was expected, what came, and the whole reply.
    pub words: String,
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(folder) = open.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())).flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "scn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every scenario holds. `SCENARIO=word` runs only those whose path has the word.
#[test]
fn every_scenario_holds() {
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let files: Vec<PathBuf> = files().into_iter().filter(|f| f.to_string_lossy().contains(&only)).collect();
    assert!(!files.is_empty(), "no scenario is called like {only:?}");
    let (mut report, mut failed) = (String::new(), 0);
    for file in &files {
        let shown = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file).display();
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{shown}: {e}"));
        let failures = match script::parse(&text) {
            Ok(script) => run::run(&script),
            Err(failure) => vec![failure],
        };
        failed += usize::from(!failures.is_empty());
        for Failure { line, words } in failures {
            let _ = writeln!(report, "\n{shown}:{line}\n{words}");
        }
    }
    assert!(failed == 0, "{failed} of {} scenarios do not hold\n{report}", files.len());
    println!("{} scenarios hold", files.len());
}

/// A scenario that cannot be understood says so, at its line.
#[test]
fn scenarios_that_cannot_be_understood_are_refused() {
    for (text, line) in [
        ("ask www.lab.example. A\n", 1),
        ("# What.\nask www.lab.example. A wth 1\n", 2),
        ("# What.\nask www.lab.example. A\nstate NOERROR\n", 3),
        ("# What.\nstatus NOERROR\n", 2),
        ("# What.\nask www.lab.example.\n", 2),
        ("# What.\nadd pops.yaml\n  x: {}\n", 2),
        ("# What.\nask a. A\nscope many\n", 3),
        ("# What.\n", 1),
    ] {
        let failure = script::parse(text).err().unwrap_or_else(|| panic!("{text:?} was understood"));
        assert_eq!(failure.line, line, "{text:?}: {}", failure.words);
    }
}

/// Expectations bite: the runner reports what is wrong.
#[test]
fn wrong_expectations_are_reported() {
    for expectation in [
        "status NXDOMAIN",
        "flags",
        "no answer",
        "answer www.lab.example. 300 A 192.0.2.201",
        "answer www.lab.example. 300 A 192.0.2.200\nanswer www.lab.example. 300 A 192.0.2.200",
        "authority lab.example. 300 NS ns1.lab.example.",
        "scope 0",
        "pop fra",
        "truncated",
        "silence",
        "ede 20",
        "nsid x",
        "option 3 78",
        "no opt",
        "question www.lab.example. AAAA",
    ] {
        let text = format!("# What.\nask www.lab.example. A\n{expectation}\n");
        let script = script::parse(&text).unwrap_or_else(|f| panic!("{expectation}: {}", f.words));
        assert!(!run::run(&script).is_empty(), "{expectation} went unnoticed");
    }
}
