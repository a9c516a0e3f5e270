//! Client of a running server for commands: its address, its requests, and tables of its replies.

use crate::cli::{Config, Format};
use crate::control::client::{self, Candidate, NotReached};
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
    /// The control socket, instead of the one that the running server has left a note of or the
    /// server file names
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What a server has answered.
#[derive(Debug)]
pub(crate) struct Reached {
    /// The socket that it was asked at.
    pub(crate) socket: PathBuf,
    /// The status of its answer.
    pub(crate) status: StatusCode,
    /// The answer.
    pub(crate) value: Value,
}

impl ServerClient {
    /// The server of a server file.
    pub(crate) fn of(config: Config) -> ServerClient {
        ServerClient { config, control: None, format: Format::Text }
    }

    /// The server file by which the server is found.
    pub(crate) fn config(&self) -> &Config {
        &self.config
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
        let reached = self.reach(method, path, body)?;
        Ok((reached.status, reached.value))
    }

    /// [`ServerClient::ask`] that also gives the socket. A server that the server file does not
    /// lead to is named on stderr.
    pub(crate) fn reach(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reached, ExitCode> {
        let candidates = match &self.control {
            Some(socket) => {
                vec![Candidate { socket: socket.clone(), named_by: "by --control".to_owned(), config: None }]
            }
            None => client::candidates(&self.config.path()),
        };
        let told = |sentence: String| {
            let _ = write!(
                std::io::stderr(),
                "no server can be asked{sentence}\nIs it running? Is this the right --config or --control?\n"
            );
            ExitCode::from(2)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| told(format!(": {error}")))?;
        runtime.block_on(async {
            let mut faults = String::new();
            for (index, candidate) in candidates.iter().enumerate() {
                let Candidate { socket, named_by, .. } = candidate;
                let asked = match client::reach(candidate).await {
                    Ok(stream) => client::ask(stream, method.clone(), path, body).await,
                    Err(NotReached::Silent(fault)) => {
                        faults.push_str(&format!("\n  at {} ({named_by}): {fault}", socket.display()));
                        continue;
                    }
                    Err(NotReached::Another(fault)) => {
                        let what = format!("at {}, named {named_by}, {fault}", socket.display());
                        let _ = writeln!(std::io::stderr(), "note: {what}; it was asked nothing");
                        continue;
                    }
                };
                if index + 1 < candidates.len() {
                    let _ =
                        writeln!(std::io::stderr(), "note: asked at {}, named {named_by}", socket.display());
                }
                let (status, value) =
                    asked.map_err(|fault| told(format!(" at {}: {fault}", socket.display())))?;
                return Ok(Reached { socket: socket.clone(), status, value });
            }
            Err(told(faults))
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
