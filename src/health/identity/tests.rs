//! Tests of identities: the texts of every kind, line by line in `checks.txt` and `feeds.txt`, as
//! keys have hashed them since the first version. A line that changes loses saved state; a new
//! field adds a line, and leaves the others.

use super::*;
use crate::health::spec::CheckKind;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Every kind of check, plain and with every field; no two checks have one identity.
#[test]
fn checks_are_written_out() {
    let plain = HttpCheck {
        tls: None,
        port: 80,
        method: HttpMethod::Get,
        path: "/h".into(),
        host: None,
        headers: Vec::new(),
        expect: vec![200..=299],
        expect_headers: Vec::new(),
        body: None,
    };
    let tls = |verify| TlsCheck { sni: Some("s.example".into()), verify, warn_days: 7 };
    let rich = HttpCheck {
        tls: Some(tls(Verify::Pinned(Arc::new([1, 255])))),
        port: 8443,
        method: HttpMethod::Head,
        path: "/a?b=\"c\"\\".into(),
        host: Some("h.example".into()),
        headers: vec![("X-A".into(), "b\tc".into()), ("X-B".into(), "\u{7f}\0'".into())],
        expect: vec![200..=200, 300..=399],
        expect_headers: vec![("Server".into(), "ü".into())],
        body: Some(Box::new(*b"ok")),
    };
    let by = |verify| HttpCheck { tls: Some(tls(verify)), ..plain.clone() };
    let name = Name::parse("a.example.", None).expect("a name");
    let dns = DnsCheck { port: 53, tcp: false, qname: name, qtype: RrType::A, rcode: 0, answer: None };
    let answered = DnsCheck { tcp: true, answer: Some(IpAddr::from([192, 0, 2, 1])), ..dns.clone() };
    let rows = [
        Check::Http(plain.clone()),
        Check::Http(rich),
        Check::Http(by(Verify::System)),
        Check::Http(by(Verify::Off)),
        Check::Tcp(TcpCheck { port: 22, send: None, expect: None }),
        Check::Tcp(TcpCheck { port: 25, send: Some(Box::new(*b"A\n")), expect: Some(Box::new(*b"2")) }),
        Check::Dns(dns),
        Check::Dns(answered),
        Check::Exec(ExecCheck { command: vec!["/bin/x".into(), "a b".into()] }),
        Check::File(FileCheck { path: "/run/{pop}".into() }),
        Check::Push(PushCheck { ttl_ms: 60_000 }),
        Check::Icmp,
    ];
    let identities: Vec<String> = rows.iter().map(Check::identity).collect();
    assert_eq!(identities, include_str!("checks.txt").lines().collect::<Vec<_>>());
    for kind in CheckKind::ALL {
        assert!(rows.iter().any(|check| check.kind() == kind), "no row is of the kind {kind:?}");
    }
    let different: BTreeSet<&String> = identities.iter().collect();
    assert_eq!(different.len(), rows.len(), "{identities:?}");
}

/// Every kind of feed.
#[test]
fn feeds_are_written_out() {
    let url = |tls| FeedUrl {
        address: ([192, 0, 2, 1], 80).into(),
        host: "h.example".into(),
        path: "/load".into(),
        tls,
    };
    let rows = [
        Feed::Http { url: url(false), pointer: None },
        Feed::Http { url: url(true), pointer: Some("/a".into()) },
        Feed::Prometheus {
            url: url(false),
            metric: "rps".into(),
            labels: vec![("a".into(), "b".into()), ("c".into(), "d".into())],
        },
        Feed::File { path: "/run/load".into() },
        Feed::Push,
    ];
    let identities: Vec<String> = rows.iter().map(Feed::identity).collect();
    assert_eq!(identities, include_str!("feeds.txt").lines().collect::<Vec<_>>());
}
