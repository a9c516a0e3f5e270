//! DNS over QUIC (RFC 9250) over real sockets: answers are those of TCP, breaches of the rules end
//! the connection, and hostile clients are bounded.

mod dnspython;

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use quinn::TransportConfig;
use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;
use support::certificate::{Issued, sound};
use support::corpus::{KEEPALIVE, PADDING, queries};
use support::deployment::*;
use support::encrypted::{encrypted, kdig, write_pair};
use support::free_port::free_port;
use support::program::{until, until_so};
use support::quic::{Client, Clients, config};
use support::reply::Reply;

const A: u16 = 1;
/// Error codes (RFC 9250 section 4.3).
const NO_ERROR: u64 = 0;
const PROTOCOL_ERROR: u64 = 2;
const EXCESSIVE_LOAD: u64 = 4;

/// A deployment with DNS over QUIC and this pair.
fn deployment(listen: &str, pair: &Issued) -> Deployment {
    encrypted(&format!("  doq: [\"127.0.0.1:0\"]\n{listen}"), pair)
}

/// The address for DNS over QUIC.
fn doq(server: &Server) -> SocketAddr {
    stream_address(server, Transport::Doq)
}

fn clients(pair: &Issued) -> Clients {
    clients_at(9, pair)
}

fn clients_at(prefix: u8, pair: &Issued) -> Clients {
    Clients::new(prefix, config(pair, &["doq"], TransportConfig::default()))
}

fn is_answered(client: &Client<'_>) -> bool {
    client.ask(&query(0, "www.cdn.example", A)).is_some_and(|reply| decode(&reply).2 == ["198.51.100.10"])
}

/// True if another client is answered.
fn goes_on(pair: &Issued, server: &Server) -> bool {
    is_answered(&clients_at(8, pair).open(doq(server)).expect("a connection"))
}

fn dropped(server: &Server, reason: Dropped) -> u64 {
    support::deployment::dropped(server, Transport::Doq, reason)
}

/// Both engines answer octet for octet as over TCP, many queries on one connection; each message
/// and reply is counted.
#[test]
fn answers_are_those_of_tcp() {
    let pair = sound();
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = deployment("", &pair);
        let server = deployment.start(engine);
        let banner = server.banner();
        assert!(banner.contains(&format!("doq       {}", doq(&server))), "{banner}");
        let clients = clients(&pair);
        let client = clients.open(doq(&server)).expect("a handshake");
        let mut count = 0;
        for (what, mut octets) in queries() {
            if what == "a keepalive" {
                // A breach of the rules here.
                continue;
            }
            octets[..2].fill(0);
            let over_tcp = ask_tcp(server.dns()[0], &octets);
            assert_eq!(client.ask(&octets), Some(over_tcp), "{engine:?}: {what}");
            count += 1;
        }
        let totals = server.shared().counters.fold(Transport::Doq);
        assert_eq!((totals.received, totals.replied()), (count, count));
        // A message that is no query resets its stream, and the connection goes on.
        let mut response = query(0, "www.cdn.example", A);
        response[2] |= 0x80;
        assert_eq!(client.ask(&response), None);
        assert!(is_answered(&client));
        // Clients of another protocol get no connection, and are counted.
        for alpn in [&["h3"][..], &[]] {
            let other = Clients::new(9, config(&pair, alpn, TransportConfig::default()));
            assert!(other.open(doq(&server)).is_err(), "{alpn:?}");
        }
        until_so("failed handshakes", || dropped(&server, Dropped::HandshakeFailed) == 2);
        server.stop();
        assert_eq!(client.end(), NO_ERROR);
    }
}

/// A breach of the rules ends the connection with DOQ_PROTOCOL_ERROR, and is counted.
#[test]
fn breaches_end_the_connection() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&pair);
    let sound = framed(&query(0, "www.cdn.example", A));
    let rows = [
        ("no octet", vec![]),
        ("half a length", vec![0]),
        ("a message without octets", vec![0, 3]),
        ("a message that ends early", sound[..sound.len() - 1].to_vec()),
        ("two messages", [&sound[..], &sound].concat()),
        ("an octet too many", [&sound[..], &[0]].concat()),
        ("an ID", framed(&query(1, "www.cdn.example", A))),
        ("a keepalive", framed(&with_option(query(0, "www.cdn.example", A), KEEPALIVE, &[]))),
        ("more than a message can have", vec![0xff; 70_000]),
    ];
    for (number, (what, octets)) in rows.iter().enumerate() {
        let client = clients.open(doq(&server)).expect("a handshake");
        assert!(is_answered(&client));
        assert_eq!(client.send(octets), None, "{what}");
        assert_eq!(client.end(), PROTOCOL_ERROR, "{what}");
        until_so("it is counted", || dropped(&server, Dropped::ProtocolError) == number as u64 + 1);
    }
    // The longest message is none.
    let client = clients.open(doq(&server)).expect("a handshake");
    let mut longest = vec![0; 65_535];
    longest[..12].copy_from_slice(&query(0, "www.cdn.example", A)[..12]);
    let reply = client.ask(&longest).expect("a reply");
    assert_eq!(reply, ask_tcp(server.dns()[0], &longest));
    server.stop();
}

/// Padding is answered in blocks of 468 octets (RFC 8467).
#[test]
fn padding() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&pair);
    let client = clients.open(doq(&server)).expect("a handshake");
    for name in ["www.cdn.example", "cdn.example", "none.cdn.example", "other.test"] {
        let padded = with_option(query(0, name, A), PADDING, &[0; 50]);
        assert_eq!(client.ask(&padded).expect("a reply").len() % 468, 0, "{name}");
    }
    server.stop();
}

/// A refused client gets REFUSED; one that is dropped gets no packet, and after a reload no answer.
#[test]
fn access_lists_hold() {
    let pair = sound();
    let deployment = deployment("", &pair);
    deployment
        .edit("meridian.yaml", |text| text + "access: { refuse: [127.1.1.0/24], drop: [192.0.2.0/24] }\n");
    let server = deployment.start(Engine::Fast);
    let refused = clients_at(1, &pair);
    let client = refused.open(doq(&server)).expect("a handshake");
    let reply = client.ask(&query(0, "www.cdn.example", A)).expect("a reply");
    assert_eq!(Reply::of(&reply).status, "REFUSED");
    let later = clients_at(3, &pair);
    let client = later.open(doq(&server)).expect("a handshake");
    assert!(is_answered(&client));
    deployment.edit("meridian.yaml", |text| text.replace("drop: [", "drop: [127.1.3.0/24, "));
    assert!(reload(&server).published);
    assert_eq!(client.ask(&query(0, "www.cdn.example", A)), None);
    assert_eq!(client.end(), NO_ERROR);
    // A packet of a dropped client has no answer, not even a refusal.
    let silent = UdpSocket::bind("127.1.3.1:0").expect("loopback has room");
    silent.send_to(&initials(&pair, 1)[0], doq(&server)).expect("sent");
    until_so("the packet is dropped", || dropped(&server, Dropped::Access) == 2);
    silent.set_nonblocking(true).expect("a socket");
    assert!(silent.recv(&mut [0; 1500]).is_err());
    server.stop();
}

/// Idle connections end with DOQ_NO_ERROR, though their client keeps them alive.
#[test]
fn idle_connections_end() {
    let pair = sound();
    let deployment = deployment("  doq_idle: 1s\n", &pair);
    let server = deployment.start(Engine::Fast);
    let mut transport = TransportConfig::default();
    transport.keep_alive_interval(Some(PATIENCE / 100));
    let clients = Clients::new(9, config(&pair, &["doq"], transport));
    let client = clients.open(doq(&server)).expect("a handshake");
    assert!(is_answered(&client));
    assert_eq!(client.end(), NO_ERROR);
    server.stop();
}

/// A reload gives new connections the new certificate, while an open one goes on. Early data is
/// never taken.
#[test]
fn a_reload_changes_the_certificate() {
    let (first, second) = (sound(), sound());
    let deployment = deployment("", &first);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&first);
    let old = clients.open(doq(&server)).expect("a handshake");
    assert!(is_answered(&old));
    // The client has a ticket, without leave for early data.
    assert!(clients.connect(doq(&server)).into_0rtt().is_err(), "early data");
    write_pair(&deployment, &second.certificate, &second.key);
    assert!(reload(&server).published);
    assert!(is_answered(&old), "the open connection stays");
    assert!(goes_on(&second, &server));
    assert!(clients_at(7, &first).open(doq(&server)).is_err(), "the first is out of service");
    server.stop();
}

/// A thousand streams without an end: as many as are allowed at once begin, and end in their time,
/// while their connection and others are answered.
#[test]
fn streams_without_an_end() {
    let pair = sound();
    let deployment = deployment("  doq_idle: 1h\n", &pair);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&pair);
    let client = clients.open(doq(&server)).expect("a handshake");
    let mut begun = 0;
    while begun < 1_000 {
        let mut streams = Vec::new();
        while let Some((mut send, recv)) = client.stream() {
            let written = clients.runtime.block_on(send.write_all(&[0, 40, 0, 0]));
            assert!(written.is_ok(), "the connection goes on");
            streams.push((send, recv));
        }
        // At first as many as are allowed at once. Later the server may keep back an eighth of
        // them, so that not each end of a stream takes a frame.
        let least = if begun == 0 { 100 } else { 100 - 100 / 8 };
        assert!((least..=100).contains(&streams.len()), "{} at once", streams.len());
        begun += streams.len() as u64;
        assert!(goes_on(&pair, &server));
        until_so("each is counted", || dropped(&server, Dropped::SlowMessage) == begun);
        assert_eq!(client.connection.close_reason(), None);
    }
    assert!(is_answered(&client), "the connection goes on");
    server.stop();
}

/// A client that takes no answer is cut off with DOQ_EXCESSIVE_LOAD.
#[test]
fn clients_that_never_read_are_cut_off() {
    let pair = sound();
    let deployment = deployment("  doq_idle: 1h\n", &pair);
    let server = deployment.start(Engine::Fast);
    let mut transport = TransportConfig::default();
    transport.receive_window(1_u32.into()).stream_receive_window(1_u32.into());
    let deaf = Clients::new(9, config(&pair, &["doq"], transport));
    let client = deaf.open(doq(&server)).expect("a handshake");
    let (mut send, _unread) = client.stream().expect("a stream");
    deaf.runtime.block_on(send.write_all(&framed(&query(0, "www.cdn.example", A)))).expect("sent");
    send.finish().expect("sent");
    assert!(goes_on(&pair, &server));
    assert_eq!(client.end(), EXCESSIVE_LOAD);
    until_so("it is counted", || dropped(&server, Dropped::SlowReader) == 1);
    server.stop();
}

/// First packets of so many handshakes.
fn initials(pair: &Issued, count: usize) -> Vec<Vec<u8>> {
    let catcher = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
    catcher.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    let clients = clients_at(6, pair);
    let begun: Vec<_> = (0..count).map(|_| clients.connect(catcher.local_addr().expect("bound"))).collect();
    // By the connection ID that the client has chosen for the server, at a fixed place.
    let (mut seen, mut packets) = (HashSet::new(), Vec::new());
    while packets.len() < count {
        let mut packet = [0; 1500];
        let length = catcher.recv(&mut packet).expect("a first packet");
        if seen.insert(packet[6..6 + usize::from(packet[5])].to_vec()) {
            packets.push(packet[..length].to_vec());
        }
    }
    drop(begun);
    packets
}

/// Past some unfinished handshakes, a client must prove its address (Retry) before it takes a
/// place; unfinished ones end in their time. Honest clients are answered all the while.
#[test]
fn handshakes_without_an_end() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let sockets: Vec<UdpSocket> = initials(&pair, 60)
        .iter()
        .map(|packet| {
            let socket = UdpSocket::bind("127.1.5.1:0").expect("loopback has room");
            socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
            socket.send_to(packet, doq(&server)).expect("sent");
            socket
        })
        .collect();
    let mut retried = 0;
    for socket in &sockets {
        let mut packet = [0; 1500];
        socket.recv(&mut packet).expect("a packet of the server");
        // A long header of type 3 (RFC 9000 section 17.2.5).
        retried += usize::from(packet[0] & 0xf0 == 0xf0);
    }
    assert_eq!(retried, 60 - 32, "all past the first 32");
    let began = Instant::now();
    assert!(goes_on(&pair, &server), "with a proven address");
    until("unfinished handshakes end", 2 * PATIENCE, || {
        (dropped(&server, Dropped::SlowMessage) == 32).then_some(())
    });
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    server.stop();
}

/// A quarter of all connections may stand at any of the addresses: past it, a new client must prove
/// its own address at each of them.
#[test]
fn addresses_are_proven_past_a_quarter_of_all_connections() {
    let pair = sound();
    let listen = "  doq: [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n  doq_connections: 64\n  doq_idle: 1h\n";
    let deployment = encrypted(listen, &pair);
    let server = deployment.start(Engine::Fast);
    let [(_, first), (_, second)] = server.streams() else { panic!("two addresses") };
    // A long header of type 3 (RFC 9000 section 17.2.5) is a Retry.
    let is_retried = |packet: &[u8]| {
        let socket = UdpSocket::bind("127.1.5.1:0").expect("loopback has room");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
        socket.send_to(packet, second).expect("sent");
        let mut answer = [0; 1500];
        socket.recv(&mut answer).expect("a packet of the server");
        answer[0] & 0xf0 == 0xf0
    };
    let [below, past] = &initials(&pair, 2)[..] else { panic!("two packets") };
    let clients = clients(&pair);
    let open = |count: usize| -> Vec<Client<'_>> {
        (0..count).map(|_| clients.open(*first).expect("a handshake")).collect()
    };
    let few = open(8);
    assert!(!is_retried(below));
    let more = open(8);
    assert!(is_retried(past), "a quarter of 64 is in use at the other address");
    assert!(few.iter().chain(&more).all(is_answered));
    server.stop();
}

/// Connections without a query give way to clients that ask.
#[test]
fn connections_past_the_limit_give_way() {
    let pair = sound();
    let deployment =
        deployment("  doq_connections: 16\n  doq_connections_per_prefix: 1000\n  doq_idle: 1h\n", &pair);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&pair);
    let silent: Vec<Client<'_>> = (0..40).map(|_| clients.open(doq(&server)).expect("a handshake")).collect();
    // One prefix has a quarter of the places.
    for client in &silent[..36] {
        assert_eq!(client.end(), EXCESSIVE_LOAD);
    }
    assert_eq!(dropped(&server, Dropped::PrefixFull), 36);
    assert!(goes_on(&pair, &server));
    server.stop();
}

/// The pages and the metrics name the transport, which takes no descriptor for a connection.
#[test]
fn pages_name_the_transport() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&pair);
    let client = clients.open(doq(&server)).expect("a handshake");
    assert!(is_answered(&client));
    let status = deployment.page("/status").json();
    assert_eq!(status["streams"][0]["transport"], "doq");
    assert_eq!(status["streams"][0]["addresses"][0], doq(&server).to_string());
    assert_eq!(status["lanes"]["doq"]["received"], 1);
    deployment.has_metrics(&[
        "meridian_queries_total{transport=\"doq\"} 1",
        "meridian_connections_total{transport=\"doq\"} 1",
        "meridian_dropped_total{reason=\"protocol_error\",transport=\"doq\"} 0",
    ]);
    assert!(!deployment.page("/metrics").body.contains("meridian_descriptors{use=\"doq\"}"));
    server.stop();
}

/// DNS over TLS and over QUIC may have one address and port, because TCP and UDP have ports of
/// their own. An address that another program has taken is a finding, which names the transport.
#[test]
fn one_port_is_enough() {
    let pair = sound();
    let free = free_port();
    let listen = format!("  dot: [\"127.0.0.1:{free}\"]\n  doq: [\"127.0.0.1:{free}\"]\n");
    let deployment = encrypted(&listen, &pair);
    let server = deployment.start(Engine::Fast);
    let clients = clients(&pair);
    let address = SocketAddr::from(([127, 0, 0, 1], free));
    assert!(is_answered(&clients.open(address).expect("a handshake")));
    server.stop();
    let _taken = UdpSocket::bind(address).expect("the port is free again");
    let Err(why) = deployment.try_start(Engine::Fast) else { panic!("started") };
    assert!(why.contains("MRD0503") && why.contains(&format!("doq {address}")), "{why}");
}

/// `kdig` is answered over QUIC, with padding.
#[test]
fn kdig_is_answered() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let words = ["+padding", "+quic"];
    let Some((printed, errors)) = kdig(&deployment, doq(&server).port(), &words) else { return };
    if errors.contains("without QUIC") || errors.contains("not supported") {
        println!("skipped: this kdig has no QUIC: {errors}");
        return;
    }
    assert!(printed.contains("198.51.100.10") && printed.contains("QUIC session"), "{printed}\n{errors}");
    assert!(printed.contains("468 B"), "a padded answer: {printed}");
    server.stop();
}
