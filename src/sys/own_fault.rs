//! Errors that are the node's own: a socket, pipe or program that this system does not give.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Whether an error before the first octet of an exchange with `peer` says something of this node
/// and nothing of the peer: no descriptors or memory are left, the permission is missing, no
/// address or no route of that family is there.
pub(crate) fn is_own(error: &io::Error, peer: Option<IpAddr>) -> bool {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::OutOfMemory | ErrorKind::AddrNotAvailable => true,
        ErrorKind::NetworkUnreachable => peer.is_some_and(|peer| !has_route(peer.is_ipv4())),
        _ => is_exhausted(error),
    }
}

/// Whether a limit of descriptors, processes or buffers is reached.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        let exhausted = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS, libc::EAGAIN];
        error.raw_os_error().is_some_and(|number| exhausted.contains(&number))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

/// Whether this node has a route of a family at all. A documentation address stands for the rest of
/// the internet; nothing is sent.
fn has_route(is_v4: bool) -> bool {
    let (any, far): (IpAddr, IpAddr) = if is_v4 {
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into())
    } else {
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into())
    };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((far, 9))).is_ok()
}

#[cfg(test)]
mod tests;
