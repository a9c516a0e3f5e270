//! TCP check: a connection, with an optional exchange.

use super::metered::Metered;
use super::{Finding, Trial, words};
use crate::health::spec::TcpCheck;
use crate::limits::PROBE_BODY_OCTETS_MAX;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connects, sends and reads as the check demands.
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

/// Search for a text in a stream, within its first octets.
///
/// Knuth-Morris-Pratt: no octet is kept or examined again. A peer that sends single octets, or
/// nearly the text over and over, costs no more than any other.
pub(super) struct Sought<'e> {
    expected: &'e [u8],
    /// Entry `n - 1`: the number of octets that still match if `n` octets matched and the next one
    /// differs.
    falls_back: Vec<usize>,
    /// Octets of the text that match the end of the stream.
    matched: usize,
    /// Octets that may still be examined.
    left: usize,
    #[cfg(test)]
    compared: usize,
}

impl<'e> Sought<'e> {
    /// Starts before the first octet.
    pub(super) fn new(expected: &'e [u8]) -> Sought<'e> {
        let mut sought = Sought {
            expected,
            falls_back: vec![0; expected.len()],
            matched: 0,
            left: PROBE_BODY_OCTETS_MAX,
            #[cfg(test)]
            compared: 0,
        };
        for (at, octet) in expected.iter().enumerate().skip(1) {
            sought.step(*octet);
            sought.falls_back[at] = sought.matched;
        }
        sought.matched = 0;
        sought
    }

    /// Takes the next octets; true once the text was found.
    pub(super) fn take(&mut self, octets: &[u8]) -> bool {
        for octet in &octets[..octets.len().min(self.left)] {
            if self.is_found() {
                break;
            }
            self.left -= 1;
            self.step(*octet);
        }
        self.is_found()
    }

    /// True once the limit of examined octets is reached.
    pub(super) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// `the first 64 KiB of the body`.
    pub(super) fn name(&self, of: &str) -> String {
        format!("the first {} KiB of the {of}", PROBE_BODY_OCTETS_MAX >> 10)
    }

    fn is_found(&self) -> bool {
        self.matched == self.expected.len()
    }

    fn step(&mut self, octet: u8) {
        loop {
            #[cfg(test)]
            {
                self.compared += 1;
            }
            if self.expected.get(self.matched) == Some(&octet) {
                self.matched += 1;
                return;
            }
            match self.matched {
                0 => return,
                matched => self.matched = self.falls_back[matched - 1],
            }
        }
    }
}

#[cfg(test)]
mod tests;
