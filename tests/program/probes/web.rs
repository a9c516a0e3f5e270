//! HTTP: what is asked, what is expected, and servers that misbehave.

use super::target::{ANY, LONG, SHORT, get, run, serve, target, why};
use meridian::testing::health::spec::{Check, HttpCheck, HttpMethod};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;
use support::ports::Port;

/// The request up to its empty line.
pub fn request(stream: &TcpStream) -> String {
    let mut text = String::new();
    let mut reader = BufReader::new(stream);
    while !text.ends_with("\r\n\r\n") && reader.read_line(&mut text).unwrap_or(0) > 0 {}
    text
}

/// Says the same to everybody, and stays until the other closes.
pub fn saying(response: impl Into<Vec<u8>>) -> SocketAddr {
    let response = response.into();
    serve(move |mut stream| {
        request(&stream);
        let _ = stream.write_all(&response);
        let _ = stream.read(&mut [0]);
    })
}

/// Writes the same over and over until the other closes, and tells how many octets went out.
pub fn flooding(head: &'static str, piece: Vec<u8>) -> (SocketAddr, mpsc::Receiver<u64>) {
    let (tell, told) = mpsc::channel();
    let address = serve(move |mut stream| {
        request(&stream);
        let mut sent = 0;
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(&piece).is_ok() && sent < 1 << 30 {
            sent += piece.len() as u64;
        }
        let _ = tell.send(sent);
    });
    (address, told)
}

fn checked(check: HttpCheck, to: SocketAddr) -> String {
    why(&run(&target(Check::Http(check), to, LONG))).to_owned()
}

#[test]
fn what_is_expected_of_a_response() {
    let ok =
        "HTTP/1.1 200 OK\r\nX-Health: fine, thanks\r\nX-Health: two\r\nContent-Length: 9\r\n\r\nall is ok";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nall i\r\n4\r\ns ok\r\n0\r\n\r\n";
    let unending = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nall is ok";
    let until_close = "HTTP/1.0 200 OK\r\n\r\nall is ok";
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let continued = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let body = |text: &str| HttpCheck { body: Some(text.as_bytes().into()), ..get() };
    let header =
        |name: &str, value: &str| HttpCheck { expect_headers: vec![(name.into(), value.into())], ..get() };
    let status = |expect| HttpCheck { expect, ..get() };
    let rows: Vec<(HttpCheck, &str, &str)> = vec![
        (get(), ok, ""),
        (get(), unending, ""),
        (get(), until_close, ""),
        (get(), continued, ""),
        (
            HttpCheck { method: HttpMethod::Head, ..get() },
            "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
            "",
        ),
        (get(), busy, "status 503, expected 200"),
        (status(vec![200..=299, 503..=503]), busy, ""),
        (status(vec![200..=299, 401..=401]), busy, "status 503, expected 200-299, 401"),
        (get(), moved, "status 302, expected 200"),
        (body("is ok"), ok, ""),
        (body("is ok"), chunked, ""),
        (body("is ok"), unending, ""),
        (body("well\u{1b}"), ok, "the body does not contain \"well\\x1b\""),
        (body("well"), chunked, "the body does not contain \"well\""),
        (header("x-health", "two"), ok, ""),
        (header("x-health", "three"), ok, "header \"x-health\" does not contain \"three\""),
        (header("x-other", ""), ok, "the response has no header \"x-other\""),
        (
            get(),
            "\x1b[2J garbage\r\n\r\n",
            "the response is no HTTP/1.1: it begins with \"\\x1b[2J garbage\\r\"",
        ),
        (get(), "220 smtp ready\r\n", "the response is no HTTP/1.1: it begins with \"220 smtp ready\\r\""),
    ];
    for (check, response, wanted) in rows {
        assert_eq!(checked(check, saying(response)), wanted, "{response:?}");
    }
}

#[test]
fn what_the_server_sees() {
    let (tell, told) = mpsc::channel();
    let address = serve(move |mut stream| {
        let _ = tell.send(request(&stream));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        // The other side closes; nothing is kept open.
        let _ = tell.send(format!("then {:?}", stream.read(&mut [0]).unwrap_or(0)));
    });
    let named = HttpCheck {
        host: Some("www.example".into()),
        path: "/health?deep=1".into(),
        headers: vec![("X-Token".into(), "t1".into()), ("User-Agent".into(), "mine".into())],
        ..get()
    };
    for (check, wanted) in [
        (
            named,
            vec![
                "GET /health?deep=1 HTTP/1.1".to_owned(),
                "Host: www.example".into(),
                "X-Token: t1".into(),
                "User-Agent: mine".into(),
            ],
        ),
        (
            get(),
            vec![
                "GET / HTTP/1.1".to_owned(),
                format!("Host: {address}"),
                "User-Agent: meridian-probe".into(),
            ],
        ),
    ] {
        assert_eq!(checked(check, address), "");
        let seen = told.recv().unwrap();
        for line in wanted {
            assert_eq!(seen.lines().filter(|l| *l == line).count(), 1, "{line} in {seen}");
        }
        assert_eq!(told.recv().unwrap(), "then 0");
    }
}

/// Whatever is sent without end, little of it is taken, and the line says so.
#[test]
fn floods_are_cut_off() {
    let body = HttpCheck { body: Some((*b"ok").into()), ..get() };
    let endless = "the server sends without end (over 512 KiB)";
    let large = "the response header is too large (over 300 KiB)";
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let rows: Vec<(&str, HttpCheck, &'static str, Vec<u8>, &str)> = vec![
        ("a body", body.clone(), ok, vec![b'x'; 1 << 16], "\"ok\" is not in the first 64 KiB of the body"),
        ("a body that nobody looks at", get(), ok, vec![b'x'; 1 << 16], ""),
        (
            "one chunk that never ends",
            body.clone(),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            vec![b'x'; 1 << 16],
            endless,
        ),
        ("headers", get(), "HTTP/1.1 200 OK\r\n", b"X-Flood: x\r\n".repeat(1_000), large),
        (
            "one header",
            get(),
            "HTTP/1.1 200 OK\r\nX: ",
            vec![b'x'; 1 << 16],
            "line 2 of the response is too large",
        ),
        ("100 Continue", get(), "", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000), large),
        ("garbage", get(), "", vec![0xff; 1 << 16], "the response is no HTTP/1.1"),
    ];
    for (name, check, head, piece, wanted) in rows {
        let (address, told) = flooding(head, piece);
        let why = checked(check, address);
        assert!(if wanted.is_empty() { why.is_empty() } else { why.contains(wanted) }, "{name}: {why}");
        // What lies in the kernel's buffers, and what we have read.
        let sent = told.recv().unwrap();
        assert!(sent < 32 << 20, "{name}: {sent} octets");
    }
}

#[test]
fn peers_that_never_finish_end_in_a_time_out() {
    let silent = serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let dripping = serve(|mut stream| {
        request(&stream);
        for octet in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
            if stream.write_all(&[*octet]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let half = saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    // It never accepts, and its queue is full.
    let full = TcpListener::bind(ANY).unwrap();
    let body = HttpCheck { body: Some((*b"ok").into()), ..get() };
    for (to, check, doing) in [
        (silent, get(), "waiting for the response"),
        (dripping, get(), "waiting for the response"),
        (half, body, "reading the body"),
        (full.local_addr().unwrap(), get(), "waiting for the response"),
    ] {
        assert_eq!(
            why(&run(&target(Check::Http(check), to, SHORT))),
            format!("no answer within 700 ms ({doing})")
        );
    }
}

#[test]
fn connections_that_break() {
    let closed = Port::any(Ipv4Addr::LOCALHOST);
    assert_eq!(checked(get(), closed.address()), "connection refused");
    let at_once = serve(drop);
    let after_request = serve(|stream| drop(request(&stream)));
    let midway = serve(|mut stream| {
        request(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall");
    });
    let body = HttpCheck { body: Some((*b"ok").into()), ..get() };
    for (to, check) in [(at_once, get()), (after_request, get()), (midway, body)] {
        let why = checked(check, to);
        let known = [
            "connection reset",
            "connection closed",
            "the server closed without a response",
            "the server closed after 3 of 9 octets of the body",
        ];
        assert!(known.contains(&why.as_str()), "{why}");
    }
}
