//! The other end of the control socket: how a command finds the server and asks it.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// How long the server may take to accept; a reload itself may take as long as it needs.
const CONNECT: Duration = Duration::from_secs(5);

/// Where the control socket is unless the server file says otherwise, relative to that file.
pub(crate) const DEFAULT_SOCKET: &str = "state/control.sock";

/// The few words of the server file that lead to its control socket.
#[derive(Default, Deserialize)]
struct ServerFile {
    #[serde(default)]
    listen: Listen,
}

#[derive(Default, Deserialize)]
struct Listen {
    control: Option<PathBuf>,
}

/// The control socket of the server file at `config`. Lenient on purpose: a command must reach the
/// server just when the rest of the files is broken, so whatever cannot be read leaves the default.
pub(crate) fn socket_of(config: &Path) -> PathBuf {
    let text = std::fs::read_to_string(config).unwrap_or_default();
    let file: ServerFile = serde_yaml::from_str(&text).unwrap_or_default();
    let socket = file.listen.control.unwrap_or_else(|| DEFAULT_SOCKET.into());
    config.parent().unwrap_or(Path::new("")).join(socket)
}

/// Asks the server behind `socket`; gives the status and the JSON of its answer. The error is a
/// sentence for the operator.
pub(crate) async fn ask(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<(StatusCode, Value), String> {
    let connected = tokio::time::timeout(CONNECT, UnixStream::connect(socket)).await;
    let stream =
        connected.map_err(|_| "it does not accept".to_owned())?.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "meridian")
        .header("content-type", "application/json")
        .body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    let value = serde_json::from_slice(&body)
        .map_err(|_| format!("its answer ({status}) is not what this program understands"))?;
    Ok((status, value))
}
