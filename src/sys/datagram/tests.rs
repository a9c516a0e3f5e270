//! Batches over real sockets on the loopback interface.

use super::*;
use crate::sys::socket::{self, Buffers};
use std::time::Duration;

fn client(bind: &str) -> UdpSocket {
    let client = UdpSocket::bind(bind).expect("loopback has room for a client");
    client.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out can be set");
    client
}

/// Answers a query with the given octets.
fn reply(batch: &mut Batch, index: usize, octets: &[u8]) -> bool {
    let (_, room) = batch.exchange(index);
    room[..octets.len()].copy_from_slice(octets);
    batch.reply(index, octets.len())
}

/// Answers one batch by echoing each query, preceded by its number.
fn echo(server: &UdpSocket, batch: &mut Batch) -> (usize, Sent) {
    let count = batch.receive(server).expect("the socket receives");
    for i in 0..count {
        let mut octets = vec![i as u8];
        octets.extend_from_slice(batch.exchange(i).0.octets);
        assert!(reply(batch, i, &octets));
    }
    (count, batch.send(server))
}

/// On a wildcard bind, each answer leaves from the destination address of its query.
#[test]
fn answers_from_the_address_asked() {
    for (bind, asked) in [
        ("0.0.0.0:0", "127.0.0.2"),
        ("0.0.0.0:0", "127.0.0.1"),
        ("[::]:0", "::1"),
        ("127.0.0.3:0", "127.0.0.3"),
    ] {
        let server =
            socket::worker(bind.parse().expect("an address"), Buffers::default()).expect("the server binds");
        let port = server.local_addr().expect("bound").port();
        let asked = SocketAddr::new(asked.parse().expect("an address"), port);
        let client = client(if asked.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" });
        client.send_to(b"who", asked).expect("the client sends");
        let mut batch = Batch::new(4);
        let count = batch.receive(&server).expect("the socket receives");
        assert_eq!(count, 1, "{asked}");
        let (peer, local) = (client.local_addr().expect("bound"), batch.local(0));
        let is_told = server.local_addr().expect("bound").ip().is_unspecified();
        assert_eq!(local, is_told.then_some(Local { address: asked.ip(), interface: 0 }));
        assert!(reply(&mut batch, 0, b"me"));
        assert_eq!(batch.send(&server), Sent { sent: 1, failed: 0 });
        send_one(&server, b"me again", peer, local).expect("a single message is sent");
        for expected in [&b"me"[..], b"me again"] {
            let mut octets = [0; 16];
            let (length, from) = client.recv_from(&mut octets).expect("an answer comes");
            assert_eq!((&octets[..length], from), (expected, asked));
        }
    }
}

/// Queries without an answer do not shift answers to other peers.
#[test]
fn gaps_between_answers() {
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), Buffers::default())
        .expect("the server binds");
    let to = server.local_addr().expect("bound");
    let clients: Vec<UdpSocket> = (0..8).map(|_| client("127.0.0.1:0")).collect();
    for (i, client) in clients.iter().enumerate() {
        client.send_to(&[i as u8; 3], to).expect("the client sends");
    }
    let mut batch = Batch::new(64);
    let count = batch.receive(&server).expect("the socket receives");
    assert_eq!(count, 8);
    for i in (1..8).step_by(2) {
        let octets = batch.exchange(i).0.octets.to_vec();
        assert!(reply(&mut batch, i, &octets));
    }
    assert_eq!(batch.send(&server), Sent { sent: 4, failed: 0 });
    for i in (1..8).step_by(2) {
        let mut octets = [0; 16];
        let length = clients[i].recv(&mut octets).expect("an answer comes");
        assert_eq!(&octets[..length], &[i as u8; 3]);
    }
}

/// A datagram longer than the buffer is marked as cut; one that just fits is not.
#[test]
fn long_datagrams_are_marked() {
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), Buffers::default())
        .expect("the server binds");
    let to = server.local_addr().expect("bound");
    let client = client("127.0.0.1:0");
    let mut batch = Batch::new(4);
    for (length, cut) in [(DATAGRAM_MAX, false), (DATAGRAM_MAX + 1, true), (9000, true), (0, false)] {
        client.send_to(&vec![7; length], to).expect("the client sends");
        assert_eq!(batch.receive(&server).expect("the socket receives"), 1);
        let (seen, _) = batch.exchange(0);
        assert_eq!((seen.octets.len(), seen.cut), (length.min(DATAGRAM_MAX), cut));
    }
}

/// A reply that is too long for UDP is refused, and the batch continues.
#[test]
fn long_replies_are_refused() {
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), Buffers::default())
        .expect("the server binds");
    let client = client("127.0.0.1:0");
    client.send_to(b"x", server.local_addr().expect("bound")).expect("the client sends");
    let mut batch = Batch::new(1);
    assert_eq!(batch.receive(&server).expect("the socket receives"), 1);
    assert!(!batch.reply(0, UDP_PAYLOAD_MAX as usize + 1));
    assert!(reply(&mut batch, 0, &[0; UDP_PAYLOAD_MAX as usize]));
    assert_eq!(batch.send(&server).sent, 1);
}

/// One message that the kernel refuses does not affect the others; an ICMP error is no fault; and
/// an idle socket wakes its thread.
#[test]
fn refusals_and_time_outs_pass() {
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), Buffers::default())
        .expect("the server binds");
    let to = server.local_addr().expect("bound");
    let gone = client("127.0.0.1:0");
    let stays = client("127.0.0.1:0");
    gone.send_to(b"a", to).expect("the client sends");
    stays.send_to(b"b", to).expect("the client sends");
    drop(gone);
    let mut batch = Batch::new(8);
    let (count, sent) = echo(&server, &mut batch);
    assert_eq!((count, sent.sent + sent.failed), (2, 2));
    let mut octets = [0; 8];
    assert_eq!(stays.recv(&mut octets).expect("an answer comes"), 2);
    // The kernel refuses this message itself: from 127.0.0.1 no route leads to an outside address.
    let local = Some(Local { address: Ipv4Addr::new(192, 0, 2, 1).into(), interface: 0 });
    assert!(send_one(&server, b"x", stays.local_addr().expect("bound"), local).is_err());
    assert_eq!(batch.receive(&server).expect("a time-out is no fault"), 0);
}

/// Workers share a port; a second listener on it is refused.
#[test]
fn ports_are_shared_by_workers_only() {
    let listener = socket::listener("127.0.0.1:0".parse().expect("an address")).expect("the listener binds");
    let address = listener.local_addr().expect("bound");
    let _workers = [
        socket::worker(address, Buffers::default()).expect("the first binds"),
        socket::worker(address, Buffers::default()).expect("the second binds"),
    ];
    assert!(socket::listener(address).is_err());
}

/// Every datagram is received or counted as dropped, and the count continues from flood to flood.
#[test]
fn drops_are_told() {
    let small = Buffers { receive: 1, send: 1 << 16 };
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), small).expect("the server binds");
    let client = client("127.0.0.1:0");
    let mut batch = Batch::new(16);
    let (mut taken, mut dropped) = (0, 0);
    for round in 1..=2 {
        for _ in 0..1_000 {
            client.send_to(&[7; 512], server.local_addr().expect("bound")).expect("the client sends");
        }
        loop {
            match batch.receive(&server).expect("the socket receives") {
                0 => break,
                count => taken += count,
            }
        }
        let before =
            std::mem::replace(&mut dropped, socket::receive_queue(&server).expect("the kernel tells").drops);
        assert!(dropped > before, "round {round}: {before} told before, {dropped} after");
        assert_eq!(taken + dropped as usize, round * 1_000);
    }
}

/// Answers over IPv4 have Don't Fragment set, whatever the path MTU is.
#[test]
fn answers_are_not_fragmented() {
    for open in [socket::worker, socket::plain] {
        let server =
            open("127.0.0.1:0".parse().expect("an address"), Buffers::default()).expect("the server binds");
        let (mut discovery, mut len) = (0, size_of::<libc::c_int>() as libc::socklen_t);
        // SAFETY: the kernel writes an `int` to a local one, and its length to another.
        let status = unsafe {
            let at: *mut libc::c_int = &raw mut discovery;
            libc::getsockopt(
                server.as_raw_fd(),
                libc::IPPROTO_IP,
                libc::IP_MTU_DISCOVER,
                at.cast(),
                &raw mut len,
            )
        };
        assert_eq!((status, discovery), (0, libc::IP_PMTUDISC_PROBE));
    }
}

/// Octets taken off a query are gone for every reader of it, and the next batch is whole again.
#[test]
fn heads_are_taken_off() {
    let server = socket::worker("127.0.0.1:0".parse().expect("an address"), Buffers::default())
        .expect("the server binds");
    let (client, mut batch) = (client("127.0.0.1:0"), Batch::new(4));
    for _ in 0..2 {
        client.send_to(b"head and body", server.local_addr().expect("bound")).expect("the client sends");
        assert_eq!(batch.receive(&server).expect("the socket receives"), 1);
        assert_eq!(batch.octets(0), b"head and body");
        batch.skip(0, 9);
        assert_eq!(batch.exchange(0).0.octets, b"body");
        batch.skip(0, 0);
        assert_eq!(batch.octets(0), b"body");
        batch.skip(0, 5);
        assert_eq!(batch.exchange(0).0.octets, b"");
    }
}
