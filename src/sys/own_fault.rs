//! Errors that are the node's own: a socket, pipe or program that this system does not give.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

/// Whether an error of opening an exchange with `peer` says something of this node and nothing of
/// the peer: no descriptors or memory are left, a permission is missing, no address or no route of
/// that family is there. Without a peer, it is a file, a program or a socket of this system.
pub(crate) fn is_own(error: &io::Error, peer: Option<IpAddr>) -> bool {
    match (error.kind(), peer) {
        (ErrorKind::PermissionDenied, None) => true,
        // A packet filter of this node. EACCES also comes from a router that forbids the way.
        (ErrorKind::PermissionDenied, Some(_)) => is_filtered_here(error),
        (ErrorKind::OutOfMemory | ErrorKind::AddrNotAvailable, _) => true,
        (ErrorKind::NetworkUnreachable, Some(peer)) => !has_route(peer.is_ipv4()),
        _ => is_exhausted(error),
    }
}

fn is_filtered_here(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        error.raw_os_error() == Some(libc::EPERM)
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
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

/// Whether this node has a route of a family at all, the loopback and the link apart (proc(5),
/// `net/route` and `net/ipv6_route`). Where the system does not say, it has.
fn has_route(is_v4: bool) -> bool {
    let path = if is_v4 { "/proc/net/route" } else { "/proc/net/ipv6_route" };
    let is_route = if is_v4 { is_v4_route } else { is_v6_route };
    std::fs::read_to_string(path).map_or(true, |table| table.lines().any(is_route))
}

/// Flag of a route that refuses (RTF_REJECT).
const REJECT: u32 = 0x200;

/// A row of `net/route`: interface, destination, gateway, flags; in its head no flags can be read.
fn is_v4_route(row: &str) -> bool {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let flags = fields.get(3).and_then(|flags| u32::from_str_radix(flags, 16).ok());
    fields.first().is_some_and(|interface| *interface != "lo")
        && flags.is_some_and(|flags| flags & REJECT == 0)
}

/// A row of `net/ipv6_route`: the destination first, flags and interface last.
fn is_v6_route(row: &str) -> bool {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let [to, .., flags, interface] = &fields[..] else { return false };
    let is_far = !to.starts_with("fe80") && !to.starts_with("ff") && *interface != "lo";
    is_far && u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECT == 0)
}

#[cfg(test)]
mod tests;
