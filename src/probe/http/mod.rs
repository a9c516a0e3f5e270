//! HTTP check: a request of HTTP/1.1 over TCP or TLS, and the conditions on its response.
//!
//! This folder writes requests and parses responses itself: an HTTP client library refuses
//! responses for flaws that users of a site never notice, and a probe must not.

mod body;
mod head;
pub(crate) mod hearing;
mod request;

pub(super) use self::hearing::Intake;
use self::hearing::{Expected, Hearing};
use super::metered::Metered;
use super::tls::{self, Settings};
use super::{Finding, Trial, words};
use crate::health::spec::HttpCheck;
use crate::limits::PROBE_STREAM_OCTETS_MAX;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Octets per read: most responses are smaller, and a page of metrics takes a few hundred reads.
const READ_OCTETS: usize = 16 << 10;

/// Connects, sends the request and judges the response.
pub(super) async fn run(
    check: &HttpCheck,
    to: SocketAddr,
    settings: &Settings,
    trial: &mut Trial,
) -> Finding {
    let mut expected = check.body.as_ref().map(|expected| Expected::new(expected));
    let intake = expected.as_mut().map(|expected| expected as &mut (dyn Intake + Send));
    ask(check, to, settings, PROBE_STREAM_OCTETS_MAX, intake, trial).await
}

/// Connects, sends the request and passes the body to `intake`; without an intake the body is not
/// read. At most `octets_max` octets are read from the connection.
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

/// Sends the request and receives the response at the same time: a server may answer and close
/// before it has read the whole request, and its answer counts.
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

/// End of the reception of a response.
enum Ended {
    /// A response came, in whole or in part.
    Judged(Finding),
    /// The connection ended before the first octet; the text says why.
    Silent(String),
}

impl Ended {
    /// Result of the exchange, where sending may have failed too.
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
    let mut hearing = Hearing::new(check, intake);
    let mut is_silent = true;
    let finding = loop {
        let len = match reader.read(&mut octets).await {
            Ok(0) => break hearing.end(false),
            // The connection ended without a close_notify of TLS: an end all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break hearing.end(true),
            Err(error) => break Err(broken(&error)),
            Ok(len) => len,
        };
        is_silent = false;
        match hearing.take(&octets[..len]) {
            Ok(true) => break Ok(()),
            Ok(false) if hearing.is_in_body() => trial.doing = "reading the body",
            Ok(false) => {}
            Err(why) => break Err(why),
        }
    };
    if let Some(remark) = hearing.remark() {
        trial.remark(remark);
    }
    match finding {
        Err(why) if is_silent => Ended::Silent(why),
        finding => Ended::Judged(finding),
    }
}

fn broken(error: &io::Error) -> String {
    tls::broken(error).unwrap_or_else(|| words::io(error))
}

#[cfg(test)]
mod tests;
