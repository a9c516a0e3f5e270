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
is served on), 2 if no server answers.

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
}

impl Reload {
    /// Asks the server, and waits for what came of it.
    pub(crate) fn run(self) -> ExitCode {
        let (method, path) = match (self.status, self.cancel) {
            (true, _) => (Method::GET, "/reload"),
            (_, true) => (Method::DELETE, "/reload"),
            _ if colour::on_stderr() => (Method::POST, "/reload?colour=true"),
            _ => (Method::POST, "/reload"),
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
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
    text
}
