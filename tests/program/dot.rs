//! DNS over TLS (RFC 7858) over real sockets: answers are those of TCP, hostile clients are
//! bounded, and a reload changes the certificate of new connections.

use meridian::testing::answer::Transport;
use meridian::testing::finding::{Severity, render};
use meridian::testing::impact::difference;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use rustls::version::{TLS12, TLS13};
use rustls::{ALL_VERSIONS, ClientConfig, HandshakeKind};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::certificate::{self, Issued, Secure, issue, secure, sound};
use support::corpus::{KEEPALIVE, PADDING, queries};
use support::deployment::*;
use support::encrypted::{encrypted, kdig, write_pair as write};
use support::program::{until, until_so};
use support::reply::Reply;

const A: u16 = 1;

/// A deployment with DNS over TLS and this pair.
fn deployment(listen: &str, pair: &Issued) -> Deployment {
    encrypted(&format!("  dot: [\"127.0.0.1:0\"]\n{listen}"), pair)
}

/// The address for DNS over TLS.
fn dot(server: &Server) -> SocketAddr {
    stream_address(server, Transport::Dot)
}

fn client_of(issued: &Issued) -> Arc<ClientConfig> {
    certificate::client(&[issued], ALL_VERSIONS, &["dot"])
}

fn open(config: &Arc<ClientConfig>, server: &Server) -> Secure {
    secure(config, connect(dot(server))).expect("a handshake")
}

fn ask(stream: &mut Secure, octets: &[u8]) -> Vec<u8> {
    stream.write_all(&framed(octets)).expect("the server reads");
    next(stream)
}

fn next(stream: &mut Secure) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length comes");
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets).expect("a message comes");
    octets
}

fn is_answered(stream: &mut Secure) -> bool {
    decode(&ask(stream, &query(1, "www.cdn.example", A))).2 == ["198.51.100.10"]
}

/// True if the server has ended the stream: with an alert that says so, or by closing it.
fn is_over(stream: &mut Secure) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

fn dropped(server: &Server, reason: Dropped) -> u64 {
    support::deployment::dropped(server, Transport::Dot, reason)
}

/// Both engines answer over TLS octet for octet as over TCP, by every version, with and without
/// ALPN; each message, reply and connection is counted.
#[test]
fn answers_are_those_of_tcp() {
    let pair = sound();
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = deployment("", &pair);
        let server = deployment.start(engine);
        let banner = server.banner();
        assert!(banner.contains(&format!("dot       {}", dot(&server))), "{banner}");
        let mut count = 0;
        for (version, alpn) in [(&TLS13, &["dot"][..]), (&TLS12, &[]), (&TLS13, &["h2", "dot"])] {
            let mut stream = open(&certificate::client(&[&pair], &[version], alpn), &server);
            assert_eq!(stream.conn.protocol_version(), Some(version.version));
            let protocol = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
            assert_eq!(protocol, (!alpn.is_empty()).then(|| b"dot".to_vec()));
            for (what, octets) in queries() {
                let over_tcp = ask_tcp(server.dns()[0], &octets);
                assert_eq!(ask(&mut stream, &octets), over_tcp, "{engine:?}: {what}");
                count += 1;
            }
        }
        let totals = server.shared().counters.fold(Transport::Dot);
        assert_eq!((totals.received, totals.replied()), (count, count));
        // Clients of another protocol get no stream, and are counted.
        let http = certificate::client(&[&pair], ALL_VERSIONS, &["h2"]);
        assert!(secure(&http, connect(dot(&server))).is_err());
        let mut plain = connect(dot(&server));
        plain.write_all(&framed(&query(1, "www.cdn.example", A))).expect("the server reads");
        let mut alert = Vec::new();
        let _ = plain.read_to_end(&mut alert);
        assert_eq!(alert.first(), Some(&21), "an alert, and no answer");
        until_so("two failed handshakes", || dropped(&server, Dropped::HandshakeFailed) == 2);
        server.stop();
    }
}

/// Pipelined queries are answered in order, however the octets are cut into records.
#[test]
fn pipelines_in_order() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let octets: Vec<u8> = (0..300).flat_map(|id| framed(&query(id, "www.cdn.example", A))).collect();
    for step in [7, 4096, octets.len()] {
        let mut stream = open(&client_of(&pair), &server);
        for piece in octets.chunks(step) {
            stream.write_all(piece).expect("the server reads");
        }
        stream.conn.send_close_notify();
        stream.flush().expect("the server reads");
        for id in 0..300 {
            assert_eq!(decode(&next(&mut stream)).0, id, "pieces of {step}");
        }
        assert!(is_over(&mut stream));
    }
    server.stop();
}

/// A ticket resumes a session of either version; early data is never taken.
#[test]
fn sessions_are_resumed_by_tickets() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    for version in [&TLS12, &TLS13] {
        let config = certificate::client(&[&pair], &[version], &["dot"]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let mut stream = secure(&config, connect(dot(&server))).expect("a handshake");
            // The answer comes behind the tickets.
            assert!(is_answered(&mut stream));
            assert_eq!(stream.conn.handshake_kind(), Some(kind), "{version:?}");
            assert!(!stream.conn.is_early_data_accepted(), "{version:?}");
        }
    }
    server.stop();
}

/// Padding is answered over TLS alone, in blocks of 468 octets (RFC 8467); the keepalive option
/// gives the idle time of each stream transport, and none of UDP (RFC 7828).
#[test]
fn padding_and_keepalive() {
    let pair = sound();
    let deployment = deployment("  tcp_idle: 20s\n  dot_idle: 30s\n", &pair);
    let server = deployment.start(Engine::Fast);
    let mut stream = open(&client_of(&pair), &server);
    let option = |octets: &[u8], code: u16| {
        let options = Reply::of(octets).opt.expect("an OPT").options;
        options.into_iter().find(|(of, _)| *of == code).map(|(_, data)| data)
    };
    for name in ["www.cdn.example", "cdn.example", "none.cdn.example", "other.test"] {
        for data in [&[][..], &[0; 50]] {
            let padded = with_option(query(3, name, A), PADDING, data);
            let reply = ask(&mut stream, &padded);
            assert_eq!(reply.len() % 468, 0, "{name}");
            assert!(option(&reply, 12).is_some_and(|zeros| zeros.iter().all(|octet| *octet == 0)));
            for plain in [ask_tcp(server.dns()[0], &padded), ask_udp(server.dns()[0], &padded)] {
                assert_eq!(option(&plain, 12), None, "{name}");
            }
        }
        let unpadded = ask(&mut stream, &with_option(query(4, name, A), 3, &[]));
        assert_eq!(option(&unpadded, 12), None, "{name}");
    }
    let asked = with_option(query(5, "www.cdn.example", A), KEEPALIVE, &[]);
    assert_eq!(option(&ask(&mut stream, &asked), 11), Some(vec![1, 44]));
    assert_eq!(option(&ask_tcp(server.dns()[0], &asked), 11), Some(vec![0, 200]));
    assert_eq!(option(&ask_udp(server.dns()[0], &asked), 11), None);
    server.stop();
}

/// Unfinished handshakes and half messages take no place from clients that ask: each is ended in
/// its time, or gives way before.
#[test]
fn unfinished_connections_are_bounded() {
    let pair = sound();
    let deployment =
        deployment("  dot_connections: 32\n  dot_connections_per_prefix: 1000\n  dot_idle: 1h\n", &pair);
    let server = deployment.start(Engine::Fast);
    let (address, config) = (dot(&server), client_of(&pair));
    let began = Instant::now();
    // The head of a ClientHello, and nothing; half of the prefix of a length.
    let mut open: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut stream = connect(address);
            stream.write_all(&[22, 3, 1, 2, 0, 1][..number % 7]).expect("the server reads");
            stream
        })
        .collect();
    assert!(is_answered(&mut secure(&config, connect(address)).expect("a handshake")));
    let mut half: Vec<Secure> = (0..300)
        .map(|_| {
            let mut stream = secure(&config, connect(address)).expect("a handshake");
            let _ = stream.write_all(&[0]);
            stream
        })
        .collect();
    assert!(is_answered(&mut secure(&config, connect(address)).expect("a handshake")));
    assert!(open.iter_mut().all(is_gone), "an unfinished handshake outlives its time");
    assert!(half.iter_mut().all(is_over), "a half message outlives its time");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    until_so("each is counted", || {
        let [slow, all, of_prefix] = [Dropped::SlowMessage, Dropped::ConnectionsFull, Dropped::PrefixFull]
            .map(|reason| dropped(&server, reason));
        // All clients here have one prefix, which has a quarter of the connections.
        slow >= 1 && of_prefix >= 400 && slow + all + of_prefix >= 500
    });
    assert!(is_answered(&mut secure(&config, connect(address)).expect("a handshake")));
    server.stop();
}

/// True once the server has closed a connection, perhaps behind an alert.
fn is_gone(stream: &mut TcpStream) -> bool {
    let mut octets = Vec::new();
    match stream.read_to_end(&mut octets) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// A handshake past its time ends the connection, and is counted, while others are answered.
#[test]
fn slow_handshakes_end() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let began = Instant::now();
    let mut slow = connect(dot(&server));
    slow.write_all(&[22, 3, 1, 2, 0]).expect("the server reads");
    assert!(is_answered(&mut open(&client_of(&pair), &server)));
    assert!(is_gone(&mut slow));
    let waited = began.elapsed().as_millis();
    assert!(waited >= 4_900, "{waited} ms");
    until_so("it is counted", || dropped(&server, Dropped::SlowMessage) == 1);
    server.stop();
}

/// Clients that never read their answers are cut off, over TCP and TLS, and are counted.
#[test]
fn clients_that_never_read_are_cut_off() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let slow = |transport| server.shared().counters.fold(transport).dropped(Dropped::SlowReader);
    let writes = |mut stream: Box<dyn Write + Send>| {
        let many: Vec<u8> = (0..2_000).flat_map(|id| framed(&query(id, "none.cdn.example", A))).collect();
        // Until the server closes the connection, because its answers are not taken.
        std::thread::spawn(move || while stream.write_all(&many).is_ok() {})
    };
    let clients =
        [writes(Box::new(connect(server.dns()[0]))), writes(Box::new(open(&client_of(&pair), &server)))];
    until("both are cut off", 4 * PATIENCE, || {
        (slow(Transport::Tcp) == 1 && slow(Transport::Dot) == 1).then_some(())
    });
    clients.into_iter().for_each(|client| client.join().expect("a client"));
    assert!(is_answered(&mut open(&client_of(&pair), &server)));
    server.stop();
}

/// Names of the codes of a reload with errors.
fn refused(server: &Server) -> Vec<&'static str> {
    let report = reload(server);
    assert!(!report.published);
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.code.id).collect()
}

/// A reload gives new connections the new certificate, while an open one goes on. A pair that
/// cannot be used refuses the reload, at the place of the faulty file, and the old pair stays.
#[test]
fn a_reload_changes_the_certificate() {
    let (first, second, other) = (sound(), sound(), sound());
    let deployment = deployment("", &first);
    let server = deployment.start(Engine::Fast);
    let mut old = open(&client_of(&first), &server);
    assert!(is_answered(&mut old));
    let before = server.shared().published.snapshot();
    write(&deployment, &second.certificate, &second.key);
    assert!(reload(&server).published);
    let lines = difference(&before, &server.shared().published.snapshot()).to_string();
    assert_eq!(lines, "tls: another certificate, valid until 2045-01-01T00:00:00Z\n");
    assert!(is_answered(&mut old), "the open connection stays");
    assert!(is_answered(&mut open(&client_of(&second), &server)));
    assert!(secure(&client_of(&first), connect(dot(&server))).is_err(), "the first is out of service");
    let expired = issue((2021, 1, 1));
    let rows = [
        ("no certificate", "", &second.key[..], "MRD0113"),
        ("no key", &second.certificate, "nothing\n", "MRD0113"),
        ("the key of another", &second.certificate, &other.key, "MRD0113"),
        ("the certificate of another", &other.certificate, &second.key, "MRD0113"),
        ("an expired pair", &expired.certificate, &expired.key, "MRD0114"),
    ];
    for (what, certificate, key, code) in rows {
        write(&deployment, certificate, key);
        assert_eq!(refused(&server), [code], "{what}");
        assert!(is_answered(&mut open(&client_of(&second), &server)), "{what}");
    }
    std::fs::remove_file(deployment.path("tls/key.pem")).expect("ours");
    assert_eq!(refused(&server), ["MRD0100"]);
    assert!(is_answered(&mut open(&client_of(&second), &server)));
    assert!(is_answered(&mut old));
    write(&deployment, &other.certificate, &other.key);
    assert!(reload(&server).published);
    assert!(is_answered(&mut open(&client_of(&other), &server)));
    server.stop();
}

/// `check` and a start tell of a certificate that ends, of a key that others may read, and of a
/// transport without a certificate; no finding shows the key.
#[test]
fn findings_about_the_pair() {
    use std::os::unix::fs::PermissionsExt;
    let (pair, expired) = (sound(), issue((2021, 1, 1)));
    let deployment = deployment("", &pair);
    let key = deployment.path("tls/key.pem");
    let checked = || {
        let (status, stdout, stderr) = deployment.run(&["check"]);
        let text = stdout + &stderr;
        let secret = |key: &str| key.lines().nth(1).expect("Base64").to_owned();
        assert!(!text.contains(&secret(&pair.key)) && !text.contains(&secret(&expired.key)), "{text}");
        (status, text)
    };
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("ours");
        let (status, text) = checked();
        assert_eq!(status, 0, "{text}");
        assert_eq!(text.contains("warning[MRD0113]: every user of this machine may read"), warns, "{text}");
    }
    write(&deployment, &expired.certificate, &expired.key);
    let (status, text) = checked();
    assert!(
        status == 0 && text.contains("warning[MRD0114]: the certificate expired at 2021-01-01"),
        "{text}"
    );
    // An expired certificate does not refuse a start.
    deployment.start(Engine::Fast).stop();
    write(&deployment, &pair.certificate, &expired.key);
    let (status, text) = checked();
    assert!(status == 1 && text.contains("MRD0113") && text.contains("belongs to another"), "{text}");
    deployment.edit("meridian.yaml", |text| text.replace("tls: {", "# tls: {"));
    let (status, text) = checked();
    assert!(status == 1 && text.contains("`listen.dot` needs a certificate"), "{text}");
    deployment.edit("meridian.yaml", |text| text.replace("# tls: {", "tls: {").replace("  dot:", "  # dot:"));
    write(&deployment, &pair.certificate, &pair.key);
    let (status, text) = checked();
    assert!(status == 0 && text.contains("note[MRD0113]: no transport uses"), "{text}");
}

/// No text of a deployment, a snapshot or a finding shows the key.
#[test]
fn the_key_is_shown_nowhere() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let config = deployment.path("meridian.yaml");
    let (read, findings, files) = meridian::testing::reload::prepare::read(&config, false);
    let read = read.unwrap_or_else(|| panic!("{}", render::text(&findings, &files, false)));
    let server = deployment.start(Engine::Fast);
    let snapshot = server.shared().published.snapshot();
    let secret: String = pair.key.lines().skip(1).take(1).collect();
    let shown = format!("{read:?} {findings:?} {files:?} {snapshot:?}");
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains(&secret));
    server.stop();
}

/// The finding about an address that another program has taken names the transport.
#[test]
fn a_taken_address_is_a_finding() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has room");
    let address = taken.local_addr().expect("bound").to_string();
    let deployment = deployment("", &sound());
    deployment.edit("meridian.yaml", |text| {
        text.replace("  dot: [\"127.0.0.1:0\"]", &format!("  dot: [\"{address}\"]"))
    });
    let Err(why) = deployment.try_start(Engine::Fast) else { panic!("started") };
    assert!(why.contains("MRD0503") && why.contains(&format!("dot {address}")), "{why}");
}

/// The pages and the metrics name the transport, and tell the end of the certificate.
#[test]
fn pages_name_the_transport() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    assert!(is_answered(&mut open(&client_of(&pair), &server)));
    let status: serde_json::Value = serde_json::from_str(&deployment.page("/status").body).expect("JSON");
    assert_eq!(status["streams"][0]["addresses"][0], dot(&server).to_string());
    assert_eq!(status["certificate_not_after"], 2_366_841_600_i64);
    assert_eq!(status["lanes"]["dot"]["received"], 1);
    deployment.has_metrics(&[
        "meridian_queries_total{transport=\"dot\"} 1",
        "meridian_connections_total{transport=\"dot\"} 1",
        "meridian_tls_certificate_expiry_timestamp_seconds{use=\"transports\"} 2366841600",
        "meridian_dropped_total{reason=\"handshake_failed\",transport=\"dot\"} 0",
    ]);
    server.stop();
}

/// `kdig` is answered over TLS, with the strict profile, padding and keepalive.
#[test]
fn kdig_is_answered() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let words = ["+tls", "+padding", "+keepopen"];
    let Some((printed, _)) = kdig(&deployment, dot(&server).port(), &words) else { return };
    assert!(printed.contains("198.51.100.10") && printed.contains("TLS session"), "{printed}");
    assert!(printed.contains("468 B"), "a padded answer: {printed}");
    server.stop();
}
