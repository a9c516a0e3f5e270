//! PROXY headers over real sockets: the client that a balancer names gets the answer that is its
//! own, whatever family and transport carry it, and no other address is believed.

mod dnsdist;
mod haproxy;
mod limits;

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use rustls::ALL_VERSIONS;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::Instant;
use support::certificate::{self, Issued, issue, secure};
use support::deployment::*;
use support::program::until_so;
use support::reply::Reply;
use support::{ServerFile, Tree};

const A: u16 = 1;
/// Number of the balancer: it is at 127.1.9.1.
const BALANCER: u8 = 9;
const LISTED: &str = "proxy_protocol: { from: [127.1.9.1, '::1'] }\n";
/// A client in the network `east`, and its answer; all others have the answer of the west.
const EASTERN: &str = "203.0.113.7:4000";
const EAST: &str = "198.51.100.20";
const WEST: &str = "198.51.100.10";

const POPS: &str = "pops:
  west: { at: { lat: 40, lon: -74, country: US }, addresses: [198.51.100.10] }
  east: { at: { lat: 50.1, lon: 8.7, country: DE }, addresses: [198.51.100.20] }
";
const ZONE: &str = "zone: cdn.example.
ttl: 300
soa: { mname: ns1, rname: hostmaster, negative_ttl: 60 }
records:
  '@': { NS: [ns1] }
  ns1: { A: 192.0.2.53 }
  www: { steer: web }
policies:
  web: { pops: [west, east], order: listed, rules: [{ when: { network: east }, pops: [east] }] }
";
const NETWORKS: &str = "east: { prefixes: [127.1.1.0/24, 203.0.113.0/24, '2001:db8:e::/48'] }\n";

/// A deployment whose answers depend on the network of the client, with further sections.
fn deployment(listen: &str, more: &str) -> (Deployment, Issued) {
    let pair = issue((2045, 1, 1));
    let listen = format!("  threads: 2\n  dot: ['127.0.0.1:0']\n{listen}");
    let keys = "tls: { certificate: tls.pem, key: tls.pem }\ngeoip: { networks: networks.yaml }\n";
    let server = ServerFile {
        node: "name: test",
        dns: &["127.0.0.1:0", "[::1]:0"],
        listen: &listen,
        more: &format!("{keys}{more}"),
        ..ServerFile::default()
    };
    let tree = Tree::of(server)
        .with("networks.yaml", NETWORKS)
        .with("pops.yaml", POPS)
        .with("zones/cdn.example.yaml", ZONE)
        .with("tls.pem", format!("{}{}", pair.certificate, pair.key));
    (Deployment::of(&tree), pair)
}

/// A header with this first octet behind the signature, for a client.
fn header_of(command: u8, client: &str) -> Vec<u8> {
    let client: SocketAddr = client.parse().expect("an address");
    let (family, addresses) = match client.ip() {
        IpAddr::V4(address) => (0x12, [&address.octets()[..], &[127, 0, 0, 1]].concat()),
        IpAddr::V6(address) => (0x22, [&address.octets()[..], &[0; 16]].concat()),
    };
    let ports = [client.port().to_be_bytes(), 53u16.to_be_bytes()].concat();
    with_signature(&[&[command, family, 0, (addresses.len() + 4) as u8][..], &addresses, &ports].concat())
}

fn with_signature(rest: &[u8]) -> Vec<u8> {
    [b"\r\n\r\n\0\r\nQUIT\n", rest].concat()
}

/// The header of a client.
fn header(client: &str) -> Vec<u8> {
    header_of(0x21, client)
}

fn www(id: u16) -> Vec<u8> {
    query(id, "www.cdn.example", A)
}

/// A UDP socket at 127.1.`number`.1.
fn udp(number: u8) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::from(([127, 1, number, 1], 0))).expect("loopback has room");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    socket
}

/// The first address of the answer.
fn address_of(answer: &[u8]) -> String {
    decode(answer).2.first().cloned().expect("an address")
}

fn headers(server: &Server, transport: Transport) -> u64 {
    server.shared().counters.fold(transport).proxy_headers
}

fn dot(server: &Server) -> SocketAddr {
    stream_address(server, Transport::Dot)
}

fn no_header_was_faulty(server: &Server) {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Dot] {
        for reason in [
            Dropped::ProxyMissing,
            Dropped::ProxyVersion,
            Dropped::ProxyFamily,
            Dropped::ProxyLength,
            Dropped::ProxyAddress,
        ] {
            assert_eq!(dropped(server, transport, reason), 0, "{transport:?}: {reason:?}");
        }
    }
}

/// Asks on a stream.
fn ask(stream: &mut (impl Read + Write), octets: &[u8]) -> Option<Vec<u8>> {
    stream.write_all(&framed(octets)).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

/// A connection of the balancer that has sent these octets.
fn begun(server: SocketAddr, octets: &[u8]) -> TcpStream {
    let mut stream = connect_from(BALANCER, server);
    stream.write_all(octets).expect("the server reads");
    stream
}

/// True once the server has closed the connection without an octet of its own. A reset is a close
/// with octets that the server has not read.
fn is_over(stream: &mut TcpStream) -> bool {
    let mut octets = Vec::new();
    let ended = stream.read_to_end(&mut octets);
    octets.is_empty() && ended.map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |_| true)
}

/// Headers, the address by which the answer is chosen, and that answer.
fn headers_of_clients() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let tlvs = {
        let mut octets = header(EASTERN);
        octets[15] += 5;
        [&octets[..], &[4, 0, 2, 9, 9]].concat()
    };
    let of_a_stream = {
        let mut octets = header(EASTERN);
        octets[13] = 0x11;
        octets
    };
    vec![
        ("IPv4 in the east", header(EASTERN), EAST),
        ("IPv4 in the west", header("192.0.2.1:4000"), WEST),
        ("IPv6 in the east", header("[2001:db8:e::1]:4000"), EAST),
        ("IPv6 in the west", header("[2001:db8:f::1]:4000"), WEST),
        ("IPv4 inside IPv6", header("[::ffff:203.0.113.7]:4000"), EAST),
        ("TLVs", tlvs, EAST),
        ("the client of a stream", of_a_stream, EAST),
        ("an unknown port", header("203.0.113.7:0"), EAST),
        ("LOCAL, with an address to ignore", header_of(0x20, EASTERN), WEST),
        ("LOCAL", with_signature(&[0x20, 0, 0, 0]), WEST),
        ("an unspecified family", with_signature(&[0x21, 0, 0, 0]), WEST),
    ]
}

#[test]
fn datagrams_are_answered_for_their_clients() {
    let (deployment, _) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    let [v4, v6] = server.dns()[..] else { panic!("two addresses") };
    let through = [(udp(BALANCER), v4), (client(v6), v6)];
    let rows = headers_of_clients();
    for (socket, address) in &through {
        for (what, header, expected) in &rows {
            let answer = ask_from(socket, *address, &[&header[..], &www(7)].concat());
            assert_eq!((decode(&answer).0, &*address_of(&answer)), (7, *expected), "{what}");
        }
    }
    assert_eq!(headers(&server, Transport::Udp), 2 * rows.len() as u64);
    // A subnet in the query is nearer to the client than any header.
    let with_subnet = with_subnet(www(1), [203, 0, 113]);
    let answer = ask_from(&through[0].0, v4, &[&header("192.0.2.1:4000")[..], &with_subnet].concat());
    assert_eq!(address_of(&answer), EAST);
    // Other addresses are clients themselves.
    assert_eq!(address_of(&ask_from(&udp(1), v4, &www(2))), EAST);
    assert_eq!(address_of(&ask_from(&udp(2), v4, &www(3))), WEST);
    server.stop();
}

/// Faulty headers, and the reason by which each is counted.
fn faulty() -> Vec<(&'static str, Vec<u8>, Dropped)> {
    let good = header(EASTERN);
    let changed = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        octets
    };
    vec![
        ("none", Vec::new(), Dropped::ProxyMissing),
        ("version 1", b"PROXY UDP4 192.0.2.1 192.0.2.2 4000 53\r\n".to_vec(), Dropped::ProxyMissing),
        ("a signature with a fault", changed(11, 0), Dropped::ProxyMissing),
        ("version 3", changed(12, 0x31), Dropped::ProxyVersion),
        ("an unknown command", changed(12, 0x2f), Dropped::ProxyVersion),
        ("an unknown family", changed(13, 0x51), Dropped::ProxyFamily),
        ("too short for its addresses", changed(15, 11), Dropped::ProxyLength),
        ("too long", changed(14, 0xff), Dropped::ProxyLength),
        ("a TLV past the end", changed(15, 16), Dropped::ProxyLength),
        ("multicast", header("224.0.0.1:4000"), Dropped::ProxyAddress),
        ("the unspecified address", header("[::]:4000"), Dropped::ProxyAddress),
    ]
}

#[test]
fn datagrams_with_faulty_headers_are_dropped() {
    let (deployment, _) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    let (socket, address) = (udp(BALANCER), server.dns()[0]);
    for (what, header, reason) in faulty() {
        let before = dropped(&server, Transport::Udp, reason);
        socket.send_to(&[&header[..], &www(1)].concat(), address).expect("sent");
        until_so(what, || dropped(&server, Transport::Udp, reason) == before + 1);
    }
    for (what, octets, reason) in [
        ("a cut header", header(EASTERN)[..20].to_vec(), Dropped::ProxyLength),
        ("no octet", Vec::new(), Dropped::ProxyMissing),
        ("a header alone", header(EASTERN), Dropped::Silence),
        ("a service port", [&header("203.0.113.7:7")[..], &www(1)].concat(), Dropped::ServicePort),
    ] {
        let before = dropped(&server, Transport::Udp, reason);
        socket.send_to(&octets, address).expect("sent");
        until_so(what, || dropped(&server, Transport::Udp, reason) == before + 1);
    }
    // The header of an address that is not listed is a message that is none of the DNS.
    let stranger = udp(2);
    stranger.send_to(&[&header(EASTERN)[..], &www(1)].concat(), address).expect("sent");
    until_so("it is no message", || dropped(&server, Transport::Udp, Dropped::Silence) == 2);
    // The first reply to each is to its sound query: nothing else was answered.
    let answer = ask_from(&socket, address, &[&header(EASTERN)[..], &www(99)].concat());
    assert_eq!((decode(&answer).0, &*address_of(&answer)), (99, EAST));
    assert_eq!(decode(&ask_from(&stranger, address, &www(98))).0, 98);
    deployment.has_metrics(&[
        "meridian_dropped_total{reason=\"proxy_missing\",transport=\"udp\"} 4",
        "meridian_dropped_total{reason=\"proxy_version\",transport=\"udp\"} 2",
        "meridian_dropped_total{reason=\"proxy_family\",transport=\"udp\"} 1",
        "meridian_dropped_total{reason=\"proxy_length\",transport=\"udp\"} 4",
        "meridian_dropped_total{reason=\"proxy_address\",transport=\"udp\"} 2",
    ]);
    server.stop();
}

/// Over TCP, and over TLS with the header in clear before the handshake or first inside: each
/// message of a connection is answered for the client of its header.
#[test]
fn streams_are_answered_for_their_clients() {
    let (deployment, pair) = deployment("", LISTED);
    for engine in [Engine::Fast, Engine::Hickory] {
        let server = deployment.start(engine);
        let config = certificate::client(&[&pair], ALL_VERSIONS, &["dot"]);
        for (what, header, expected) in headers_of_clients() {
            let mut tcp = begun(server.dns()[0], &header);
            let before = begun(dot(&server), &header);
            let mut before = secure(&config, before).expect("a handshake");
            let mut inside = secure(&config, begun(dot(&server), &[])).expect("a handshake");
            inside.write_all(&header).expect("the server reads");
            for id in 1..=3 {
                for answer in
                    [ask(&mut tcp, &www(id)), ask(&mut before, &www(id)), ask(&mut inside, &www(id))]
                {
                    let answer = answer.unwrap_or_else(|| panic!("{what}: no answer"));
                    assert_eq!((decode(&answer).0, &*address_of(&answer)), (id, expected), "{what}");
                }
            }
        }
        let rows = headers_of_clients().len() as u64;
        assert_eq!((headers(&server, Transport::Tcp), headers(&server, Transport::Dot)), (rows, 2 * rows));
        // Pieces of any size.
        let octets = [&header(EASTERN)[..], &framed(&www(5))].concat();
        let mut stream = connect_from(BALANCER, server.dns()[0]);
        stream.set_nodelay(true).expect("an option");
        for octet in &octets {
            stream.write_all(&[*octet]).expect("the server reads");
        }
        assert_eq!(address_of(&read_framed(&mut stream)), EAST);
        server.stop();
    }
}

/// A faulty header closes the connection, and is counted; a connection without an octet is not.
#[test]
fn streams_with_faulty_headers_are_closed() {
    let (deployment, pair) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    for (address, transport) in [(server.dns()[0], Transport::Tcp), (dot(&server), Transport::Dot)] {
        for (what, header, reason) in faulty() {
            let before = dropped(&server, transport, reason);
            let mut stream = begun(address, &[&header[..], &framed(&www(1))].concat());
            assert!(is_over(&mut stream), "{what}");
            assert_eq!(dropped(&server, transport, reason), before + 1, "{what}");
        }
        let length = dropped(&server, transport, Dropped::ProxyLength);
        let mut cut = begun(address, &header(EASTERN)[..20]);
        cut.shutdown(Shutdown::Write).expect("open");
        assert!(is_over(&mut cut));
        assert_eq!(dropped(&server, transport, Dropped::ProxyLength), length + 1);
        let missing = dropped(&server, transport, Dropped::ProxyMissing);
        let mut silent = begun(address, &[]);
        silent.shutdown(Shutdown::Write).expect("open");
        assert!(is_over(&mut silent));
        assert_eq!(dropped(&server, transport, Dropped::ProxyMissing), missing, "a check of the port");
    }
    // Inside TLS, a query takes the place of the header.
    let config = certificate::client(&[&pair], ALL_VERSIONS, &["dot"]);
    let mut inside = secure(&config, begun(dot(&server), &[])).expect("a handshake");
    let missing = dropped(&server, Transport::Dot, Dropped::ProxyMissing);
    assert_eq!(ask(&mut inside, &www(1)), None);
    assert_eq!(dropped(&server, Transport::Dot, Dropped::ProxyMissing), missing + 1);
    // The header of an address that is not listed is the length of a message that does not come,
    // and over TLS no handshake.
    for address in [server.dns()[0], dot(&server)] {
        let mut stranger = connect_from(2, address);
        stranger.write_all(&[&header(EASTERN)[..], &framed(&www(1))].concat()).expect("the server reads");
        stranger.shutdown(Shutdown::Write).expect("open");
        let mut answer = Vec::new();
        let _ = stranger.read_to_end(&mut answer);
        // TLS sends an alert.
        assert!(answer.first().is_none_or(|first| *first == 21), "{answer:?}");
    }
    until_so("the handshake fails", || dropped(&server, Transport::Dot, Dropped::HandshakeFailed) == 1);
    server.stop();
}

/// The header has the time of a message, and of a handshake too.
#[test]
fn slow_headers_end() {
    let (deployment, _) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    let begin = Instant::now();
    let mut slow = [
        begun(server.dns()[0], &[]),
        begun(server.dns()[0], &header(EASTERN)[..20]),
        begun(dot(&server), &[]),
        begun(dot(&server), &header(EASTERN)[..20]),
        begun(dot(&server), &header(EASTERN)),
    ];
    assert!(slow.iter_mut().all(is_over));
    assert!(begin.elapsed().as_millis() >= 4_900, "{:?}", begin.elapsed());
    for (transport, count) in [(Transport::Tcp, 2), (Transport::Dot, 3)] {
        until_so("each is counted", || dropped(&server, transport, Dropped::SlowMessage) == count);
    }
    server.stop();
}

/// A reload changes the list for datagrams and new connections; an open one keeps its client.
#[test]
fn a_reload_changes_the_list() {
    let (deployment, _) = deployment("", "");
    let server = deployment.start(Engine::Fast);
    let (socket, address) = (udp(BALANCER), server.dns()[0]);
    let mut plain = begun(address, &[]);
    assert_eq!(address_of(&ask_from(&socket, address, &www(1))), WEST);
    assert_eq!(address_of(&ask(&mut plain, &www(1)).expect("an answer")), WEST);
    deployment.edit("meridian.yaml", |text| text + LISTED);
    assert!(reload(&server).published);
    let with_header = [&header(EASTERN)[..], &www(2)].concat();
    assert_eq!(address_of(&ask_from(&socket, address, &with_header)), EAST);
    let mut named = begun(address, &header(EASTERN));
    assert_eq!(address_of(&ask(&mut named, &www(2)).expect("an answer")), EAST);
    assert_eq!(address_of(&ask(&mut plain, &www(2)).expect("an answer")), WEST);
    deployment.edit("meridian.yaml", |text| text.replace(LISTED, ""));
    assert!(reload(&server).published);
    assert_eq!(address_of(&ask_from(&socket, address, &www(3))), WEST);
    assert_eq!(address_of(&ask(&mut named, &www(3)).expect("an answer")), EAST);
    server.stop();
}

/// The portable engine reads no header over UDP: what a balancer sends is dropped or refused.
#[test]
fn the_portable_engine_has_no_datagrams_of_balancers() {
    let (deployment, _) = deployment("", LISTED);
    let server = deployment.start(Engine::Hickory);
    let (socket, address) = (udp(BALANCER), server.dns()[0]);
    socket.send_to(&www(1), address).expect("sent");
    until_so("it is dropped", || dropped(&server, Transport::Udp, Dropped::ProxyMissing) == 1);
    socket.send_to(&[&header(EASTERN)[..], &www(2)].concat(), address).expect("sent");
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).expect("hickory answers");
    assert_eq!(Reply::of(&answer[..length]).status, "FORMERR");
    server.stop();
}
