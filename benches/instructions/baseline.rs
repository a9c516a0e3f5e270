//! The figures that a commit stands for, as a file.

use crate::QUERIES;
use crate::bounds::{self, Rows};
use std::fs;
use std::process::ExitCode;
use support::machine;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/baseline.json");

/// Makes figures the baseline.
pub fn write(figures: &Rows) -> ExitCode {
    let baseline = serde_json::json!({ "compiler": machine::compiler(), "queries": QUERIES,
        "columns": ["whole", "answer"], "instructions": figures });
    fs::write(BASELINE, format!("{baseline:#}\n")).expect("the baseline can be written");
    ExitCode::SUCCESS
}

/// Compares figures with the baseline, and prints those that fail.
pub fn check(figures: Rows, recount: impl FnMut(&[String]) -> Rows) -> ExitCode {
    let text = fs::read_to_string(BASELINE).expect("the baseline is in the tree");
    let mut baseline: serde_json::Value = serde_json::from_str(&text).expect("the baseline is JSON");
    if baseline["compiler"] != machine::compiler().as_str() {
        println!("note: the baseline is of {}, this is {}", baseline["compiler"], machine::compiler());
    }
    let rows: Rows = serde_json::from_value(baseline["instructions"].take()).expect("rows of two figures");
    match bounds::compare(figures, &rows, recount) {
        Ok(()) => ExitCode::SUCCESS,
        Err(findings) => {
            println!("past the baseline:\n{}", findings.join("\n"));
            ExitCode::FAILURE
        }
    }
}
