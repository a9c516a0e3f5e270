//! Filter of a UDP socket that passes all datagrams of some prefixes, and of the others a share.
//!
//! The kernel runs a classic BPF program (`SO_ATTACH_FILTER`, socket(7)) for each datagram, before
//! it is put into the receive buffer, on the core that received it. A socket filter sees the UDP
//! header first, so the source address is read relative to the network header. Sockets of IPv6
//! take no IPv4 (`IPV6_V6ONLY`), so one program has one family.
//!
//! ```text
//!  number of the source ──▶ short prefixes, one by one ──▶ sorted keys, by halves ──▶ random number
//!                                  pass                          pass                pass, or drop
//! ```
//!
//! The number is the first 24 bits of IPv4, or 31 bits of a hash of the first 48 of IPv6, because
//! comparisons have 32 bits, and the kernel takes two instructions for one above 2^31. The hash has
//! a secret key. Conditional jumps reach 255 instructions; further ones go by `BPF_JA`.

use super::reuseport::{attach, jump, step};
use super::socket;
use std::io;
use std::net::UdpSocket;

/// Result for a datagram that passes: most octets of it that are kept.
const PASS: u32 = 0x4_0000;
/// Result for a datagram that is dropped.
const DROP: u32 = 0;
/// Keys that are compared one by one at the end of the search.
const LEAF: usize = 8;
/// Target of a jump to the end of the search, until its place is known.
const TO_END: u32 = u32::MAX;

/// Offset from the network header.
const NETWORK: u32 = libc::SKF_NET_OFF as u32;
/// Offset of the source address in the header of IPv4 (RFC 791 section 3.1).
const SOURCE_V4: u32 = 12;
/// Offset of the source address in the header of IPv6 (RFC 8200 section 3).
const SOURCE_V6: u32 = 8;

/// Prefixes that pass, in numbers: a /24 (IPv4) or /48 (IPv6) each, and shorter ones with the
/// number of bits at the end that may differ.
#[derive(Clone, Copy)]
pub(crate) struct PassingNumbers<'p> {
    /// Numbers that pass.
    pub(crate) narrow: &'p [u64],
    /// First numbers of ranges that pass, and the bits that may differ.
    pub(crate) wide: &'p [(u64, u8)],
}

/// The program.
pub(crate) struct ShedFilter(Vec<libc::sock_filter>);

impl ShedFilter {
    /// Program for a socket of IPv6 (`is_v6`) or IPv4, which passes `parts` of 65,536 of the
    /// datagrams of strangers. `key` is a secret of the process.
    pub(crate) fn new(is_v6: bool, passing: PassingNumbers<'_>, parts: u32, key: u64) -> ShedFilter {
        let mut program = Vec::new();
        let mut keys: Vec<u32> = if is_v6 {
            number_v6(passing.wide, key, &mut program);
            passing.narrow.iter().map(|number| hash(*number, key)).collect()
        } else {
            number_v4(passing.wide, &mut program);
            passing.narrow.iter().map(|number| *number as u32).collect()
        };
        keys.sort_unstable();
        keys.dedup();
        if !keys.is_empty() {
            program.extend(search(&keys));
        }
        let end = program.len();
        for (at, instruction) in program.iter_mut().enumerate() {
            if u32::from(instruction.code) == libc::BPF_JMP | libc::BPF_JA && instruction.k == TO_END {
                instruction.k = (end - at - 1) as u32;
            }
        }
        let random = (libc::SKF_AD_OFF + libc::SKF_AD_RANDOM) as u32;
        program.extend([
            step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, random),
            jump(libc::BPF_JGE, parts.min(0xffff) << 16, (0, 1)),
            step(libc::BPF_RET | libc::BPF_K, DROP),
            step(libc::BPF_RET | libc::BPF_K, PASS),
        ]);
        ShedFilter(program)
    }

    /// Attaches the program to a socket, in the place of another. The kernel bounds the memory of
    /// programs by `net.core.optmem_max`, and for a moment holds both.
    pub(crate) fn attach(&self, socket: &UdpSocket) -> io::Result<()> {
        attach(&self.0, socket, libc::SO_ATTACH_FILTER).or_else(|_| {
            detach(socket)?;
            attach(&self.0, socket, libc::SO_ATTACH_FILTER)
        })
    }
}

/// Removes the filter of a socket, if it has one.
pub(crate) fn detach(socket: &UdpSocket) -> io::Result<()> {
    let socket = socket2::SockRef::from(socket);
    match socket::set(&socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, 0) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        done => done,
    }
}

/// Loads the number of the source of an IPv4 datagram, and passes the wide prefixes.
fn number_v4(wide: &[(u64, u8)], program: &mut Vec<libc::sock_filter>) {
    program.extend([
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, NETWORK.wrapping_add(SOURCE_V4)),
        step(libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K, 8),
        step(libc::BPF_MISC | libc::BPF_TAX, 0),
    ]);
    for (first, differing) in wide {
        let mask = u32::MAX.checked_shl(u32::from(*differing)).unwrap_or(0);
        program.extend([
            step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask),
            jump(libc::BPF_JEQ, *first as u32 & mask, (0, 1)),
            step(libc::BPF_RET | libc::BPF_K, PASS),
            step(libc::BPF_MISC | libc::BPF_TXA, 0),
        ]);
    }
}

/// Loads the hash of the number of the source of an IPv6 datagram, and passes the wide prefixes.
fn number_v6(wide: &[(u64, u8)], key: u64, program: &mut Vec<libc::sock_filter>) {
    let load = |slot: u32| step(libc::BPF_LD | libc::BPF_MEM, slot);
    let source = NETWORK.wrapping_add(SOURCE_V6);
    program.extend([
        step(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, source.wrapping_add(4)),
        step(libc::BPF_ST, 1),
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, source),
        step(libc::BPF_ST, 0),
    ]);
    for (first, differing) in wide {
        let mask = u64::MAX << differing.min(&48);
        let (word, half) = (first & mask, first & mask & 0xffff);
        program.extend([
            load(0),
            step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, (mask >> 16) as u32),
            jump(libc::BPF_JEQ, (word >> 16) as u32, (0, 4)),
            load(1),
            step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask as u32 & 0xffff),
            jump(libc::BPF_JEQ, half as u32, (0, 1)),
            step(libc::BPF_RET | libc::BPF_K, PASS),
        ]);
    }
    let [first, second] = factors(key);
    program.extend([
        load(1),
        step(libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K, first),
        step(libc::BPF_MISC | libc::BPF_TAX, 0),
        load(0),
        step(libc::BPF_ALU | libc::BPF_XOR | libc::BPF_X, 0),
        step(libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K, second),
        step(libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K, 1),
    ]);
}

/// Hash of the number of an IPv6 source, as the program computes it.
fn hash(number: u64, key: u64) -> u32 {
    let [first, second] = factors(key);
    ((number as u32 & 0xffff).wrapping_mul(first) ^ (number >> 16) as u32).wrapping_mul(second) >> 1
}

/// Odd factors of the hash.
fn factors(key: u64) -> [u32; 2] {
    [key as u32 | 1, (key >> 32) as u32 | 1]
}

/// Search of the number in sorted keys: passes if one of them is equal, else goes to the end.
fn search(keys: &[u32]) -> Vec<libc::sock_filter> {
    if keys.len() <= LEAF {
        let behind = (1..=keys.len() as u8).rev();
        let equal = keys.iter().zip(behind).map(|(key, skipped)| jump(libc::BPF_JEQ, *key, (skipped, 0)));
        let last = [step(libc::BPF_JMP | libc::BPF_JA, TO_END), step(libc::BPF_RET | libc::BPF_K, PASS)];
        return equal.chain(last).collect();
    }
    let (low, high) = keys.split_at((keys.len() / LEAF).div_ceil(2) * LEAF);
    let (last, low) = (low[low.len() - 1], search(low));
    let mut program = match u8::try_from(low.len()) {
        Ok(length) => vec![jump(libc::BPF_JGT, last, (length, 0))],
        Err(_) => {
            vec![jump(libc::BPF_JGT, last, (0, 1)), step(libc::BPF_JMP | libc::BPF_JA, low.len() as u32)]
        }
    };
    program.extend(low);
    program.extend(search(high));
    program
}

#[cfg(test)]
mod tests;
