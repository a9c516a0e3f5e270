//! `load:` and `capacity:` of PoPs and services: the source of the load, and its measure.

use crate::config::probes::to;
use crate::config::scalar::{any_text, number, percent, refuse, text, time_ms};
use crate::config::table::{MapReader, shown};
use crate::config::tree::{Key, Node, ValueKind};
use crate::finding::{Finding, Findings, code};
use crate::health::load::spec::{Feed, FeedUrl, LoadSpec};
use crate::limits::PROBE_TEXT_OCTETS_MAX;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The kinds of feeds.
pub(crate) const KINDS: [&str; 4] = ["http", "prometheus", "file", "push"];
/// Labels of one sample: real ones have under twenty.
const LABELS_MAX: usize = 64;

/// PoP or service to which a load belongs.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    /// Name of the PoP.
    pub(crate) pop: &'a str,
    /// Name of the service; `None` for the whole PoP.
    pub(crate) service: Option<&'a str>,
}

impl std::fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.service {
            Some(service) => write!(f, "the service `{service}` of `{}`", self.pop),
            None => write!(f, "the PoP `{}`", self.pop),
        }
    }
}

/// Reads `capacity:`.
pub(crate) fn capacity(table: &mut MapReader<'_>, whose: Whose<'_>, out: &mut Findings) -> Option<f64> {
    let node = table.take("capacity")?;
    let capacity = number(node, "capacity", 0.0..=1e15, out)?;
    if capacity > 0.0 {
        return Some(capacity);
    }
    let finding = Finding::error(code::BAD_VALUE, format!("the capacity of {whose} is 0"))
        .at(node.at, "must be more than 0");
    out.push(finding.help("remove `capacity` if it is unknown; `state: drain` takes a PoP out of service"));
    None
}

/// Reads `load:`. A load without a capacity has no measure, which gives a warning.
pub(crate) fn load(
    table: &mut MapReader<'_>,
    whose: Whose<'_>,
    capacity: Option<f64>,
    out: &mut Findings,
) -> Option<Arc<LoadSpec>> {
    let (key, node) = table.take_entry("load")?;
    let faults = out.len();
    let spec = lower(key, node, whose, out);
    if capacity.is_none() && out.len() == faults {
        out.push(
            Finding::warning(
                code::BAD_VALUE,
                format!("{whose} has a load but no `capacity`: it is not read, and nothing is shed"),
            )
            .at(key.at, "has no measure")
            .help("give `capacity` in the unit of the feed, such as requests per second"),
        );
    }
    spec.map(Arc::new)
}

fn lower(key: &Key, node: &Node, whose: Whose<'_>, out: &mut Findings) -> Option<LoadSpec> {
    let mut table = MapReader::open(node, "`load`", out)?;
    let kinds: Vec<(&'static str, &Key, &Node)> = KINDS
        .iter()
        .filter_map(|kind| table.take_entry(kind).map(|(key, node)| (*kind, key, node)))
        .collect();
    let feed = match kinds.as_slice() {
        [("http", _, node)] => http(node, out),
        [("prometheus", _, node)] => prometheus(node, out),
        [("file", _, node)] => file(node, whose, out),
        [("push", _, node)] => push(node, out),
        _ => {
            let last = kinds.iter().max_by_key(|(_, key, _)| key.at.start);
            out.push(
                Finding::error(code::BAD_VALUE, "`load` must have exactly one feed")
                    .at(last.map_or(node.at, |(_, key, _)| key.at), format!("has {}", kinds.len()))
                    .help(
                        "the feeds are http, prometheus, file and push; one without settings is written \
                        `push: {}`",
                    ),
            );
            None
        }
    };
    let mut spec = LoadSpec::new(feed.clone().unwrap_or(Feed::Push), key.at);
    rule(&mut table, &mut spec, out);
    table.finish(out);
    feed.map(|_| spec)
}

/// Reads the timing and the targets of the control.
fn rule(table: &mut MapReader<'_>, spec: &mut LoadSpec, out: &mut Findings) {
    if let Some(ms) = table.take("every").and_then(|node| time_ms(node, "every", 1_000..=86_400_000, out)) {
        spec.every_ms = ms as u32;
        spec.stale_after_ms = spec.stale_after_ms.max(2 * spec.every_ms);
    }
    if let Some(node) = table.take("stale_after")
        && let Some(ms) = time_ms(node, "stale_after", 1_000..=604_800_000, out)
    {
        spec.stale_after_ms = ms as u32;
        if spec.stale_after_ms <= spec.every_ms {
            out.push(
                Finding::error(code::BAD_VALUE, "`stale_after` must be longer than `every`")
                    .at(node.at, format!("`every` is {} ms", spec.every_ms))
                    .help("otherwise the feed would count as lost between any two readings"),
            );
        }
    }
    let (target, limit) = (table.take("target"), table.take("limit"));
    let mut utilisation = |node: Option<&Node>, what: &str| {
        node.and_then(|node| percent(node, what, 1..=1_000, out)).map(|percent| f64::from(percent) / 100.0)
    };
    spec.target = utilisation(target, "target").unwrap_or(spec.target);
    spec.limit = utilisation(limit, "limit").unwrap_or(spec.limit);
    if let Some(node) = target.or(limit).filter(|_| spec.target >= spec.limit) {
        let (target, limit) = (libm::round(spec.target * 100.0), libm::round(spec.limit * 100.0));
        out.push(
            Finding::error(code::BAD_VALUE, "`target` must be less than `limit`")
                .at(node.at, format!("target {target}%, limit {limit}%"))
                .help("above the target a PoP sheds slowly, above the limit fast"),
        );
    }
    if let Some(gain) = table.take("gain").and_then(|node| number(node, "gain", 0.001..=1.0, out)) {
        spec.gain = gain;
    }
    if let Some(smoothing) =
        table.take("smoothing").and_then(|node| number(node, "smoothing", 0.01..=1.0, out))
    {
        spec.smoothing = smoothing;
    }
}

/// Reads a URL, or `{ url, pointer, to }`.
fn http(node: &Node, out: &mut Findings) -> Option<Feed> {
    let ValueKind::Map(_) = node.kind else {
        return Some(Feed::Http { url: url(node, None, out)?, pointer: None });
    };
    let faults = out.len();
    let mut table = MapReader::open(node, "an HTTP feed", out)?;
    let url = located(&mut table, out);
    let pointer = table.take("pointer").and_then(|node| pointer(node, out));
    table.finish(out);
    let url = url?;
    (out.len() == faults).then_some(Feed::Http { url, pointer })
}

/// Reads a JSON pointer (RFC 6901 section 3).
fn pointer(node: &Node, out: &mut Findings) -> Option<Arc<str>> {
    let written = text(node, "pointer", out)?;
    let escapes = written.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !written.starts_with('/') || !escapes || written.len() > PROBE_TEXT_OCTETS_MAX {
        refuse(
            node,
            "pointer",
            "a JSON pointer such as `/load/now`, with `~1` for a slash in a name and `~0` for a tilde",
            out,
        );
        return None;
    }
    Some(written.into())
}

/// Reads `{ url, metric, labels, to }`.
fn prometheus(node: &Node, out: &mut Findings) -> Option<Feed> {
    let faults = out.len();
    let mut table = MapReader::open(node, "a Prometheus feed", out)?;
    let url = located(&mut table, out);
    let metric = table.need("metric", out).and_then(|node| {
        let written = text(node, "metric", out)?;
        let fine = is_word(written, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b':');
        if !fine {
            refuse(node, "metric", "the name of a metric, such as `http_requests_per_second`", out);
        }
        fine.then(|| Arc::<str>::from(written))
    });
    let labels = table.take("labels").map(|node| labels(node, out)).unwrap_or_default();
    table.finish(out);
    let (url, metric) = (url?, metric?);
    (out.len() == faults).then_some(Feed::Prometheus { url, metric, labels })
}

fn is_word(text: &str, part: impl Fn(u8) -> bool) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(part)
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn labels(node: &Node, out: &mut Findings) -> Vec<(Arc<str>, Arc<str>)> {
    let Some(mut table) = MapReader::open(node, "`labels`", out) else { return Vec::new() };
    let entries = table.rest();
    if entries.len() > LABELS_MAX {
        out.push(
            Finding::error(code::TOO_LARGE, format!("`labels` has more than {LABELS_MAX} labels"))
                .at(node.at, ""),
        );
    }
    let mut labels = Vec::new();
    for (key, value) in entries.into_iter().take(LABELS_MAX) {
        if !is_word(&key.text, |b| b.is_ascii_alphanumeric() || b == b'_') {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`{}` is not the name of a label", key.text))
                    .at(key.at, "not a name"),
            );
            continue;
        }
        // In Prometheus, a label with an empty value is the same as a missing label.
        let Some(written) = any_text(value, &key.text, out) else { continue };
        if written.len() > PROBE_TEXT_OCTETS_MAX {
            refuse(value, &key.text, "a shorter text", out);
            continue;
        }
        labels.push((Arc::from(&*key.text), Arc::from(written)));
    }
    labels
}

/// Reads `url:` with `to:` beside it.
fn located(table: &mut MapReader<'_>, out: &mut Findings) -> Option<FeedUrl> {
    let (written, beside) = (table.need("url", out), table.take("to"));
    let faults = out.len();
    let beside = beside.and_then(|node| to(node, out));
    let url = url(written?, beside, out)?;
    (out.len() == faults).then_some(url)
}

/// Reads `http://192.0.2.15:9100/load`; the host may be a name if its address is given by `to`.
fn url(node: &Node, beside: Option<SocketAddr>, out: &mut Findings) -> Option<FeedUrl> {
    let written = text(node, "url", out)?;
    let Some((tls, authority, path)) = split(written) else {
        refuse(node, "url", "a URL such as `http://192.0.2.15:9100/load`", out);
        return None;
    };
    let usual = if tls { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        // The last colon of an address in brackets may belong to the address.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok().filter(|port| *port != 0)),
        _ => (authority, Some(usual)),
    };
    let literal: Option<IpAddr> = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inside) => inside.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    };
    let is_name = is_host(host) && !host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let Some(port) = port.filter(|_| literal.is_some() || is_name) else {
        out.push(
            Finding::error(code::BAD_ADDRESS, format!("{} has no address to connect to", shown(node)))
                .at(node.at, format!("`{authority}` is not an address, with or without a port"))
                .help("such as `192.0.2.15:9100`, or `[2001:db8::15]:9100` with brackets"),
        );
        return None;
    };
    let address = match (beside, literal) {
        (Some(to), _) if to.port() == 0 => SocketAddr::new(to.ip(), port),
        (Some(to), _) => to,
        (None, Some(literal)) => SocketAddr::new(literal, port),
        (None, None) => {
            out.push(
                Finding::error(
                    code::BAD_ADDRESS,
                    format!("the feed's host `{host}` is a name, and names are not looked up"),
                )
                .at(node.at, "not an address")
                .help(format!("write its address beside it, as `{{ url: {}, to: 192.0.2.15 }}`", written)),
            );
            return None;
        }
    };
    Some(FeedUrl { address, host: authority.into(), path, tls })
}

/// Splits a URL into TLS or not, host with port, and path with query. Refuses fragments and users,
/// since neither is sent.
fn split(url: &str) -> Option<(bool, &str, Arc<str>)> {
    let (scheme, rest) = url.split_once("://")?;
    let tls = match scheme {
        _ if scheme.eq_ignore_ascii_case("http") => false,
        _ if scheme.eq_ignore_ascii_case("https") => true,
        _ => return None,
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let fine = url.len() <= PROBE_TEXT_OCTETS_MAX
        && url.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
        && !authority.contains('@');
    let path = if path.starts_with('/') { path.into() } else { format!("/{path}").into() };
    (fine && !authority.is_empty()).then_some((tls, authority, path))
}

fn is_host(host: &str) -> bool {
    (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Reads a path.
fn file(node: &Node, whose: Whose<'_>, out: &mut Findings) -> Option<Feed> {
    let path = crate::config::probes::check::file_path(node, "file", &["pop", "service"], out)?;
    if whose.service.is_none() && path.contains("{service}") {
        out.push(
            Finding::error(code::BAD_VALUE, format!("the load of {whose} belongs to no single service"))
                .at(node.at, "`{service}` has no value")
                .help("give the service a `load` of its own, or remove `{service}`"),
        );
        return None;
    }
    Some(Feed::File { path: path.into() })
}

fn push(node: &Node, out: &mut Findings) -> Option<Feed> {
    MapReader::open(node, "a push feed", out)?.finish(out);
    Some(Feed::Push)
}
