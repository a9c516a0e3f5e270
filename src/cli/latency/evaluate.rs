//! `meridian latency evaluate`: the estimator against true RTTs.

use super::lines;
use crate::latency::case::{Case, Penalty, Truth, evaluate};
use std::path::Path;

/// Evaluates a case.
pub(super) fn run(case: &Path, truth: &Path) -> Result<String, String> {
    let case: Case = read(case)?;
    let truth: Truth = read(truth)?;
    let done = evaluate(&case, &truth)?;
    let row = |name: &str, penalty: Penalty| {
        format!(
            "{name:<9}{:>9.2}{:>9.1}{:>12.1} %\n",
            penalty.mean_ms,
            penalty.p95_ms,
            penalty.within_10_ms * 100.0
        )
    };
    Ok(format!(
        "{} clients, {} of them measured; penalty over the best PoP in ms\n\
         {:<9}{:>9}{:>9}{:>14}\n{}{}",
        done.clients,
        done.measured,
        "",
        "mean",
        "p95",
        "within 10 ms",
        row("latency", done.latency),
        row("nearest", done.nearest)
    ))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let shown = path.display();
    let reader = lines::open(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    serde_json::from_reader(reader).map_err(|error| format!("`{shown}`: {error}"))
}
