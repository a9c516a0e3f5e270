//! Kinds of checks: the request to a target, and the expected reply.

use crate::config::probes::certificates::{Certificates, certificate};
use crate::config::probes::placeholders;
use crate::config::scalar::{
    any_text, choice, integer, members, name, plain, refuse, switch, text, time_ms, whole,
};
use crate::config::table::{MapReader, shown};
use crate::config::tree::{Node, ValueKind};
use crate::finding::{At, Finding, Findings, code};
use crate::health::spec::{
    Check, CheckKind, DnsCheck, ExecCheck, FileCheck, HttpCheck, HttpMethod, PushCheck, TcpCheck, TlsCheck,
    Verify,
};
use crate::limits::PROBE_TEXT_OCTETS_MAX;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Default number of days before the end of a certificate at which a probe warns.
const WARN_DAYS: u16 = 14;
/// Most headers, or words of a command, in one check: a person writes fewer.
const PARTS_MAX: usize = 64;

/// Reads the settings of a check of this kind.
pub(crate) fn lower(
    kind: CheckKind,
    node: &Node,
    certificates: &mut Certificates<'_>,
    out: &mut Findings,
) -> Option<Check> {
    match kind {
        CheckKind::Https => http(node, Some(certificates), out).map(Check::Http),
        CheckKind::Http => http(node, None, out).map(Check::Http),
        CheckKind::Tcp => tcp(node, out).map(Check::Tcp),
        CheckKind::Dns => dns(node, out).map(Check::Dns),
        CheckKind::Exec => exec(node, out).map(Check::Exec),
        CheckKind::File => file(node, out).map(Check::File),
        CheckKind::Push => push(node, out).map(Check::Push),
        CheckKind::Icmp => icmp(node, out),
    }
}

fn icmp(node: &Node, out: &mut Findings) -> Option<Check> {
    MapReader::open(node, "an ICMP check", out)?.finish(out);
    Some(Check::Icmp)
}

fn http(node: &Node, certificates: Option<&mut Certificates<'_>>, out: &mut Findings) -> Option<HttpCheck> {
    let secure = certificates.is_some();
    let tls = TlsCheck { sni: None, verify: Verify::System, warn_days: WARN_DAYS };
    let mut check = HttpCheck {
        tls: secure.then_some(tls),
        port: if secure { CheckKind::Https } else { CheckKind::Http }.facts().port,
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        headers: Vec::new(),
        expect: vec![200..=200],
        expect_headers: Vec::new(),
        body: None,
    };
    if plain(node).is_some() {
        check.path = path(node, out)?;
        return Some(check);
    }
    let faults = out.len();
    let mut table = MapReader::open(node, if secure { "an HTTPS check" } else { "an HTTP check" }, out)?;
    if let Some(path) = table.take("path").and_then(|node| path(node, out)) {
        check.path = path;
    }
    if let Some(port) = table.take("port").and_then(|node| port(node, out)) {
        check.port = port;
    }
    let methods = [("GET", HttpMethod::Get), ("HEAD", HttpMethod::Head)];
    if let Some(method) = table.take("method").and_then(|node| choice(node, "method", &methods, out)) {
        check.method = method;
    }
    check.host = table.take("host").and_then(|node| host(node, "host", out));
    check.headers = table.take("headers").map(|node| headers(node, "`headers`", out)).unwrap_or_default();
    if let Some(node) = table.take("expect") {
        check.expect = expected(node, out);
    }
    check.expect_headers =
        table.take("expect_headers").map(|node| headers(node, "`expect_headers`", out)).unwrap_or_default();
    if let Some((key, node)) = table.take_entry("body") {
        check.body = octets(node, "body", out);
        if check.method == HttpMethod::Head {
            out.push(
                Finding::error(code::BAD_VALUE, "the answer to `HEAD` has no body")
                    .at(key.at, "never found")
                    .help("use `GET`"),
            );
        }
    }
    if let (Some(certificates), Some(tls)) = (certificates, &mut check.tls) {
        lower_tls(&mut table, tls, certificates, out);
        if let Some(host) = check.host.as_deref().filter(|_| tls.sni.is_none()) {
            check_server_name(host, node.at, out);
        }
    }
    table.finish(out);
    (out.len() == faults).then_some(check)
}

/// Checks that a certificate can match the host of an HTTPS check.
fn check_server_name(host: &str, at: At, out: &mut Findings) {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !is_server_name(name) && host.parse::<IpAddr>().is_err() {
        out.push(
            Finding::error(code::BAD_VALUE, format!("`{host}` is not valid as a server name in TLS"))
                .at(at, "no certificate matches it")
                .help("set `sni` to the name in the server's certificate"),
        );
    }
}

fn lower_tls(
    table: &mut MapReader<'_>,
    tls: &mut TlsCheck,
    certificates: &mut Certificates<'_>,
    out: &mut Findings,
) {
    tls.sni = table.take("sni").and_then(|node| {
        let name = host(node, "sni", out)?;
        if is_server_name(&name) || name.parse::<IpAddr>().is_ok() {
            return Some(name);
        }
        refuse(node, "sni", "a host name such as `probe.cdn.example`, or an address", out);
        None
    });
    if table.take("verify").and_then(|node| switch(node, "verify", out)) == Some(false) {
        tls.verify = Verify::Off;
    }
    if let Some((key, node)) = table.take_entry("ca") {
        if tls.verify == Verify::Off {
            out.push(
                Finding::error(
                    code::BAD_VALUE,
                    "`ca` restricts trust, but `verify: off` trusts every certificate",
                )
                .at(key.at, "without effect")
                .help("remove one of them"),
            );
        } else if let Some(pem) = certificate(node, certificates, out) {
            tls.verify = Verify::Pinned(pem);
        }
    }
    if let Some(days) = table.take("warn_days").and_then(|node| integer(node, "warn_days", 0..=3_650, out)) {
        tls.warn_days = days as u16;
    }
}

fn port(node: &Node, out: &mut Findings) -> Option<u16> {
    integer(node, "port", 1..=65_535, out).map(|port| port as u16)
}

/// Reads a path with query (RFC 9112 section 3.2.1): visible ASCII after a slash.
fn path(node: &Node, out: &mut Findings) -> Option<Arc<str>> {
    let text = text(node, "path", out)?;
    if !(text.starts_with('/')
        && text.len() <= PROBE_TEXT_OCTETS_MAX
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#'))
    {
        refuse(node, "path", "a path such as `/healthz`, without blanks", out);
        return None;
    }
    if let Some(word) = placeholders::found(text) {
        placeholders::literal(
            node,
            word,
            "an HTTP path",
            "every address gets the same path; use `host` or headers to tell them apart",
            out,
        );
    }
    Some(text.into())
}

/// Reads a host name, or an address.
fn host(node: &Node, what: &str, out: &mut Findings) -> Option<Arc<str>> {
    let text = text(node, what, out)?;
    let is_name = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && Name::parse(text, Some(&Name::root())).is_ok();
    let with_port = what == "host"
        && text.rsplit_once(':').is_some_and(|(host, port)| {
            port.parse::<u16>().is_ok()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
    let fine =
        is_name && text.len() <= 253 || with_port || (what == "host" && text.parse::<IpAddr>().is_ok());
    if text.is_empty() || !fine {
        refuse(node, what, "a host name such as `probe.cdn.example`", out);
        return None;
    }
    Some(text.into())
}

/// True if TLS allows the server name (RFC 6066 section 3): no label begins or ends with a hyphen,
/// and the last label is not a number, which would be part of an address.
fn is_server_name(name: &str) -> bool {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253
        && bare.split('.').all(is_label)
        && !bare.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

/// Headers that the HTTP exchange itself sets (RFC 9112 sections 3.2, 6 and 9.6).
const OWN_HEADERS: [&str; 4] = ["host", "connection", "content-length", "transfer-encoding"];

fn headers(node: &Node, what: &str, out: &mut Findings) -> Vec<(Arc<str>, Arc<str>)> {
    let Some(mut table) = MapReader::open(node, what, out) else { return Vec::new() };
    let entries = table.rest();
    if entries.len() > PARTS_MAX {
        out.push(
            Finding::error(code::TOO_LARGE, format!("{what} has more than {PARTS_MAX} headers"))
                .at(node.at, ""),
        );
    }
    let mut headers = Vec::new();
    for (key, value) in entries.into_iter().take(PARTS_MAX) {
        // Token of RFC 9110 section 5.6.2.
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if key.text.is_empty() || key.text.len() > 256 || !key.text.bytes().all(token) {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`{}` is not the name of a header", key.text))
                    .at(key.at, "not a name"),
            );
            continue;
        }
        if what == "`headers`" && OWN_HEADERS.iter().any(|own| key.text.eq_ignore_ascii_case(own)) {
            let help = match key.text.eq_ignore_ascii_case("host") {
                true => "the key `host` of the check sets `Host`",
                false => "remove the header: Meridian computes it",
            };
            out.push(
                Finding::error(code::BAD_VALUE, format!("the probe sets the header `{}` itself", key.text))
                    .at(key.at, "cannot be set")
                    .help(help),
            );
            continue;
        }
        let Some(written) = any_text(value, &key.text, out) else { continue };
        if written.len() > PROBE_TEXT_OCTETS_MAX || written.chars().any(char::is_control) {
            refuse(value, &key.text, "a value without control characters", out);
            continue;
        }
        headers.push((Arc::from(&*key.text), Arc::from(written)));
    }
    headers
}

/// Reads the statuses of a response that succeeds.
fn expected(node: &Node, out: &mut Findings) -> Vec<RangeInclusive<u16>> {
    let members = members(node);
    if members.is_empty() {
        out.push(
            Finding::error(code::BAD_VALUE, "`expect` lists no status, so no response would succeed")
                .at(node.at, "an empty list"),
        );
    }
    members.iter().filter_map(|member| statuses(member, out)).collect()
}

/// Reads `200`, or `300-399`.
fn statuses(node: &Node, out: &mut Findings) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| {
        (text.len() == 3)
            .then(|| text.parse::<u16>().ok())
            .flatten()
            .filter(|code| (100..=599).contains(code))
    };
    let number =
        whole(node).and_then(|code| u16::try_from(code).ok()).filter(|code| (100..=599).contains(code));
    let range = number.map(|code| code..=code).or_else(|| match plain(node)?.split_once('-') {
        Some((low, high)) => Some(code(low)?..=code(high)?).filter(|range| !range.is_empty()),
        None => code(plain(node)?).map(|code| code..=code),
    });
    if let Some(range) = &range
        && *range.end() < 200
        && !range.contains(&101)
    {
        out.push(
            Finding::error(code::BAD_VALUE, format!("{} is the status of interim responses", shown(node)))
                .at(node.at, "never the final status")
                .help("a probe waits for the final response (RFC 9110 section 15.2)"),
        );
        return None;
    }
    if range.is_none() {
        refuse(node, "expect", "a status from 100 to 599, or a range such as `300-399`", out);
    }
    range
}

/// Reads a text to send or to look for.
fn octets(node: &Node, what: &str, out: &mut Findings) -> Option<Box<[u8]>> {
    let text = text(node, what, out)?;
    if text.is_empty() || text.len() > PROBE_TEXT_OCTETS_MAX {
        refuse(node, what, &format!("a text of 1 to {PROBE_TEXT_OCTETS_MAX} octets"), out);
        return None;
    }
    Some(text.as_bytes().into())
}

fn tcp(node: &Node, out: &mut Findings) -> Option<TcpCheck> {
    let mut table = MapReader::open(node, "a TCP check", out)?;
    let port = table.need("port", out).and_then(|node| port(node, out));
    let send = table.take("send").and_then(|node| octets(node, "send", out));
    let expect = table.take("expect").and_then(|node| octets(node, "expect", out));
    table.finish(out);
    Some(TcpCheck { port: port?, send, expect })
}

fn dns(node: &Node, out: &mut Findings) -> Option<DnsCheck> {
    let mut table = MapReader::open(node, "a DNS check", out)?;
    let qname = table.need("name", out).and_then(|node| name(node, "name", Some(&Name::root()), out));
    let qtype = table.take("type").map_or(Some(RrType::A), |node| {
        let found = plain(node).and_then(RrType::from_text).filter(|rtype| !rtype.is_meta());
        if found.is_none() {
            refuse(node, "type", "a record type such as `A` or `SOA`", out);
        }
        found
    });
    let rcodes =
        [("NOERROR", 0), ("FORMERR", 1), ("SERVFAIL", 2), ("NXDOMAIN", 3), ("NOTIMP", 4), ("REFUSED", 5)];
    let rcode = table.take("rcode").and_then(|node| choice(node, "rcode", &rcodes, out)).unwrap_or(0);
    let answer = table.take("answer").and_then(|node| {
        let parsed: Option<IpAddr> = text(node, "answer", out)?.parse().ok();
        let fits = match parsed {
            Some(IpAddr::V4(_)) => qtype.is_none_or(|qtype| qtype == RrType::A),
            Some(IpAddr::V6(_)) => qtype.is_none_or(|qtype| qtype == RrType::AAAA),
            None => false,
        };
        if !fits {
            let message = format!("{} is not an address that the answer can contain", shown(node));
            out.push(
                Finding::error(code::BAD_ADDRESS, message)
                    .at(node.at, "not of the question type")
                    .help("an IPv4 address with `type: A`, or an IPv6 address with `type: AAAA`"),
            );
        }
        parsed
    });
    let port = table.take("port").and_then(|node| port(node, out)).unwrap_or(CheckKind::Dns.facts().port);
    let tcp = table.take("tcp").and_then(|node| switch(node, "tcp", out)).unwrap_or(false);
    table.finish(out);
    Some(DnsCheck { port, tcp, qname: qname?, qtype: qtype?, rcode, answer })
}

fn exec(node: &Node, out: &mut Findings) -> Option<ExecCheck> {
    let list = match &node.kind {
        ValueKind::Map(_) => {
            let mut table = MapReader::open(node, "an exec check", out)?;
            let command = table.need("command", out);
            table.finish(out);
            command?
        }
        _ => node,
    };
    let mut command: Vec<Arc<str>> = Vec::new();
    for member in members(list).iter().take(PARTS_MAX + 1) {
        let word = text(member, "command", out)?;
        if word.contains('\0') || word.len() > PROBE_TEXT_OCTETS_MAX {
            refuse(member, "command", "a program and its arguments", out);
            return None;
        }
        command.push(word.into());
    }
    if let [only] = command.as_slice()
        && only.contains(' ')
    {
        out.push(
            Finding::error(
                code::BAD_VALUE,
                format!("`{only}` is a single word, because the program runs without a shell"),
            )
            .at(list.at, "has a blank")
            .help("write the program and its arguments as a list, such as `[/usr/bin/check, --fast]`"),
        );
        return None;
    }
    if command.is_empty() || command.len() > PARTS_MAX {
        out.push(
            Finding::error(code::BAD_VALUE, format!("a command has 1 to {PARTS_MAX} words"))
                .at(list.at, "not a command"),
        );
        return None;
    }
    for (member, word) in members(list).iter().zip(&command) {
        if let Some(word) = placeholders::found(word) {
            placeholders::literal(
                member,
                word,
                "a command",
                "the program finds them in MERIDIAN_POP, MERIDIAN_SERVICE and MERIDIAN_ADDRESS",
                out,
            );
        }
    }
    Some(ExecCheck { command })
}

fn file(node: &Node, out: &mut Findings) -> Option<FileCheck> {
    let written = match &node.kind {
        ValueKind::Map(_) => {
            let mut table = MapReader::open(node, "a file check", out)?;
            let path = table.need("path", out);
            table.finish(out);
            path?
        }
        _ => node,
    };
    Some(FileCheck { path: file_path(written, "path", &placeholders::ALL, out)?.into() })
}

/// Reads the path of a watched file with these placeholders.
pub(crate) fn file_path<'n>(
    node: &'n Node,
    key: &str,
    known: &[&'static str],
    out: &mut Findings,
) -> Option<&'n str> {
    let path = text(node, key, out)?;
    if path.ends_with('/') || path.contains('\0') || path.len() > PROBE_TEXT_OCTETS_MAX {
        refuse(node, key, "the path of a file", out);
        return None;
    }
    if !placeholders::are_known(path, node, known, out) {
        return None;
    }
    Some(path)
}

fn push(node: &Node, out: &mut Findings) -> Option<PushCheck> {
    let mut table = MapReader::open(node, "a push check", out)?;
    let ttl_ms = table.take("ttl").and_then(|node| time_ms(node, "ttl", 1_000..=86_400_000, out));
    table.finish(out);
    Some(PushCheck { ttl_ms: ttl_ms.unwrap_or(0) as u32 })
}
