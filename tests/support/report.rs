//! Report of a run: JSON for programs, a table for people.

use serde_json::{Map, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A figure, and its bound.
pub struct Bar {
    pub what: String,
    pub is: f64,
    /// `is` may not pass it, or may not be below it.
    pub bound: Bound,
}

/// Bound of a figure.
#[derive(Clone, Copy)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    fn is_kept(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.is <= most,
            Bound::AtLeast(least) => self.is >= least,
        }
    }

    fn bound(&self) -> String {
        match self.bound {
            Bound::AtMost(most) => format!("at most {most}"),
            Bound::AtLeast(least) => format!("at least {least}"),
        }
    }
}

/// Everything of a run.
#[derive(Default)]
pub struct Report {
    /// First line of the table.
    pub title: &'static str,
    /// Facts of the machine and the settings, in order.
    pub facts: Vec<(String, String)>,
    /// Figures without a bound, in order.
    pub figures: Vec<(String, f64)>,
    pub bars: Vec<Bar>,
    /// Measurements that could not be made, with the reason.
    pub skipped: Vec<(String, String)>,
}

impl Report {
    /// Notes a figure that may not pass a bound.
    pub fn at_most(&mut self, what: &str, is: f64, most: f64) {
        self.bars.push(Bar { what: what.to_owned(), is, bound: Bound::AtMost(most) });
    }

    /// Notes a figure that may not be below a bound.
    pub fn at_least(&mut self, what: &str, is: f64, least: f64) {
        self.bars.push(Bar { what: what.to_owned(), is, bound: Bound::AtLeast(least) });
    }

    /// Writes `results.json` and `table.md`.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder can be made");
        let facts: Map<_, _> = self.facts.iter().map(|(what, is)| (what.clone(), json!(is))).collect();
        let bars = self.bars.iter().map(
            |bar| json!({ "what": bar.what, "is": bar.is, "bound": bar.bound(), "kept": bar.is_kept() }),
        );
        let skipped = self.skipped.iter().map(|(what, why)| json!({ "what": what, "why": why }));
        let figures: Map<_, _> = self.figures.iter().map(|(what, is)| (what.clone(), json!(is))).collect();
        let results = json!({
            "facts": facts,
            "figures": figures,
            "bars": bars.collect::<Vec<_>>(),
            "skipped": skipped.collect::<Vec<_>>(),
        });
        fs::write(folder.join("results.json"), format!("{results:#}\n")).expect("a file can be written");
        fs::write(folder.join("table.md"), self.table()).expect("a file can be written");
    }

    pub fn table(&self) -> String {
        let mut text = format!("# {}\n\n", self.title);
        for (what, is) in &self.facts {
            let _ = writeln!(text, "- {what}: {is}");
        }
        for (what, why) in &self.skipped {
            let _ = writeln!(text, "- not measured: {what}: {why}");
        }
        if !self.figures.is_empty() {
            text.push_str("\n| figure | |\n|---|--:|\n");
        }
        for (what, is) in &self.figures {
            let _ = writeln!(text, "| {what} | {is:.2} |");
        }
        text.push_str("\n| bar | is | bound | |\n|---|--:|--:|---|\n");
        for bar in &self.bars {
            let verdict = if bar.is_kept() { "kept" } else { "missed" };
            let _ = writeln!(text, "| {} | {:.2} | {} | {verdict} |", bar.what, bar.is, bar.bound());
        }
        text
    }
}
