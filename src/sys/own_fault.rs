//! Errors caused by this node: a socket, pipe or program that the system cannot provide.

use std::io::{self, ErrorKind};
use std::net::IpAddr;

/// True if an error while contacting `peer` is the fault of this node and not of the peer: no free
/// descriptors or memory, a missing permission, or no address or route of that family. Without a
/// peer, the error is about a file, a program or a socket of this system.
pub(crate) fn is_own(error: &io::Error, peer: Option<IpAddr>) -> bool {
    match (error.kind(), peer) {
        (ErrorKind::PermissionDenied, None) => true,
        // A packet filter of this node. A router that rejects the packet causes EACCES too.
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

/// True if a limit of descriptors, processes or buffers is reached.
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

/// True if this node has a route of the family, apart from loopback and link-local ones (proc(5),
/// `net/route` and `net/ipv6_route`), or if the system does not list routes.
fn has_route(is_v4: bool) -> bool {
    let path = if is_v4 { "/proc/net/route" } else { "/proc/net/ipv6_route" };
    let is_route = if is_v4 { is_v4_route } else { is_v6_route };
    std::fs::read_to_string(path).map_or(true, |table| table.lines().any(is_route))
}

/// Flag of a route that rejects packets (RTF_REJECT).
const REJECT: u32 = 0x200;

/// Checks a row of `net/route`: interface, destination, gateway, flags. The header has no readable
/// flags.
fn is_v4_route(row: &str) -> bool {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let flags = fields.get(3).and_then(|flags| u32::from_str_radix(flags, 16).ok());
    fields.first().is_some_and(|interface| *interface != "lo")
        && flags.is_some_and(|flags| flags & REJECT == 0)
}

/// Checks a row of `net/ipv6_route`: the destination first, flags and interface last.
fn is_v6_route(row: &str) -> bool {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let [to, .., flags, interface] = &fields[..] else { return false };
    let is_far = !to.starts_with("fe80") && !to.starts_with("ff") && *interface != "lo";
    is_far && u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECT == 0)
}

#[cfg(test)]
mod tests;
