//! `meridian check`.

use crate::cli::diff::{self, Bound, Judged};
use crate::cli::server::ServerClient;
use crate::cli::{Config, Format, json, print, print_findings};
use crate::config::ledger_file;
use crate::control::protocol::comparison::ComparisonReply;
use crate::finding::render;
use crate::finding::report::FindingReport;
use crate::finding::{At, Finding, Findings, Severity, code};
use crate::limits::LEDGER_OCTETS_MAX;
use crate::reload::prepare::{self, Fresh};
use crate::server::{Engine, descriptors, sockets};
use crate::shared::one_line;
use crate::snapshot::Snapshot;
use crate::state::atomic;
use crate::state::ledger_store::FILE;
use crate::sys;
use crate::sys::clock::epoch_secs;
use hyper::Method;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 if the deployment can be served (there may be warnings, unless --strict), 1 if not,
also if only some zones cannot, or some files of theirs are not in force;
with --diff also 1 if more moves than --max-move, and 2 if no server answers.

Examples:
  meridian check
  meridian check --strict
  meridian check --diff --max-move 5%
  meridian check --diff /etc/meridian/meridian.yaml
  meridian check --config site/meridian.yaml --format json")]
pub(crate) struct CheckCommand {
    #[command(flatten)]
    pub(super) config: Config,
    /// Show the clients that would move from the running server, or from another server file
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    diff: Option<Option<PathBuf>>,
    #[command(flatten)]
    bound: Bound,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Outcome for programs.
#[derive(Serialize)]
struct Outcome<'o> {
    /// True if the deployment can be served.
    ok: bool,
    /// Files digest, hexadecimal.
    files_digest: Option<&'o str>,
    /// Summary of the snapshot, line by line.
    summary: Option<Vec<&'o str>>,
    findings: Vec<FindingReport>,
    /// Clients that move, with `--diff` or `--max-move`.
    diff: Option<&'o Judged>,
}

impl CheckCommand {
    /// Checks, and prints every finding.
    pub(crate) fn run(self) -> ExitCode {
        let mut loses_zones = false;
        let (snapshot, findings, files) =
            match prepare::run(&self.config.path(), None, None, prepare::NEVER_SERVED) {
                Ok(mut fresh) => {
                    ledger(&mut fresh);
                    descriptors(&mut fresh);
                    fresh.findings.extend(sockets::obstacles(&fresh.fixed.listen, Engine::Fast));
                    if self.strict {
                        fresh.findings = fresh.findings.strict();
                    }
                    loses_zones = fresh.snapshot.folder.not_current().next().is_some();
                    let is_served = fresh.findings.errors() == 0;
                    (is_served.then_some(fresh.snapshot), fresh.findings, fresh.files)
                }
                Err(refused) if self.strict => (None, refused.0.strict(), refused.1),
                Err(refused) => (None, refused.0, refused.1),
            };
        // A bound implies a comparison.
        let wanted = self.diff.as_ref().map(Option::as_deref).or(self.bound.max_move.map(|_| None));
        let diff = match (wanted, &snapshot) {
            (Some(with), Some(snapshot)) => match self.differs(with, snapshot) {
                Ok(comparison) => Some(self.bound.judge(comparison)),
                Err(status) => return status,
            },
            _ => None,
        };
        let (summary, files_digest) = (
            snapshot.as_ref().map(|snapshot| snapshot.summary().to_string()),
            snapshot.as_ref().map(|snapshot| snapshot.files_digest().to_string()),
        );
        match self.format {
            Format::Json => {
                print(&json(&Outcome {
                    ok: summary.is_some(),
                    files_digest: files_digest.as_deref(),
                    summary: summary.as_ref().map(|text| text.lines().collect()),
                    findings: render::reports(&findings, &files),
                    diff: diff.as_ref(),
                }));
            }
            Format::Text => {
                print_findings(&findings, &files);
                match (&summary, &files_digest) {
                    (Some(summary), Some(digest)) => print(&format!(
                        "{}\nfiles     digest {digest}\n{}\n",
                        one_line::lines(summary.trim_end()),
                        verdict(&findings, loses_zones)
                    )),
                    _ => print(&format!("{}\n", verdict(&findings, loses_zones))),
                }
                if let Some(judged) = &diff {
                    print(&diff::text(judged));
                }
            }
        }
        if summary.is_some() && diff.is_none_or(|judged| judged.within) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Clients that move from another deployment to this one, or from the server's snapshot to its
    /// files as they are now.
    fn differs(&self, with: Option<&Path>, snapshot: &Snapshot) -> Result<ComparisonReply, ExitCode> {
        if let Some(old) = with {
            return diff::compile(old).map(|old| diff::compared(&old, snapshot)).ok_or(ExitCode::FAILURE);
        }
        ServerClient::of(self.config.clone()).ask(Method::POST, "/diff")?.done()
    }
}

/// Finds the places where the ledger of this node overrides the files. A ledger that cannot be read
/// is a warning, because the deployment can be served without it.
fn ledger(fresh: &mut Fresh) {
    let path = fresh.fixed.state.join(FILE);
    let Ok(Some(octets)) = atomic::read(&path, LEDGER_OCTETS_MAX) else { return };
    let file = fresh.files.add(path.display().to_string(), String::from_utf8_lossy(&octets));
    let mut faults = Findings::default();
    match ledger_file::read(&octets, file, &mut faults) {
        Some(written) => {
            fresh.findings.extend(ledger_file::compare(&written, &fresh.snapshot.pops, epoch_secs()))
        }
        None => {
            for fault in faults {
                let message = format!("the ledger of overrides cannot be read: {}", fault.message);
                let at = fault.at.unwrap_or(At::whole(file));
                fresh.findings.push(Finding::warning(code::BROKEN_LEDGER, message).at(at, fault.label));
            }
        }
    }
}

/// Finds the places where a server under the limit of this process has fewer descriptors than the
/// files ask for.
fn descriptors(fresh: &mut Fresh) {
    let listen = &fresh.fixed.listen;
    let limit = sys::descriptors::limit().map(|limit| limit.hard);
    let (_, found) = descriptors::share(listen, fresh.tcp_connections_at, sockets::count(listen), limit);
    found.into_iter().for_each(|finding| fresh.findings.push(finding));
}

/// Last line. `loses_zones`: true if a zone is faulty, and not only a file that affects no zone.
fn verdict(findings: &Findings, loses_zones: bool) -> String {
    let (errors, warnings) = (findings.errors(), findings.count(Severity::Warning));
    let (word, behind) = match errors {
        0 => ("ok", ""),
        _ if findings.has_errors() => ("refused", ""),
        _ if loses_zones => ("faulty zones", "; all else can be served"),
        _ => ("files not in force", "; every zone can be served"),
    };
    format!("{word}: errors {errors}, warnings {warnings}{behind}")
}
