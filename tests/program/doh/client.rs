//! Clients of DNS over HTTPS: one that follows the rules, and one that writes its own frames.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use support::certificate::{Secure, secure};
use support::deployment::PATIENCE;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The path of messages.
pub const PATH: &str = "/dns-query";
/// The media type of messages.
pub const MEDIA_TYPE: &str = "application/dns-message";

/// An open connection of hyper as a client.
pub struct Client {
    runtime: Runtime,
    sender: Sender,
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// Opens TLS over a connection, and HTTP/2 if ALPN chooses it.
    pub fn open(config: &Arc<ClientConfig>, stream: TcpStream) -> std::io::Result<Client> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let sender = runtime.block_on(async {
            stream.set_nonblocking(true)?;
            let stream = tokio::net::TcpStream::from_std(stream)?;
            let name = "dns.example".try_into().expect("a name");
            let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(stream);
            Ok::<_, std::io::Error>(if is_http2 {
                let opened = http2::handshake(TokioExecutor::new(), stream).await;
                let (sender, connection) = opened.map_err(std::io::Error::other)?;
                tokio::spawn(connection);
                Sender::Two(sender)
            } else {
                let (sender, connection) = http1::handshake(stream).await.map_err(std::io::Error::other)?;
                tokio::spawn(connection);
                Sender::One(sender)
            })
        })?;
        Ok(Client { runtime, sender })
    }

    /// True if the connection speaks HTTP/2.
    pub fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Two(_))
    }

    /// Sends a request; an error if the connection ends without a response.
    pub fn try_send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Bytes>> {
        let whole = |response: Response<Incoming>| async {
            let (head, body) = response.into_parts();
            Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        self.runtime.block_on(async {
            let sent = async {
                match &mut self.sender {
                    Sender::One(sender) => {
                        sender.ready().await?;
                        whole(sender.send_request(request).await?).await
                    }
                    Sender::Two(sender) => {
                        sender.ready().await?;
                        whole(sender.send_request(request).await?).await
                    }
                }
            };
            timeout(PATIENCE, sent).await.expect("a response in time")
        })
    }

    /// Sends a request that has a response.
    pub fn send(&mut self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        self.try_send(request).expect("a response")
    }

    /// Asks by GET.
    pub fn get(&mut self, message: &[u8]) -> Response<Bytes> {
        self.send(get(message))
    }

    /// Asks by POST.
    pub fn post(&mut self, message: &[u8]) -> Response<Bytes> {
        self.send(post(message))
    }
}

/// A message as the query of a URI.
pub fn query_of(message: &[u8]) -> String {
    format!("?dns={}", data_encoding::BASE64URL_NOPAD.encode(message))
}

/// A request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Full<Bytes>> {
    let uri: Uri = format!("https://dns.example{path}").parse().expect("a URI");
    let method: Method = method.parse().expect("a method");
    let mut request = Request::builder().method(method).uri(uri).header("host", "dns.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::copy_from_slice(body))).expect("a request")
}

/// A message by GET.
pub fn get(message: &[u8]) -> Request<Full<Bytes>> {
    request("GET", &format!("{PATH}{}", query_of(message)), &[("accept", MEDIA_TYPE)], &[])
}

/// A message by POST.
pub fn post(message: &[u8]) -> Request<Full<Bytes>> {
    request("POST", PATH, &[("content-type", MEDIA_TYPE)], message)
}

/// Types of frames (RFC 9113 section 6).
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Flag of the last frame of a stream, and of the acknowledgement of SETTINGS and PING.
pub const END_STREAM: u8 = 1;
/// Flag of the last frame of a header.
pub const END_HEADERS: u8 = 4;

/// A connection over HTTP/2 whose frames the test writes.
pub struct Frames(pub Secure);

impl Frames {
    /// Opens a connection with these settings.
    pub fn open(config: &Arc<ClientConfig>, stream: TcpStream, settings: &[(u16, u32)]) -> Frames {
        let mut stream = secure(config, stream).expect("a handshake");
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("the server reads");
        let mut frames = Frames(stream);
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        assert!(frames.write(kind::SETTINGS, 0, 0, &payload));
        frames
    }

    /// Writes a frame; false if the server has closed the connection.
    pub fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).and_then(|()| self.0.flush()).is_ok()
    }

    /// The next frame: type, flags, stream and payload; `None` at the end of the connection.
    pub fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.fill(&mut head)?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.fill(&mut payload)?;
        Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
    }

    fn fill(&mut self, octets: &mut [u8]) -> Option<()> {
        match self.0.read_exact(octets) {
            Ok(()) => Some(()),
            Err(error) => {
                let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!is_late, "the server does not end the connection");
                None
            }
        }
    }

    /// The first frame of this type and stream; others are skipped, and pings answered.
    pub fn read_until(&mut self, kind: u8, stream: u32) -> Option<Vec<u8>> {
        loop {
            let frame = self.read()?;
            if frame.0 == kind::PING && frame.1 & END_STREAM == 0 {
                self.write(kind::PING, END_STREAM, 0, &frame.3);
            }
            if (frame.0, frame.2) == (kind, stream) {
                return Some(frame.3);
            }
        }
    }

    /// Reads to the end of the connection, and answers pings if asked to. Returns the error code of
    /// GOAWAY, if there was one.
    pub fn end(&mut self, is_alive: bool) -> Option<u32> {
        let mut code = None;
        while let Some((kind, flags, _, payload)) = self.read() {
            match kind {
                kind::GOAWAY => code = payload[4..8].try_into().ok().map(u32::from_be_bytes),
                kind::PING if is_alive && flags & END_STREAM == 0 => {
                    self.write(kind::PING, END_STREAM, 0, &payload);
                }
                _ => {}
            }
        }
        code
    }
}

/// A header block of literals without indexing (RFC 7541 section 6.2.2).
pub fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, value) in headers {
        octets.push(0);
        for text in [name, value] {
            assert!(text.len() < 16_000, "a length of three octets at most");
            match text.len() {
                short @ ..127 => octets.push(short as u8),
                long => {
                    let rest = long - 127;
                    octets.extend([127, (rest % 128) as u8 | 128, (rest / 128) as u8]);
                }
            }
            octets.extend(text.as_bytes());
        }
    }
    octets
}

/// The header block of a request.
pub fn head(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let own = [(":method", method), (":scheme", "https"), (":authority", "dns.example"), (":path", path)];
    block(&[&own[..], more].concat())
}
