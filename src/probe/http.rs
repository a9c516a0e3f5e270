//! An HTTP/1.1 request over TCP or TLS, and what is expected of its response.

use super::metered::Metered;
use super::tcp::Sought;
use super::tls::{self, Settings};
use super::{Finding, Trial, words};
use crate::health::spec::{HttpCheck, HttpMethod};
use crate::limits::{PROBE_HEADER_OCTETS_MAX, PROBE_HEADERS_MAX, PROBE_PIECES_MAX, PROBE_STREAM_OCTETS_MAX};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// What looks at a body, piece by piece.
pub(super) trait Intake {
    /// Takes the next octets; true once it needs no more. The error ends the exchange.
    fn take(&mut self, octets: &[u8]) -> Result<bool, String>;

    /// The body has ended without [`Intake::take`] having said that it was enough.
    fn end(&mut self) -> Finding;
}

/// Connects, asks and judges.
pub(super) async fn run(
    check: &HttpCheck,
    to: SocketAddr,
    settings: &Settings,
    trial: &mut Trial,
) -> Finding {
    let mut expected =
        check.body.as_ref().map(|expected| Expected { expected, sought: Sought::new(expected) });
    let intake = expected.as_mut().map(|expected| expected as &mut (dyn Intake + Send));
    ask(check, to, settings, PROBE_STREAM_OCTETS_MAX, intake, trial).await
}

/// Connects and asks, and lets another look at the body: without one it is not even read. No more
/// than so many octets are read off the connection.
pub(super) async fn ask(
    check: &HttpCheck,
    to: SocketAddr,
    settings: &Settings,
    octets_max: usize,
    intake: Option<&mut (dyn Intake + Send)>,
    trial: &mut Trial,
) -> Finding {
    let request = request(check, to)?;
    trial.doing = "connecting";
    let stream =
        Metered::connect_for(to, octets_max).await.map_err(|e| trial.before_sending(&e, Some(to.ip())))?;
    match &check.tls {
        None => exchange(check, request, stream, intake, trial).await,
        Some(tls) => {
            let stream = tls::connect(stream, check, tls, to, settings, trial).await?;
            exchange(check, request, stream, intake, trial).await
        }
    }
}

fn request(check: &HttpCheck, to: SocketAddr) -> Result<Request<Empty<Bytes>>, String> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = match check.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
    };
    *request.uri_mut() =
        check.path.parse().map_err(|_| format!("{} is no path", words::quoted(check.path.as_bytes())))?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("meridian-probe"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in &check.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(&**name), HeaderValue::try_from(&**value)) else {
            return Err(format!("{} is no request header", words::quoted(name.as_bytes())));
        };
        if name == USER_AGENT {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    let usual = if check.tls.is_some() { 443 } else { 80 };
    let host = match &check.host {
        Some(host) => HeaderValue::try_from(&**host),
        // `SocketAddr` writes an IPv6 address in brackets, as RFC 9110 section 7.2 wants it.
        None if to.port() != usual => HeaderValue::try_from(to.to_string()),
        None if to.is_ipv6() => HeaderValue::try_from(format!("[{}]", to.ip())),
        None => HeaderValue::try_from(to.ip().to_string()),
    };
    if check.host.is_some() || !headers.contains_key(HOST) {
        headers.insert(HOST, host.map_err(|_| "`host` is no header value".to_owned())?);
    }
    Ok(request)
}

async fn exchange<S>(
    check: &HttpCheck,
    request: Request<Empty<Bytes>>,
    stream: S,
    intake: Option<&mut (dyn Intake + Send)>,
    trial: &mut Trial,
) -> Finding
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    trial.doing = "waiting for the response";
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(PROBE_HEADER_OCTETS_MAX)
        .max_headers(PROBE_HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broken(&e))?;
    let mut connection = pin!(connection);
    let mut judged = pin!(async {
        let response = sender.send_request(request).await.map_err(|e| broken(&e))?;
        head(check, response.status().as_u16(), response.headers())?;
        trial.doing = "reading the body";
        body(intake, response).await
    });
    // The connection moves only while it is polled. It may end first: what it has read is still to
    // be judged.
    tokio::select! {
        biased;
        finding = &mut judged => return finding,
        _ = &mut connection => {}
    }
    judged.await
}

fn head(check: &HttpCheck, status: u16, headers: &HeaderMap) -> Finding {
    if !check.expect.iter().any(|range| range.contains(&status)) {
        let ranges = check.expect.iter().map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        });
        return Err(format!("status {status}, expected {}", ranges.collect::<Vec<_>>().join(", ")));
    }
    for (name, wanted) in &check.expect_headers {
        let mut values = headers.get_all(&**name).iter().peekable();
        if values.peek().is_none() {
            return Err(format!("the response has no header {}", words::quoted(name.as_bytes())));
        }
        let is_there = |value: &HeaderValue| Sought::new(wanted.as_bytes()).take(value.as_bytes());
        if !values.any(is_there) {
            let (name, wanted) = (words::quoted(name.as_bytes()), words::quoted(wanted.as_bytes()));
            return Err(format!("header {name} does not contain {wanted}"));
        }
    }
    Ok(())
}

/// Reads the body only where somebody looks at it, and no further than it must.
async fn body(intake: Option<&mut (dyn Intake + Send)>, response: Response<Incoming>) -> Finding {
    let Some(intake) = intake else { return Ok(()) };
    let mut body = response.into_body();
    let mut pieces = 0;
    while let Some(frame) = body.frame().await {
        pieces += 1;
        if pieces > PROBE_PIECES_MAX {
            return Err(format!("the body comes in more than {PROBE_PIECES_MAX} pieces"));
        }
        let Ok(octets) = frame.map_err(|e| broken(&e))?.into_data() else { continue };
        if intake.take(&octets)? {
            return Ok(());
        }
    }
    intake.end()
}

/// A text that the body must contain.
struct Expected<'e> {
    expected: &'e [u8],
    sought: Sought<'e>,
}

impl Intake for Expected<'_> {
    fn take(&mut self, octets: &[u8]) -> Result<bool, String> {
        if self.sought.take(octets) {
            return Ok(true);
        }
        if self.sought.is_full() {
            return Err(format!("{} is not in {}", words::quoted(self.expected), self.sought.name("body")));
        }
        Ok(false)
    }

    fn end(&mut self) -> Finding {
        if self.sought.take(b"") {
            Ok(())
        } else {
            Err(format!("the body does not contain {}", words::quoted(self.expected)))
        }
    }
}

fn broken(error: &hyper::Error) -> String {
    if let Some(error) = words::io_cause(error) {
        return tls::broken(error).unwrap_or_else(|| match error.kind() {
            // What hyper's reader of bodies objects to.
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                format!("the response is no HTTP/1.1: {error}")
            }
            _ => words::io(error),
        });
    }
    if error.is_parse_too_large() {
        format!(
            "the response headers are too large (over {} KiB or {PROBE_HEADERS_MAX} of them)",
            PROBE_HEADER_OCTETS_MAX >> 10
        )
    } else if error.is_parse() {
        "the response is no HTTP/1.1".to_owned()
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "the server closed before the response was whole".to_owned()
    } else {
        format!("HTTP: {error}")
    }
}
