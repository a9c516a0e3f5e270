//! Batches of datagrams, with the destination address of each.
//!
//! A [`Batch`] has room for a fixed number of queries and as many replies. `receive` takes the
//! waiting queries from the kernel, `exchange` returns one of them with room for its reply, `reply`
//! marks the room as used, and `send` passes all replies to the kernel. A reply leaves from the
//! destination address of its query, also on a socket bound to every address of the host.

use crate::limits::{DATAGRAM_MAX, UDP_PAYLOAD_MAX};
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;

/// Octets of control data per message: room for the larger of the two PKTINFO messages, aligned for
/// their headers.
const CONTROL_OCTETS: usize = 64;

/// Destination address of a query, which is the source address of its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The address.
    pub address: IpAddr,
    /// Interface index for IPv6 link-local addresses; else 0, so that the route decides.
    pub interface: u32,
}

/// One query of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Octets received.
    pub octets: &'a [u8],
    /// Address and port of the sender; `None` if the kernel gave neither an IPv4 nor an IPv6
    /// address.
    pub(crate) sender: Option<(IpAddr, u16)>,
    /// True if the kernel cut it because it was longer than [`DATAGRAM_MAX`].
    pub(crate) cut: bool,
}

/// Numbers of replies of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Accepted by the kernel.
    pub(crate) sent: usize,
    /// Refused by the kernel (no route, unreachable peer, full device).
    pub(crate) failed: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_OCTETS]);

/// Room for a batch of queries and their replies.
pub struct Batch {
    queries: Box<[[u8; DATAGRAM_MAX]]>,
    replies: Box<[[u8; UDP_PAYLOAD_MAX as usize]]>,
    peers: Box<[libc::sockaddr_storage]>,
    controls: Box<[Control]>,
    /// Headers that the kernel fills: each points at the buffer of its query.
    arrivals: Headers,
    /// Headers that the kernel sends: each points at the buffer of its reply, and at the peer of
    /// the answered query.
    departures: Headers,
    /// Number of queries from the last `receive`.
    received: usize,
    /// Number of headers, from the first, that the kernel has filled since they were last reset.
    used: usize,
    /// Number of replies noted since then.
    noted: usize,
    /// Number of queries, from the first, that can no longer be answered.
    passed: usize,
}

/// Message headers with one buffer each. They point into boxes of the same batch, none of which is
/// ever replaced.
struct Headers {
    headers: Box<[libc::mmsghdr]>,
    pieces: Box<[libc::iovec]>,
}

impl Headers {
    fn over<const N: usize>(
        rooms: &mut [[u8; N]],
        peers: &mut [libc::sockaddr_storage],
        controls: &mut [Control],
    ) -> Headers {
        let mut pieces: Box<[libc::iovec]> = rooms
            .iter_mut()
            .map(|room| libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: N })
            .collect();
        let places = pieces.iter_mut().zip(peers).zip(controls);
        let headers = places.map(|((piece, peer), control)| {
            // SAFETY: a C structure of integers and pointers, for which all-zero octets are valid.
            let mut header: libc::mmsghdr = unsafe { zeroed() };
            header.msg_hdr.msg_iov = ptr::from_mut(piece);
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = ptr::from_mut(peer).cast();
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            header
        });
        Headers { headers: headers.collect(), pieces }
    }
}

impl Batch {
    /// Makes room for `capacity` messages, at least one.
    pub fn new(capacity: usize) -> Batch {
        let capacity = capacity.max(1);
        // SAFETY: as above.
        let peer: libc::sockaddr_storage = unsafe { zeroed() };
        let mut queries = vec![[0; DATAGRAM_MAX]; capacity].into_boxed_slice();
        let mut replies = vec![[0; UDP_PAYLOAD_MAX as usize]; capacity].into_boxed_slice();
        let mut peers = vec![peer; capacity].into_boxed_slice();
        let mut controls = vec![Control([0; CONTROL_OCTETS]); capacity].into_boxed_slice();
        let arrivals = Headers::over(&mut queries, &mut peers, &mut controls);
        let departures = Headers::over(&mut replies, &mut peers, &mut controls);
        let (received, used, noted, passed) = (0, capacity, 0, 0);
        Batch { queries, replies, peers, controls, arrivals, departures, received, used, noted, passed }
    }

    /// Waits for the first query or the socket's read timeout, and takes all waiting queries.
    /// Returns 0 after a timeout, an interrupt, or an ICMP error about an earlier reply; none of
    /// these is a fault.
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        (self.received, self.noted, self.passed) = (0, 0, 0);
        let capacity = self.arrivals.headers.len();
        // The kernel has written to the headers that it filled, and after an error also to the next
        // one.
        let written = (std::mem::take(&mut self.used) + 1).min(capacity);
        for header in &mut self.arrivals.headers[..written] {
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_controllen = CONTROL_OCTETS as _;
        }
        // SAFETY: there are `capacity` headers; each points at buffers of this batch with their
        // true sizes, and `&mut self` keeps all of them in place and unshared until the call
        // returns. MSG_WAITFORONE blocks for the first message only; the null time-out leaves
        // waiting to the socket's own SO_RCVTIMEO.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.arrivals.headers.as_mut_ptr(),
                capacity as libc::c_uint,
                libc::MSG_WAITFORONE as _,
                ptr::null_mut(),
            )
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return if is_passing(&error) { Ok(0) } else { Err(error) };
        }
        self.received = (count as usize).min(capacity);
        self.used = self.received;
        Ok(self.received)
    }

    /// Octets of a query from the last `receive`; `index` must be less than its result.
    #[inline(always)]
    pub(crate) fn octets(&self, index: usize) -> &[u8] {
        assert!(index < self.received, "a datagram of this batch");
        octets(&self.arrivals.headers[index], &self.queries[index])
    }

    /// Address and port of the sender of a query from the last `receive`.
    #[inline(always)]
    pub(crate) fn sender(&self, index: usize) -> Option<(IpAddr, u16)> {
        assert!(index < self.received, "a datagram of this batch");
        read_sender(&self.arrivals.headers[index], &self.peers[index])
    }

    /// Takes the first `len` octets off a query from the last `receive`, at most all of them.
    pub(crate) fn skip(&mut self, index: usize, len: usize) {
        assert!(index < self.received, "a datagram of this batch");
        let whole = octets(&self.arrivals.headers[index], &self.queries[index]).len();
        let len = len.min(whole);
        self.queries[index].copy_within(len..whole, 0);
        self.arrivals.headers[index].msg_len = (whole - len) as libc::c_uint;
    }

    /// A query from the last `receive`, with room for its reply; `index` must be less than the
    /// result of `receive`.
    #[inline(always)]
    pub fn exchange(&mut self, index: usize) -> (Datagram<'_>, &mut [u8; UDP_PAYLOAD_MAX as usize]) {
        assert!(index < self.received, "a datagram of this batch");
        let header = &self.arrivals.headers[index];
        let datagram = Datagram {
            octets: octets(header, &self.queries[index]),
            sender: read_sender(header, &self.peers[index]),
            cut: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        };
        // There is at most one reply per query, so there is room for one more.
        (datagram, &mut self.replies[self.noted])
    }

    /// Marks the room from the last `exchange`, which was for `index`, as a reply of `length`
    /// octets. Queries are answered in order, each once. Returns false, and marks nothing, if
    /// `length` exceeds the room.
    #[inline]
    pub fn reply(&mut self, index: usize, length: usize) -> bool {
        let has_local =
            self.arrivals.headers.get(index).is_some_and(|header| header.msg_hdr.msg_controllen > 0);
        let local = if has_local { self.local(index) } else { None };
        self.reply_from(index, length, local)
    }

    /// [`Batch::reply`] from another address of this host, on a socket bound to every address.
    #[inline]
    pub fn reply_from(&mut self, index: usize, length: usize, local: Option<Local>) -> bool {
        assert!(index < self.received, "a datagram of this batch");
        // Replies reuse the control data of queries that were passed.
        assert!(self.passed <= index, "replies come in the order of their queries");
        if length > UDP_PAYLOAD_MAX as usize {
            return false;
        }
        let slot = self.noted;
        let control_length = local.map_or(0, |local| write_local(&mut self.controls[slot], local));
        let name_length = self.arrivals.headers[index].msg_hdr.msg_namelen;
        self.departures.pieces[slot].iov_len = length;
        let header = &mut self.departures.headers[slot].msg_hdr;
        header.msg_name = ptr::from_mut(&mut self.peers[index]).cast();
        header.msg_namelen = name_length;
        header.msg_controllen = control_length as _;
        (self.noted, self.passed) = (slot + 1, index + 1);
        true
    }

    /// Destination of a query from the last `receive` that is not yet answered, if the kernel gave
    /// a unicast address, as it does on a socket bound to every address.
    pub(crate) fn local(&self, index: usize) -> Option<Local> {
        assert!(
            self.passed <= index && index < self.received,
            "a datagram of this batch that is not answered"
        );
        self.read_local(index)
    }

    /// Sends every noted reply. A message that the kernel refuses is counted and skipped, so that
    /// one unreachable peer does not affect the answers of others.
    pub fn send(&mut self, socket: &UdpSocket) -> Sent {
        let replies = &mut self.departures.headers[..self.noted];
        (self.received, self.noted) = (0, 0);
        // SAFETY: for each of these headers `reply` has set the lengths of what it points at, all
        // of it in this batch; `&mut self` keeps that in place, and the kernel only reads.
        unsafe { send_all(socket, replies) }
    }

    fn read_local(&self, index: usize) -> Option<Local> {
        let header = &self.arrivals.headers[index].msg_hdr;
        if header.msg_flags & libc::MSG_CTRUNC != 0 {
            return None;
        }
        // SAFETY: `header` was filled by `recvmmsg`: its control pointer is this batch's
        // `controls[index]`, which no reply has used yet, and its length is what the kernel wrote
        // there.
        unsafe { find_local(header) }
    }
}

/// Sends a single message from an address of this host, for tests that ask from many.
pub fn send_one(socket: &UdpSocket, octets: &[u8], peer: SocketAddr, local: Option<Local>) -> io::Result<()> {
    let mut control = Control([0; CONTROL_OCTETS]);
    let control_length = local.map_or(0, |local| write_local(&mut control, local));
    let name = socket2::SockAddr::from(peer);
    let mut piece = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
    // SAFETY: all-zero octets are a valid msghdr.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_name = name.as_ptr().cast_mut().cast();
    header.msg_namelen = name.len();
    header.msg_iov = ptr::from_mut(&mut piece);
    header.msg_iovlen = 1;
    header.msg_control = if control_length == 0 { ptr::null_mut() } else { control.0.as_mut_ptr().cast() };
    header.msg_controllen = control_length as _;
    loop {
        // SAFETY: the header points at the caller's octets and at locals of this frame, with their
        // true lengths; `sendmsg` only reads through them.
        if unsafe { libc::sendmsg(socket.as_raw_fd(), &header, 0) } >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// True for errors of `recvmmsg` without meaning for our socket: timeouts, signals, and ICMP
/// messages about unreachable peers.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EAGAIN
                | libc::EINTR
                | libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ECONNRESET
        )
    )
}

/// # Safety
/// Every header must point at live, correctly sized buffers.
unsafe fn send_all(socket: &UdpSocket, headers: &mut [libc::mmsghdr]) -> Sent {
    let mut outcome = Sent::default();
    let mut next = 0;
    while next < headers.len() {
        let rest = &mut headers[next..];
        // SAFETY: by the caller's promise; the count is the slice's own length.
        let count =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as libc::c_uint, 0) };
        if count > 0 {
            outcome.sent += count as usize;
            next += count as usize;
            continue;
        }
        match io::Error::last_os_error().kind() {
            io::ErrorKind::Interrupted => {}
            // The send buffer is full, and the kernel has already waited for it. Each further
            // message would wait as long, while queries pile up.
            io::ErrorKind::WouldBlock => {
                outcome.failed += headers.len() - next;
                return outcome;
            }
            // The error belongs to the first of the remaining messages.
            _ => {
                outcome.failed += 1;
                next += 1;
            }
        }
    }
    outcome
}

/// Octets of one message, as written by the kernel.
#[inline(always)]
fn octets<'b>(header: &libc::mmsghdr, octets: &'b [u8; DATAGRAM_MAX]) -> &'b [u8] {
    &octets[..(header.msg_len as usize).min(DATAGRAM_MAX)]
}

/// Sender as written by the kernel: a complete address, or `None`; the storage may then hold the
/// address of an earlier message.
#[inline(always)]
fn read_sender(header: &libc::mmsghdr, storage: &libc::sockaddr_storage) -> Option<(IpAddr, u16)> {
    if header.msg_hdr.msg_namelen == 0 {
        return None;
    }
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says sockaddr_in, which is smaller than the storage and as
            // aligned; every bit pattern is one.
            let v4: &libc::sockaddr_in = unsafe { &*ptr::from_ref(storage).cast() };
            let address = Ipv4Addr::from_bits(u32::from_be(v4.sin_addr.s_addr));
            Some((IpAddr::V4(address), u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: as above, for sockaddr_in6.
            let v6: &libc::sockaddr_in6 = unsafe { &*ptr::from_ref(storage).cast() };
            Some((IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)), u16::from_be(v6.sin6_port)))
        }
        _ => None,
    }
}

/// # Safety
/// The header's control pointer and length must describe octets that the kernel has filled.
unsafe fn find_local(header: &libc::msghdr) -> Option<Local> {
    // SAFETY: by the caller's promise the macros stay within the control octets, and each message's
    // payload lies behind its header, as long as the header says.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let length = ((*message).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            let payload = std::slice::from_raw_parts(libc::CMSG_DATA(message), length);
            if let Some(told) = told_local((*message).cmsg_level, (*message).cmsg_type, payload) {
                return told;
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    None
}

/// Local address from a control message; `Some(None)` if no answer can leave from it.
fn told_local(level: i32, kind: i32, payload: &[u8]) -> Option<Option<Local>> {
    match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) if payload.len() >= size_of::<libc::in_pktinfo>() => {
            // SAFETY: the payload is long enough, and every bit pattern is one; it is read
            // unaligned.
            let told: libc::in_pktinfo = unsafe { ptr::read_unaligned(payload.as_ptr().cast()) };
            // `ipi_spec_dst` is the local address the query reached; unlike `ipi_addr` it is
            // never a broadcast address.
            let address = Ipv4Addr::from(u32::from_be(told.ipi_spec_dst.s_addr));
            let usable = !address.is_unspecified() && !address.is_multicast();
            Some(usable.then_some(Local { address: address.into(), interface: 0 }))
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if payload.len() >= size_of::<libc::in6_pktinfo>() => {
            // SAFETY: as above.
            let told: libc::in6_pktinfo = unsafe { ptr::read_unaligned(payload.as_ptr().cast()) };
            let address = Ipv6Addr::from(told.ipi6_addr.s6_addr);
            let interface = if address.is_unicast_link_local() { told.ipi6_ifindex as u32 } else { 0 };
            let usable = !address.is_unspecified() && !address.is_multicast();
            Some(usable.then_some(Local { address: address.into(), interface }))
        }
        _ => None,
    }
}

/// Writes the control message that sets the source address; returns its length.
fn write_local(control: &mut Control, local: Local) -> usize {
    *control = Control([0; CONTROL_OCTETS]);
    match local.address {
        IpAddr::V4(address) => {
            let told = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr { s_addr: u32::from(address).to_be() },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            write_control(control, libc::IPPROTO_IP, libc::IP_PKTINFO, told)
        }
        IpAddr::V6(address) => {
            let told = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr { s6_addr: address.octets() },
                ipi6_ifindex: local.interface as _,
            };
            write_control(control, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, told)
        }
    }
}

fn write_control<T: Copy>(control: &mut Control, level: i32, kind: i32, payload: T) -> usize {
    // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
    let (space, length) =
        unsafe { (libc::CMSG_SPACE(size_of::<T>() as u32) as usize, libc::CMSG_LEN(size_of::<T>() as u32)) };
    assert!(space <= CONTROL_OCTETS, "CONTROL_OCTETS holds either PKTINFO message");
    // SAFETY: `control` is aligned for a cmsghdr and, by the assertion, long enough for one with
    // its payload; the payload is written unaligned.
    unsafe {
        let mut header: libc::msghdr = zeroed();
        header.msg_control = control.0.as_mut_ptr().cast();
        header.msg_controllen = space as _;
        let message = libc::CMSG_FIRSTHDR(&header);
        (*message).cmsg_level = level;
        (*message).cmsg_type = kind;
        (*message).cmsg_len = length as _;
        ptr::write_unaligned(libc::CMSG_DATA(message).cast(), payload);
    }
    space
}

#[cfg(test)]
mod tests;
