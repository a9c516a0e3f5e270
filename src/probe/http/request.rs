//! Request in its wire form (RFC 9112 section 3).

use crate::health::spec::{HttpCheck, HttpMethod};
use std::net::{IpAddr, SocketAddr};

/// Builds the request of a check to an address. The configuration has refused forbidden characters.
pub(super) fn octets(check: &HttpCheck, to: SocketAddr) -> Vec<u8> {
    let method = match check.method {
        HttpMethod::Get => "GET",
        HttpMethod::Head => "HEAD",
    };
    let is_named = |wanted: &str| check.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut text = format!("{method} {} HTTP/1.1\r\n", check.path);
    if check.host.is_some() || !is_named("host") {
        text.push_str(&format!("Host: {}\r\n", host(check, to)));
    }
    if !is_named("user-agent") {
        text.push_str("User-Agent: meridian-probe\r\n");
    }
    for (name, value) in &check.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("Connection: close\r\n\r\n");
    text.into_bytes()
}

/// Value of the `Host` field: with the port unless it is the default, an IPv6 address in brackets
/// (RFC 9110 section 7.2).
fn host(check: &HttpCheck, to: SocketAddr) -> String {
    let usual = if check.tls.is_some() { 443 } else { 80 };
    match (&check.host, to) {
        (Some(host), _) => match host.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => host.to_string(),
        },
        (None, to) if to.port() != usual => to.to_string(),
        (None, SocketAddr::V6(to)) => format!("[{}]", to.ip()),
        (None, SocketAddr::V4(to)) => to.ip().to_string(),
    }
}
