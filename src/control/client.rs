//! Client of the control socket: finds the server for a command and sends it requests.

use crate::control::places::Class;
use crate::control::protocol::status::Status;
use crate::control::routes::class_of;
use crate::control::socket_note;
use crate::limits::{ASK_SECS, ASK_WAIT_SECS};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

/// Timeout of the connection to the server. A reload may take longer.
const CONNECT: Duration = Duration::from_secs(5);

/// Default path of the control socket, relative to the server file.
pub(crate) const DEFAULT_SOCKET: &str = "state/control.sock";

/// Default path of the state folder, relative to the server file.
const DEFAULT_STATE: &str = "state";

/// Keys of the server file that contain paths which commands need.
#[derive(Default, Deserialize)]
struct ServerFile {
    #[serde(default)]
    listen: Listen,
    state: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Listen {
    control: Option<PathBuf>,
}

/// The control socket of the server file at `config`; if the file cannot be read, the default and
/// the reason. Lenient on purpose, because a command must reach the server when the files are
/// broken.
pub(crate) fn socket_of(config: &Path) -> (PathBuf, Option<String>) {
    let read = std::fs::read_to_string(config).map_err(|error| error.to_string());
    let file = read.and_then(|text| {
        serde_yaml::from_str::<ServerFile>(&text)
            .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
    });
    let (file, fault) = match file {
        Ok(file) => (file, None),
        Err(fault) => (ServerFile::default(), Some(fault)),
    };
    let socket = file.listen.control.unwrap_or_else(|| DEFAULT_SOCKET.into());
    (config.parent().unwrap_or(Path::new("")).join(socket), fault)
}

/// The state folder of the server file at `config`; the default if the file cannot be read.
/// Lenient, as [`socket_of`] is.
pub(crate) fn state_of(config: &Path) -> PathBuf {
    let read = std::fs::read_to_string(config).ok();
    let state = read.and_then(|text| serde_yaml::from_str::<ServerFile>(&text).ok()?.state);
    config.parent().unwrap_or(Path::new("")).join(state.unwrap_or_else(|| DEFAULT_STATE.into()))
}

/// A socket at which a server may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Path of the socket.
    pub(crate) socket: PathBuf,
    /// Origin of the path, in words.
    pub(crate) named_by: String,
    /// Server file that the note names; `None` without a note. The server at the socket must have
    /// the same one, because another server may have taken over the socket of a killed server.
    pub(crate) config: Option<PathBuf>,
}

/// Reason why a candidate cannot be asked, as a sentence for the operator.
#[derive(Debug)]
pub(crate) enum NotReached {
    /// No server answers at the socket.
    Silent(String),
    /// Another server answers at the socket.
    Another(String),
}

/// Sockets to try for a server file, in order. The sockets of notes come first, because a server
/// keeps the socket of its start even if the server file has changed.
pub(crate) fn candidates(config: &Path) -> Vec<Candidate> {
    let (socket, fault) = socket_of(config);
    let named_by = match fault {
        None => format!("by `listen.control` of {}, or its default", config.display()),
        Some(fault) => format!("the default, since {} cannot be read: {fault}", config.display()),
    };
    let same = |one: &Path, other: &Path| match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let notes = socket_note::found(config).into_iter();
    let mut candidates: Vec<Candidate> = notes
        .filter(|note| !same(&note.socket, &socket))
        .map(|note| Candidate {
            socket: note.socket,
            named_by: format!(
                "by the note {} of a server started with {}",
                note.path.display(),
                config.display()
            ),
            config: socket_note::absolute(config),
        })
        .collect();
    candidates.push(Candidate { socket, named_by, config: None });
    candidates
}

/// Connects to a candidate. Fails if another server answers at the socket.
pub(crate) async fn reach(candidate: &Candidate) -> Result<UnixStream, NotReached> {
    let stream = connect(&candidate.socket).await.map_err(NotReached::Silent)?;
    let Some(config) = &candidate.config else { return Ok(stream) };
    let status = ask(stream, RequestHeaders::default(), Method::GET, "/v1/status", None)
        .await
        .map_err(NotReached::Silent)?;
    match status.read::<Status>().map_err(NotReached::Silent)?.config.as_deref() {
        Some(other) if Path::new(other) == config => {
            connect(&candidate.socket).await.map_err(NotReached::Silent)
        }
        Some(other) => Err(NotReached::Another(format!("the server at the socket was started with {other}"))),
        None => {
            Err(NotReached::Another("the server at the socket does not report its server file".to_owned()))
        }
    }
}

/// Connects to the server behind `socket`. The error is a sentence for the operator.
async fn connect(socket: &Path) -> Result<UnixStream, String> {
    let connected = tokio::time::timeout(CONNECT, UnixStream::connect(socket)).await;
    connected
        .map_err(|_| "the server does not accept the connection".to_owned())?
        .map_err(|error| error.to_string())
}

/// Answer of a server.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status code.
    pub(crate) status: StatusCode,
    /// Body as the server wrote it, including fields that this program does not know.
    pub(crate) body: Value,
}

impl Answer {
    /// Body as a type of the protocol. The error is a sentence for the operator.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(&self.body).map_err(|_| not_understood(self.status))
    }
}

/// Most octets of an answer: more than a reload with every finding has.
const ANSWER_OCTETS_MAX: usize = 256 << 20;

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(words, ": {error}");
        cause = error.source();
    }
    words
}

fn not_understood(status: StatusCode) -> String {
    format!("this program does not understand the answer of the server ({status})")
}

/// Headers with the host of the server and the proof of the client. There is no `Debug`, because it
/// would show the token.
#[derive(Clone, Copy)]
pub(crate) struct RequestHeaders<'t> {
    /// Value of `Host`.
    pub(crate) host: &'t str,
    /// Token.
    pub(crate) token: Option<&'t str>,
}

impl Default for RequestHeaders<'_> {
    /// Headers over the control socket.
    fn default() -> Self {
        RequestHeaders { host: "meridian", token: None }
    }
}

/// Sends a request to a server, with a JSON body if one is given. The error is a sentence for the
/// operator.
pub(crate) async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    headers: RequestHeaders<'_>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer, String> {
    // The time of these depends on the size of the files.
    let secs = match class_of(&method, path.split('?').next().unwrap_or(path)) {
        Class::Wait => ASK_WAIT_SECS,
        Class::Check | Class::Page | Class::Verb | Class::Stream => ASK_SECS,
    };
    let asked = ask_and_wait(stream, headers, method, path, body);
    tokio::time::timeout(Duration::from_secs(secs), asked)
        .await
        .unwrap_or_else(|_| Err(format!("the server has not answered for {secs} s")))
}

async fn ask_and_wait(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    headers: RequestHeaders<'_>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer, String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", headers.host)
        .header("content-type", "application/json");
    if let Some(token) = headers.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request
        .body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| chain(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_OCTETS_MAX).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => format!("its answer is larger than {} MiB", ANSWER_OCTETS_MAX >> 20),
        false => chain(&*error),
    })?;
    let body = body.to_bytes();
    let body = serde_json::from_slice(&body).map_err(|_| not_understood(status))?;
    Ok(Answer { status, body })
}
