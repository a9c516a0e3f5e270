//! Tests of `reuseport`.

use super::{BY_HASH, ByCore};
use crate::limits::{CPU_MAX, THREADS_MAX};
use crate::sys::affinity;
use crate::sys::socket::{self, Buffers};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Longest time that the datagrams of a test take over loopback.
const PATIENCE: Duration = Duration::from_secs(10);

/// Result of a program for a datagram that `core` received: the instructions as bpf(7) has them.
fn chosen(program: &ByCore, core: u16) -> u32 {
    let (mut at, mut accumulator) = (0, 0u32);
    loop {
        let libc::sock_filter { code, jt, jf, k } = program.0[at];
        let skipped = |is_true: bool| usize::from(if is_true { jt } else { jf });
        at += 1;
        match code {
            0x20 => {
                assert_eq!(k, 0xffff_f000 + 36, "the number of the core");
                accumulator = core.into();
            }
            0x35 => at += skipped(accumulator >= k),
            0x25 => at += skipped(accumulator > k),
            0x04 => accumulator = accumulator.wrapping_add(k),
            0x16 => return accumulator,
            0x06 => return k,
            other => panic!("{other:#x} is none of the instructions"),
        }
    }
}

/// Each core leads to its socket, and any other core to the hash.
#[test]
fn each_core_has_its_socket() {
    let rows: [&[u16]; 7] =
        [&[0], &[0, 1, 2, 3], &[3, 2, 1, 0], &[4, 5, 6, 0, 1], &[8, 10, 12], &[1023, 0], &[7, 8, 2, 3, 9]];
    for cores in rows {
        let program = ByCore::new(cores);
        for core in 0..=CPU_MAX {
            let place = cores.iter().position(|of| *of == core).map_or(BY_HASH, |place| place as u32);
            assert_eq!(chosen(&program, core), place, "core {core} of {cores:?}");
        }
    }
}

/// The kernel takes the program of the most threads whose cores are never in a row.
#[test]
fn the_longest_program_is_attached() {
    let cores: Vec<u16> = (0..THREADS_MAX).map(|thread| thread * 2 % CPU_MAX).collect();
    let [socket] = group::<1>();
    ByCore::new(&cores).attach(&socket).expect("it is not too long");
}

/// A program that the kernel refuses is an error, and the group still takes datagrams.
#[test]
fn a_refused_program_is_an_error() {
    let [socket] = group::<1>();
    let cores: Vec<u16> = (0..5_000).map(|thread| thread * 2).collect();
    assert!(ByCore::new(&cores).attach(&socket).is_err());
    assert_eq!(received(&[socket], 1), [1]);
}

/// On each core that this process may use, a datagram over loopback reaches the socket of that
/// core, whatever port it is from; after a core without a socket, the hash chooses.
#[test]
fn datagrams_reach_the_socket_of_their_core() {
    let allowed = affinity::allowed().expect("the system has the list");
    let [first, second, ..] = allowed[..] else {
        println!("skipped: one core receives every datagram");
        return;
    };
    let sockets = group::<2>();
    ByCore::new(&[second, first]).attach(&sockets[0]).expect("Linux 4.5 or later");
    for (core, counts) in [(first, [0, 64]), (second, [64, 0])] {
        let sockets = sockets.each_ref().map(|socket| socket.try_clone().expect("a descriptor"));
        let sent = std::thread::spawn(move || {
            affinity::pin(core).expect("one of the cores that are allowed");
            received(&sockets, 64)
        });
        assert_eq!(sent.join().expect("it does not panic"), counts, "core {core}");
    }
    let sockets = group::<2>();
    ByCore::new(&[CPU_MAX, CPU_MAX - 1]).attach(&sockets[0]).expect("Linux 4.5 or later");
    assert_eq!(received(&sockets, 64).iter().sum::<usize>(), 64);
}

/// Sockets of workers that share one port.
fn group<const SIZE: usize>() -> [UdpSocket; SIZE] {
    let mut address = SocketAddr::from(([127, 0, 0, 1], 0));
    std::array::from_fn(|_| {
        let socket = socket::worker(address, Buffers::default()).expect("loopback has room");
        address = socket.local_addr().expect("it is bound");
        socket
    })
}

/// Sends datagrams, each from a port of its own, and counts those at each socket.
fn received(sockets: &[UdpSocket], count: usize) -> Vec<usize> {
    let to = sockets[0].local_addr().expect("it is bound");
    for _ in 0..count {
        let client = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
        client.send_to(b"query", to).expect("loopback takes it");
    }
    for socket in sockets {
        socket.set_nonblocking(true).expect("a socket can be made so");
    }
    let mut counts = vec![0; sockets.len()];
    let until = Instant::now() + PATIENCE;
    while counts.iter().sum::<usize>() < count && Instant::now() < until {
        for (count, socket) in counts.iter_mut().zip(sockets) {
            *count += usize::from(socket.recv(&mut [0; 8]).is_ok());
        }
    }
    counts
}
