//! `meridian diff`, and the comparison of `meridian check --diff`.

use crate::cli::moves::{self, percent, percent_of};
use crate::cli::{Format, json, print, print_findings, progress};
use crate::control::comparison;
use crate::control::protocol::comparison::{AnswerMove, ComparisonReply, MovedShare};
use crate::impact::comparison::Comparison;
use crate::reload::watch::Watch;
use crate::snapshot::Snapshot;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Most rows of the table, so that it fits a screen; `--format json` has them all.
const ROWS: usize = 20;

/// Shares that the table shows.
const MEASURES: [&str; 3] = ["IPV4", "IPV6", "QUERIES"];

/// Assumed state of both sides in a comparison without a server.
const ASSUMED: &str = "every PoP up, no override, nothing shed, on both sides";

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 if both could be compared, 1 if one is refused or more moves than
--max-move, 2 if the command line is wrong. `meridian check --diff` compares with
the deployment of a running server.

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
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Bound on the clients that may move.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Bound {
    /// Largest share of IPv4 addresses, IPv6 leaves and counted queries that may move; more is an
    /// error
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) max_move: Option<f64>,
}

impl Diff {
    /// Compares, and prints the clients that move.
    pub(crate) fn run(self) -> ExitCode {
        let (Some(old), Some(new)) = (compile(&self.old), compile(&self.new)) else {
            return ExitCode::FAILURE;
        };
        let judged = self.bound.judge(compared(&old, &new));
        print(&match self.format {
            Format::Json => json(&judged),
            Format::Text => text(&judged),
        });
        if judged.within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Compiles a deployment, or prints the findings that refuse it.
pub(crate) fn compile(path: &Path) -> Option<Snapshot> {
    match progress::prepared(path) {
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

/// Clients that move from one deployment to the other; no server is asked.
pub(crate) fn compared(old: &Snapshot, new: &Snapshot) -> ComparisonReply {
    let watch = Watch::default();
    watch.enter("comparing");
    let comparison = progress::beside(&watch, || Comparison::new(old, new, std::iter::empty()));
    comparison::reply_of(&comparison, ASSUMED)
}

/// Comparison, and its verdict by a bound.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    #[serde(flatten)]
    comparison: ComparisonReply,
    /// Largest share that may move, as given by `--max-move`.
    max_move: Option<f64>,
    /// True if no share is larger.
    pub(crate) within: bool,
}

impl Bound {
    /// Judges a comparison by the bound.
    pub(crate) fn judge(self, comparison: ComparisonReply) -> Judged {
        let within = self.max_move.is_none_or(|most| comparison.moved.largest() <= most);
        Judged { comparison, max_move: self.max_move, within }
    }
}

/// Comparison as text.
pub(crate) fn text(judged: &Judged) -> String {
    let Judged { comparison: reply, max_move, within } = judged;
    let shares = |share: &MovedShare| [percent(share.ipv4), percent(share.ipv6), percent_of(share.queries)];
    let mut rows: Vec<moves::Row<3>> = Vec::new();
    let mut add = |of: &str, moves: &[AnswerMove]| {
        rows.extend(moves.iter().map(|way| moves::row(of, &way.from, &way.to, shares(&way.share))));
    };
    add("all", &reply.moves);
    for policy in &reply.policies {
        let (name, then) = (&policy.policy, &policy.then);
        let of = match then {
            Some(then) if then == name => name.to_string(),
            then => format!("{name} -> {}", then.as_deref().unwrap_or("none")),
        };
        add(&of, &policy.moves);
    }
    let [v4, v6, queries] = shares(&reply.moved);
    let mut text = match moves::table(rows, MEASURES, ROWS) {
        None => "no client moves\n".to_owned(),
        Some(table) => {
            format!("moves: {v4} of IPv4, {v6} of IPv6 leaves, {queries} of counted queries\n{table}")
        }
    };
    if reply.resolvers.moved > 0 {
        text.push_str(&format!(
            "resolvers: {} of {} networks move that are not steered like client subnets there\n",
            reply.resolvers.moved, reply.resolvers.networks
        ));
    }
    for loss in reply.lost.iter().take(ROWS) {
        text.push_str(&format!("loses {}: {}\n", loss.rtype, loss.name));
    }
    let lost = reply.lost_in_all.saturating_sub(reply.lost.len().min(ROWS));
    if lost > 0 {
        text.push_str(&format!("and {lost} more lose a type\n"));
    }
    text.push_str(&format!("assumed: {}\n", reply.assumed));
    if !within {
        let most = max_move.map_or_else(|| "-".to_owned(), percent);
        text.push_str(&format!("refused: more moves than {most}\n"));
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
