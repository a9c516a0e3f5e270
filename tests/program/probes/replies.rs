//! Raw responses with small and large flaws: curl is the yardstick. What curl takes, a probe and a
//! feed take, with a remark; what is refused is refused for its true flaw.

use super::feeds::number_of;
use super::target::{LONG, get, run, serve, target, why};
use super::web::request;
use meridian::testing::health::spec::{Check, HttpCheck};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::Command;
use support::deployment::PATIENCE;
use support::program::{self, Process};

/// Says the same to everybody, and ends the connection.
fn ending(response: Vec<u8>) -> SocketAddr {
    serve(move |mut stream| {
        request(&stream);
        let _ = stream.write_all(&response);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// A response of 200 with these lines in its header, and the body `41`.
fn with(lines: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\n", lines, b"Content-Length: 2\r\n\r\n41"].concat()
}

/// A response of 200 with this behind its header, in chunks.
fn chunks(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat()
}

/// A response with its own status line and the body `41`.
fn beginning(line: &[u8]) -> Vec<u8> {
    [line, b"\r\nContent-Length: 2\r\n\r\n41"].concat()
}

/// What must come of a response: the words of a probe that looks at the head, those of a feed that
/// reads the whole body (beginnings; empty where it is well), and the beginning of the remark.
type Row = (&'static str, Vec<u8>, &'static str, &'static str, &'static str);

fn rows() -> Vec<Row> {
    let ok = |name, response, remark| (name, response, "", "", remark);
    let refused = |name, response, words| (name, response, words, words, "");
    let cut = |name, response, words| (name, response, "", words, "");
    let field = |len: usize| with(&[b"X: ", &vec![b'x'; len][..], b"\r\n"].concat());
    let large = [b"X: ", &[b'x'; 20_000][..], b"\r\n"].concat();
    vec![
        ok("sound", with(b""), ""),
        ok("no reason phrase", beginning(b"HTTP/1.1 200 "), ""),
        ok(
            "no blank either",
            beginning(b"HTTP/1.1 200"),
            "line 1 of the response has no blank and no reason",
        ),
        ok(
            "a reason without a blank",
            beginning(b"HTTP/1.1 200OK"),
            "line 1 of the response has no blank behind",
        ),
        ok(
            "two blanks",
            beginning(b"HTTP/1.1  200 OK"),
            "line 1 of the response has 2 blanks before the status",
        ),
        ok("lower case", beginning(b"http/1.1 200 OK"), "line 1 of the response has \"http/\" for HTTP/"),
        ok("HTTP/1.0", beginning(b"HTTP/1.0 200 OK"), ""),
        ok(
            "HTTP/2",
            beginning(b"HTTP/2 200 OK"),
            "line 1 of the response has the version of another protocol",
        ),
        ok(
            "Latin-1 in the reason",
            beginning(b"HTTP/1.1 200 \xe4"),
            "line 1 of the response has the octet 0xe4",
        ),
        ok(
            "bare line feeds",
            b"HTTP/1.1 200 OK\nContent-Length: 2\n\n41".to_vec(),
            "line 1 of the response has a line feed without a carriage return (and 2 more flaws)",
        ),
        ok("a folded field", with(b"X: a\r\n b\r\n\tc\r\n"), "line 3 of the response has a folded field"),
        ok(
            "blanks before the colon",
            with(b"X : a\r\n"),
            "line 2 of the response has a blank before the colon",
        ),
        ok("a field without a name", with(b": a\r\n"), "line 2 of the response has a field without a name"),
        ok(
            "a blank in a name",
            with(b"X Y: a\r\n"),
            "line 2 of the response has the octet 0x20 in a field name",
        ),
        ok(
            "UTF-8 in a name",
            with(b"\xc3\xa4: a\r\n"),
            "line 2 of the response has the octet 0xc3 in a field name",
        ),
        ok(
            "Latin-1 in a value",
            with(b"X: \xff\r\n"),
            "line 2 of the response has the octet 0xff in a field value",
        ),
        ok(
            "a control octet",
            with(b"X: a\x01b\r\n"),
            "line 2 of the response has the octet 0x01 in a field value",
        ),
        ok("a lone carriage return", with(b"X: a\rb\r\n"), "line 2 of the response has the octet 0x0d"),
        ok("two carriage returns", with(b"X: a\r\r\n"), ""),
        ok("6,000 fields", with(&b"X: a\r\n".repeat(6_000)), ""),
        ok("a field of 60 KB", field(60_000), ""),
        ok("a header of 280 KB", with(&large.repeat(14)), ""),
        refused("a field of 110 KB", field(110_000), "line 2 of the response is too large (over 100 KiB)"),
        refused(
            "a header of 400 KB",
            with(&large.repeat(20)),
            "the response header is too large (over 300 KiB)",
        ),
        refused("a line without a colon", with(b"oops\r\n"), "line 2 of the response has no colon: \"oops\""),
        refused(
            "a fold of nothing",
            with(b" x: a\r\n"),
            "line 2 of the response continues no field: \" x: a\"",
        ),
        refused("a NUL", with(b"X: a\0b\r\n"), "line 2 of the response has the octet 0x00: \"X: a\\x00b\""),
        refused("no octet", Vec::new(), "the server closed without a response"),
        refused(
            "SMTP",
            b"220 ready\r\n".to_vec(),
            "the response is no HTTP/1.1: it begins with \"220 ready\\r\"",
        ),
        refused("HTTP/0.9", b"41".to_vec(), "the response is no HTTP/1.1: it begins with \"41\""),
        refused(
            "an empty line first",
            b"\r\nHTTP/1.1 200 OK\r\n\r\n".to_vec(),
            "the response is no HTTP/1.1",
        ),
        refused("ICY", beginning(b"ICY 200 OK"), "the response is no HTTP/1.1: it begins with \"ICY 200 OK"),
        refused(
            "TLS",
            b"\x15\x03\x01\x00\x02\x02\x46".to_vec(),
            "the server speaks TLS on this port; use `https`",
        ),
        refused("HTTP/1.2", beginning(b"HTTP/1.2 200 OK"), "the response is HTTP/1.2, not HTTP/1.1"),
        refused("HTTP/3", beginning(b"HTTP/3.0 200 OK"), "the response is HTTP/3.0, not HTTP/1.1"),
        refused("20", beginning(b"HTTP/1.1 20 OK"), "line 1 of the response has no status of three digits"),
        refused(
            "2000",
            beginning(b"HTTP/1.1 2000 OK"),
            "line 1 of the response has no status of three digits",
        ),
        refused("2x0", beginning(b"HTTP/1.1 2x0 OK"), "line 1 of the response has no status of three digits"),
        refused("099", beginning(b"HTTP/1.1 099 OK"), "line 1 of the response has no status of three digits"),
        refused("half a status line", b"HTTP/1.1 20".to_vec(), "the server closed within the first line"),
        (
            "an end behind the status line",
            b"HTTP/1.1 200 OK\r\n".to_vec(),
            "",
            "the body is empty",
            "line 2 of the response has no empty line: the server closed within the header",
        ),
        ok(
            "interim responses",
            [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\n", &with(b"")[..]]
                .concat(),
            "",
        ),
        refused(
            "an interim response alone",
            b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
            "the server closed after an interim response",
        ),
        refused("101", b"HTTP/1.1 101 Switching\r\n\r\n41".to_vec(), "status 101, expected 200"),
        cut(
            "a length too long",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n41".to_vec(),
            "the server closed after 2 of 9 octets of the body",
        ),
        ok("a length too short", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n417".to_vec(), ""),
        ok("a length with a sign", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n41".to_vec(), "line 2"),
        ok("a list of lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n41".to_vec(), "line 2"),
        ok(
            "two lengths",
            with(b"Content-Length: 9\r\n"),
            "line 3 of the response has a second Content-Length",
        ),
        ok(
            "no such length",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n41".to_vec(),
            "",
        ),
        refused(
            "a length that is none",
            with(b"Content-Length: x\r\n"),
            "line 2 of the response has the Content-Length",
        ),
        refused(
            "a negative length",
            with(b"Content-Length: -2\r\n"),
            "line 2 of the response has the Content-Length",
        ),
        refused(
            "an empty length",
            with(b"Content-Length: \r\n"),
            "line 2 of the response has the Content-Length",
        ),
        (
            "a coding that is not read",
            with(b"Transfer-Encoding: gzip\r\n"),
            "",
            "line 2 of the response has the Transfer-Encoding \"gzip\"",
            "line 2 of the response has the Transfer-Encoding \"gzip\", which probes do not read",
        ),
        (
            "a coding below chunks",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n41\r\n0\r\n\r\n".to_vec(),
            "",
            "line 2 of the response has the Transfer-Encoding \"gzip\"",
            "line 2 of the response has the Transfer-Encoding \"gzip\", which probes do not read",
        ),
        (
            "a coding in two fields",
            with(b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n"),
            "",
            "line 2 of the response has the Transfer-Encoding \"x\"",
            "line 2 of the response has the Transfer-Encoding \"x\", which probes do not read (and 1",
        ),
        ok("identity", with(b"Transfer-Encoding: identity\r\n"), ""),
        ok(
            "a length beside chunks",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n41\r\n0\r\n\r\n"
                .to_vec(),
            "line 4 of the response has Content-Length beside Transfer-Encoding",
        ),
        ok("chunks", chunks(b"1\r\n4\r\n1\r\n1\r\n0\r\n\r\n"), ""),
        ok("chunks with bare line feeds", chunks(b"2\n41\n0\n\n"), ""),
        ok("a chunk with text behind its size", chunks(b"2 ;x=y\r\n41\r\n0\r\n\r\n"), ""),
        ok("a trailer", chunks(b"2\r\n41\r\n0\r\nX: y\r\n\r\n"), ""),
        cut(
            "a blank before a size",
            chunks(b" 2\r\n41\r\n0\r\n\r\n"),
            "the chunks of the body are broken after 0",
        ),
        cut("no size", chunks(b"41"), "the server closed after 0 octets of the body, before its last chunk"),
        cut("no number", chunks(b"g\r\n"), "the chunks of the body are broken after 0 octets: 0x67"),
        cut(
            "17 digits",
            chunks(b"00000000000000002\r\n41\r\n0\r\n\r\n"),
            "a chunk of the body has a size of over 16",
        ),
        cut(
            "no end of a chunk",
            chunks(b"2\r\n410\r\n\r\n"),
            "the chunks of the body are broken after 2 octets: 0x30",
        ),
        cut(
            "no last chunk",
            chunks(b"2\r\n41\r\n"),
            "the server closed after 2 octets of the body, before its last",
        ),
        cut("no line behind it", chunks(b"2\r\n41\r\n0\r\n"), "the server closed after 2 octets of the body"),
    ]
}

#[test]
fn flaws_and_what_comes_of_them() {
    for (name, response, probe, feed, remark) in rows() {
        let address = ending(response);
        let result = run(&target(Check::Http(get()), address, LONG));
        let said = why(&result);
        assert!(if probe.is_empty() { said.is_empty() } else { said.starts_with(probe) }, "{name}: {said}");
        let noted = result.degraded.as_deref().unwrap_or_default();
        assert!(
            if remark.is_empty() { noted.is_empty() } else { noted.starts_with(remark) },
            "{name}: remark {noted:?}"
        );
        let read = number_of(address);
        match feed {
            "" => assert_eq!(read, Ok(41.0), "{name}"),
            _ => assert!(read.as_ref().is_err_and(|said| said.starts_with(feed)), "{name}: {read:?}"),
        }
    }
}

/// Whatever the curl of this machine takes, a feed takes, and its status is what a probe judges.
#[test]
fn what_curl_takes_is_taken() {
    if !program::has("curl", "--version") {
        println!("there is no curl here to compare with");
        return;
    }
    for (name, response, ..) in rows() {
        let address = ending(response);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--noproxy", "*", "--max-time", "20", "--write-out", "|%{http_code}"])
            .arg(format!("http://{address}/"));
        let mut curl = Process::start(curl);
        let takes = curl.ends(3 * PATIENCE).success() && curl.stdout() == "41|200";
        let read = number_of(address);
        assert!(!takes || read == Ok(41.0), "{name}: curl takes it, we say {read:?}");
        let ours = run(&target(Check::Http(get()), address, LONG));
        assert!(!takes || ours.result.is_ok(), "{name}: {ours:?}");
    }
}

/// Fields are looked at whatever their flaws, continued lines as part of them.
#[test]
fn expected_fields_with_flaws() {
    let response = with(b"X-State : is\r\n  fine\r\nX-Other: a\r\nx-other: b\xff\r\n");
    for (name, value, wanted) in [
        ("x-state", "is fine", ""),
        ("X-Other", "b", ""),
        ("x-state", "fines", "header \"x-state\" does not contain \"fines\""),
        ("state", "", "the response has no header \"state\""),
    ] {
        let check = HttpCheck { expect_headers: vec![(name.into(), value.into())], ..get() };
        assert_eq!(why(&run(&target(Check::Http(check), ending(response.clone()), LONG))), wanted);
    }
}

/// An encoded body is not decoded, and the line says that it is one.
#[test]
fn an_encoded_body_is_named() {
    let address = ending(with(b"Content-Encoding: gzip\r\n"));
    let check = HttpCheck { body: Some((*b"ok").into()), ..get() };
    assert_eq!(
        why(&run(&target(Check::Http(check), address, LONG))),
        "the body does not contain \"ok\" (its Content-Encoding is \"gzip\")"
    );
}

/// A server that answers before it has read the request, and then resets the connection, is judged
/// by its answer; so is one that reads nothing while more is sent than a socket holds.
#[test]
fn early_answers_count() {
    let large: Vec<_> = (0..64).map(|n| (format!("X-{n}").into(), "x".repeat(4_000).into())).collect();
    for headers in [Vec::new(), large] {
        for (status, wanted) in [("200 OK", ""), ("503 Busy", "status 503, expected 200")] {
            let response = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok");
            // Whoever closes with octets unread resets the connection.
            let resets = {
                let response = response.clone();
                serve(move |mut stream| {
                    let _ = stream.read(&mut [0]);
                    let _ = stream.write_all(response.as_bytes());
                })
            };
            let stays = serve(move |mut stream| {
                let _ = stream.write_all(response.as_bytes());
                let _ = stream.peek(&mut [0]);
                std::thread::park();
            });
            for to in [resets, stays] {
                for _ in 0..10 {
                    let check = HttpCheck { headers: headers.clone(), ..get() };
                    let said = run(&target(Check::Http(check), to, LONG));
                    assert_eq!(why(&said), wanted, "{} headers", headers.len());
                }
            }
        }
    }
}
