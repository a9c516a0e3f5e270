//! `icmp` check: an echo request through the system's unprivileged socket (icmp(7)).

use super::{Finding, Trial, words};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::IpAddr;
use tokio::net::UdpSocket;

const HEADER_LEN: usize = 8;

/// Sends one echo request and waits for its reply.
pub(super) async fn run(to: IpAddr, trial: &mut Trial) -> Finding {
    let socket = open(to).map_err(|error| match (trial.before_sending(&error, Some(to)), error.kind()) {
        (_, io::ErrorKind::PermissionDenied) => {
            "this system does not let the server send ICMP echo: its group is not in \
             net.ipv4.ping_group_range"
                .to_owned()
        }
        (why, _) => why,
    })?;
    trial.doing = "waiting for the echo";
    // The kernel matches the identifier, which belongs to this socket; the token distinguishes late
    // replies to another run.
    let token = RandomState::new().hash_one(to).to_be_bytes();
    let (request, reply) = if to.is_ipv4() { (8, 0) } else { (128, 129) };
    let mut packet = [0u8; HEADER_LEN + 8];
    packet[0] = request;
    packet[7] = 1; // sequence
    packet[HEADER_LEN..].copy_from_slice(&token);
    socket.send(&packet).await.map_err(|e| trial.before_sending(&e, Some(to)))?;
    loop {
        let mut octets = [0u8; 64];
        let len = socket.recv(&mut octets).await.map_err(|e| words::io(&e))?;
        let got = &octets[..len];
        if got.len() == packet.len() && got[0] == reply && got[6..] == packet[6..] {
            return Ok(());
        }
    }
}

#[cfg(unix)]
fn open(to: IpAddr) -> io::Result<UdpSocket> {
    UdpSocket::from_std(crate::sys::icmp_socket::open(to)?)
}

#[cfg(not(unix))]
fn open(_: IpAddr) -> io::Result<UdpSocket> {
    Err(io::ErrorKind::Unsupported.into())
}
