//! Sockets opened with the options that serving needs.

use crate::limits::{ACCEPT_BACKLOG, RECEIVE_OCTETS, SEND_OCTETS, UDP_PAYLOAD_MAX, WORKER_WAKE_MILLIS};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

/// Octets of kernel buffer of a UDP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buffers {
    /// For queries that wait.
    pub(crate) receive: usize,
    /// For answers that wait.
    pub(crate) send: usize,
}

impl Default for Buffers {
    fn default() -> Buffers {
        Buffers { receive: RECEIVE_OCTETS, send: SEND_OCTETS }
    }
}

/// What the kernel has granted, in the measure in which it was asked: Linux counts its own
/// book-keeping in, and tells twice as much (socket(7)).
pub(crate) fn granted(socket: &UdpSocket) -> io::Result<Buffers> {
    let socket = socket2::SockRef::from(socket);
    let per_octet = if cfg!(target_os = "linux") { 2 } else { 1 };
    Ok(Buffers {
        receive: socket.recv_buffer_size()? / per_octet,
        send: socket.send_buffer_size()? / per_octet,
    })
}

/// A UDP socket for one worker thread: shares its port with the other workers, tells each query's
/// destination if it is bound to every address (an answer from any other leaves from the one that
/// it is bound to), and wakes its thread four times a second.
#[cfg(target_os = "linux")]
pub(crate) fn worker(address: SocketAddr, buffers: Buffers) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    socket.set_reuse_port(true)?;
    if address.ip().is_unspecified() {
        tell_destination(&socket, address)?;
    }
    enlarge(&socket, buffers);
    socket.set_read_timeout(Some(Duration::from_millis(WORKER_WAKE_MILLIS)))?;
    // A send waits when the device is full; a dead device must not hold a worker past the next
    // wake.
    socket.set_write_timeout(Some(Duration::from_millis(WORKER_WAKE_MILLIS)))?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A UDP socket that nobody shares, as the portable engine takes it: non-blocking.
pub(crate) fn plain(address: SocketAddr, buffers: Buffers) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    enlarge(&socket, buffers);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A listening TCP socket, non-blocking. It never shares its port, so a second server on the same
/// address is refused here even though its UDP sockets could have joined ours.
pub(crate) fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(address, Type::STREAM, Protocol::TCP)?;
    // After a restart, connections of the old process may still linger on the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(ACCEPT_BACKLOG)?;
    Ok(socket.into())
}

/// A listening Unix socket that only its owner may use (mode 0600), non-blocking. The mode is set
/// before the socket listens, so there is no moment in which another user gets through.
#[cfg(unix)]
pub(crate) fn private(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    socket.listen(ACCEPT_BACKLOG)?;
    Ok(socket.into())
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // An IPv6 wildcard must not swallow IPv4: both families are listed, and bound, each for
        // itself.
        socket.set_only_v6(true)?;
    }
    #[cfg(target_os = "linux")]
    if kind == Type::DGRAM && address.is_ipv4() {
        // Don't Fragment on every answer (RFC 9715 section 3.1), and none split or refused for an
        // ICMP message, which anybody can forge. IPv6 routers fragment nothing, and our largest
        // answer fits the smallest MTU there.
        set(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)?;
    }
    Ok(socket)
}

/// The smallest MTU of IPv6 (RFC 8200 section 5) holds our largest answer and its headers.
const _: () = assert!(UDP_PAYLOAD_MAX + 48 <= 1280);

/// Kernel buffers are a wish: the system's ceiling (`net.core.rmem_max`) may cut them, which is
/// fine.
fn enlarge(socket: &Socket, buffers: Buffers) {
    let _ = socket.set_recv_buffer_size(buffers.receive);
    let _ = socket.set_send_buffer_size(buffers.send);
}

#[cfg(target_os = "linux")]
fn tell_destination(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv4() {
        set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    } else {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    }
}

#[cfg(target_os = "linux")]
fn set(socket: &Socket, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the option takes an
    // `int`, and the pointer and length describe exactly the local one, which outlives the call.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            std::ptr::from_ref(&value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many datagrams the kernel has dropped for want of room in a socket's buffer, since the
/// socket was opened and modulo 2^32. Linux 4.12 and later tell; `SO_RXQ_OVFL` would tell the same
/// with every datagram, at a price for each.
#[cfg(target_os = "linux")]
pub(crate) fn drops(socket: &UdpSocket) -> io::Result<u32> {
    let mut told = [0u32; libc::SK_MEMINFO_DROPS as usize + 1];
    let mut len = size_of_val(&told) as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the kernel writes at most
    // `len` octets to the local array, of which that is the size, and how many it wrote to the
    // local `len`.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            told.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if status == 0 { Ok(told[libc::SK_MEMINFO_DROPS as usize]) } else { Err(io::Error::last_os_error()) }
}

/// The socket that was opened for the first run of a task, so that its descriptor is there before
/// descriptors are short; for each later run another one.
pub(crate) fn take_up<S>(first: &mut Option<S>, another: impl FnOnce() -> io::Result<S>) -> io::Result<S> {
    first.take().map_or_else(another, Ok)
}
