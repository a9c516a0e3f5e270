//! Socket of a reuseport group by the core that received the datagram, in place of the kernel's
//! hash of addresses and ports.
//!
//! The kernel runs a classic BPF program (`SO_ATTACH_REUSEPORT_CBPF`, socket(7)) for each datagram,
//! on the core that received it. The program returns the place of a socket in the group, in the
//! order in which the sockets were bound. After a place that the group does not have, the kernel
//! chooses by its hash.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Place that no group has.
const BY_HASH: u32 = u32::MAX;

/// Program that chooses by core.
pub(crate) struct ByCore(Vec<libc::sock_filter>);

/// Sockets in a row whose cores are in a row too.
struct Run {
    first_core: u32,
    first_place: u32,
    length: u32,
}

impl ByCore {
    /// `cores`: core of each socket of the group, in the order in which the sockets were bound. A
    /// datagram that another core received is left to the hash.
    pub(crate) fn new(cores: &[u16]) -> ByCore {
        let core = (libc::SKF_AD_OFF + libc::SKF_AD_CPU) as u32;
        let mut program = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, core)];
        for Run { first_core, first_place, length } in runs(cores) {
            let last_core = first_core + length - 1;
            program.extend([
                // Below the first core, or above the last one: on to the next run.
                jump(libc::BPF_JGE, first_core, (0, 3)),
                jump(libc::BPF_JGT, last_core, (2, 0)),
                step(libc::BPF_ALU | libc::BPF_ADD | libc::BPF_K, first_place.wrapping_sub(first_core)),
                step(libc::BPF_RET | libc::BPF_A, 0),
            ]);
        }
        program.push(step(libc::BPF_RET | libc::BPF_K, BY_HASH));
        ByCore(program)
    }

    /// Attaches the program to the group of a bound socket. Linux 4.5 and later.
    pub(crate) fn attach(&self, socket: &UdpSocket) -> io::Result<()> {
        attach(&self.0, socket, libc::SO_ATTACH_REUSEPORT_CBPF)
    }
}

/// Gives the kernel a program for a socket, by an option that takes one.
pub(super) fn attach(
    instructions: &[libc::sock_filter],
    socket: &UdpSocket,
    option: libc::c_int,
) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: instructions.len().try_into().map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: instructions.as_ptr().cast_mut(),
    };
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the options of this
    // module and of `shed_filter` take a `sock_fprog`, of which the pointer and length describe
    // exactly the local one. That one points at borrowed instructions with their true number; the
    // kernel copies them and writes nothing.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            std::ptr::from_ref(&program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An instruction without a jump.
pub(super) fn step(code: u32, operand: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k: operand }
}

/// A comparison with `operand`, and the instructions to skip if it is true and if it is false.
pub(super) fn jump(comparison: u32, operand: u32, (if_true, if_false): (u8, u8)) -> libc::sock_filter {
    let code = (libc::BPF_JMP | comparison | libc::BPF_K) as u16;
    libc::sock_filter { code, jt: if_true, jf: if_false, k: operand }
}

fn runs(cores: &[u16]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, core) in (0..).zip(cores.iter().copied().map(u32::from)) {
        match runs.last_mut() {
            Some(run) if run.first_core + run.length == core => run.length += 1,
            _ => runs.push(Run { first_core: core, first_place: place, length: 1 }),
        }
    }
    runs
}

#[cfg(test)]
mod tests;
