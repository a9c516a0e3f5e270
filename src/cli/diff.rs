//! `meridian diff`, and the same of `meridian check --diff`.

use crate::cli::moves::{self, Measure, list, percent, word};
use crate::cli::{Format, print, print_findings};
use crate::control::comparison;
use crate::impact::comparison::Comparison;
use crate::reload::prepare;
use crate::snapshot::Snapshot;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Rows of the table: a person reads no more; `--format json` has them all.
const ROWS: usize = 20;

/// Shares that the table shows.
const MEASURES: &[Measure] = &[
    Measure { head: "IPV4", key: "ipv4" },
    Measure { head: "IPV6", key: "ipv6" },
    Measure { head: "QUERIES", key: "queries" },
];

/// What both sides are taken to be where no server is asked.
const ASSUMED: &str = "every PoP up, no override, nothing shed, on both sides";

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 if both could be compared, 1 if one is refused or more moves than
--max-move, 2 if the command line is wrong. `meridian check --diff` compares with
what a running server has.

Examples:
  meridian diff /etc/meridian/meridian.yaml site/meridian.yaml
  meridian diff old/meridian.yaml new/meridian.yaml --max-move 5% --format json")]
pub(crate) struct Diff {
    /// The server file before
    old: PathBuf,
    /// The server file after
    new: PathBuf,
    #[command(flatten)]
    bound: Bound,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How much may move.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Bound {
    /// More of the IPv4 addresses, of the IPv6 leaves or of the counted queries that move is an
    /// error
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) max_move: Option<f64>,
}

impl Diff {
    /// Compares, and tells what moves.
    pub(crate) fn run(self) -> ExitCode {
        let (Some(old), Some(new)) = (compile(&self.old), compile(&self.new)) else {
            return ExitCode::FAILURE;
        };
        let (told, is_within) = self.bound.judge(compared(&old, &new));
        print(&match self.format {
            Format::Json => format!("{told:#}\n"),
            Format::Text => text(&told),
        });
        if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Compiles a deployment; where it is refused its findings are told.
pub(crate) fn compile(path: &Path) -> Option<Snapshot> {
    match prepare::run(path, None, None, prepare::NEVER_SERVED) {
        Ok(fresh) if fresh.findings.errors() == 0 => Some(fresh.snapshot),
        refused => {
            let (findings, files) = match refused {
                Ok(fresh) => (fresh.findings, fresh.files),
                Err(refused) => *refused,
            };
            print_findings(&findings, &files);
            let _ = writeln!(std::io::stderr(), "not compared: {} cannot be served", path.display());
            None
        }
    }
}

/// What moves from one deployment to the other, no server asked.
pub(crate) fn compared(old: &Snapshot, new: &Snapshot) -> Value {
    comparison::json(&Comparison::new(old, new, std::iter::empty()), ASSUMED)
}

impl Bound {
    /// Adds the bound to a comparison, and says whether it holds.
    pub(crate) fn judge(self, mut told: Value) -> (Value, bool) {
        let moved = ["ipv4", "ipv6", "queries"]
            .iter()
            .filter_map(|key| told["moved"][key].as_f64())
            .fold(0.0, f64::max);
        let is_within = self.max_move.is_none_or(|most| moved <= most);
        if let Some(object) = told.as_object_mut() {
            object.insert("max_move".to_owned(), json!(self.max_move));
            object.insert("within".to_owned(), json!(is_within));
        }
        (told, is_within)
    }
}

/// A comparison for people.
pub(crate) fn text(told: &Value) -> String {
    let moved = ["ipv4", "ipv6", "queries"].map(|key| percent(&told["moved"][key]));
    let mut text = match (moves::table(told, MEASURES, ROWS), moved) {
        (None, _) => "no client moves\n".to_owned(),
        (Some(table), [v4, v6, queries]) => {
            format!("moves: {v4} of IPv4, {v6} of IPv6 leaves, {queries} of counted queries\n{table}")
        }
    };
    let losses = list(&told["lost"]);
    for loss in losses.iter().take(ROWS) {
        text.push_str(&format!("loses {}: {}\n", word(&loss["type"]), word(&loss["name"])));
    }
    let lost = told["lost_in_all"].as_u64().unwrap_or(0).saturating_sub(losses.len().min(ROWS) as u64);
    if lost > 0 {
        text.push_str(&format!("and {lost} more lose a type\n"));
    }
    text.push_str(&format!("taken for granted: {}\n", word(&told["assumed"])));
    if told["within"] == false {
        text.push_str(&format!("refused: more moves than {}\n", percent(&told["max_move"])));
    }
    text
}

/// Reads `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, of) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim_end(), 100.0));
    let share = number.parse::<f64>().map_err(|_| "write a share such as `5%`".to_owned())? / of;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share is 0% to 100%".to_owned()) }
}

#[cfg(test)]
mod tests;
