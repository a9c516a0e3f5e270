//! `https:` of a PoP or service: the parameters of its HTTPS records (RFC 9460).

use crate::config::scalar::{choice, integer, members, refuse, text};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};
use crate::limits::ECH_OCTETS_MAX;
use crate::steer::pop::HttpsParams;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::rdata;

/// Protocols that `alpn` may name.
pub(crate) const ALPN: [&str; 3] = ["h3", "h2", "http/1.1"];

/// Reads the parameters. Omits a parameter with a fault; the fault refuses the deployment.
pub(crate) fn lower(node: &Node, out: &mut Findings) -> Option<HttpsParams> {
    let mut table = MapReader::open(node, "`https`", out)?;
    let mut params = Vec::new();
    if let Some(node) = table.take("alpn") {
        alpn(node, &mut params, out);
    }
    if let Some(port) = table.take("port").and_then(|node| integer(node, "port", 1..=65_535, out)) {
        parameter(3, &(port as u16).to_be_bytes(), &mut params);
    }
    let ech = table.take("ech").and_then(|node| ech(node, out)).unwrap_or_default();
    table.finish(out);
    Some(HttpsParams { before_hints: params.into(), ech: ech.into() })
}

/// Writes key, length and value.
fn parameter(key: u16, value: &[u8], params: &mut Vec<u8>) {
    params.extend_from_slice(&key.to_be_bytes());
    params.extend_from_slice(&(value.len() as u16).to_be_bytes());
    params.extend_from_slice(value);
}

fn alpn(node: &Node, params: &mut Vec<u8>, out: &mut Findings) {
    let words = ALPN.map(|word| (word, word));
    let mut seen: Vec<&str> = Vec::new();
    let mut value = Vec::new();
    for member in members(node) {
        let Some(word) = choice(member, "alpn", &words, out) else { continue };
        if seen.contains(&word) {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`{word}` is listed twice in `alpn`"))
                    .at(member.at, "again here"),
            );
            continue;
        }
        seen.push(word);
        value.push(word.len() as u8);
        value.extend_from_slice(word.as_bytes());
    }
    if members(node).is_empty() {
        // An `alpn` parameter must not be empty (RFC 9460 section 7.1.1).
        out.push(Finding::error(code::BAD_VALUE, "`alpn` lists no protocol").at(node.at, "an empty list"));
    }
    if !value.is_empty() {
        parameter(1, &value, params);
    }
}

/// Parameter `ech` in wire form (key, length, value) from an ECHConfigList in Base64, which is read
/// as in zone text.
fn ech(node: &Node, out: &mut Findings) -> Option<Vec<u8>> {
    let base64 = text(node, "ech", out)?;
    let plain = !base64.is_empty()
        && base64.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    let made = plain
        .then(|| rdata::from_text(RrType::HTTPS, &format!("1 . ech={base64}"), &Name::root()).ok())
        .flatten();
    // Skip the priority, the root as target, key and length; the list begins with its own length.
    let list = made.as_deref().and_then(|octets| octets.get(7..));
    let whole = list.is_some_and(|list| {
        list.len() > 2
            && list
                .first_chunk::<2>()
                .is_some_and(|len| usize::from(u16::from_be_bytes(*len)) + 2 == list.len())
    });
    if !whole {
        refuse(node, "ech", "an ECHConfigList in base64", out);
        return None;
    }
    if list.is_some_and(|list| list.len() > ECH_OCTETS_MAX) {
        out.push(
            Finding::error(code::TOO_LARGE, format!("`ech` has more than {ECH_OCTETS_MAX} octets"))
                .at(node.at, "too long"),
        );
        return None;
    }
    made.map(|octets| octets.get(3..).unwrap_or_default().to_vec())
}
