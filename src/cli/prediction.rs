//! Prediction of an override for the operator: a table, and a question.

use crate::cli::moves::{self, percent, percent_of};
use crate::control::protocol::overrides::{Forecast, ForecastMove, LoadGain};
use std::io::{BufRead, IsTerminal, Write};

/// Most rows of one table, so that it fits a screen; `--format json` has them all.
const ROWS: usize = 12;

/// Shares that the table shows.
const MEASURES: [&str; 2] = ["CELLS", "QUERIES"];

/// True if clients move.
pub(crate) fn moves(forecast: Option<&Forecast>) -> bool {
    forecast.is_some_and(|forecast| !forecast.moves.is_empty())
}

/// Prediction as text.
pub(crate) fn text(forecast: Option<&Forecast>) -> String {
    let none = "forecast: no client moves\n".to_owned();
    let Some(forecast) = forecast else { return none };
    let row = |of: &str, way: &ForecastMove| {
        moves::row(of, &way.from, &way.to, [percent(way.cells), percent_of(way.queries)])
    };
    let mut rows: Vec<moves::Row<2>> = forecast.moves.iter().map(|way| row("all", way)).collect();
    for policy in &forecast.policies {
        rows.extend(policy.moves.iter().map(|way| row(&policy.policy, way)));
    }
    let Some(table) = moves::table(rows, MEASURES, ROWS) else {
        return none;
    };
    let mut text = String::from("forecast, once the whole override is in force:\n") + &table;
    for LoadGain { pop, service, added, load, capacity } in &forecast.load {
        let use_of = |load: f64| {
            if *capacity > 0.0 { format!("{:.0} %", load / capacity * 100.0) } else { "?".to_owned() }
        };
        let (was, is) = (use_of(*load), use_of(load + added));
        let service = service.as_ref().map(|service| format!(" ({service})")).unwrap_or_default();
        text.push_str(&format!(
            "load of {pop}{service}: {load:.1} + {added:.1} of {capacity:.1}, {was} -> {is}\n"
        ));
    }
    text
}

/// Asks the operator: true for `y` or `yes`; `None` without a terminal.
pub(crate) fn asked() -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let mut line = String::new();
    let _ = std::io::stderr().write_all(b"go on? [y/N] ");
    let read = std::io::stdin().lock().read_line(&mut line);
    Some(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"))
}
