//! TCP exchanges, DNS queries and ICMP echo.

use super::target::{ANY, LONG, SHORT, run, serve, target, why};
use meridian::testing::health::spec::{Check, DnsCheck, TcpCheck};
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use support::ports::{Port, closed_udp};

#[test]
fn tcp_exchanges() {
    let greeting = serve(|mut stream| {
        let _ = stream.write_all(b"220 ready\r\n");
        let mut line = [0; 6];
        if stream.read_exact(&mut line).is_ok() {
            let _ = stream.write_all(&line);
        }
        let _ = stream.read(&mut [0]);
    });
    let silent = serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let flood = serve(|mut stream| while stream.write_all(&[b'x'; 1 << 16]).is_ok() {});
    let brief = serve(|mut stream| {
        let _ = stream.write_all(b"no\n");
    });
    let closed = Port::any(Ipv4Addr::LOCALHOST);
    type Row<'r> = (SocketAddr, Option<&'r str>, Option<&'r str>, u32, &'r str);
    let rows: [Row<'_>; 8] = [
        (greeting, None, None, LONG, ""),
        (greeting, None, Some("220"), LONG, ""),
        (greeting, Some("PING\r\n"), Some("y\r\nPING"), LONG, ""),
        (silent, None, None, LONG, ""),
        (silent, None, Some("220"), SHORT, "no answer within 700 ms (waiting for the expected text)"),
        (flood, None, Some("220"), LONG, "\"220\" is not in the first 64 KiB of the octets received"),
        (brief, None, Some("yes"), LONG, "the server closed without \"yes\""),
        (closed.address(), None, None, LONG, "connection refused"),
    ];
    for (to, send, expect, timeout_ms, wanted) in rows {
        let octets = |text: Option<&str>| text.map(|text| text.as_bytes().into());
        let check = TcpCheck { port: 0, send: octets(send), expect: octets(expect) };
        assert_eq!(why(&run(&target(Check::Tcp(check), to, timeout_ms))), wanted, "{send:?} {expect:?}");
    }
}

fn dns(tcp: bool, rcode: u8, answer: Option<&str>) -> Check {
    let qname = Name::parse("www.example.", None).unwrap();
    Check::Dns(DnsCheck {
        port: 0,
        tcp,
        qname,
        qtype: RrType::A,
        rcode,
        answer: answer.map(|a| a.parse().unwrap()),
    })
}

/// The query as a response: flags, an answer of this address.
fn response(query: &[u8], flags: u16, address: Option<[u8; 4]>) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2..4].copy_from_slice(&flags.to_be_bytes());
    reply[7] = address.is_some().into();
    if let Some(address) = address {
        reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        reply.extend_from_slice(&address);
    }
    reply
}

/// A DNS server over UDP that answers each query with several datagrams.
fn udp(replies: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind(ANY).unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut octets = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut octets) {
            for reply in replies(&octets[..len]) {
                let _ = socket.send_to(&reply, from);
            }
        }
    });
    address
}

const HERE: [u8; 4] = [192, 0, 2, 1];

/// Replies that are not to this query are passed over, and the true one is still heard.
#[test]
fn forged_replies_are_passed_over() {
    let address = udp(|query| {
        let true_one = response(query, 0x8400, Some(HERE));
        let mut other_id = response(query, 0x8403, None);
        other_id[1] ^= 1;
        let mut other_name = response(query, 0x8403, None);
        other_name[13] ^= 1;
        let mut other_type = response(query, 0x8403, None);
        let at = query.len() - 3;
        other_type[at] ^= 1;
        vec![
            other_id,
            other_name,
            other_type,
            query.to_vec(),
            vec![],
            vec![0xff; 400],
            query[..11].to_vec(),
            true_one,
        ]
    });
    assert_eq!(why(&run(&target(dns(false, 0, Some("192.0.2.1")), address, LONG))), "");
}

#[test]
fn dns_responses_are_judged() {
    type DnsReply = fn(&[u8]) -> Vec<u8>;
    let rows: [(DnsReply, u8, Option<&str>, &str); 10] = [
        (|q| response(q, 0x8400, Some(HERE)), 0, Some("192.0.2.1"), ""),
        (|q| response(q, 0x8400, Some(HERE)), 0, Some("192.0.2.2"), "the answer does not hold 192.0.2.2"),
        (|q| response(q, 0x8400, None), 0, Some("192.0.2.1"), "the answer does not hold 192.0.2.1"),
        (|q| response(q, 0x8400, None), 0, None, ""),
        (|q| response(q, 0x8600, None), 0, None, ""),
        (|q| response(q, 0x8405, None), 0, None, "rcode REFUSED, expected NOERROR"),
        (|q| response(q, 0x8405, None), 5, None, ""),
        (|q| response(&[&q[..4], &[0; 8][..]].concat(), 0x8405, None), 5, None, ""),
        (
            |q| {
                let mut reply = response(q, 0x8400, Some(HERE));
                reply.truncate(reply.len() - 1);
                reply
            },
            0,
            None,
            "the response is malformed",
        ),
        (|q| response(&q.to_ascii_uppercase(), 0x8400, Some(HERE)), 0, Some("192.0.2.1"), ""),
    ];
    for (reply, rcode, answer, wanted) in rows {
        // Upper case must not touch the id.
        let reply = move |query: &[u8]| {
            let mut octets = reply(query);
            octets[..2].copy_from_slice(&query[..2]);
            octets
        };
        let over_udp = udp(move |query| vec![reply(query)]);
        let over_tcp = serve(move |mut stream| {
            let mut len = [0; 2];
            stream.read_exact(&mut len).unwrap();
            let mut query = vec![0; u16::from_be_bytes(len).into()];
            stream.read_exact(&mut query).unwrap();
            let reply = reply(&query);
            // In two pieces, as a stream may cut it.
            let whole = [&(reply.len() as u16).to_be_bytes(), &reply[..]].concat();
            stream.write_all(&whole[..3]).unwrap();
            stream.write_all(&whole[3..]).unwrap();
        });
        for (tcp, to) in [(false, over_udp), (true, over_tcp)] {
            assert_eq!(
                why(&run(&target(dns(tcp, rcode, answer), to, LONG))),
                wanted,
                "tcp {tcp}, {answer:?}"
            );
        }
    }
}

#[test]
fn dns_servers_that_do_not_answer() {
    let silent = udp(|_| Vec::new());
    let garbage = udp(|_| vec![vec![0xc0; 4096], vec![0; 12]]);
    for to in [silent, garbage] {
        assert_eq!(
            why(&run(&target(dns(false, 0, None), to, SHORT))),
            "no answer within 700 ms (waiting for the response)"
        );
    }
    let closed = closed_udp();
    assert_eq!(
        why(&run(&target(dns(false, 0, None), closed.local_addr().unwrap(), LONG))),
        "connection refused"
    );
    let short = serve(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(&[0xff, 0xff, 1, 2, 3]);
    });
    assert_eq!(why(&run(&target(dns(true, 0, None), short, LONG))), "connection closed");
    let garbage = serve(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let _ = stream.write_all(&[[0, 12].as_slice(), &[0xff; 12]].concat());
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(
        why(&run(&target(dns(true, 0, None), garbage, LONG))),
        "the reply is no response to the query"
    );
}

/// Where the system permits echo to our group, loopback answers; else the line names the setting.
#[test]
fn echo_works_or_names_the_setting() {
    let is_permitted = {
        use std::os::unix::fs::MetadataExt;
        let range = std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
        let bounds: Vec<u32> = range.split_whitespace().filter_map(|bound| bound.parse().ok()).collect();
        let group = std::fs::metadata("/proc/self").map_or(0, |own| own.gid());
        matches!(bounds[..], [first, last] if (first..=last).contains(&group))
    };
    if !is_permitted {
        println!("net.ipv4.ping_group_range keeps us from sending echo here; only the refusal is tested");
    }
    for to in ["127.0.0.1:0", "[::1]:0"] {
        let outcome = run(&target(Check::Icmp, to.parse().unwrap(), LONG));
        let why = why(&outcome);
        let no_ipv6 = to.starts_with('[')
            && (why.contains("family") || why.contains("assign") || why.contains("unreachable"));
        let is_as_expected =
            if is_permitted { why.is_empty() } else { why.contains("net.ipv4.ping_group_range") };
        assert!(is_as_expected || no_ipv6, "{to}: {why}");
    }
}
