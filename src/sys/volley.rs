//! Sends several datagrams to one peer in one system call, for load tests of a server.

use std::io;
use std::mem::zeroed;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Most datagrams of one volley.
pub const VOLLEY_MAX: usize = 64;

/// Sends at most [`VOLLEY_MAX`] datagrams over a connected socket; returns the number accepted by
/// the kernel.
pub fn volley(socket: &UdpSocket, datagrams: &[&[u8]]) -> io::Result<usize> {
    // SAFETY: these are C structures of integers and pointers, for which all-zero octets are valid.
    let (mut pieces, mut headers): ([libc::iovec; VOLLEY_MAX], [libc::mmsghdr; VOLLEY_MAX]) =
        unsafe { (zeroed(), zeroed()) };
    let count = datagrams.len().min(VOLLEY_MAX);
    for ((piece, header), octets) in pieces.iter_mut().zip(&mut headers).zip(datagrams) {
        *piece = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        header.msg_hdr.msg_iov = piece;
        header.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: the first `count` headers point at pieces of this frame, which point at the caller's
    // octets with their true lengths; the kernel only reads, and keeps nothing.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, 0) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
}

#[cfg(test)]
mod tests;
