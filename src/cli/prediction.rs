//! A prediction before a person: a table, and a question.

use crate::cli::server::table;
use serde_json::Value;
use std::io::{BufRead, IsTerminal, Write};

/// Rows of one table: a person reads no more; `--format json` has them all.
const ROWS: usize = 12;

/// Whether anybody moves.
pub(crate) fn moves(forecast: &Value) -> bool {
    forecast["moves"].as_array().is_some_and(|moves| !moves.is_empty())
}

/// The prediction as text.
pub(crate) fn text(forecast: &Value) -> String {
    if !moves(forecast) {
        return "forecast: no client moves\n".to_owned();
    }
    let percent = |share: &Value| {
        share.as_f64().map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
    };
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let cells = |way: &Value| {
        [word(&way["from"]), word(&way["to"]), percent(&way["cells"]), percent(&way["queries"])]
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut rows: Vec<Vec<String>> = list(&forecast["moves"])
        .iter()
        .map(|way| [vec!["all".to_owned()], cells(way).to_vec()].concat())
        .collect();
    for policy in list(&forecast["policies"]) {
        rows.extend(
            list(&policy["moves"])
                .iter()
                .map(|way| [vec![word(&policy["policy"])], cells(way).to_vec()].concat()),
        );
    }
    let more = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let mut text = String::from("forecast, once all of it holds:\n")
        + &table(&["POLICY", "FROM", "TO", "CELLS", "QUERIES"], &rows);
    if more > 0 {
        text.push_str(&format!("and {more} more; --format json has them all\n"));
    }
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    for gain in list(&forecast["load"]) {
        let (added, load, capacity) =
            (number(&gain["added"]), number(&gain["load"]), number(&gain["capacity"]));
        let use_of = |load: f64| {
            if capacity > 0.0 { format!("{:.0} %", load / capacity * 100.0) } else { "?".to_owned() }
        };
        let (was, is) = (use_of(load), use_of(load + added));
        let service = gain["service"].as_str().map(|service| format!(" ({service})")).unwrap_or_default();
        text.push_str(&format!(
            "load of {}{service}: {load:.1} + {added:.1} of {capacity:.1}, {was} -> {is}\n",
            word(&gain["pop"])
        ));
    }
    text
}

/// Whether a person before the screen says yes; `None` if there is none to ask.
pub(crate) fn asked() -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let mut line = String::new();
    let _ = std::io::stderr().write_all(b"go on? [y/N] ");
    let read = std::io::stdin().lock().read_line(&mut line);
    Some(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"))
}
