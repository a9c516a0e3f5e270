//! Pages of a running server, over the admin address or the control socket.

use crate::deployment::{PATIENCE, connect};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// An answer over HTTP.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    pub body: String,
}

impl Page {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A page of the admin address.
pub fn admin(address: SocketAddr, path: &str) -> Page {
    ask(connect(address), "GET", path, "").expect("the server answers and closes")
}

/// A page of the control socket.
pub fn control(socket: &Path, path: &str) -> Page {
    try_control(socket, "GET", path, "").expect("the server answers and closes")
}

/// Sends a body, JSON or none, to a page of the control socket.
pub fn send(socket: &Path, method: &str, path: &str, body: &str) -> Page {
    try_control(socket, method, path, body).expect("the server answers and closes")
}

/// Asks a control socket whose server may have ended.
pub fn try_control(socket: &Path, method: &str, path: &str, body: &str) -> std::io::Result<Page> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    ask(stream, method, path, body)
}

/// One request over a stream that is open.
pub fn ask(mut stream: impl Read + Write, method: &str, path: &str, body: &str) -> std::io::Result<Page> {
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
         application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    read(stream)
}

/// Reads an answer to its end.
pub fn read(mut stream: impl Read) -> std::io::Result<Page> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let page = || {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Page { status, head: head.to_owned(), body: body.to_owned() })
    };
    page().ok_or_else(|| std::io::Error::other(format!("this is no answer: {text:?}")))
}

/// Series of a page of metrics, with their values.
pub fn series(body: &str) -> BTreeMap<String, f64> {
    let series = body.lines().filter(|line| !line.starts_with('#'));
    series
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, value)| (series.to_owned(), value.parse().expect("a number")))
        .collect()
}
