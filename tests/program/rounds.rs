//! Forged datagrams between two servers: each dies out after at most one reply.

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use support::deployment::*;
use support::program::until_so;

fn received(server: &Server) -> u64 {
    server.shared().counters.fold(Transport::Udp).received
}

fn replied(server: &Server) -> u64 {
    server.shared().counters.fold(Transport::Udp).replied()
}

fn dropped(server: &Server, reason: Dropped) -> u64 {
    server.shared().counters.fold(Transport::Udp).dropped(reason)
}

/// Sends a datagram to `server` from an address and port of another server of this process. The
/// sender shares the port, but gets none of its datagrams, because it is connected elsewhere.
fn forge(octets: &[u8], from: SocketAddr, server: SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    socket.set_reuse_port(true).expect("an option");
    socket.bind(&SockAddr::from(from)).expect("workers share their port");
    socket.connect(&SockAddr::from(SocketAddr::from(([127, 0, 0, 9], 9)))).expect("connected to nobody");
    socket.send_to(octets, &SockAddr::from(server)).expect("the forger sends");
}

/// A datagram to one server in the name of another causes at most one reply, which the second
/// server does not answer.
#[test]
fn a_forged_datagram_dies_out() {
    let sound = query(1, "www.cdn.example", 1);
    let mut response = sound.clone();
    response[2] |= 0x80;
    let malformed = [&sound[..], &[0]].concat();
    let rows: [(&str, Vec<u8>, bool); 9] = [
        ("a query", sound.clone(), true),
        ("a response", response, false),
        ("a malformed query", malformed, true),
        ("a NOTIFY", message(2, 4, "cdn.example", 6), true),
        ("an UPDATE", message(3, 5, "cdn.example", 6), true),
        ("an unknown opcode", message(4, 11, "cdn.example", 6), true),
        ("a header of zeros", vec![0; 12], true),
        ("text", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), false),
        ("nothing", Vec::new(), false),
    ];
    let deployments = [(); 2].map(|()| Deployment::new(&["127.0.0.1:0"], ""));
    let [one, two] = deployments.each_ref().map(|deployment| deployment.start(Engine::Fast));
    let (mut sent, mut answered) = (0, 0);
    for (what, octets, is_answered) in &rows {
        forge(octets, two.dns()[0], one.dns()[0]);
        (sent, answered) = (sent + 1, answered + u64::from(*is_answered));
        until_so(what, || received(&one) == sent && received(&two) == answered);
    }
    // A second round would come within microseconds.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!((received(&one), replied(&one)), (sent, answered));
    assert_eq!((received(&two), replied(&two)), (answered, 0));
    assert_eq!(dropped(&one, Dropped::Silence), sent - answered);
    assert_eq!(dropped(&two, Dropped::Silence), answered);
    one.stop();
    two.stop();
}

/// Datagrams from ports of services that answer anything are dropped and counted, by both engines.
/// Without the privilege to use such a port, there is nothing to try.
#[test]
fn service_ports_get_nothing() {
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        let server = deployment.start(engine);
        let mut sent = 0;
        for port in [7, 13, 17, 19, 37, 69] {
            let Ok(socket) = UdpSocket::bind(("127.0.0.1", port)) else { continue };
            socket.send_to(&query(1, "www.cdn.example", 1), server.dns()[0]).expect("the client sends");
            sent += 1;
        }
        until_so("each is dropped", || dropped(&server, Dropped::ServicePort) == sent);
        assert_eq!(replied(&server), 0, "{engine:?}");
        server.stop();
    }
}
