//! Table of the clients that a change moves: an override, or other files.

use crate::cli::server::table as drawn;

/// Row: policy, answer before, answer after, and `N` shares.
pub(crate) struct Row<const N: usize> {
    policy: String,
    from: String,
    to: String,
    shares: [String; N],
}

/// Makes a row of the table.
pub(crate) fn row<const N: usize>(policy: &str, from: &str, to: &str, shares: [String; N]) -> Row<N> {
    Row { policy: policy.to_owned(), from: from.to_owned(), to: to.to_owned(), shares }
}

/// Table of at most `rows_max` rows, with `measures` as heads of the shares; `None` without rows.
pub(crate) fn table<const N: usize>(
    mut rows: Vec<Row<N>>,
    measures: [&str; N],
    rows_max: usize,
) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let more = rows.len().saturating_sub(rows_max);
    rows.truncate(rows_max);
    let heads: Vec<&str> = ["POLICY", "FROM", "TO"].into_iter().chain(measures).collect();
    let cells: Vec<Vec<String>> = (rows.into_iter())
        .map(|row| [row.policy, row.from, row.to].into_iter().chain(row.shares).collect())
        .collect();
    let mut text = drawn(&heads, &cells);
    if more > 0 {
        text.push_str(&format!("and {more} more; --format json has them all\n"));
    }
    Some(text)
}

/// Share in per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Share in per cent; `-` if it is unknown.
pub(crate) fn percent_of(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), percent)
}
