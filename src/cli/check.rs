//! `meridian check`.

use crate::cli::{Config, Format, print, print_findings};
use crate::config::ledger_file;
use crate::desk::render;
use crate::finding::{At, Finding, Findings, Severity, code};
use crate::limits::LEDGER_OCTETS_MAX;
use crate::reload::atomic;
use crate::reload::cycle::{self, Fresh};
use crate::reload::ledger_store::FILE;
use crate::server::writer::epoch_secs;
use serde_json::json;
use std::process::ExitCode;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 if the deployment can be served (there may be warnings), 1 if not.

Examples:
  meridian check
  meridian check --config site/meridian.yaml --format json")]
pub struct Check {
    #[command(flatten)]
    config: Config,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Check {
    /// Checks, and tells everything that was found.
    pub fn run(self) -> ExitCode {
        let (summary, digest, findings, files) = match cycle::run(&self.config.config, None, None, 0) {
            Ok(mut fresh) => {
                ledger(&mut fresh);
                (Some(fresh.snapshot.summary().to_string()), Some(fresh.snapshot.digest().to_string()), fresh.findings, fresh.files)
            }
            Err(refused) => (None, None, refused.0, refused.1),
        };
        match self.format {
            Format::Json => {
                let outcome = json!({
                    "ok": summary.is_some(),
                    "digest": digest,
                    "summary": summary.as_ref().map(|text| text.lines().collect::<Vec<_>>()),
                    "findings": render::json(&findings, &files),
                });
                print(&format!("{outcome:#}\n"));
            }
            Format::Text => {
                print_findings(&findings, &files);
                match (&summary, &digest) {
                    (Some(summary), Some(digest)) => print(&format!("{}\ndigest {digest}\n{}\n", summary.trim_end(), verdict(&findings))),
                    _ => print(&format!("{}\n", verdict(&findings))),
                }
            }
        }
        if summary.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Tells where the ledger of this node speaks over the files. A ledger that cannot be read is a warning:
/// the deployment is served all the same.
fn ledger(fresh: &mut Fresh) {
    let path = fresh.fixed.state.join(FILE);
    let Ok(Some(octets)) = atomic::read(&path, LEDGER_OCTETS_MAX) else { return };
    let file = fresh.files.add(path.display().to_string(), String::from_utf8_lossy(&octets));
    let mut faults = Findings::default();
    match ledger_file::read(&octets, file, &mut faults) {
        Some(written) => fresh.findings.extend(ledger_file::compare(&written, &fresh.snapshot.pops, epoch_secs())),
        None => {
            for fault in faults {
                let message = format!("the ledger of overrides cannot be read: {}", fault.message);
                let at = fault.at.unwrap_or(At::whole(file));
                fresh.findings.push(Finding::warning(code::BROKEN_LEDGER, message).at(at, fault.label));
            }
        }
    }
}

fn verdict(findings: &Findings) -> String {
    let (errors, warnings) = (findings.count(Severity::Error), findings.count(Severity::Warning));
    if errors > 0 { format!("refused: errors {errors}, warnings {warnings}") } else { format!("ok: errors 0, warnings {warnings}") }
}
