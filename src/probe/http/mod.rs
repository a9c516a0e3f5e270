//! An HTTP/1.1 request over TCP or TLS, and what is expected of its response.
//!
//! Requests are written, and responses read, by this folder: a library for clients refuses a
//! response for flaws that users of a site never notice, and a probe must not.

mod body;
mod head;
mod request;

use self::body::{BodyReader, Framing, Progress};
use self::head::{Found, Head, HeadReader};
use super::metered::Metered;
use super::tcp::Sought;
use super::tls::{self, Settings};
use super::{Finding, Trial, words};
use crate::health::spec::{HttpCheck, HttpMethod};
use crate::limits::PROBE_STREAM_OCTETS_MAX;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Octets read at a time: most responses are smaller, and a page of metrics is a few hundred reads.
const READ_OCTETS: usize = 16 << 10;

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
    let request = request::octets(check, to);
    trial.doing = "connecting";
    let stream =
        Metered::connect_for(to, octets_max).await.map_err(|e| trial.before_sending(&e, Some(to.ip())))?;
    match &check.tls {
        None => exchange(check, &request, stream, intake, trial).await,
        Some(tls) => {
            let stream = tls::connect(stream, check, tls, to, settings, trial).await?;
            exchange(check, &request, stream, intake, trial).await
        }
    }
}

/// Sends the request and hears the response, both at once: a server may answer before it has read
/// all, and close; then its answer counts.
async fn exchange<S>(
    check: &HttpCheck,
    request: &[u8],
    stream: S,
    intake: Option<&mut (dyn Intake + Send)>,
    trial: &mut Trial,
) -> Finding
where
    S: AsyncRead + AsyncWrite + Send,
{
    trial.doing = "waiting for the response";
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut sent = pin!(async {
        writer.write_all(request).await?;
        writer.flush().await
    });
    let mut heard = pin!(hear(check, &mut reader, intake, trial));
    let unsent = tokio::select! {
        biased;
        ended = &mut heard => return ended.finding(None),
        sent = &mut sent => sent.err(),
    };
    heard.await.finding(unsent)
}

/// How the hearing of a response ends.
enum Ended {
    /// There was an answer, or a part of one.
    Judged(Finding),
    /// The connection ended before its first octet, and this is how.
    Silent(String),
}

impl Ended {
    /// What counts, where the sending may have failed as well.
    fn finding(self, unsent: Option<io::Error>) -> Finding {
        match (self, unsent) {
            (Ended::Judged(finding), _) => finding,
            (Ended::Silent(_), Some(error)) => Err(broken(&error)),
            (Ended::Silent(why), None) => Err(why),
        }
    }
}

/// Reads the response and judges it.
async fn hear(
    check: &HttpCheck,
    reader: &mut (impl AsyncRead + Unpin),
    intake: Option<&mut (dyn Intake + Send)>,
    trial: &mut Trial,
) -> Ended {
    let mut octets = vec![0; READ_OCTETS];
    let mut heads = HeadReader::new(&check.expect_headers, check.method == HttpMethod::Head);
    let mut is_silent = true;
    let (head, rest) = loop {
        let read = match reader.read(&mut octets).await {
            Err(error) if is_cut(&error) => Ok(0),
            Err(error) => Err(broken(&error)),
            Ok(len) => Ok(len),
        };
        let taken = match read {
            Ok(0) => heads.end().map(|head| Some((head, 0..0))),
            Ok(len) => {
                is_silent = false;
                heads.take(&octets[..len]).map(|whole| whole.map(|(head, used)| (head, used..len)))
            }
            Err(why) => Err(why),
        };
        match taken {
            Ok(Some(whole)) => break whole,
            Ok(None) => {}
            Err(why) if is_silent => return Ended::Silent(why),
            Err(why) => return Ended::Judged(Err(why)),
        }
    };
    if let Some(remark) = heads.remark() {
        trial.remark(remark);
    }
    let mut finding = judge(check, &head);
    // The body is read only where somebody looks at it.
    if let (Ok(()), Some(intake)) = (&finding, intake) {
        trial.doing = "reading the body";
        let first = octets[rest].to_vec();
        finding = body(reader, &first, octets, head.framing, intake).await;
        if let (Err(why), Some(encoding)) = (&mut finding, &head.encoding) {
            why.push_str(&format!(" (the body has the Content-Encoding {})", words::quoted(encoding)));
        }
    }
    Ended::Judged(finding)
}

fn judge(check: &HttpCheck, head: &Head) -> Finding {
    let status = head.status;
    if !check.expect.iter().any(|range| range.contains(&status)) {
        let ranges = check.expect.iter().map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        });
        return Err(format!("status {status}, expected {}", ranges.collect::<Vec<_>>().join(", ")));
    }
    for (found, (name, wanted)) in head.found.iter().zip(&check.expect_headers) {
        let name = || words::quoted(name.as_bytes());
        match found {
            Found::Value => {}
            Found::Nothing => return Err(format!("the response has no header {}", name())),
            Found::Name => {
                let wanted = words::quoted(wanted.as_bytes());
                return Err(format!("header {} does not contain {wanted}", name()));
            }
        }
    }
    Ok(())
}

/// Reads the body, no further than it must. `first` has come together with the head.
async fn body(
    reader: &mut (impl AsyncRead + Unpin),
    first: &[u8],
    mut octets: Vec<u8>,
    framing: Framing,
    intake: &mut (dyn Intake + Send),
) -> Finding {
    let mut body = BodyReader::new(framing);
    let mut progress = body.take(first, intake)?;
    loop {
        match progress {
            Progress::Enough => return Ok(()),
            Progress::Whole => return intake.end(),
            Progress::Partial => {}
        }
        progress = match reader.read(&mut octets).await {
            Ok(0) => {
                body.end()?;
                return intake.end();
            }
            Ok(len) => body.take(&octets[..len], intake)?,
            Err(error) if is_cut(&error) => {
                body.end()?;
                intake.end()?;
                return Err("the server closed without an end of TLS, so the body may be cut".to_owned());
            }
            Err(error) => return Err(broken(&error)),
        };
    }
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

/// The connection ended without the end of TLS: an end all the same.
fn is_cut(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

fn broken(error: &io::Error) -> String {
    tls::broken(error).unwrap_or_else(|| words::io(error))
}

#[cfg(test)]
mod tests;
