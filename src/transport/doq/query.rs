//! The query of one stream: its length, its octets, and the end of the stream (RFC 9250 section
//! 4.2).

use crate::limits::{MESSAGE_MAX, QUIC_SHORT_OCTETS};
use crate::wire::edns::KEEPALIVE;
use crate::wire::skim::has_option;
use quinn::RecvStream;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Octets of the longest query, with its length.
const QUERY_MAX: usize = 2 + MESSAGE_MAX;

/// Query that has arrived.
pub(super) struct Query {
    octets: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reason for which a stream has no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoQuery {
    /// The client has broken a rule, so the connection ends (RFC 9250 section 4.3.3).
    Breach(&'static str),
    /// The client has given the stream up, or the connection has ended.
    Cancelled,
}

impl Query {
    /// Reads a stream to its end.
    pub(super) async fn read(recv: &mut RecvStream, room: &Arc<Semaphore>) -> Result<Query, NoQuery> {
        let (mut octets, mut held) = (Vec::new(), None);
        loop {
            // One more octet than a query can have, so that a longer one is noticed.
            let most = if held.is_some() { QUERY_MAX + 1 } else { QUIC_SHORT_OCTETS };
            match recv.read_chunk(most - octets.len(), true).await {
                Ok(Some(chunk)) => octets.extend_from_slice(&chunk.bytes),
                Ok(None) => break,
                Err(_) => return Err(NoQuery::Cancelled),
            }
            if octets.len() > QUERY_MAX {
                break;
            }
            if held.is_none() && octets.len() == most {
                held = Arc::clone(room).acquire_many_owned(MESSAGE_MAX as u32).await.ok();
            }
        }
        check(&octets).map_err(NoQuery::Breach)?;
        Ok(Query { octets, _room: held })
    }

    /// The message.
    pub(super) fn message(&self) -> &[u8] {
        &self.octets[2..]
    }
}

/// Checks the octets of a stream: one message behind its length, with the ID 0 and without the
/// keepalive option (RFC 9250 sections 4.2, 4.2.1 and 5.5.2). The error is the rule that is broken.
pub fn check(octets: &[u8]) -> Result<(), &'static str> {
    let Some((length, message)) = octets.split_first_chunk::<2>() else {
        return Err("the stream ends within the length");
    };
    if message.len() != usize::from(u16::from_be_bytes(*length)) {
        return Err("the stream has not exactly one message");
    }
    if message.iter().take(2).any(|octet| *octet != 0) {
        return Err("the message ID is not 0");
    }
    if has_option(message, KEEPALIVE) {
        return Err("the query has the keepalive option of TCP");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
