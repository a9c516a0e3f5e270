//! The transports over real sockets of the loopback interface.

use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;
use support::deployment::*;
use support::program::until_so;

const A: u16 = 1;
const AXFR: u16 = 252;
const NOTIFY: u8 = 4;
const REFUSED: u16 = 5;
const NOTAUTH: u16 = 9;

fn expected(id: u16) -> (u16, u16, Vec<String>) {
    (id, 0, vec!["198.51.100.10".to_owned()])
}

/// Both engines answer both families over UDP and TCP.
#[test]
fn both_engines_answer_everywhere() {
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = Deployment::new(&["127.0.0.1:0", "[::1]:0"], "");
        let server = deployment.start(engine);
        for address in server.dns() {
            let asked = query(7, "wWw.cDn.example", A);
            for answer in [ask_udp(*address, &asked), ask_tcp(*address, &asked)] {
                assert_eq!(decode(&answer), expected(7), "{engine:?} {address}");
                assert_eq!(answer[12..asked.len()], asked[12..], "the question's letter case comes back");
            }
            assert_eq!(decode(&ask_udp(*address, &query(8, "other.test", A))).1, REFUSED);
            assert_eq!(decode(&ask_udp(*address, &query(9, "cdn.example", AXFR))).1, REFUSED);
            assert_eq!(decode(&ask_tcp(*address, &message(10, NOTIFY, "cdn.example", 6))).1, NOTAUTH);
        }
        let udp = server.shared().counters.fold(Transport::Udp);
        assert_eq!((udp.received, udp.replied()), (6, 6), "{engine:?}");
        let tcp = server.shared().counters.fold(Transport::Tcp);
        assert_eq!((tcp.received, tcp.replied()), (4, 4), "{engine:?}");
        server.stop();
    }
}

/// On a wildcard bind, answers (refusals too) leave from the address that was asked;
/// `ask_udp` checks it.
#[test]
fn wildcard_binds_answer_from_the_address_asked() {
    let deployment = Deployment::new(&["0.0.0.0:0", "[::]:0"], "");
    let server = deployment.start(Engine::Fast);
    let ports = [server.dns()[0].port(), server.dns()[1].port()];
    for (asked, port) in [("127.0.0.2", ports[0]), ("127.0.0.1", ports[0]), ("::1", ports[1])] {
        let address = SocketAddr::new(asked.parse().expect("an address"), port);
        // More clients than workers, so that every worker's socket is asked.
        for id in 0..32 {
            assert_eq!(decode(&ask_udp(address, &query(id, "www.cdn.example", A))), expected(id));
        }
        assert_eq!(decode(&ask_udp(address, &query(99, "cdn.example", AXFR))).1, REFUSED);
        assert_eq!(decode(&ask_tcp(address, &query(1, "www.cdn.example", A))), expected(1));
    }
    server.stop();
}

/// What must not be answered is not, and is counted; the next query still is.
#[test]
fn silence_is_counted() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let server = deployment.start(Engine::Fast);
    let address = server.dns()[0];
    let client = client(address);
    let mut response = query(1, "www.cdn.example", A);
    response[2] |= 0x80;
    for octets in [&response[..], &[], &[0; 11], &[0; 5000]] {
        client.send_to(octets, address).expect("the client sends");
    }
    until_so("four drops", || {
        dropped(&server, Transport::Udp, Dropped::Silence) == 3
            && dropped(&server, Transport::Udp, Dropped::Cut) == 1
    });
    client.send_to(&query(2, "www.cdn.example", A), address).expect("the client sends");
    let mut answer = [0; 512];
    let length = client.recv(&mut answer).expect("an answer comes");
    assert_eq!(decode(&answer[..length]), expected(2));
    server.stop();
}

/// In a zone of many names, a batch is read ahead before it is answered; each query has its own
/// answer all the same, among names that do not exist and messages that hold no name.
#[test]
fn a_batch_about_a_large_zone_is_answered_one_by_one() {
    const NAMES: u16 = 60_000;
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let mut text = "$ORIGIN big.example.\n$TTL 300\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS \
        ns1\nns1 A 192.0.2.53\n"
        .to_owned();
    for host in 0..NAMES {
        text += &format!("h{host} A 10.0.{}.{}\n", host >> 8, host & 255);
    }
    deployment.write("zones/big.example.zone", &text);
    let server = deployment.start(Engine::Fast);
    let client = client(server.dns()[0]);
    let mut answer = [0; 512];
    for round in 0..40u16 {
        let hosts: Vec<u16> = (0..50).map(|place| (round * 50 + place) * 29 % NAMES).collect();
        for host in &hosts {
            client
                .send_to(&query(*host, &format!("h{host}.big.example"), A), server.dns()[0])
                .expect("the client sends");
            client.send_to(&[7; 12], server.dns()[0]).expect("the client sends");
            client
                .send_to(&query(NAMES, &format!("no{host}.big.example"), A), server.dns()[0])
                .expect("the client sends");
        }
        let (mut answered, mut denied) = (Vec::new(), 0);
        while answered.len() + denied < 100 {
            let length = client.recv(&mut answer).expect("an answer comes");
            match u16::from_be_bytes([answer[0], answer[1]]) {
                NAMES => denied += 1,
                0x0707 => {}
                host => {
                    assert_eq!(
                        answer[..length]
                            .windows(4)
                            .filter(|four| *four == [10, 0, (host >> 8) as u8, host as u8])
                            .count(),
                        1
                    );
                    answered.push(host);
                }
            }
        }
        assert_eq!((answered, denied), (hosts, 50));
    }
    server.stop();
}

/// What finds no room in the socket's buffer is counted by the kernel, and told within the second
/// that follows: each datagram was either read or dropped.
#[test]
fn a_full_buffer_is_counted() {
    const FLOOD: usize = 5_000;
    let deployment = Deployment::new(&["127.0.0.1:0"], "  receive_buffer: 65536\n");
    let server = deployment.start(Engine::Fast);
    let client = client(server.dns()[0]);
    let (mut sent, full) = (0, || dropped(&server, Transport::Udp, Dropped::ReceiveFull));
    for _ in 0..20 {
        for _ in 0..FLOOD {
            // Too short to be answered, so that nothing comes back.
            client.send_to(&[0; 11], server.dns()[0]).expect("the client sends");
        }
        sent += FLOOD as u64;
        until_so("each is read or dropped", || {
            server.shared().counters.fold(Transport::Udp).received + full() == sent
        });
        if full() > 0 {
            return server.stop();
        }
    }
    panic!("{sent} datagrams found room");
}

/// Pipelined queries are answered in order, refused ones too, however the octets are cut; and a
/// client that has closed its side still gets every answer.
#[test]
fn tcp_pipelines_in_order() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let server = deployment.start(Engine::Fast);
    let mut octets = Vec::new();
    for id in 0..300 {
        let refused = id % 50 == 49;
        octets.extend(framed(&query(
            id,
            if refused { "cdn.example" } else { "www.cdn.example" },
            if refused { AXFR } else { A },
        )));
    }
    for step in [1, 7, 4096, octets.len()] {
        let mut stream = connect(server.dns()[0]);
        stream.set_nodelay(true).expect("an option");
        for piece in octets.chunks(step) {
            stream.write_all(piece).expect("the server reads");
        }
        stream.shutdown(Shutdown::Write).expect("half closed");
        for id in 0..300 {
            let answer = decode(&read_framed(&mut stream));
            assert_eq!(
                answer,
                if id % 50 == 49 { (id, REFUSED, Vec::new()) } else { expected(id) },
                "pieces of {step}"
            );
        }
        assert!(is_closed(&mut stream));
    }
    server.stop();
}

/// An idle connection is closed after its time, one with a half message after the same order of
/// time, and neither before.
#[test]
fn tcp_closes_idle_connections() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "  tcp_idle: 1s\n");
    let server = deployment.start(Engine::Fast);
    let began = Instant::now();
    let mut idle = connect(server.dns()[0]);
    let mut slow = connect(server.dns()[0]);
    slow.write_all(&[0, 40, 1]).expect("the server reads");
    assert!(is_closed(&mut idle));
    let waited = began.elapsed().as_millis();
    assert!((900..5000).contains(&waited), "{waited} ms");
    assert!(is_closed(&mut slow));
    until_so("the slow message is counted", || dropped(&server, Transport::Tcp, Dropped::SlowMessage) == 1);
    server.stop();
}

/// Asks over a connection.
fn is_answered(stream: &mut TcpStream) -> bool {
    stream.write_all(&framed(&query(1, "www.cdn.example", A))).expect("the server reads");
    decode(&read_framed(stream)) == expected(1)
}

/// Past the limit of a prefix, a new connection closes that of the prefix which was idle for
/// longest; a closed one makes room.
#[test]
fn tcp_limits_connections() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "  tcp_connections_per_prefix: 3\n");
    let server = deployment.start(Engine::Fast);
    let address = server.dns()[0];
    let mut open: Vec<_> = (0..3).map(|_| connect(address)).collect();
    assert!(open.iter_mut().all(is_answered));
    let full = || dropped(&server, Transport::Tcp, Dropped::PrefixFull);
    let mut neighbour = connect(address);
    assert!(is_answered(&mut neighbour) && is_closed(&mut open[0]));
    assert!(open[1..].iter_mut().all(is_answered));
    assert_eq!(full(), 1);
    open.clear();
    // The server sees the close when it sees it: ask until there is room.
    until_so("room for another", || {
        let before = full();
        is_answered(&mut connect(address)) && full() == before
    });
    server.stop();
}

/// Sixteen prefixes hold all connections, and say nothing more. Clients of other prefixes are
/// served all the same: those that were idle for longest give way, those that ask stay.
#[test]
fn idle_connections_give_way() {
    const PREFIXES: u8 = 16;
    let listen = "  tcp_connections: 32\n  tcp_connections_per_prefix: 2\n  tcp_idle: 1h\n";
    let deployment = Deployment::new(&["127.0.0.1:0"], listen);
    let server = deployment.start(Engine::Fast);
    let from = |prefix: u8| connect_from(prefix, server.dns()[0]);
    let received = || server.shared().counters.fold(Transport::Tcp).received;
    let mut idle: Vec<TcpStream> = Vec::new();
    for prefix in (0..PREFIXES).flat_map(|prefix| [prefix, prefix]) {
        idle.push(from(prefix));
        // Each asks once, so that all are known to be admitted in this order.
        assert!(is_answered(idle.last_mut().expect("pushed")));
    }
    assert!(is_answered(&mut idle[0]), "asked again, so no longer the longest idle");
    // Held, so that no close makes room before.
    let mut oldest = std::mem::replace(&mut idle[1], from(0));
    assert!(is_answered(&mut idle[1]) && is_closed(&mut oldest), "one of its own prefix gave way");
    assert_eq!(dropped(&server, Transport::Tcp, Dropped::PrefixFull), 1);
    let before = received();
    for prefix in PREFIXES..PREFIXES + 4 {
        assert!(is_answered(&mut from(prefix)), "prefix {prefix}");
    }
    assert_eq!(received(), before + 4);
    // The four newcomers have closed their ends, which makes room too, so at least one gave way.
    let displaced = dropped(&server, Transport::Tcp, Dropped::ConnectionsFull);
    assert!((1..=4).contains(&displaced), "{displaced}");
    assert!(is_closed(&mut idle[2]));
    assert!(idle[..2].iter_mut().all(is_answered) && is_answered(&mut idle[31]));
    server.stop();
}

/// Threads run on the cores that the file names, and take batches of the width it says; every query
/// is answered.
#[cfg(target_os = "linux")]
#[test]
fn workers_are_bound_to_cores() {
    let last = *meridian::testing::sys::affinity::allowed()
        .expect("the system tells")
        .last()
        .expect("it runs somewhere");
    for (keys, threads) in
        [(format!("  cpus: [{last}]\n  batch: 1\n"), 2), ("  cpus: auto\n  batch: 1024\n".to_owned(), 2)]
    {
        let deployment = Deployment::new(&["127.0.0.1:0"], &keys);
        let server = deployment.start(Engine::Fast);
        for id in 0..32 {
            assert_eq!(decode(&ask_udp(server.dns()[0], &query(id, "www.cdn.example", A))), expected(id));
        }
        let masks: Vec<String> = std::fs::read_dir("/proc/self/task")
            .expect("threads")
            .flatten()
            .filter(|task| {
                std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.starts_with("udp-"))
            })
            .filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok())
            .filter_map(|status| {
                status
                    .lines()
                    .find_map(|line| line.strip_prefix("Cpus_allowed_list:").map(|l| l.trim().to_owned()))
            })
            .collect();
        // Other tests of this process have workers too, bound to nothing.
        let bound = masks.iter().filter(|mask| !mask.contains(['-', ','])).count();
        assert!(bound >= threads, "{masks:?}");
        assert!(
            keys.contains("auto")
                || masks.iter().filter(|mask| **mask == last.to_string()).count() >= threads,
            "{masks:?}"
        );
        server.stop();
    }
}

/// A core that is not there is told before anything is served; a buffer that the kernel cuts is a
/// warning.
#[cfg(target_os = "linux")]
#[test]
fn cores_and_buffers_are_checked_at_the_start() {
    use meridian::testing::finding::code;
    let start = |keys: &str| {
        let deployment = Deployment::new(&["127.0.0.1:0"], keys);
        Server::start(&meridian::testing::server::Options {
            config: deployment.path("meridian.yaml"),
            engine: Engine::Fast,
            log_dropped: std::sync::Arc::default(),
            own_process: None,
        })
        .map(|server| {
            let codes: Vec<_> = server.findings().0.iter().map(|finding| finding.code).collect();
            let banner = server.banner();
            server.stop();
            (codes, banner)
        })
    };
    let Err(refused) = start("  cpus: [1023]\n") else { panic!("a core that is not there was taken") };
    assert!(refused.0.iter().any(|finding| finding.code == code::CANNOT_PIN));
    let (codes, banner) = start("").unwrap_or_else(|refused| panic!("{:?}", refused.0));
    assert!(!codes.contains(&code::BUFFER_CUT), "nobody has asked");
    assert!(banner.contains("batches of 64") && banner.contains("of 524288 octets"), "{banner}");
    let (codes, banner) =
        start("  receive_buffer: 1073741823\n").unwrap_or_else(|refused| panic!("{:?}", refused.0));
    assert_eq!(
        codes.contains(&code::BUFFER_CUT),
        !banner.contains("receive 1073741823 of 1073741823"),
        "{banner}"
    );
}

/// A server that stops closes its connections and its threads, and its ports are free again.
#[test]
fn a_stopped_server_is_gone() {
    // At an address of its own, so that no concurrent test takes the port once it is free.
    let deployment = Deployment::new(&["127.0.77.1:0"], "");
    for engine in [Engine::Fast, Engine::Hickory] {
        let server = deployment.start(engine);
        let address = server.dns()[0];
        let mut open = connect(address);
        let control = server.control().to_owned();
        assert!(control.exists());
        let began = Instant::now();
        server.stop();
        assert!(began.elapsed() < PATIENCE);
        assert!(is_closed(&mut open));
        assert!(!control.exists());
        std::net::UdpSocket::bind(address).expect("the port is free");
    }
}

/// Every socket that cannot be opened is told at once, and nothing is left behind.
#[test]
fn failed_binds_are_told_together() {
    use meridian::testing::server::Options;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has room");
    let taken_udp = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
    let taken_admin = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has room");
    let first = taken.local_addr().expect("bound").to_string();
    let third = taken_admin.local_addr().expect("bound").to_string();
    let second = taken_udp.local_addr().expect("bound").to_string();
    let deployment = Deployment::new(
        &["127.0.0.1:0", &first, &second, "192.0.2.1:5300"],
        &format!("  admin: \"{third}\"\n"),
    );
    for engine in [Engine::Fast, Engine::Hickory] {
        let options = Options {
            config: deployment.path("meridian.yaml"),
            engine,
            log_dropped: std::sync::Arc::default(),
            own_process: None,
        };
        let Err(refusal) = Server::start(&options) else { panic!("started") };
        let codes: Vec<_> =
            refusal.0.iter().filter(|f| f.code.id == "MRD0503").map(|f| f.message.clone()).collect();
        assert_eq!(codes.len(), 4, "{codes:?}");
        assert!(!deployment.path("control.sock").exists());
    }
}

/// A second server over the same files is refused by the control socket of the first, which goes
/// on; a socket left by a server that was killed is no obstacle.
#[test]
fn control_sockets_of_others() {
    use meridian::testing::server::Options;
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    drop(std::os::unix::net::UnixListener::bind(deployment.path("control.sock")).expect("a stale socket"));
    let first = deployment.start(Engine::Fast);
    let options = Options {
        config: deployment.path("meridian.yaml"),
        engine: Engine::Fast,
        log_dropped: std::sync::Arc::default(),
        own_process: None,
    };
    let Err(refusal) = Server::start(&options) else { panic!("started") };
    assert!(refusal.0.iter().any(|f| f.code.id == "MRD0503" && f.message.contains("control.sock")));
    // Their overrides would be one too.
    assert!(refusal.0.iter().any(|f| f.code.id == "MRD0506"));
    assert_eq!(decode(&ask_udp(first.dns()[0], &query(3, "www.cdn.example", A))), expected(3));
    assert!(deployment.path("control.sock").exists());
    first.stop();
}
