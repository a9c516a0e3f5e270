//! Strangers' octets on streams: DNS over TCP in pieces, and requests of the control socket. Each
//! connection ends within its time, and the next honest one is served.

use crate::mutate;
use meridian::testing::answer::Transport;
use meridian::testing::server::Engine;
use meridian::testing::shared::counters::Dropped;
use meridian::testing::sys::memory::resident;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use support::deployment::*;
use support::dice::Dice;

/// Connections of each kind. A longer run:
/// `MERIDIAN_STORM_CONNECTIONS=100000 cargo test --release --test fuzzing strangers`.
const CONNECTIONS: u64 = 600;
/// Octets that the process may grow by.
const GROWTH_MAX: u64 = 64 << 20;

fn connections() -> u64 {
    support::number("MERIDIAN_STORM_CONNECTIONS").unwrap_or(CONNECTIONS)
}

/// What a connection gives until it ends. A server may close it before all was sent.
fn exchange(mut stream: impl Read + Write, pieces: &[&[u8]], half_close: impl FnOnce()) -> Vec<u8> {
    for piece in pieces {
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    half_close();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the connection does not end")
        }
        _ => answer,
    }
}

#[test]
fn strangers_over_tcp() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let server = sample.start(Engine::Fast);
    let address = server.dns()[0];
    let honest = ["www.shop.example", "global.edge.cdn.example", "missing.cdn.example"]
        .map(|name| framed(&query(7, name, 1)));
    let notify = framed(&message(9, 4, "cdn.example", 6));
    let words: [&[u8]; 4] = [&[0, 0], &[0, 1], &[0xff, 0xff], &notify];
    let before = resident().unwrap_or(0);
    for seed in 0..connections() {
        let dice = &mut Dice(seed.wrapping_mul(0x9e37_79b9));
        let mut octets = Vec::new();
        for _ in 0..1 + dice.below(20) {
            octets.extend_from_slice(dice.pick::<Vec<u8>>(&honest));
        }
        if !dice.once_in(4) {
            mutate(dice, &mut octets, &words);
        }
        let (mut pieces, mut rest) = (Vec::new(), &octets[..]);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(1 + dice.below(rest.len().min(40)));
            (pieces, rest) = ([pieces, vec![piece]].concat(), behind);
        }
        let stream = connect(address);
        let closing = stream.try_clone().expect("a descriptor");
        let answers = exchange(stream, &pieces, || drop(closing.shutdown(Shutdown::Write)));
        // Whole messages, each a response.
        let mut rest = &answers[..];
        while let Some((prefix, behind)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*prefix));
            assert!(length >= 12 && behind.len() >= length, "seed {seed}: an answer is cut");
            assert!(behind[2] & 0x80 != 0, "seed {seed}: no response");
            rest = &behind[length..];
        }
        assert!(rest.is_empty(), "seed {seed}: half a length");
        if seed % 50 == 0 {
            let answer = ask_tcp(address, &query(3, "ns1.cdn.example", 1));
            assert_eq!(decode(&answer).2, ["203.0.113.53"], "after seed {seed}");
        }
    }
    assert_eq!(
        server.shared().counters.fold(Transport::Tcp).dropped(Dropped::Panic),
        0,
        "no panic was caught"
    );
    assert!(resident().unwrap_or(0) <= before + GROWTH_MAX, "connections leave memory behind");
}

/// Requests that mean something, as head and body.
const REQUESTS: [(&str, &str); 9] = [
    (
        "POST /pops/override",
        "{\"pops\":[\"fra\"],\"state\":\"drain\",\"author\":\"ana\",\"reason\":\"x\",\"for_secs\":60,\
         \"over_secs\":5,\"start\":\"2026-03-01T12:00:00Z\",\"force\":true,\"dry_run\":true}",
    ),
    ("POST /pops/override", "{\"pops\":[\"tag:eu\",\"i*\"],\"weight\":3,\"dry_run\":true}"),
    ("POST /probes/push", "{\"probe\":\"p\",\"pop\":\"fra\",\"address\":\"192.0.2.1\",\"up\":true}"),
    ("POST /load/push", "{\"pop\":\"fra\",\"service\":\"video\",\"value\":350.5}"),
    (
        "POST /explain",
        "{\"name\":\"www.shop.example.\",\"type\":\"A\",\"ecs\":\"198.51.100.0/24\",\"down\":[\"fra\"]}",
    ),
    ("POST /ledger/acknowledge", "{\"author\":\"ana\"}"),
    ("POST /diff", "{}"),
    ("GET /pops/fra", ""),
    ("GET /metrics", ""),
];

fn request(head: &[u8], body: &[u8]) -> Vec<u8> {
    let mut request = head.to_vec();
    request.extend_from_slice(
        format!(
            " HTTP/1.1\r\nHost: meridian\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    request.extend_from_slice(body);
    request
}

/// A whole request waits for its answer; after one that may be cut, the client says that there is
/// no more to come, and the server need not answer.
fn ask_control(socket: &Path, octets: &[u8], is_whole: bool) -> Vec<u8> {
    let stream = UnixStream::connect(socket).expect("the control socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let closing = stream.try_clone().expect("a descriptor");
    let close = || {
        if !is_whole {
            drop(closing.shutdown(Shutdown::Write));
        }
    };
    exchange(stream, &[octets], close)
}

#[test]
fn strangers_on_the_control_socket() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let server = sample.start(Engine::Fast);
    let socket = sample.path("state/control.sock");
    let words: [&[u8]; 14] = [
        b"{",
        b"}",
        b"[",
        b"[[[[[[[[",
        b"\"",
        b"\\u0000",
        b"\xff",
        b"null",
        b"1e999",
        b"-1",
        b"18446744073709551616",
        b"\r\n",
        b"\"pops\":[\"*\"],",
        b"%00",
    ];
    let before = resident().unwrap_or(0);
    for seed in 0..connections() {
        let dice = &mut Dice(seed.wrapping_mul(0x9e37_79b9));
        let (head, body) = *dice.pick(&REQUESTS);
        let (mut head, mut body) = (head.as_bytes().to_vec(), body.as_bytes().to_vec());
        if dice.once_in(6) {
            mutate(dice, &mut head, &words);
        } else {
            mutate(dice, &mut body, &words);
        }
        let mut octets = request(&head, &body);
        let is_whole = !dice.once_in(6) && !head.contains(&b'\n');
        if !is_whole {
            mutate(dice, &mut octets, &words);
        }
        let answer = ask_control(&socket, &octets, is_whole);
        assert!(!is_whole || !answer.is_empty(), "seed {seed}: no answer");
        let status = answer.get(9..12).map(|status| String::from_utf8_lossy(status).into_owned());
        let is_sound =
            status.as_deref().is_none_or(|status| status != "500" && status.parse::<u16>().is_ok());
        assert!(is_sound, "seed {seed}: {}", String::from_utf8_lossy(&answer));
        if seed % 50 == 0 {
            let honest = ask_control(&socket, &request(b"GET /readyz", b""), true);
            assert!(honest.starts_with(b"HTTP/1.1 200"), "after seed {seed}");
        }
    }
    let metrics =
        String::from_utf8_lossy(&ask_control(&socket, &request(b"GET /metrics", b""), true)).into_owned();
    assert!(metrics.contains("meridian_heartbeat_age_seconds"), "{metrics}");
    let ends: Vec<&str> =
        metrics.lines().filter(|line| line.starts_with("meridian_task_ends_total{")).collect();
    assert!(ends.iter().all(|line| line.ends_with(" 0")), "{ends:?}");
    assert!(resident().unwrap_or(0) <= before + GROWTH_MAX, "requests leave memory behind");
    drop(server);
}
