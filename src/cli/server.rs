//! Client of a running server for commands: its address, its requests, and tables of its replies.

use crate::cli::{Config, Format};
use crate::control::client;
use hyper::{Method, StatusCode};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command finds the server, and how it prints.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServerClient {
    #[command(flatten)]
    config: Config,
    /// The control socket, instead of the one that the server file names
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl ServerClient {
    /// The server of a server file.
    pub(crate) fn of(config: Config) -> ServerClient {
        ServerClient { config, control: None, format: Format::Text }
    }

    /// Has the server do something that needs no more words. A refusal is told, with its findings.
    pub(crate) fn post(&self, path: &str) -> Result<Value, ExitCode> {
        let (status, told) = self.ask(Method::POST, path, None)?;
        if status == StatusCode::OK {
            return Ok(told);
        }
        let _ = std::io::stderr().write_all(told["text"].as_str().unwrap_or_default().as_bytes());
        Err(complain(&told))
    }

    /// Asks the server. Where none answers, that is told, and the exit status given.
    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), ExitCode> {
        let socket = self.control.clone().unwrap_or_else(|| client::socket_of(&self.config.path()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let answer = match runtime {
            Ok(runtime) => runtime.block_on(client::ask(&socket, method, path, body)),
            Err(error) => Err(error.to_string()),
        };
        answer.map_err(|sentence| {
            let _ = writeln!(
                std::io::stderr(),
                "no server can be asked at {}: {sentence}\nIs it running? Is this the right --config or \
                 --control?",
                socket.display()
            );
            ExitCode::from(2)
        })
    }
}

/// Tells a refusal on stderr.
pub(crate) fn complain(told: &Value) -> ExitCode {
    let mut text = format!("refused: {}\n", told["error"].as_str().unwrap_or("the server does not say why"));
    for sentence in told["broken"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("  {sentence}\n"));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

/// Rows under a head, in columns as wide as their widest cell.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let all = || std::iter::once(head.iter().map(ToString::to_string).collect()).chain(rows.iter().cloned());
    let width = |column: usize| {
        all()
            .filter_map(|row: Vec<String>| row.get(column).map(|cell| cell.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in all() {
        let line: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}
