//! Clients behind balancers: the PROXY header of a stream, and the reasons to drop a message or
//! connection for its header.
//!
//! The header comes before anything else of a stream. Over TLS there are two places for it: haproxy
//! and other balancers of connections send it in clear, before the handshake, and dnsdist as the
//! first octets inside TLS. The first octet of the connection shows which it is.

use crate::shared::counters::{CounterBlock, Dropped};
use crate::wire::proxy_header::{Front, ProxyFault, ProxyHeader};
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// First octet of a TLS handshake (RFC 8446 section 5.1), with which no header begins.
pub(super) const TLS_HANDSHAKE: u8 = 22;

/// The reason to drop what begins with a faulty header.
#[cold]
pub(super) fn reason(fault: ProxyFault) -> Dropped {
    match fault {
        ProxyFault::Missing => Dropped::ProxyMissing,
        ProxyFault::Version => Dropped::ProxyVersion,
        ProxyFault::Family => Dropped::ProxyFamily,
        ProxyFault::Length => Dropped::ProxyLength,
        ProxyFault::Address => Dropped::ProxyAddress,
    }
}

/// Reads the header at the front of a stream, and no octet behind it, because what follows may be a
/// TLS handshake. Returns the client, or `None` if the balancer speaks for itself. A fault is
/// counted; a connection that ends before its first octet, as those of health checks do, is not.
pub(super) async fn client(
    stream: &mut (impl AsyncRead + Unpin),
    block: &CounterBlock,
) -> Result<Option<IpAddr>, ()> {
    let mut octets = Vec::new();
    let fault = loop {
        let needed = match ProxyHeader::front(&octets) {
            Ok(Front::Whole(header)) => {
                block.proxy_header();
                return Ok(header.client.map(|(address, _)| address));
            }
            Ok(Front::Partial(needed)) => needed,
            Err(fault) => break fault,
        };
        let missing = needed.saturating_sub(octets.len());
        match (&mut *stream).take(missing as u64).read_buf(&mut octets).await {
            Ok(0) if !octets.is_empty() => break ProxyFault::of_end(octets.len()),
            Ok(0) | Err(_) => return Err(()),
            Ok(_) => {}
        }
    };
    block.dropped(reason(fault), 1);
    Err(())
}

#[cfg(test)]
mod tests;
