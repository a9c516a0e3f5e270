//! Unprivileged sockets for ICMP echo (icmp(7), `net.ipv4.ping_group_range`).

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Opens a non-blocking socket that sends echo requests to an address and receives its replies. The
/// kernel writes identifier and checksum. A datagram socket's port serves as the identifier, hence
/// the type. Fails with `PermissionDenied` if the system forbids it.
pub(crate) fn open(to: IpAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.connect(&SocketAddr::new(to, 0).into())?;
    Ok(socket.into())
}
