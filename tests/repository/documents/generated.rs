//! Parts of documents that are made from other files of the tree.

use super::{text, top};
use serde_json::Value;
use std::fs;

/// The instructions in `docs/benchmarks.md` are those of the baseline. After `cargo bench --bench
/// instructions -- write`: `MERIDIAN_WRITE=1 cargo test --test repository benchmarks`.
#[test]
fn the_benchmarks_are_the_baseline() {
    let baseline = fs::read_to_string(top().join("benches/instructions/baseline.json")).unwrap();
    let baseline: Value = serde_json::from_str(&baseline).unwrap();
    let figures = baseline["instructions"].as_object().expect("figures by key");
    let written = text("docs/benchmarks.md");
    let mut keys = 0;
    let made: Vec<String> = written
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, key, question, _, _, aim, _] = cells[..] else { return line.to_owned() };
            let Some([whole, answer]) = figures
                .get(key.strip_prefix('`').unwrap_or_default().trim_end_matches('`'))
                .and_then(|row| Some([row.get(0)?.as_u64()?, row.get(1)?.as_u64()?]))
            else {
                return line.to_owned();
            };
            keys += 1;
            let aim = if aim.is_empty() { " ".to_owned() } else { format!(" {aim} ") };
            format!("| {key} | {question} | {} | {} |{aim}|", in_thousands(whole), in_thousands(answer))
        })
        .collect();
    assert_eq!(keys, figures.len(), "docs/benchmarks.md has a row for each key of the baseline");
    let made = made.join("\n") + "\n";
    if std::env::var_os("MERIDIAN_WRITE").is_some() {
        fs::write(top().join("docs/benchmarks.md"), &made).unwrap();
    }
    assert!(
        text("docs/benchmarks.md") == made,
        "docs/benchmarks.md differs; run `MERIDIAN_WRITE=1 cargo test --test repository benchmarks`"
    );
}

/// `1234` as `1,234`.
fn in_thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}
