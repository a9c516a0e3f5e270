//! Client of a running server for commands: its address, its requests, and tables of its replies.

use crate::cli::remote::{Remote, RemoteOptions};
use crate::cli::{Config, Format, json};
use crate::control::client::{self, Answer, Candidate, NotReached, RequestHeaders};
use crate::control::protocol::Refusal;
use crate::shared::one_line;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::Runtime;

/// Options of a command that asks a server: the server, and the output format.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServerClient {
    #[command(flatten)]
    config: Config,
    /// The control socket; by default the socket in the note of the running server, or else the
    /// socket of the server file
    #[arg(long, value_name = "SOCKET", conflicts_with = "server")]
    control: Option<PathBuf>,
    #[command(flatten)]
    remote: RemoteOptions,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Answer of a server that was reached.
#[derive(Debug)]
pub(crate) struct Reached {
    /// Socket or URL of the server.
    pub(crate) place: String,
    /// Answer.
    pub(crate) answer: Answer,
}

impl Reached {
    /// True if the request succeeded.
    pub(crate) fn is_done(&self) -> bool {
        self.answer.status == StatusCode::OK
    }

    /// Body as a type of the protocol.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ExitCode> {
        self.answer.read().map_err(|fault| not_asked(&format!(" at {}: {fault}", self.place)))
    }

    /// Body if the request succeeded; else prints the refusal to stderr.
    pub(crate) fn done<T: DeserializeOwned>(&self) -> Result<T, ExitCode> {
        if self.is_done() { self.read() } else { Err(complain(&self.read()?)) }
    }

    /// Body as the server wrote it, with fields that this program does not know, for
    /// `--format json`.
    pub(crate) fn json(&self) -> String {
        json(&self.answer.body)
    }
}

impl ServerClient {
    /// Client of the server of a server file, or of a remote one.
    pub(crate) fn of(config: Config, remote: RemoteOptions) -> ServerClient {
        ServerClient { config, control: None, remote, format: Format::Text }
    }

    /// Server file that leads to the server.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// True for a server on another host that gets no proof.
    pub(crate) fn is_unproven(&self) -> bool {
        self.remote.is_unproven()
    }

    /// Sends a request without a body.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Result<Reached, ExitCode> {
        self.reach(method, path, None)
    }

    /// Sends a request with a body.
    pub(crate) fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<Reached, ExitCode> {
        let body = serde_json::to_value(body).map_err(|error| {
            complain(&Refusal::because(format!("the request cannot be written: {error}")))
        })?;
        self.reach(Method::POST, path, Some(&body))
    }

    /// Sends a request. If no server answers, prints that to stderr, and the error is the exit
    /// status. If the socket is another than the server file names, prints the socket to stderr.
    fn reach(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reached, ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| not_asked(&format!(": {error}")))?;
        match self.remote.remote() {
            Ok(None) => self.reach_socket(&runtime, method, path, body),
            Ok(Some(remote)) => reach_remote(&runtime, &remote, method, path, body),
            Err(fault) => {
                let _ = writeln!(std::io::stderr(), "error: {fault}");
                Err(ExitCode::from(2))
            }
        }
    }

    fn reach_socket(
        &self,
        runtime: &Runtime,
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
        runtime.block_on(async {
            let mut faults = String::new();
            for (index, candidate) in candidates.iter().enumerate() {
                let Candidate { socket, named_by, .. } = candidate;
                let asked = match client::reach(candidate).await {
                    Ok(stream) => {
                        client::ask(stream, RequestHeaders::default(), method.clone(), path, body).await
                    }
                    Err(NotReached::Silent(fault)) => {
                        faults.push_str(&format!("\n  at {} ({named_by}): {fault}", socket.display()));
                        continue;
                    }
                    Err(NotReached::Another(fault)) => {
                        let what = format!("at {}, named {named_by}, {fault}", socket.display());
                        let _ = writeln!(std::io::stderr(), "note: {what}; no request was sent to it");
                        continue;
                    }
                };
                if index + 1 < candidates.len() {
                    let _ =
                        writeln!(std::io::stderr(), "note: asked at {}, named {named_by}", socket.display());
                }
                let answer =
                    asked.map_err(|fault| not_asked(&format!(" at {}: {fault}", socket.display())))?;
                return Ok(Reached { place: socket.display().to_string(), answer });
            }
            Err(not_asked(&faults))
        })
    }
}

/// Sends a request to a server on another host.
fn reach_remote(
    runtime: &Runtime,
    remote: &Remote,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Reached, ExitCode> {
    let asked = runtime.block_on(async {
        let stream = remote.connect().await?;
        let headers = RequestHeaders { host: &remote.host, token: remote.token.as_deref() };
        client::ask(stream, headers, method, path, body).await
    });
    match asked {
        Ok(answer) => Ok(Reached { place: remote.url.clone(), answer }),
        Err(fault) => {
            let url = &remote.url;
            let _ = writeln!(
                std::io::stderr(),
                "no server can be asked at {url}: {fault}\nIs this the right --server?"
            );
            Err(ExitCode::from(2))
        }
    }
}

/// Writes to stderr that no server was asked.
fn not_asked(fault: &str) -> ExitCode {
    let _ = write!(
        std::io::stderr(),
        "no server can be asked{fault}\nIs it running? Is this the right --config or --control?\n"
    );
    ExitCode::from(2)
}

/// Writes a refusal to stderr: findings, code, reason, broken rules, way out.
pub(crate) fn complain(refusal: &Refusal) -> ExitCode {
    let _ = std::io::stderr().write_all(refusal_in_words(refusal).as_bytes());
    ExitCode::FAILURE
}

fn refusal_in_words(refusal: &Refusal) -> String {
    let mut text = refusal.text.clone().unwrap_or_default();
    let code = match &*refusal.code {
        "" => String::new(),
        code => format!(" ({})", one_line::text(code)),
    };
    let reasons = [refusal.error.as_deref().unwrap_or_default(), refusal.message.as_str()];
    match reasons.into_iter().find(|reason| !reason.is_empty()) {
        Some(reason) => text.push_str(&format!("refused{code}: {}\n", one_line::text(reason))),
        // The findings of an older server are its reason.
        None if text.is_empty() => text.push_str("refused: the server gives no reason\n"),
        None => {}
    }
    (refusal.broken.iter()).for_each(|sentence| text.push_str(&format!("  {}\n", one_line::text(sentence))));
    if !refusal.help.is_empty() {
        text.push_str(&format!("help: {}\n", one_line::text(&refusal.help)));
    }
    text
}

/// Path with a query of these keys, each percent-encoded (RFC 3986 section 2.1); empty values are
/// left out.
pub(crate) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let given = query.iter().filter(|(_, value)| !value.is_empty());
    let given: Vec<String> = given.map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    format!("{path}?{}", given.join("&"))
}

fn encoded(value: &str) -> String {
    let mut text = String::new();
    for octet in value.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(octet));
            }
            _ => _ = write!(text, "%{octet:02X}"),
        }
    }
    text
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

#[cfg(test)]
mod tests;
