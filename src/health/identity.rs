//! Identity of a check or of a feed: its settings as text. The keys of saved health and saved load
//! contain a hash of this text.
//!
//! The texts are a file format, because the keys stand in the state folder. If the text of a check
//! changes, the saved state of its targets is lost at the next upgrade. Every function destructures
//! its type to the last field, so that a new field does not compile until it is handled here. Write
//! a new field behind the others, and only if its value is not the default, so that the texts of
//! existing configurations stay as they are.

use super::load::spec::{Feed, FeedUrl};
use super::spec::{
    Check, DnsCheck, ExecCheck, FileCheck, HttpCheck, HttpMethod, PushCheck, TcpCheck, TlsCheck, Verify,
};

impl Check {
    /// Identity of the check, without timing and destination.
    pub(crate) fn identity(&self) -> String {
        match self {
            Check::Http(http) => format!("Http({})", of_http(http)),
            Check::Tcp(TcpCheck { port, send, expect }) => {
                let (send, expect) = (maybe(send.as_deref(), octets), maybe(expect.as_deref(), octets));
                format!("Tcp(TcpCheck {{ port: {port}, send: {send}, expect: {expect} }})")
            }
            Check::Dns(DnsCheck { port, tcp, qname, qtype, rcode, answer }) => {
                let answer = maybe(answer.as_ref(), ToString::to_string);
                format!(
                    "Dns(DnsCheck {{ port: {port}, tcp: {tcp}, qname: {qname}, qtype: {qtype}, \
                     rcode: {rcode}, answer: {answer} }})"
                )
            }
            Check::Exec(ExecCheck { command }) => {
                format!("Exec(ExecCheck {{ command: {} }})", list(command, |word| text(word)))
            }
            Check::File(FileCheck { path }) => format!("File(FileCheck {{ path: {} }})", text(path)),
            Check::Push(PushCheck { ttl_ms }) => format!("Push(PushCheck {{ ttl_ms: {ttl_ms} }})"),
            Check::Icmp => "Icmp".to_owned(),
        }
    }
}

impl Feed {
    /// Identity of the feed, without its rule: the rule may change while shedding goes on.
    pub(crate) fn identity(&self) -> String {
        match self {
            Feed::Http { url, pointer } => {
                let pointer = maybe(pointer.as_deref(), text);
                format!("Http {{ url: {}, pointer: {pointer} }}", of_url(url))
            }
            Feed::Prometheus { url, metric, labels } => {
                let (metric, labels) = (text(metric), list(labels, pair));
                format!("Prometheus {{ url: {}, metric: {metric}, labels: {labels} }}", of_url(url))
            }
            Feed::File { path } => format!("File {{ path: {} }}", text(path)),
            Feed::Push => "Push".to_owned(),
        }
    }
}

fn of_http(check: &HttpCheck) -> String {
    let HttpCheck { tls, port, method, path, host, headers, expect, expect_headers, body } = check;
    let method = match method {
        HttpMethod::Get => "Get",
        HttpMethod::Head => "Head",
    };
    let expect = list(expect, |codes| format!("{}..={}", codes.start(), codes.end()));
    format!(
        "HttpCheck {{ tls: {}, port: {port}, method: {method}, path: {}, host: {}, headers: {}, \
         expect: {expect}, expect_headers: {}, body: {} }}",
        maybe(tls.as_ref(), of_tls),
        text(path),
        maybe(host.as_deref(), text),
        list(headers, pair),
        list(expect_headers, pair),
        maybe(body.as_deref(), octets),
    )
}

fn of_tls(check: &TlsCheck) -> String {
    let TlsCheck { sni, verify, warn_days } = check;
    let sni = maybe(sni.as_deref(), text);
    let verify = match verify {
        Verify::System => "System".to_owned(),
        Verify::Pinned(certificates) => format!("Pinned({})", octets(certificates)),
        Verify::Off => "Off".to_owned(),
    };
    format!("TlsCheck {{ sni: {sni}, verify: {verify}, warn_days: {warn_days} }}")
}

fn of_url(url: &FeedUrl) -> String {
    let FeedUrl { address, host, path, tls } = url;
    let (host, path) = (text(host), text(path));
    format!("FeedUrl {{ address: {address}, host: {host}, path: {path}, tls: {tls} }}")
}

/// A text between quotation marks.
fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            control if control.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(control))),
            plain => out.push(plain),
        }
    }
    out + "\""
}

/// A name and its value.
fn pair(pair: &(std::sync::Arc<str>, std::sync::Arc<str>)) -> String {
    format!("({}, {})", text(&pair.0), text(&pair.1))
}

/// Octets as numbers.
fn octets(octets: &[u8]) -> String {
    list(octets, u8::to_string)
}

fn list<T>(members: &[T], one: impl Fn(&T) -> String) -> String {
    format!("[{}]", members.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn maybe<T: ?Sized>(value: Option<&T>, some: impl Fn(&T) -> String) -> String {
    value.map_or_else(|| "None".to_owned(), |value| format!("Some({})", some(value)))
}

#[cfg(test)]
mod tests;
