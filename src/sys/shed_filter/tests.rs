//! Tests of `shed_filter`.

use super::{DROP, PASS, PassingNumbers, ShedFilter, detach, hash};
use crate::sys::socket::{self, Buffers};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Instructions that the kernel takes at most (bpf(2)).
const INSTRUCTIONS_MAX: usize = 4_096;
/// A secret.
const KEY: u64 = 0x1234_5678_9abc_def1;
/// Half of the datagrams of strangers, in parts.
const HALF: u32 = 1 << 15;

/// Header of a datagram, as far as a program reads it.
enum Header {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Header {
    /// Loads octets at an offset from the network header.
    fn load(&self, offset: u32, octets: usize) -> u32 {
        let mut header = [0; 40];
        match self {
            Header::V4(source) => header[12..16].copy_from_slice(&source.octets()),
            Header::V6(source) => header[8..24].copy_from_slice(&source.octets()),
        }
        let at = offset as usize;
        header[at..at + octets].iter().fold(0, |value, octet| value << 8 | u32::from(*octet))
    }
}

/// Result of a program with this random number: the instructions as bpf(2) has them. Jumps outside
/// of the program, and a missing end, panic.
fn result(program: &[libc::sock_filter], header: &Header, random: u32) -> u32 {
    let (mut at, mut a, mut x, mut memory) = (0, 0u32, 0u32, [0u32; 16]);
    loop {
        let libc::sock_filter { code, jt, jf, k } = program[at];
        let skipped = |is_true: bool| usize::from(if is_true { jt } else { jf });
        at += 1;
        match code {
            0x20 if k == 0xffff_f000 + 56 => a = random,
            0x20 => a = header.load(k - 0xfff0_0000, 4),
            0x28 => a = header.load(k - 0xfff0_0000, 2),
            0x60 => a = memory[k as usize],
            0x02 => memory[k as usize] = a,
            0x07 => x = a,
            0x87 => a = x,
            0x24 => a = a.wrapping_mul(k),
            0x54 => a &= k,
            0x74 => a >>= k,
            0xac => a ^= x,
            0x05 => at += k as usize,
            0x15 => at += skipped(a == k),
            0x25 => at += skipped(a > k),
            0x35 => at += skipped(a >= k),
            0x06 => return k,
            other => panic!("{other:#x} is none of the instructions"),
        }
    }
}

/// Source whose number this is, in a prefix of the family.
fn header(is_v6: bool, number: u64) -> Header {
    match is_v6 {
        false => Header::V4(Ipv4Addr::from_bits((number as u32) << 8 | 77)),
        true => Header::V6(Ipv6Addr::from_bits(u128::from(number) << 80 | 77)),
    }
}

fn check(is_v6: bool, narrow: &[u64], wide: &[(u64, u8)], others: &[u64]) {
    let program = ShedFilter::new(is_v6, PassingNumbers { narrow, wide }, HALF, KEY).0;
    assert!(program.len() <= INSTRUCTIONS_MAX, "{} instructions", program.len());
    for (at, instruction) in program.iter().enumerate().filter(|(_, of)| of.code & 7 == 5) {
        let furthest = match instruction.code {
            0x05 => instruction.k as usize,
            _ => usize::from(instruction.jt.max(instruction.jf)),
        };
        assert!(at + 1 + furthest < program.len(), "the jump at {at} leaves the program");
    }
    let firsts = wide.iter().flat_map(|(first, differing)| {
        let last = first | ((1 << differing) - 1);
        [first >> differing << differing, last]
    });
    for number in narrow.iter().copied().chain(firsts) {
        assert_eq!(result(&program, &header(is_v6, number), u32::MAX), PASS, "{number:#x} is known");
    }
    for number in others {
        let is_wide = wide.iter().any(|(first, differing)| first >> differing == number >> differing);
        let key = hash(*number, KEY);
        let is_known = match is_v6 {
            false => narrow.contains(number),
            // Another prefix may have the hash of a known one.
            true => narrow.iter().any(|known| hash(*known, KEY) == key),
        };
        let late = if is_wide || is_known { PASS } else { DROP };
        let header = header(is_v6, *number);
        for (random, expected) in [(0, PASS), (0x7fff_ffff, PASS), (0x8000_0000, late), (u32::MAX, late)] {
            assert_eq!(result(&program, &header, random), expected, "{number:#x} with {random:#x}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Known prefixes always pass, others by the random number, for any list of IPv4 prefixes.
    #[test]
    fn known_prefixes_of_ipv4_pass(
        narrow in vec(0u64..1 << 24, 0..900),
        wide in vec((0u64..1 << 24, 1u8..=24), 0..4),
        others in vec(0u64..1 << 24, 1..40),
    ) {
        check(false, &narrow, &wide, &others);
    }

    /// So it is for IPv6.
    #[test]
    fn known_prefixes_of_ipv6_pass(
        narrow in vec(0u64..1 << 48, 0..900),
        wide in vec((0u64..1 << 48, 1u8..=48), 0..4),
        others in vec(0u64..1 << 48, 1..40),
    ) {
        check(true, &narrow, &wide, &others);
    }
}

/// Lists of each length up to some leaves, one key, none, and the longest; also with neighbours.
#[test]
fn lists_of_any_length_are_searched() {
    for length in (0..=80).chain([127, 128, 129, 897, 900]) {
        let numbers: Vec<u64> = (0..length).map(|index| index * 3 + 5).collect();
        let between: Vec<u64> = (0..=length).flat_map(|index| [index * 3 + 3, index * 3 + 4]).collect();
        for is_v6 in [false, true] {
            check(is_v6, &numbers, &[], &between);
        }
    }
}

/// The kernel takes the longest programs of both families, one in the place of another, and both
/// are removed again; a socket without a filter stays as it is.
#[test]
fn the_longest_programs_are_attached() {
    let narrow: Vec<u64> = (0..crate::limits::SHED_PREFIXES_MAX as u64).map(|index| index * 7).collect();
    let wide: Vec<(u64, u8)> = (0..64).map(|index| (index << 20, 8)).collect();
    for (is_v6, address) in [(false, "127.0.0.1:0"), (true, "[::1]:0")] {
        let address: SocketAddr = address.parse().expect("an address");
        let Ok(socket) = socket::worker(address, Buffers::default()) else {
            println!("skipped: no {address}");
            continue;
        };
        detach(&socket).expect("nothing to remove");
        for parts in [HALF, HALF / 2] {
            let passing = PassingNumbers { narrow: &narrow, wide: &wide };
            let filter = ShedFilter::new(is_v6, passing, parts, KEY);
            filter.attach(&socket).expect("the kernel has memory for it");
        }
        detach(&socket).expect("it has a filter");
    }
}

/// Datagrams of a known source all arrive, of a stranger about half, as the kernel counts them;
/// without the filter all of them.
#[test]
fn the_kernel_sheds_strangers() {
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), Buffers::default());
    let server = server.expect("loopback has room");
    let client = |source: &str| UdpSocket::bind((source, 0)).expect("an address of loopback");
    let (known, stranger) = (client("127.9.1.1"), client("127.9.2.1"));
    let arrived = |client: &UdpSocket| {
        for _ in 0..400 {
            client.send_to(b"query", server.local_addr().expect("it is bound")).expect("loopback takes it");
        }
        server.set_read_timeout(Some(Duration::from_millis(20))).expect("an option");
        std::iter::from_fn(|| server.recv(&mut [0; 8]).ok()).count()
    };
    let passing = PassingNumbers { narrow: &[0x7f_0901], wide: &[] };
    ShedFilter::new(false, passing, HALF, KEY).attach(&server).expect("Linux has filters");
    assert_eq!(arrived(&known), 400);
    let passed = arrived(&stranger);
    // Ten standard deviations around half.
    assert!((100..300).contains(&passed), "{passed}");
    let shed = socket::receive_queue(&server).expect("the kernel tells").drops;
    assert_eq!(shed as usize, 400 - passed);
    detach(&server).expect("it has a filter");
    assert_eq!(arrived(&stranger), 400);
}
