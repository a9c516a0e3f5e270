//! The figures that a commit stands for, and the check of new ones against them.

use crate::QUERIES;
use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;
use support::machine;

/// Growth that a figure may have over the baseline, in per mille.
const GROWTH_PER_MILLE: u64 = 30;
/// Counts of a row, each with its own keys of the hash tables, before `check` calls it grown.
const DRAWS: usize = 3;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/baseline.json");

/// The whole and the answer of each row, in instructions a query, by its key.
pub type Rows = BTreeMap<String, [u64; 2]>;

/// Makes figures the baseline.
pub fn write(figures: &Rows) -> ExitCode {
    let baseline = serde_json::json!({ "compiler": machine::compiler(), "queries": QUERIES,
        "columns": ["whole", "answer"], "instructions": figures });
    fs::write(BASELINE, format!("{baseline:#}\n")).expect("the baseline can be written");
    ExitCode::SUCCESS
}

/// Compares figures with the baseline. A figure past it is counted again: each start draws the keys
/// of the hash tables, and an unlucky draw costs a row with few names (wildcards) up to 3 %. What
/// the code itself has grown by shows in every draw.
pub fn check(mut figures: Rows, recount: impl Fn(&[String]) -> Rows) -> ExitCode {
    let text = fs::read_to_string(BASELINE).expect("the baseline is in the tree");
    let baseline: serde_json::Value = serde_json::from_str(&text).expect("the baseline is JSON");
    if baseline["compiler"] != machine::compiler().as_str() {
        println!("note: the baseline is of {}, this is {}", baseline["compiler"], machine::compiler());
    }
    for draw in 1..=DRAWS {
        let past = past_baseline(&figures, &baseline["instructions"]);
        past.values().flatten().for_each(|finding| println!("{finding}"));
        if past.is_empty() {
            return ExitCode::SUCCESS;
        }
        if draw == DRAWS {
            break;
        }
        println!("these rows are counted again, with other keys of the hash tables");
        let keys: Vec<String> = past.keys().map(|key| word_of(key).to_owned()).collect();
        for (key, again) in recount(&keys) {
            let figure = figures.entry(key).or_insert(again);
            *figure = [figure[0].min(again[0]), figure[1].min(again[1])];
        }
    }
    ExitCode::FAILURE
}

/// The word of a kind in a key, which may name a world behind it.
fn word_of(key: &str) -> &str {
    key.split('@').next().unwrap_or(key)
}

/// Rows past the baseline, or missing there, with a finding for each figure.
fn past_baseline(figures: &Rows, baseline: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let mut past = BTreeMap::<String, Vec<String>>::new();
    for (key, now) in figures {
        for (at, (word, now)) in ["whole", "answer"].into_iter().zip(now).enumerate() {
            let finding = match baseline[key][at].as_u64() {
                None => format!("{key}, {word}: not in the baseline"),
                Some(before) if now * 1000 > before * (1000 + GROWTH_PER_MILLE) => {
                    format!("{key}, {word}: {now} instructions, {before} in the baseline")
                }
                Some(_) => continue,
            };
            past.entry(key.clone()).or_default().push(finding);
        }
    }
    past
}
