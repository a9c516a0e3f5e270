//! Report of a run: JSON for programs, a table and a chart for people.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use support::machine::median;
use support::servers::Kind;
use support::traffic::Outcome;
use support::world::ordinary::Kind as Workload;

/// One round of one server with one kind of question.
#[derive(Clone, Debug)]
pub struct Measured {
    pub kind: Kind,
    pub workload: Workload,
    pub outcome: Outcome,
    pub cpu_nanos: u64,
    /// Share of the inspected answers that were right, in per cent.
    pub right_percent: usize,
}

/// Three times the capacity, and what was left of it.
#[derive(Clone, Debug)]
pub struct Overloaded {
    pub kind: Kind,
    pub workload: Workload,
    pub peak: f64,
    pub offered: f64,
    pub answered: f64,
}

/// Medians over the rounds.
#[derive(Clone, Debug)]
pub struct Row {
    pub kind: Kind,
    pub workload: Workload,
    pub per_second: f64,
    pub cpu_nanos: f64,
    pub cpu_to_echo: f64,
    /// Processor time of this server in that of each peer, round by round: who answers the same
    /// questions.
    pub cpu_to_peers: Vec<(Kind, f64)>,
    pub p50_micros: f64,
    pub p99_micros: f64,
    pub lost_percent: f64,
    pub right_percent: usize,
    pub rounds: usize,
}

/// Everything of a run.
pub struct Report {
    /// Facts of the machine and the settings, in order.
    pub facts: Vec<(String, String)>,
    pub measured: Vec<Measured>,
    pub overloaded: Vec<Overloaded>,
    /// Servers that are not here, and why.
    pub skipped: Vec<(Kind, String)>,
    /// Memory of each server once it served, in octets.
    pub resident: Vec<(Kind, u64)>,
}

impl Report {
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for workload in Workload::COMPARED {
            for kind in Kind::ALL {
                let of: Vec<&Measured> =
                    self.measured.iter().filter(|m| (m.kind, m.workload) == (kind, workload)).collect();
                if of.is_empty() {
                    continue;
                }
                let each = |value: &dyn Fn(&Measured) -> f64| median(of.iter().map(|m| value(m)).collect());
                let cpu = |m: &Measured| m.cpu_nanos as f64 / m.outcome.answered.max(1) as f64;
                // Round by round, so that a busy minute weighs on both.
                let to = |other: Kind| {
                    let others = self.measured.iter().filter(|m| (m.kind, m.workload) == (other, workload));
                    let ratios: Vec<f64> =
                        of.iter().zip(others).map(|(m, other)| cpu(m) / cpu(other)).collect();
                    (!ratios.is_empty()).then(|| median(ratios))
                };
                let peers = Kind::ALL
                    .into_iter()
                    .filter(|other| *other != kind && *other != Kind::Echo && kind != Kind::Echo);
                rows.push(Row {
                    kind,
                    workload,
                    per_second: each(&|m| m.outcome.per_second()),
                    cpu_nanos: each(&cpu),
                    cpu_to_echo: to(Kind::Echo).unwrap_or(0.0),
                    cpu_to_peers: peers.filter_map(|other| Some((other, to(other)?))).collect(),
                    p50_micros: each(&|m| m.outcome.percentile_micros(50)),
                    p99_micros: each(&|m| m.outcome.percentile_micros(99)),
                    lost_percent: each(&|m| m.outcome.lost as f64 * 100.0 / m.outcome.sent.max(1) as f64),
                    right_percent: of.iter().map(|m| m.right_percent).min().unwrap_or(0),
                    rounds: of.len(),
                });
            }
        }
        rows
    }

    /// Writes `results.json`, `table.md` and `chart.svg`.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder can be made");
        let rows = self.rows();
        let put =
            |name: &str, text: String| fs::write(folder.join(name), text).expect("a file can be written");
        put("results.json", format!("{:#}\n", self.json(&rows)));
        put("table.md", self.table(&rows));
        put("chart.svg", chart(&rows));
    }

    fn json(&self, rows: &[Row]) -> Value {
        let facts: serde_json::Map<String, Value> =
            self.facts.iter().map(|(what, is)| (what.clone(), json!(is))).collect();
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        json!({
            "facts": facts,
            "rows": rows.iter().map(|row| json!({
                "server": row.kind.word(),
                "workload": row.workload.word(),
                "answers_per_second": row.per_second.round(),
                "cpu_nanos_per_answer": row.cpu_nanos.round(),
                "cpu_to_echo": round(row.cpu_to_echo),
                "cpu_to_peers": row
                    .cpu_to_peers
                    .iter()
                    .map(|(kind, ratio)| (kind.word().to_owned(), json!(round(*ratio))))
                    .collect::<serde_json::Map<_, _>>(),
                "p50_micros": round(row.p50_micros),
                "p99_micros": round(row.p99_micros),
                "lost_percent": round(row.lost_percent),
                "right_percent": row.right_percent,
                "rounds": row.rounds,
            })).collect::<Vec<_>>(),
            "rounds": self.measured.iter().map(|m| json!({
                "server": m.kind.word(),
                "workload": m.workload.word(),
                "answered": m.outcome.answered,
                "sent": m.outcome.sent,
                "lost": m.outcome.lost,
                "seconds": round(m.outcome.seconds),
                "cpu_nanos": m.cpu_nanos,
            })).collect::<Vec<_>>(),
            "overload": self.overloaded.iter().map(|o| json!({
                "server": o.kind.word(),
                "workload": o.workload.word(),
                "peak_per_second": o.peak.round(),
                "offered_per_second": o.offered.round(),
                "answered_per_second": o.answered.round(),
            })).collect::<Vec<_>>(),
            "resident_octets": self
                .resident
                .iter()
                .map(|(kind, octets)| (kind.word().to_owned(), json!(octets)))
                .collect::<serde_json::Map<_, _>>(),
            "skipped": self.skipped.iter().map(|(kind, why)| json!({
                "server": kind.word(),
                "why": why,
            })).collect::<Vec<_>>(),
        })
    }

    pub fn table(&self, rows: &[Row]) -> String {
        let mut text = "# A comparison of whole servers\n\n".to_owned();
        for (what, is) in &self.facts {
            let _ = writeln!(text, "- {what}: {is}");
        }
        for (kind, why) in &self.skipped {
            let _ = writeln!(text, "- left out: {}: {why}", kind.word());
        }
        text.push_str(
            "\nServer and load have one core each. CPU is processor time of the server for one answer, \
             kernel and all; `to echo` compares it \
             with a program that only sends back what it gets, round by round. `right` is the share of \
             sampled answers that lead where they must; \
             an answer that is not right is no match for one that is. Medians over the rounds.\n\n\
             | questions | server | CPU ns | to echo | answers/s | p50 us | p99 us | lost % | right % \
             |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for row in rows {
            let right = if row.kind == Kind::Echo { "-".to_owned() } else { row.right_percent.to_string() };
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.2} | {:.0} | {:.0} | {:.0} | {:.2} | {right} |",
                row.workload.word(),
                row.kind.word(),
                row.cpu_nanos,
                row.cpu_to_echo,
                row.per_second,
                row.p50_micros,
                row.p99_micros,
                row.lost_percent,
            );
        }
        text.push_str(
            "\nProcessor time of this server as a share of each peer's:\n\n| questions | of the echo | of \
             each peer |\n|---|--:|---|\n",
        );
        for row in rows.iter().filter(|row| row.kind == Kind::Meridian) {
            let peers: Vec<String> =
                row.cpu_to_peers.iter().map(|(kind, ratio)| format!("{} {ratio:.2}", kind.word())).collect();
            let _ =
                writeln!(text, "| {} | {:.2} | {} |", row.workload.word(), row.cpu_to_echo, peers.join(", "));
        }
        if !self.overloaded.is_empty() {
            text.push_str(
                "\nOverload: up to three times the peak is offered, as far as the core of the load \
                can send it. A server that keeps 95 % of its peak does not break down.\n\n| questions | \
                server | peak/s | offered/s | answered/s | of peak | |\n|---|---|--:|--:|--:|--:|---|\n",
            );
        }
        for o in &self.overloaded {
            let (workload, server, share) =
                (o.workload.word(), o.kind.word(), o.answered * 100.0 / o.peak.max(1.0));
            let verdict = if share >= 95.0 { "kept" } else { "missed" };
            let _ = writeln!(
                text,
                "| {workload} | {server} | {:.0} | {:.0} | {:.0} | {share:.0} % | {verdict} |",
                o.peak, o.offered, o.answered
            );
        }
        text.push_str("\nMemory while serving:");
        for (kind, octets) in &self.resident {
            let _ = write!(text, " {} {} MB;", kind.word(), octets / 1_000_000);
        }
        text.push('\n');
        text
    }
}

/// Bars of processor time for one answer, by question and server.
fn chart(rows: &[Row]) -> String {
    let longest = rows.iter().map(|row| row.cpu_nanos).fold(1.0, f64::max);
    let colour = |kind| match kind {
        Kind::Echo => "#bbbbbb",
        Kind::Meridian => "#1f6feb",
        Kind::Nsd => "#d29922",
        Kind::Knot => "#8957e5",
        Kind::Gdnsd => "#3fb950",
        Kind::Bind => "#f778ba",
    };
    let height = 40 + rows.len() * 22;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <text x=\"10\" y=\"20\">Processor time of the server for one answer, nanoseconds; shorter is \
         better</text>\n"
    );
    for (number, row) in rows.iter().enumerate() {
        let y = 36 + number * 22;
        let wide = row.cpu_nanos / longest * 430.0;
        let wrong = if row.right_percent < 100 && row.kind != Kind::Echo { " (not right)" } else { "" };
        let _ = writeln!(
            text,
            "<text x=\"10\" y=\"{}\">{} {}</text><rect x=\"170\" y=\"{y}\" width=\"{wide:.0}\" height=\"16\" \
             fill=\"{}\"/><text x=\"{:.0}\" y=\"{}\">{:.0}{wrong}</text>",
            y + 13,
            row.workload.word(),
            row.kind.word(),
            colour(row.kind),
            176.0 + wide,
            y + 13,
            row.cpu_nanos,
        );
    }
    text.push_str("</svg>\n");
    text
}
