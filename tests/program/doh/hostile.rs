//! Hostile clients of DNS over HTTPS: none outlives its time, or takes a place from another.

use super::client::{END_HEADERS, END_STREAM, Frames, MEDIA_TYPE, PATH, block, head, kind, query_of};
use super::*;
use rustls::ClientConfig;
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use support::certificate::secure;

/// Error codes of HTTP/2 (RFC 9113 section 7).
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Setting of the window of answers (RFC 9113 section 6.5.2).
const INITIAL_WINDOW_SIZE: u16 = 4;

struct Attacked {
    pair: Issued,
    config: Arc<ClientConfig>,
    server: Server,
    _deployment: Deployment,
}

impl Attacked {
    fn new(listen: &str) -> Attacked {
        let pair = sound();
        let deployment = deployment(listen, &pair);
        let server = deployment.start(Engine::Fast);
        Attacked { config: client_of(&pair, &["h2"]), pair, server, _deployment: deployment }
    }

    fn frames(&self, settings: &[(u16, u32)]) -> Frames {
        Frames::open(&self.config, connect(doh(&self.server)), settings)
    }

    fn dropped(&self, reason: Dropped) -> u64 {
        dropped(&self.server, reason)
    }

    /// True if another client is answered.
    fn goes_on(&self) -> bool {
        is_answered(&mut open(&self.pair, &self.server))
    }
}

fn path_of(message: &[u8]) -> String {
    format!("{PATH}{}", query_of(message))
}

/// Idle connections end, over both versions of HTTP, and also without a request.
#[test]
fn idle_connections_end() {
    let attacked = Attacked::new("  doh_idle: 1s\n");
    let began = Instant::now();
    let mut silent = attacked.frames(&[]);
    assert_eq!(silent.end(true), Some(0), "a GOAWAY without an error");
    assert!(began.elapsed() >= Duration::from_secs(1));
    let mut asked = attacked.frames(&[]);
    let path = path_of(&query(0, "www.cdn.example", A));
    asked.write(kind::HEADERS, END_HEADERS | END_STREAM, 1, &head("GET", &path, &[]));
    assert!(asked.read_until(kind::DATA, 1).is_some_and(|octets| decode(&octets).2.len() == 1));
    assert_eq!(asked.end(true), Some(0));
    let mut one = secure(&client_of(&attacked.pair, &["http/1.1"]), connect(doh(&attacked.server)));
    let mut octets = Vec::new();
    let _ = one.as_mut().expect("a handshake").read_to_end(&mut octets);
    assert!(octets.is_empty(), "no response without a request");
    assert!(attacked.goes_on());
    attacked.server.stop();
}

/// A header without an end ends the connection: over HTTP/2 by a ping that cannot be answered in
/// the middle of a header, over HTTP/1.1 by the time.
#[test]
fn headers_without_an_end() {
    let attacked = Attacked::new("  doh_idle: 1h\n");
    let mut two = attacked.frames(&[]);
    let path = path_of(&query(0, "www.cdn.example", A));
    two.write(kind::HEADERS, END_STREAM, 1, &head("GET", &path, &[]));
    let mut one = secure(&client_of(&attacked.pair, &["http/1.1"]), connect(doh(&attacked.server)))
        .expect("a handshake");
    one.write_all(b"GET /dns-query HTTP/1.1\r\nhost: dns.example\r\n").expect("the server reads");
    assert!(attacked.goes_on());
    let mut octets = Vec::new();
    let began = Instant::now();
    let _ = one.read_to_end(&mut octets);
    assert!(octets.is_empty() && began.elapsed() < 2 * PATIENCE, "{octets:?}");
    two.end(false);
    until_so("it is counted", || attacked.dropped(Dropped::SlowMessage) == 1);
    attacked.server.stop();
}

/// Long headers are refused, and endless ones end the connection.
#[test]
fn headers_that_are_too_long() {
    let attacked = Attacked::new("");
    let long = "x".repeat(9_000);
    let mut frames = attacked.frames(&[]);
    frames.write(kind::HEADERS, END_HEADERS | END_STREAM, 1, &head("GET", PATH, &[("x", &long)]));
    // `:status: 431`: the name at 8 of the static table, the value in Huffman's code (RFC 7541
    // section 6.2.1, appendices A and B).
    let status = frames.read_until(kind::HEADERS, 1).expect("a response");
    assert!(status.starts_with(&[0x48, 0x83, 0x69, 0x90, 0xff]), "{status:?}");
    let mut endless = attacked.frames(&[]);
    endless.write(kind::HEADERS, 0, 1, &head("GET", PATH, &[]));
    let more = block(&[("x", &long)]);
    let written = (0..10_000).take_while(|_| endless.write(kind::CONTINUATION, 0, 1, &more)).count();
    assert!(written < 10_000, "the server reads headers without an end");
    // HTTP/1.1 has the same limit.
    let mut one = secure(&client_of(&attacked.pair, &["http/1.1"]), connect(doh(&attacked.server)))
        .expect("a handshake");
    let _ = one.write_all(format!("GET /dns-query HTTP/1.1\r\nx: {long}\r\n\r\n").as_bytes());
    let mut octets = [0; 12];
    one.read_exact(&mut octets).expect("a status");
    assert_eq!(&octets, b"HTTP/1.1 431");
    assert!(attacked.goes_on());
    attacked.server.stop();
}

/// A body that stops has 408, and one that is too long 413, before it is whole.
#[test]
fn bodies_without_an_end() {
    let attacked = Attacked::new("");
    let mut frames = attacked.frames(&[]);
    let typed = [("content-type", MEDIA_TYPE)];
    frames.write(kind::HEADERS, END_HEADERS, 1, &head("POST", PATH, &typed));
    frames.write(kind::DATA, 0, 1, &[0; 10]);
    frames.write(kind::HEADERS, END_HEADERS, 3, &head("POST", PATH, &typed));
    for _ in 0..4 {
        frames.write(kind::DATA, 0, 3, &[0; 16_000]);
    }
    // The window has room for a message, and grows while it is read.
    assert!(frames.read_until(kind::WINDOW_UPDATE, 3).is_some());
    frames.write(kind::DATA, 0, 3, &[0; 16_000]);
    let text = |octets: Option<Vec<u8>>| String::from_utf8(octets.expect("a response")).expect("text");
    assert!(text(frames.read_until(kind::DATA, 3)).contains("65535 octets at most"));
    assert!(attacked.goes_on());
    assert!(text(frames.read_until(kind::DATA, 1)).contains("took too long"));
    assert_eq!((attacked.dropped(Dropped::SlowMessage), attacked.dropped(Dropped::BadRequest)), (1, 2));
    // The connection itself goes on.
    let path = path_of(&query(0, "www.cdn.example", A));
    frames.write(kind::HEADERS, END_HEADERS | END_STREAM, 5, &head("GET", &path, &[]));
    assert!(frames.read_until(kind::DATA, 5).is_some());
    attacked.server.stop();
}

/// Requests past the most at once are refused one by one; each reset at once ends the connection.
#[test]
fn requests_past_the_limit() {
    let attacked = Attacked::new("");
    let mut frames = attacked.frames(&[]);
    let open = head("POST", PATH, &[("content-type", MEDIA_TYPE)]);
    let path = path_of(&query(0, "www.cdn.example", A));
    for number in 0..101 {
        frames.write(kind::HEADERS, END_HEADERS, 2 * number + 1, &open);
    }
    let code = frames.read_until(kind::RST_STREAM, 201).expect("a reset");
    assert_eq!(code, REFUSED_STREAM.to_be_bytes());
    assert!(attacked.goes_on());
    let mut rapid = attacked.frames(&[]);
    let whole = head("GET", &path, &[]);
    // A rapid client writes without a look at the server, in one piece.
    let mut flood = Vec::new();
    for number in 0..50_000_u32 {
        let stream = 2 * number + 1;
        flood.extend(&(whole.len() as u32).to_be_bytes()[1..]);
        flood.extend([kind::HEADERS, END_HEADERS | END_STREAM]);
        flood.extend(stream.to_be_bytes());
        flood.extend(&whole);
        flood.extend([0, 0, 4, kind::RST_STREAM, 0]);
        flood.extend(stream.to_be_bytes());
        flood.extend(8_u32.to_be_bytes());
    }
    let is_taken = rapid.0.write_all(&flood).is_ok();
    let code = rapid.end(true);
    assert!(code == Some(ENHANCE_YOUR_CALM) || code.is_none() && !is_taken, "{code:?}");
    assert!(attacked.goes_on());
    attacked.server.stop();
}

/// A client that gives its answers no window, or reads nothing, is cut off and counted; its answers
/// hold no more than their share.
#[test]
fn clients_that_never_read_are_cut_off() {
    let attacked = Attacked::new("  doh_idle: 1h\n");
    let mut shut = attacked.frames(&[(INITIAL_WINDOW_SIZE, 0)]);
    let path = path_of(&query(0, "www.cdn.example", A));
    let asks = head("GET", &path, &[]);
    for number in 0..100 {
        shut.write(kind::HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &asks);
    }
    let config = Arc::clone(&attacked.config);
    let stream = connect(doh(&attacked.server));
    let deaf = std::thread::spawn(move || {
        let mut deaf = Frames::open(&config, stream, &[]);
        let mut stream = 1;
        // Until the server closes the connection, because its answers are not taken.
        while deaf.write(kind::HEADERS, END_HEADERS | END_STREAM, stream, &asks) {
            stream += 2;
        }
    });
    assert!(attacked.goes_on());
    // Pings are answered: the client is alive.
    shut.0.sock.set_read_timeout(Some(4 * PATIENCE)).expect("a time-out can be set");
    shut.end(true);
    until_so("it is counted", || attacked.dropped(Dropped::SlowReader) >= 1);
    // The other one is found by a ping, or by an answer that is not taken, whichever is first.
    deaf.join().expect("a client");
    assert!(attacked.goes_on());
    attacked.server.stop();
}

/// Connections without a request, and unfinished handshakes, give way to clients that ask.
#[test]
fn connections_past_the_limit_give_way() {
    let attacked =
        Attacked::new("  doh_connections: 32\n  doh_connections_per_prefix: 1000\n  doh_idle: 1h\n");
    let mut unfinished: Vec<_> = (0..100)
        .map(|number| {
            let mut stream = connect(doh(&attacked.server));
            stream.write_all(&[22, 3, 1, 2, 0, 1][..number % 7]).expect("the server reads");
            stream
        })
        .collect();
    assert!(attacked.goes_on());
    let mut silent: Vec<Frames> = (0..100).map(|_| attacked.frames(&[])).collect();
    assert!(attacked.goes_on());
    for stream in &mut unfinished {
        let _ = stream.read_to_end(&mut Vec::new());
    }
    // All but the last ones have given way; those of one prefix have a quarter of the places.
    silent.truncate(90);
    for frames in &mut silent {
        frames.end(true);
    }
    until_so("each is counted", || attacked.dropped(Dropped::PrefixFull) >= 150);
    assert!(attacked.goes_on());
    attacked.server.stop();
}
