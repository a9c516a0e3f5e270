//! Access lists over real sockets, in either engine: REFUSED, no reply, no connection, and what a
//! reload changes for open connections.

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use support::deployment::*;
use support::program::until_so;
use support::reply::Reply;

const A: u16 = 1;
/// Prohibited (RFC 8914 section 4.19).
const PROHIBITED: u16 = 18;

fn deployment(access: &str) -> Deployment {
    Deployment::new(&["127.0.0.1:0"], &format!("access: {access}\n"))
}

/// A UDP client at 127.1.`prefix`.1.
fn udp(prefix: u8) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::from(([127, 1, prefix, 1], 0))).expect("loopback has room");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    socket
}

fn dropped(server: &Server, transport: Transport) -> u64 {
    server.shared().counters.fold(transport).dropped(Dropped::Access)
}

fn ask(stream: &mut TcpStream) -> Option<Reply> {
    stream.write_all(&framed(&query(1, "www.cdn.example", A))).ok()?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets).ok()?;
    Some(Reply::of(&octets))
}

/// The longest prefix decides: 127.1.1.1 is refused, 127.1.2.1 dropped, all others are answered.
const LISTS: &str =
    "{ refuse: [127.1.1.0/24], drop: [127.1.0.0/16, 192.0.2.0/24], allow: [\"::ffff:127.1.3.1\"] }";

#[test]
fn clients_are_refused_and_dropped() {
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = deployment(LISTS);
        let server = deployment.start(engine);
        let address = server.dns()[0];
        let asked = with_option(query(1, "www.cdn.example", A), 10, &[7; 8]);
        for (client, rcode) in [(1, "REFUSED"), (3, "NOERROR")] {
            let reply = Reply::of(&ask_from(&udp(client), address, &asked));
            assert_eq!(reply.status, rcode, "{client}");
            assert_eq!(reply.cookie().map(<[u8]>::len), Some(24), "the cookie comes back");
            let ede = reply.opt.as_ref().and_then(|opt| opt.ede);
            assert_eq!(ede, (rcode == "REFUSED").then_some(PROHIBITED));
            assert_eq!(reply.sections[0].is_empty(), rcode == "REFUSED");
            assert_eq!(ask(&mut connect_from(client, address)).expect("a reply").status, rcode);
        }
        // A message that is no query gets nothing, and is not counted as refused.
        udp(1).send_to(&message(2, 2, "www.cdn.example", A), address).expect("sent");
        udp(2).send_to(&asked, address).expect("sent");
        until_so("the message is dropped", || dropped(&server, Transport::Udp) == 1);
        assert!(ask(&mut connect_from(2, address)).is_none(), "the connection is closed");
        assert_eq!(dropped(&server, Transport::Tcp), 1);
        let totals = |transport| server.shared().counters.fold(transport);
        assert_eq!((totals(Transport::Udp).replied(), totals(Transport::Tcp).replied()), (2, 2));
        let metrics = deployment.page("/metrics").body;
        for transport in ["udp", "tcp"] {
            let line = format!("meridian_access_refused_total{{transport=\"{transport}\"}} 1");
            assert!(metrics.contains(&line), "{line}");
        }
        server.stop();
    }
}

/// Verdicts on open connections change with a reload, and dropped clients displace no other.
#[test]
fn a_reload_holds_for_open_connections() {
    let deployment = deployment("{ drop: [192.0.2.0/24] }");
    let server = deployment.start(Engine::Fast);
    let address = server.dns()[0];
    let mut open: Vec<TcpStream> = (0..3).map(|prefix| connect_from(prefix, address)).collect();
    assert!(open.iter_mut().all(|stream| ask(stream).is_some_and(|reply| reply.status == "NOERROR")));
    deployment.edit("meridian.yaml", |text| text.replace("{ drop: [192.0.2.0/24] }", LISTS));
    reload(&server);
    assert_eq!(ask(&mut open[1]).expect("a reply").status, "REFUSED");
    assert!(ask(&mut open[2]).is_none(), "the connection ends");
    deployment.edit("meridian.yaml", |text| text.replace(&format!("access: {LISTS}\n"), ""));
    reload(&server);
    assert_eq!(ask(&mut open[1]).expect("a reply").status, "NOERROR");
    assert_eq!(ask(&mut connect_from(2, address)).expect("a reply").status, "NOERROR");
}

/// Refused queries count for the limit of errors.
#[test]
fn refusals_are_limited() {
    let access = "{ refuse: [127.1.1.0/24] }\nrate_limit: { from_qps: 0, errors: 1, slip: 0 }";
    let deployment = deployment(access);
    let server = deployment.start(Engine::Fast);
    let client = udp(1);
    for id in 0..100 {
        client.send_to(&query(id, "www.cdn.example", A), server.dns()[0]).expect("sent");
    }
    let totals = || server.shared().counters.fold(Transport::Udp);
    until_so("all are treated", || totals().replied() + totals().dropped(Dropped::RateLimited) == 100);
    assert!((1..=10).contains(&totals().replied()), "{}", totals().replied());
}

/// `explain` gives the verdict that the server gives, and the prefix that decided.
#[test]
fn explain_names_the_prefix() {
    let deployment = deployment(LISTS);
    let served = deployment.serve(&[]);
    for (client, words) in [
        ("127.1.1.1", "`refuse` has 127.1.1.0/24: REFUSED"),
        ("127.1.9.9", "`drop` has 127.1.0.0/16: no reply, no connection"),
        ("127.1.3.1", "`allow` has 127.1.3.1/32"),
        ("198.51.100.7", "the client is in no list, so it is allowed"),
    ] {
        for files in [&[][..], &["--files"]] {
            let arguments = [&["explain", "www.cdn.example", "--client", client], files].concat();
            let (_, output, error) = deployment.run(&arguments);
            assert!(output.contains(words), "{arguments:?}: {output}{error}");
        }
    }
    drop(served);
}
