//! `meridian check`.

use crate::cli::{Config, Format, print, print_findings};
use crate::desk::render;
use crate::finding::{Findings, Severity};
use crate::reload::cycle;
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
            Ok(fresh) => {
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

fn verdict(findings: &Findings) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors > 0 { format!("refused: errors {errors}, warnings {warnings}") } else { format!("ok: errors 0, warnings {warnings}") }
}
