//! `meridian reload`.

use crate::cli::server::{ServerClient, complain};
use crate::cli::{Format, colour, print};
use hyper::Method;
use serde_json::Value;
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
    /// Tell what the running server's reloads do, and begin none
    #[arg(long)]
    status: bool,
    /// Give up the reload that runs; what is served stays
    #[arg(long, conflicts_with = "status")]
    cancel: bool,
    /// Let zones go whose files are gone, also if other zones need them, or most of all are gone
    #[arg(long, conflicts_with_all = ["status", "cancel"])]
    allow_loss: bool,
}

impl Reload {
    /// Asks the server, and waits for what came of it.
    pub(crate) fn run(self) -> ExitCode {
        let (method, path) = match (self.status, self.cancel) {
            (true, _) => (Method::GET, "/reload"),
            (_, true) => (Method::DELETE, "/reload"),
            _ => (
                Method::POST,
                match (colour::on_stderr(), self.allow_loss) {
                    (true, true) => "/reload?colour=true&allow_loss=true",
                    (true, false) => "/reload?colour=true",
                    (false, true) => "/reload?allow_loss=true",
                    (false, false) => "/reload",
                },
            ),
        };
        let format = self.server.format;
        match self.server.ask(method, path, None) {
            Ok((_, told)) if self.status => status(&told, format),
            Ok((_, told)) if self.cancel => cancelled(&told, format),
            Ok((_, told)) => tell(&told, format),
            Err(status) => status,
        }
    }
}

fn tell(told: &Value, format: Format) -> ExitCode {
    let ok = told["ok"].as_bool().unwrap_or(false);
    if format == Format::Json {
        print(&format!("{told:#}\n"));
    } else {
        let _ = std::io::stderr().write_all(told["text"].as_str().unwrap_or_default().as_bytes());
        print(&outcome(told, ok));
    }
    match ok {
        true if others(told).is_empty() && strays(told).is_empty() => ExitCode::SUCCESS,
        true => ExitCode::from(NOT_ALL),
        false => ExitCode::FAILURE,
    }
}

/// Exit status of a reload that has not taken over every zone, or every file of the zones.
const NOT_ALL: u8 = 3;

/// The zones that are not served by their files.
fn others(told: &Value) -> &[Value] {
    told["zones"]["others"].as_array().map_or(&[], Vec::as_slice)
}

/// The files of the zones that are not in force and cost no zone, such as copies.
fn strays(told: &Value) -> &[Value] {
    told["zones"]["stray_files"].as_array().map_or(&[], Vec::as_slice)
}

/// A line for each of them.
fn stray_lines(told: &Value) -> String {
    let line = |stray: &Value| {
        let [file, why] = ["file", "why"].map(|key| stray[key].as_str().unwrap_or("?"));
        format!("file {file}: not in force: {why}\n")
    };
    strays(told).iter().map(line).collect()
}

/// A line for each zone that is not served by its files.
fn zone_lines(told: &Value) -> String {
    let word = |zone: &Value, key: &str| zone[key].as_str().unwrap_or("?").to_owned();
    let line = |zone: &Value| {
        let texts = match zone["digest"].as_str() {
            Some(digest) => format!("texts {digest}"),
            None => "answered SERVFAIL".to_owned(),
        };
        format!("zone {}: {}, {texts}: {}\n", word(zone, "zone"), word(zone, "standing"), word(zone, "why"))
    };
    others(told).iter().map(line).collect()
}

/// What reloads do, in words.
fn status(told: &Value, format: Format) -> ExitCode {
    if format == Format::Json {
        print(&format!("{told:#}\n"));
        return ExitCode::SUCCESS;
    }
    let running = &told["running"];
    let mut text = match running["does"].as_str() {
        Some(does) => format!(
            "a reload runs since {} s, asked by {}: {does}\n",
            running["age_secs"],
            running["origin"].as_str().unwrap_or("?")
        ),
        None => "no reload runs\n".to_owned(),
    };
    for (key, words) in [
        ("waiting", "requests wait for the next one"),
        ("hung", "reloads that were given up still wait for the disk"),
    ] {
        if let Some(count) = told[key].as_u64().filter(|count| *count > 0) {
            text.push_str(&format!("{count} {words}\n"));
        }
    }
    text.push_str(&zone_lines(told));
    text.push_str(&stray_lines(told));
    print(&text);
    ExitCode::SUCCESS
}

fn cancelled(told: &Value, format: Format) -> ExitCode {
    if format == Format::Json {
        print(&format!("{told:#}\n"));
    }
    match (told["cancelled"].as_str(), format) {
        (Some(did), Format::Text) => print(&format!("given up: the reload {did}\n")),
        (None, _) => return complain(told),
        _ => {}
    }
    ExitCode::SUCCESS
}

fn outcome(told: &Value, ok: bool) -> String {
    let Some(sequence) = told["sequence"].as_u64() else { return "not reloaded\n".to_owned() };
    let digest = told["digest"].as_str().unwrap_or("?");
    let files = told["files_digest"].as_str().unwrap_or("?");
    if !ok {
        return format!("refused; snapshot {sequence}, digest {digest}, files {files}, is served on\n");
    }
    let mut text = format!("published snapshot {sequence}, digest {digest}, files {files}\n");
    let lines = told["difference"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        text.push_str("  nothing changed\n");
    }
    for line in lines.iter().filter_map(Value::as_str) {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    }
    let (current, not) = (told["zones"]["current"].as_u64().unwrap_or(0), others(told).len());
    if not > 0 {
        text.push_str(&format!("zones taken over: {current}; not: {not}\n{}", zone_lines(told)));
    }
    if !strays(told).is_empty() {
        text.push_str(&format!("files not in force: {}\n{}", strays(told).len(), stray_lines(told)));
    }
    text
}
