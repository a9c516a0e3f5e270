//! Clients of every transport that hold what the program gives them, all at once: others are
//! answered, and memory stays within a bound. `benches/hostile` measures the same with thousands.

use meridian::testing::sys::descriptors;
use quinn::TransportConfig;
use std::io::ErrorKind;
use std::net::TcpStream;
use support::certificate::sound;
use support::deployment::*;
use support::encrypted::encrypted;
use support::hostile::{Addresses, Clients, listen};
use support::quic::{Clients as QuicClients, config};

const A: u16 = 1;
/// Connections of each stream transport.
const CONNECTIONS: usize = 400;
/// Octets that the program may grow by.
const GROWTH_MAX: u64 = 48 << 20;
/// Queries over UDP from one client, each after the answer to the one before.
const QUERIES: u16 = 1_000;

/// Memory of a process, in octets.
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of proc(5)");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}

/// True while the server has not closed a connection, and no octet from it waits before that end.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("it can be set");
    match stream.peek(&mut [0]) {
        Ok(octets) => octets > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// Connections without a query, half-sent messages, unfinished handshakes, clients that never read
/// and streams without an end take no place from new clients, of any transport.
#[test]
fn new_clients_are_answered_beside_all_of_them() {
    if descriptors::raise().is_some_and(|limit| limit.soft < 2_048) {
        return eprintln!("skipped: needs 2,048 descriptors");
    }
    let pair = sound();
    let deployment = encrypted(&listen(CONNECTIONS), &pair);
    let served = deployment.serve(&[]);
    let at = Addresses::of(&deployment);
    let mut clients = Clients::new(at, &pair);
    // Memory of the first client of each transport stays.
    drop(clients.idle(8));
    let before = resident(served.process.pid());
    let idle = clients.idle(CONNECTIONS);
    let never_read = clients.never_read(6);
    let quic = QuicClients::new(9, config(&pair, &["doq"], TransportConfig::default()));
    let silent: Vec<_> = (0..2).map(|_| quic.open(at.doq).expect("a handshake")).collect();
    let mut streams = Vec::new();
    for client in &silent {
        for _ in 0..100 {
            let (mut send, recv) = client.stream().expect("a stream");
            quic.runtime.block_on(send.write_all(&[0, 40, 0, 0])).expect("the server reads");
            streams.push((send, recv));
        }
    }
    // The last, because the server waits five seconds for the rest of them.
    let half = clients.half(60);
    let unfinished = clients.unfinished(40);
    for held in [&idle, &never_read, &half, &unfinished] {
        assert!(held.iter().all(is_open), "the server has closed some that it should hold");
    }
    let socket = client(at.dns);
    for id in 0..QUERIES {
        let answer = ask_from(&socket, at.dns, &query(id, "www.cdn.example", A));
        assert_eq!(decode(&answer), (id, 0, vec!["198.51.100.10".to_owned()]));
    }
    clients.ask_tcp().expect("an answer over TCP");
    clients.ask_dot().expect("an answer over TLS");
    clients.ask_doh().expect("an answer over HTTPS");
    let other = QuicClients::new(10, config(&pair, &["doq"], TransportConfig::default()));
    let reply = other.open(at.doq).expect("a handshake").ask(&query(0, "www.cdn.example", A));
    assert_eq!(decode(&reply.expect("a reply")).2, ["198.51.100.10"]);
    let grown = resident(served.process.pid()).saturating_sub(before);
    assert!(grown <= GROWTH_MAX, "{grown} octets more");
    let lanes = deployment.page("/status").json()["lanes"].clone();
    for transport in ["udp", "tcp", "dot", "doh", "doq"] {
        let dropped = &lanes[transport]["dropped"];
        assert_eq!(dropped["panic"], 0, "{dropped}");
        assert_eq!(dropped["connections_full"], 0, "{transport}: no connection gave way: {dropped}");
    }
    assert!(idle.iter().all(is_open), "idle connections stay");
    drop((half, unfinished, never_read, streams));
}
