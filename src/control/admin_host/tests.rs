//! Hosts that the admin address serves, and those that it does not.

use super::*;
use axum::http::HeaderValue;

fn hosts() -> AdminHosts {
    AdminHosts::new(&[Name::parse("Status.cdn.example.", None).expect("a name")], Some("fra-ns1"))
}

/// Addresses and own names are served, with and without port, in any case and with a final dot;
/// all other names are not, nor is what is no host.
#[test]
fn hosts_are_own_or_foreign() {
    let rows = [
        ("127.0.0.1", true),
        ("127.0.0.1:8053", true),
        ("192.0.2.1:80", true),
        ("[::1]", true),
        ("[2001:db8::1]:8053", true),
        ("localhost", true),
        ("LocalHost.:8053", true),
        ("fra-ns1", true),
        ("fra-ns1:8053", true),
        ("status.cdn.example", true),
        ("STATUS.cdn.example.:443", true),
        ("evil.example", false),
        ("localhost.evil.example", false),
        ("fra-ns1.evil.example", false),
        ("127.0.0.1.evil.example", false),
        ("sub.status.cdn.example", false),
        ("cdn.example", false),
        ("127.1", false),
        ("0x7f.0.0.1", false),
        ("[::1", false),
        ("[::1]x", false),
        ("[localhost]", false),
        ("::1", false),
        ("localhost:80:80", false),
        ("localhost:http", false),
        ("user@localhost", false),
        ("", false),
    ];
    for (host, is_served) in rows {
        assert_eq!(hosts().serves(host), is_served, "{host}");
    }
    assert!(!AdminHosts::new(&[], None).serves("fra-ns1"));
}

/// The host of the request line comes first; without any host the request is served; of several
/// headers each must be served.
#[test]
fn requests_have_one_host() {
    let plain = Uri::from_static("/status");
    let whole = Uri::from_static("http://evil.example/status");
    let rows: [(&Uri, &[&str], bool); 6] = [
        (&plain, &[], true),
        (&plain, &["localhost"], true),
        (&plain, &["evil.example"], false),
        (&plain, &["localhost", "evil.example"], false),
        (&plain, &["evil.example", "localhost"], false),
        (&whole, &["localhost"], false),
    ];
    for (uri, sent, is_served) in rows {
        let mut headers = HeaderMap::new();
        for host in sent {
            headers.append(HOST, HeaderValue::from_str(host).expect("a value"));
        }
        assert_eq!(hosts().admits(uri, &headers), is_served, "{uri} {sent:?}");
    }
}
