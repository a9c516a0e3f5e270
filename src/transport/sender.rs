//! Senders of datagrams: addresses and ports that get no reply, whatever they send.
//!
//! A datagram's source can be forged. Services on these ports answer whatever they get, so our
//! reply would be answered in turn.

use crate::shared::counters::Dropped;
use std::net::IpAddr;

/// Ports of UDP services that answer any datagram: echo (RFC 862), daytime (RFC 867), quote of the
/// day (RFC 865), chargen (RFC 864), time (RFC 868) and TFTP (RFC 1350).
const SERVICE_PORTS: [u16; 6] = [7, 13, 17, 19, 37, 69];
/// The highest of them. One comparison with it passes all other ports.
const SERVICE_PORT_MAX: u16 = 69;

/// True if a datagram from this source is answered. Port 0 and addresses that are not unicast can
/// only be forged.
#[inline(always)]
pub(crate) fn is_answerable((address, port): &(IpAddr, u16)) -> bool {
    (*port > SERVICE_PORT_MAX || is_client_port(*port))
        && !address.is_unspecified()
        && !address.is_multicast()
}

#[cold]
fn is_client_port(port: u16) -> bool {
    port != 0 && !SERVICE_PORTS.contains(&port)
}

/// The reason to drop a datagram from a source that is not answered; `None` is one without address.
#[cold]
pub(crate) fn reason(sender: Option<(IpAddr, u16)>) -> Dropped {
    match sender {
        Some((_, port)) if SERVICE_PORTS.contains(&port) => Dropped::ServicePort,
        Some(_) | None => Dropped::BadPeer,
    }
}

#[cfg(test)]
mod tests;
