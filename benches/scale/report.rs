//! Report of a run: JSON for programs, a table and plots for people.

use crate::deployment::Size;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// One size, measured.
pub struct Point {
    /// Dimension that grows.
    pub axis: &'static str,
    pub number: usize,
    pub size: Size,
    pub found: Value,
}

impl Point {
    /// A figure by its name.
    pub fn number(&self, key: &str) -> f64 {
        self.found[key].as_f64().unwrap_or(0.0)
    }
}

/// A figure that must not pass a bound.
pub struct Bar {
    pub what: &'static str,
    pub is: f64,
    pub at_most: f64,
}

/// Everything of a run.
pub struct Report {
    /// Facts of the machine and the settings, in order.
    pub facts: Vec<(String, String)>,
    pub points: Vec<Point>,
    pub bars: Vec<Bar>,
    /// Measurements that could not be made, with the reason.
    pub skipped: Vec<(String, String)>,
}

/// The figures that are plotted and tabled: key, heading, divisor.
const FIGURES: [(&str, &str, f64); 13] = [
    ("load_secs", "load s", 1.0),
    ("load_cpu_secs", "load CPU s", 1.0),
    ("reload_unchanged_secs", "reload s", 1.0),
    ("resident_octets", "resident MiB", 1_048_576.0),
    ("peak_octets", "peak MiB", 1_048_576.0),
    ("publish_micros", "publish us", 1.0),
    ("publication_octets", "publication KiB", 1_024.0),
    ("static_cpu_nanos", "static ns", 1.0),
    ("steered_cpu_nanos", "steered ns", 1.0),
    ("static_cold_nanos", "static cold ns", 1.0),
    ("steered_cold_nanos", "steered cold ns", 1.0),
    ("routes_octets", "routes MiB", 1_048_576.0),
    ("plans_octets", "lists MiB", 1_048_576.0),
];

impl Report {
    /// Writes `results.json`, `table.md`, and a plot for each figure.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder can be made");
        let put =
            |name: &str, text: String| fs::write(folder.join(name), text).expect("a file can be written");
        put("results.json", format!("{:#}\n", self.json()));
        put("table.md", self.table());
        for (key, heading, divisor) in FIGURES {
            put(&format!("{key}.svg"), self.plot(key, heading, divisor));
        }
    }

    fn json(&self) -> Value {
        let facts: serde_json::Map<String, Value> =
            self.facts.iter().map(|(what, is)| (what.clone(), json!(is))).collect();
        let size = |s: Size| {
            json!({
                "names": s.names,
                "yaml": s.yaml,
                "zones": s.zones,
                "pops": s.pops,
                "policies": s.policies,
                "networks": s.networks,
                "places": s.places,
            })
        };
        json!({
            "facts": facts,
            "points": self.points.iter().map(|p| json!({
                "axis": p.axis,
                "size": size(p.size),
                "found": p.found,
            })).collect::<Vec<_>>(),
            "bars": self.bars.iter().map(|b| json!({
                "what": b.what,
                "is": b.is,
                "at_most": b.at_most,
            })).collect::<Vec<_>>(),
            "skipped": self.skipped.iter().map(|(what, why)| json!({
                "what": what,
                "why": why,
            })).collect::<Vec<_>>(),
        })
    }

    pub fn table(&self) -> String {
        let mut text = "# What size costs\n\n".to_owned();
        for (what, is) in &self.facts {
            let _ = writeln!(text, "- {what}: {is}");
        }
        for (what, why) in &self.skipped {
            let _ = writeln!(text, "- not measured: {what}: {why}");
        }
        if !self.bars.is_empty() {
            text.push_str("\n| bar | is | at most | |\n|---|--:|--:|---|\n");
        }
        for bar in &self.bars {
            let verdict = if bar.is <= bar.at_most { "kept" } else { "missed" };
            let _ = writeln!(text, "| {} | {:.2} | {} | {verdict} |", bar.what, bar.is, bar.at_most);
        }
        text.push_str(
            "\nOne number of the deployment grows and the others stay. `load` is a start from nothing, \
             `reload` a reload in which nothing has changed, `publish` a \
             verdict from its picture to the snapshot that workers load next; `static` and `steered` are \
             processor time of one answer without sockets, to 16,384 questions that take turns; `cold` to \
             400,000, \
             names and subnets at random, of which caches hold little.\n\n| what grows |",
        );
        for (_, heading, _) in FIGURES {
            let _ = write!(text, " {heading} |");
        }
        text.push_str(" one table |\n|---|");
        text.push_str(&"--:|".repeat(FIGURES.len()));
        text.push_str("---|\n");
        for point in &self.points {
            let _ = write!(text, "| {} {} |", point.number, point.axis);
            for (key, _, divisor) in FIGURES {
                let value = point.number(key) / divisor;
                let _ =
                    if value < 10.0 { write!(text, " {value:.2} |") } else { write!(text, " {value:.0} |") };
            }
            let _ = writeln!(text, " {} |", if point.found["shares_routes"] == true { "yes" } else { "no" });
        }
        text
    }

    /// One figure against the size, a line for each axis; both scales are logarithmic.
    fn plot(&self, key: &str, heading: &str, divisor: f64) -> String {
        const COLOURS: [(&str, &str); 7] = [
            ("names", "#1f6feb"),
            ("yaml", "#39c5cf"),
            ("zones", "#d29922"),
            ("pops", "#8957e5"),
            ("policies", "#3fb950"),
            ("networks", "#f85149"),
            ("all", "#8b949e"),
        ];
        let value = |point: &Point| (point.number(key) / divisor).max(1e-3).log10();
        let of = |point: &Point| (point.number as f64).log10();
        let bounds = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (left, right) = bounds(&mut self.points.iter().map(of));
        let (low, high) = bounds(&mut self.points.iter().map(value));
        let x = |v: f64| 60.0 + 560.0 * (v - left) / (right - left).max(1e-9);
        let y = |v: f64| 330.0 - 290.0 * (v - low) / (high - low).max(1e-9);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"360\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <text x=\"10\" y=\"20\">{heading} against the number of names (also in YAML), zones, PoPs, \
             policies, networks; both scales logarithmic</text>\n"
        );
        for (number, (axis, colour)) in COLOURS.into_iter().enumerate() {
            let points: Vec<&Point> = self.points.iter().filter(|point| point.axis == axis).collect();
            let path: Vec<String> =
                points.iter().map(|point| format!("{:.0},{:.0}", x(of(point)), y(value(point)))).collect();
            let _ = writeln!(
                text,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            for point in points {
                let (at, value) = ((x(of(point)), y(value(point))), point.number(key) / divisor);
                let _ = writeln!(
                    text,
                    "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"3\" fill=\"{colour}\"/><text x=\"{:.0}\" \
                     y=\"{:.0}\" font-size=\"9\">{value:.2}</text>",
                    at.0,
                    at.1,
                    at.0 + 4.0,
                    at.1 - 4.0
                );
            }
            let _ =
                writeln!(text, "<text x=\"650\" y=\"{}\" fill=\"{colour}\">{axis}</text>", 60 + 18 * number);
        }
        text.push_str("</svg>\n");
        text
    }
}
