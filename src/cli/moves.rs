//! Table of the clients that a change moves: one for overrides and for other files.

use crate::cli::server::table as drawn;
use serde_json::Value;

/// A column of shares.
pub(crate) struct Measure {
    /// Head of the column.
    pub(crate) head: &'static str,
    /// Key of the share in a move.
    pub(crate) key: &'static str,
}

/// Moves over all policies, then those of each policy, at most `rows_max` rows; `None` where no
/// client moves.
pub(crate) fn table(impact: &Value, measures: &[Measure], rows_max: usize) -> Option<String> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut add = |policy: &str, moves: &Value| {
        for way in list(moves) {
            let shares = measures.iter().map(|measure| percent(&way[measure.key]));
            rows.push(
                [policy.to_owned(), word(&way["from"]), word(&way["to"])].into_iter().chain(shares).collect(),
            );
        }
    };
    add("all", &impact["moves"]);
    for policy in list(&impact["policies"]) {
        let name = word(&policy["policy"]);
        match policy.get("then") {
            // An override never hands names to another policy.
            None => add(&name, &policy["moves"]),
            Some(then) if then.as_str() == Some(&*name) => add(&name, &policy["moves"]),
            Some(then) => add(&format!("{name} -> {}", then.as_str().unwrap_or("none")), &policy["moves"]),
        }
    }
    if rows.is_empty() {
        return None;
    }
    let more = rows.len().saturating_sub(rows_max);
    rows.truncate(rows_max);
    let shares = measures.iter().map(|measure| measure.head);
    let heads: Vec<&str> = ["POLICY", "FROM", "TO"].into_iter().chain(shares).collect();
    let mut text = drawn(&heads, &rows);
    if more > 0 {
        text.push_str(&format!("and {more} more; --format json has them all\n"));
    }
    Some(text)
}

/// A share in per cent; `-` where it is not known.
pub(crate) fn percent(share: &Value) -> String {
    share.as_f64().map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A text.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().unwrap_or("?").to_owned()
}

/// Members of a list; none where it is missing.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
