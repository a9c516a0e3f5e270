//! `meridian reload`.

use crate::cli::server::{Reached, ServerClient, complain};
use crate::cli::{Format, colour, print};
use crate::control::protocol::reload::{
    Cancelled, OtherZone, ReloadQuery, ReloadReply, ReloadResult, ReloadStatus, RunningReload, StrayFile,
    Zones,
};
use hyper::Method;
use std::io::Write;
use std::process::ExitCode;

/// Arguments of `reload`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 if the files were taken over, 1 if they were refused (the old state
is served on), 2 if no server answers, 3 if they were taken over but for zones that
are faulty or gone, which go on from their last good texts, or but for stray files
in the folder of zones.

A reload is given up when a file has not answered for 30 seconds, or after 10 minutes.

Examples:
  meridian reload
  meridian reload --status
  meridian reload --cancel
  meridian reload --control /run/meridian/control.sock --format json")]
pub(crate) struct Reload {
    #[command(flatten)]
    server: ServerClient,
    /// Show the reloads of the running server, and begin none
    #[arg(long)]
    status: bool,
    /// Give up the running reload; the served snapshot stays
    #[arg(long, conflicts_with = "status")]
    cancel: bool,
    /// Remove zones whose files are gone, also if other zones need them, or most zones are gone
    #[arg(long, conflicts_with_all = ["status", "cancel"])]
    allow_loss: bool,
}

impl Reload {
    /// Asks the server, and waits for the result.
    pub(crate) fn run(self) -> ExitCode {
        let done = match (self.status, self.cancel) {
            (true, _) => {
                self.server.ask(Method::GET, "/v1/reload").and_then(|reached| self.print_status(&reached))
            }
            (_, true) => {
                self.server.ask(Method::DELETE, "/v1/reload").and_then(|reached| self.cancelled(&reached))
            }
            _ => {
                let query = ReloadQuery { colour: colour::on_stderr(), allow_loss: self.allow_loss };
                let asked = self.server.ask(Method::POST, &query.path());
                asked.and_then(|reached| self.print_result(&reached))
            }
        };
        done.unwrap_or_else(|status| status)
    }

    fn print_result(&self, reached: &Reached) -> Result<ExitCode, ExitCode> {
        let reply: ReloadReply = reached.read()?;
        match self.server.format {
            Format::Json => print(&reached.json()),
            Format::Text => {
                match reply.ok {
                    true => _ = std::io::stderr().write_all(reply.text.as_bytes()),
                    false => _ = complain(&reached.read()?),
                }
                print(&outcome(&reply));
            }
        }
        let zones = reply.result.unwrap_or_default().zones;
        Ok(match reply.ok {
            true if zones.others.is_empty() && zones.stray_files.is_empty() => ExitCode::SUCCESS,
            true => ExitCode::from(NOT_ALL),
            false => ExitCode::FAILURE,
        })
    }

    fn print_status(&self, reached: &Reached) -> Result<ExitCode, ExitCode> {
        let status: ReloadStatus = reached.done()?;
        print(&match self.server.format {
            Format::Json => reached.json(),
            Format::Text => status_in_words(&status),
        });
        Ok(ExitCode::SUCCESS)
    }

    fn cancelled(&self, reached: &Reached) -> Result<ExitCode, ExitCode> {
        if self.server.format == Format::Json {
            print(&reached.json());
        }
        let Cancelled { cancelled } = reached.done()?;
        if self.server.format == Format::Text {
            print(&format!("given up: the reload {cancelled}\n"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Exit status of a reload that has not taken over every zone, or every file of the zones.
const NOT_ALL: u8 = 3;

/// Lines of the files that are not in force.
fn stray_lines(zones: &Zones) -> String {
    let line = |stray: &StrayFile| format!("file {}: not in force: {}\n", stray.file, stray.why);
    zones.stray_files.iter().map(line).collect()
}

/// Lines of the zones that are not served by their files.
fn zone_lines(zones: &Zones) -> String {
    let line = |other: &OtherZone| {
        let texts = match &other.digest {
            Some(digest) => format!("texts {digest}"),
            None => "answered SERVFAIL".to_owned(),
        };
        format!("zone {}: {}, {texts}: {}\n", other.zone, other.standing, other.why)
    };
    zones.others.iter().map(line).collect()
}

/// Reloads that run, wait or hang.
fn status_in_words(status: &ReloadStatus) -> String {
    let mut text = match &status.running {
        Some(RunningReload { origin, age_secs, does }) => {
            format!("a reload has run for {age_secs} s, asked by {origin}: {does}\n")
        }
        None => "no reload runs\n".to_owned(),
    };
    for (count, words) in [
        (status.waiting, "requests wait for the next one"),
        (status.hung, "reloads that were given up still wait for the disk"),
    ] {
        if count > 0 {
            text.push_str(&format!("{count} {words}\n"));
        }
    }
    text + &zone_lines(&status.zones) + &stray_lines(&status.zones)
}

fn outcome(reply: &ReloadReply) -> String {
    let Some(result) = &reply.result else { return "not reloaded\n".to_owned() };
    let ReloadResult { sequence, digest, files_digest, difference, zones } = result;
    if !reply.ok {
        return format!(
            "refused; snapshot {sequence}, digest {digest}, files {files_digest}, is served on\n"
        );
    }
    let mut text = format!("published snapshot {sequence}, digest {digest}, files {files_digest}\n");
    if difference.is_empty() {
        text.push_str("  nothing changed\n");
    }
    difference.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    if !zones.others.is_empty() {
        let (current, not) = (zones.current, zones.others.len());
        text.push_str(&format!("zones taken over: {current}; not: {not}\n{}", zone_lines(zones)));
    }
    if !zones.stray_files.is_empty() {
        text.push_str(&format!("files not in force: {}\n{}", zones.stray_files.len(), stray_lines(zones)));
    }
    text
}
