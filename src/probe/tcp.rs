//! A TCP connection, with an optional exchange.

use super::metered::Metered;
use super::{Finding, Trial, words};
use crate::health::spec::TcpCheck;
use crate::limits::PROBE_BODY_OCTETS_MAX;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connects, sends and reads what the check says.
pub(super) async fn run(check: &TcpCheck, to: SocketAddr, trial: &mut Trial) -> Finding {
    trial.doing = "connecting";
    let mut stream = Metered::connect(to).await.map_err(|e| trial.before_sending(&e, Some(to.ip())))?;
    if let Some(send) = &check.send {
        trial.doing = "sending";
        stream.write_all(send).await.map_err(|e| words::io(&e))?;
    }
    let Some(expected) = &check.expect else { return Ok(()) };
    trial.doing = "waiting for the expected text";
    let mut sought = Sought::new(expected);
    let mut octets = [0u8; 4096];
    loop {
        match stream.read(&mut octets).await.map_err(|e| words::io(&e))? {
            0 => return Err(format!("the server closed without {}", words::quoted(expected))),
            len if sought.take(&octets[..len]) => return Ok(()),
            _ if sought.is_full() => {
                return Err(format!(
                    "{} is not in {}",
                    words::quoted(expected),
                    sought.name("octets received")
                ));
            }
            _ => {}
        }
    }
}

/// A text that is looked for in what comes bit by bit, only so far.
pub(super) struct Sought<'e> {
    expected: &'e [u8],
    seen: Vec<u8>,
}

impl<'e> Sought<'e> {
    /// Looks for a text; nothing has come yet.
    pub(super) fn new(expected: &'e [u8]) -> Sought<'e> {
        Sought { expected, seen: Vec::new() }
    }

    /// Takes the next octets; true once the text has been there.
    pub(super) fn take(&mut self, octets: &[u8]) -> bool {
        // What was searched before is searched again only as far as the text may begin there.
        let from = self.seen.len().saturating_sub(self.expected.len());
        let room = PROBE_BODY_OCTETS_MAX.saturating_sub(self.seen.len());
        self.seen.extend_from_slice(&octets[..octets.len().min(room)]);
        self.expected.is_empty()
            || self.seen[from..].windows(self.expected.len()).any(|window| window == self.expected)
    }

    /// As much was looked at as ever will be.
    pub(super) fn is_full(&self) -> bool {
        self.seen.len() >= PROBE_BODY_OCTETS_MAX
    }

    /// `the first 64 KiB of the body`.
    pub(super) fn name(&self, of: &str) -> String {
        format!("the first {} KiB of the {of}", PROBE_BODY_OCTETS_MAX >> 10)
    }
}
