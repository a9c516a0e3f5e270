//! `meridian check`.

use crate::cli::diff::{self, Bound, Judged};
use crate::cli::remote::RemoteOptions;
use crate::cli::server::ServerClient;
use crate::cli::{Config, Format, json, print, print_findings, progress};
use crate::config::ledger_file;
use crate::control::protocol::comparison::ComparisonReply;
use crate::finding::render;
use crate::finding::report::FindingReport;
use crate::finding::{At, Files, Finding, Findings, Severity, code};
use crate::limits::LEDGER_OCTETS_MAX;
use crate::reload::prepare::Fresh;
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

/// Result of reading and checking the files.
struct Checked {
    /// `None` if the deployment cannot be served.
    snapshot: Option<Snapshot>,
    findings: Findings,
    files: Files,
    /// True if a zone is faulty, and not only a file that affects no zone.
    loses_zones: bool,
}

impl CheckCommand {
    /// Checks, and prints every finding.
    pub(crate) fn run(self) -> ExitCode {
        let checked = self.check();
        let diff = match self.moves(checked.snapshot.as_ref()) {
            Ok(diff) => diff,
            Err(status) => return status,
        };
        match self.format {
            Format::Json => checked.print_json(diff.as_ref()),
            Format::Text => checked.print_text(diff.as_ref()),
        }
        if checked.snapshot.is_some() && diff.is_none_or(|judged| judged.within) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Reads the files, with the findings of the ledger, the descriptors and the sockets of this
    /// machine.
    fn check(&self) -> Checked {
        let prepared = progress::prepared(&self.config.path());
        let strict = |findings: Findings| if self.strict { findings.strict() } else { findings };
        match prepared {
            Ok(mut fresh) => {
                ledger(&mut fresh);
                descriptors(&mut fresh);
                fresh.findings.extend(sockets::obstacles(&fresh.fixed.listen, Engine::Fast));
                let findings = strict(fresh.findings);
                let loses_zones = fresh.snapshot.folder.not_current().next().is_some();
                let snapshot = (findings.errors() == 0).then_some(fresh.snapshot);
                Checked { snapshot, findings, files: fresh.files, loses_zones }
            }
            Err(refused) => {
                let (findings, files) = *refused;
                Checked { snapshot: None, findings: strict(findings), files, loses_zones: false }
            }
        }
    }

    /// Clients that move, if the operator asks for them and the deployment can be served. A bound
    /// implies a comparison.
    fn moves(&self, snapshot: Option<&Snapshot>) -> Result<Option<Judged>, ExitCode> {
        let wanted = self.diff.as_ref().map(Option::as_deref).or(self.bound.max_move.map(|_| None));
        let (Some(with), Some(snapshot)) = (wanted, snapshot) else { return Ok(None) };
        Ok(Some(self.bound.judge(self.differs(with, snapshot)?)))
    }

    /// Clients that move from another deployment to this one, or from the server's snapshot to its
    /// files as they are now.
    fn differs(&self, with: Option<&Path>, snapshot: &Snapshot) -> Result<ComparisonReply, ExitCode> {
        if let Some(old) = with {
            return diff::compile(old).map(|old| diff::compared(&old, snapshot)).ok_or(ExitCode::FAILURE);
        }
        ServerClient::of(self.config.clone(), RemoteOptions::default()).ask(Method::POST, "/v1/diff")?.done()
    }
}

impl Checked {
    fn print_json(&self, diff: Option<&Judged>) {
        let summary = self.snapshot.as_ref().map(|snapshot| snapshot.summary().to_string());
        let files_digest = self.snapshot.as_ref().map(|snapshot| snapshot.files_digest().to_string());
        print(&json(&Outcome {
            ok: summary.is_some(),
            files_digest: files_digest.as_deref(),
            summary: summary.as_ref().map(|text| text.lines().collect()),
            findings: render::reports(&self.findings, &self.files),
            diff,
        }));
    }

    fn print_text(&self, diff: Option<&Judged>) {
        print_findings(&self.findings, &self.files);
        let verdict = verdict(&self.findings, self.loses_zones);
        match &self.snapshot {
            Some(snapshot) => {
                let (summary, digest) = (snapshot.summary().to_string(), snapshot.files_digest());
                let summary = one_line::lines(summary.trim_end());
                print(&format!("{summary}\nfiles     digest {digest}\n{verdict}\n"));
            }
            None => print(&format!("{verdict}\n")),
        }
        if let Some(judged) = diff {
            print(&diff::text(judged));
        }
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
    let (_, found) = descriptors::share(listen, sockets::count(listen), limit);
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
