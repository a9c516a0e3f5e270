//! Bounds of new counts: the growth over the baseline that `check` lets pass.
//! `tests/repository/instructions.rs` tries them with made-up counts.

use std::collections::BTreeMap;

/// Growth that a figure may have over the baseline, in per mille.
const GROWTH_PER_MILLE: u64 = 30;
/// Counts of a row, each with its own keys of the hash tables, before it fails.
const DRAWS: usize = 3;

/// The whole and the answer of each row, in instructions a query, by its key.
pub type Rows = BTreeMap<String, [u64; 2]>;

/// Compares figures with the baseline; the error has a finding for each figure that fails.
///
/// Rows past the baseline are counted again, and each figure is the least of its counts: each start
/// draws the keys of the hash tables, and an unlucky draw costs a row with few names (wildcards) up
/// to 3 %. Growth of the code itself shows in every draw. No count helps a row that the baseline
/// lacks, so it fails at once.
pub fn compare(
    mut figures: Rows,
    baseline: &Rows,
    mut recount: impl FnMut(&[String]) -> Rows,
) -> Result<(), Vec<String>> {
    let missing: Vec<String> = figures
        .keys()
        .filter(|key| !baseline.contains_key(*key))
        .map(|key| format!("{key}: not in the baseline; `cargo bench --bench instructions -- write` adds it"))
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    for _ in 1..DRAWS {
        let past = past_baseline(&figures, baseline);
        if past.is_empty() {
            return Ok(());
        }
        past.iter().for_each(|(_, finding)| println!("{finding}"));
        println!("these rows are counted again, with other keys of the hash tables");
        let mut words: Vec<String> = past.iter().map(|(key, _)| word_of(key).to_owned()).collect();
        words.dedup();
        for (key, again) in recount(&words) {
            let figure = figures.entry(key).or_insert(again);
            *figure = [figure[0].min(again[0]), figure[1].min(again[1])];
        }
    }
    let past = past_baseline(&figures, baseline);
    if past.is_empty() { Ok(()) } else { Err(past.into_iter().map(|(_, finding)| finding).collect()) }
}

/// The word of a kind in a key, which may name a world behind it.
fn word_of(key: &str) -> &str {
    key.split('@').next().unwrap_or(key)
}

/// Keys of the figures past the baseline, with a finding each.
fn past_baseline(figures: &Rows, baseline: &Rows) -> Vec<(String, String)> {
    let mut past = Vec::new();
    for (key, now) in figures {
        let Some(before) = baseline.get(key) else { continue };
        for (word, (now, before)) in ["whole", "answer"].into_iter().zip(now.iter().zip(before)) {
            if now * 1000 > before * (1000 + GROWTH_PER_MILLE) {
                past.push((
                    key.clone(),
                    format!("{key}, {word}: {now} instructions, {before} in the baseline"),
                ));
            }
        }
    }
    past
}
