//! Sockets with the options for serving.

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
    /// Buffer of waiting queries.
    pub(crate) receive: usize,
    /// Buffer of waiting answers.
    pub(crate) send: usize,
}

impl Default for Buffers {
    fn default() -> Buffers {
        Buffers { receive: RECEIVE_OCTETS, send: SEND_OCTETS }
    }
}

/// Buffer sizes granted by the kernel, in the unit of the request: Linux adds its own bookkeeping
/// and reports twice as much (socket(7)).
pub(crate) fn granted(socket: &UdpSocket) -> io::Result<Buffers> {
    let socket = socket2::SockRef::from(socket);
    let per_octet = if cfg!(target_os = "linux") { 2 } else { 1 };
    Ok(Buffers {
        receive: socket.recv_buffer_size()? / per_octet,
        send: socket.send_buffer_size()? / per_octet,
    })
}

/// Lets the kernel ask after this time of silence, and again, whether the other host is still
/// there; if it is not, reads fail.
pub(crate) fn keep_alive<'s, S>(stream: &'s S, every: Duration) -> io::Result<()>
where
    socket2::SockRef<'s>: From<&'s S>,
{
    let every = socket2::TcpKeepalive::new().with_time(every).with_interval(every);
    socket2::SockRef::from(stream).set_tcp_keepalive(&every)
}

/// UDP socket for one worker thread. It shares its port with the other workers, and wakes its
/// thread four times a second. Bound to every address, it reports each query's destination;
/// otherwise answers leave from its own address.
#[cfg(target_os = "linux")]
pub(crate) fn worker(address: SocketAddr, buffers: Buffers) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    socket.set_reuse_port(true)?;
    if address.ip().is_unspecified() {
        tell_destination(&socket, address)?;
    }
    enlarge(&socket, buffers);
    socket.set_read_timeout(Some(Duration::from_millis(WORKER_WAKE_MILLIS)))?;
    // A send waits while the device is full, but a dead device must not hold a worker beyond the
    // next wake.
    socket.set_write_timeout(Some(Duration::from_millis(WORKER_WAKE_MILLIS)))?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Unshared UDP socket, non-blocking: for the portable engine, and to test a port or the buffers.
pub(crate) fn plain(address: SocketAddr, buffers: Buffers) -> io::Result<UdpSocket> {
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    enlarge(&socket, buffers);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Listening TCP socket, non-blocking. It never shares its port, so that a second server on the
/// same address fails here, although its UDP sockets could join ours.
pub(crate) fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(address, Type::STREAM, Protocol::TCP)?;
    // Connections of a previous process may linger on the port after a restart.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(ACCEPT_BACKLOG)?;
    Ok(socket.into())
}

/// Listening Unix socket for its owner alone (mode 0600), non-blocking. The mode is set before the
/// socket listens, so that no other user can connect at any moment.
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
        // An IPv6 wildcard must not include IPv4: both families are listed, and bound separately.
        socket.set_only_v6(true)?;
    }
    #[cfg(target_os = "linux")]
    if kind == Type::DGRAM && address.is_ipv4() {
        // Set Don't Fragment on every answer (RFC 9715 section 3.1), and ignore path MTU messages,
        // which are easily forged. IPv6 routers do not fragment, and our largest answer fits the
        // smallest IPv6 MTU.
        set(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)?;
    }
    Ok(socket)
}

/// The smallest IPv6 MTU (RFC 8200 section 5) has room for our largest answer with its headers.
const _: () = assert!(UDP_PAYLOAD_MAX + 48 <= 1280);

/// Requests kernel buffers; the system's limit (`net.core.rmem_max`) may reduce them.
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

/// Sets a number as an option of a socket (setsockopt).
#[cfg(target_os = "linux")]
pub(super) fn set(
    socket: &Socket,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
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

/// Memory and drops of a socket, as the kernel counts them.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiveQueue {
    /// Datagrams that the kernel dropped since the socket was opened, for lack of buffer space or
    /// by a filter, modulo 2^32.
    pub(crate) drops: u32,
    /// Octets of the receive buffer in use, with the kernel's bookkeeping.
    pub(crate) used: u32,
    /// Octets of the receive buffer.
    pub(crate) room: u32,
}

/// Reads the receive queue of a socket. Linux 4.12 and later provide it; `SO_RXQ_OVFL` would report
/// the drops with every datagram, at a cost for each.
#[cfg(target_os = "linux")]
pub(crate) fn receive_queue(socket: &UdpSocket) -> io::Result<ReceiveQueue> {
    let mut memory = [0u32; libc::SK_MEMINFO_DROPS as usize + 1];
    let mut len = size_of_val(&memory) as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the kernel writes at most
    // `len` octets to the local array, of which that is the size, and how many it wrote to the
    // local `len`.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            memory.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(ReceiveQueue {
        drops: memory[libc::SK_MEMINFO_DROPS as usize],
        used: memory[libc::SK_MEMINFO_RMEM_ALLOC as usize],
        room: memory[libc::SK_MEMINFO_RCVBUF as usize],
    })
}

/// Returns the socket that was opened early, while descriptors were available, for the first run of
/// a task; opens another one for each later run.
pub(crate) fn take_up<S>(first: &mut Option<S>, another: impl FnOnce() -> io::Result<S>) -> io::Result<S> {
    first.take().map_or_else(another, Ok)
}
