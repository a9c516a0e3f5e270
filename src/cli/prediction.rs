//! A prediction before a person: a table, and a question.

use crate::cli::moves::{self, Measure, list, word};
use serde_json::Value;
use std::io::{BufRead, IsTerminal, Write};

/// Rows of one table: a person reads no more; `--format json` has them all.
const ROWS: usize = 12;

/// Shares that the table shows.
const MEASURES: &[Measure] =
    &[Measure { head: "CELLS", key: "cells" }, Measure { head: "QUERIES", key: "queries" }];

/// Whether anybody moves.
pub(crate) fn moves(forecast: &Value) -> bool {
    !list(&forecast["moves"]).is_empty()
}

/// The prediction as text.
pub(crate) fn text(forecast: &Value) -> String {
    let Some(table) = moves::table(forecast, MEASURES, ROWS) else {
        return "forecast: no client moves\n".to_owned();
    };
    let mut text = String::from("forecast, once all of it holds:\n") + &table;
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
