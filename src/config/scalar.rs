//! Scalars of the tree as numbers, words, times and names: each reader takes a node and gives a
//! checked value, or records a finding that says what would have been right.

use super::table::{nearest, shown};
use super::tree::{Node, ValueKind};
use crate::finding::{Finding, Findings, code};
use crate::wire::idn;
use crate::wire::name::Name;
use std::ops::RangeInclusive;

/// Records that `what` must be `expected`.
pub(super) fn refuse(node: &Node, what: &str, expected: &str, out: &mut Findings) {
    out.push(
        Finding::error(code::BAD_VALUE, format!("`{what}` must be {expected}, not {}", shown(node)))
            .at(node.at, format!("expected {expected}")),
    );
}

/// The text of a scalar.
pub(super) fn text<'n>(node: &'n Node, what: &str, out: &mut Findings) -> Option<&'n str> {
    match &node.kind {
        ValueKind::Text(text) => Some(text),
        _ => {
            refuse(node, what, "a text", out);
            None
        }
    }
}

/// The text of a scalar without any finding.
pub(super) fn plain(node: &Node) -> Option<&str> {
    match &node.kind {
        ValueKind::Text(text) => Some(text),
        _ => None,
    }
}

/// The members of a list; a lone value is a list of one.
pub(super) fn members(node: &Node) -> &[Node] {
    match &node.kind {
        ValueKind::List(list) => list,
        ValueKind::Null => &[],
        _ => std::slice::from_ref(node),
    }
}

/// A decimal whole number within bounds.
pub(super) fn integer(
    node: &Node,
    what: &str,
    range: RangeInclusive<i64>,
    out: &mut Findings,
) -> Option<i64> {
    let value = plain(node)
        .filter(|t| is_decimal(t))
        .and_then(|t| t.parse::<i64>().ok())
        .filter(|v| range.contains(v));
    if value.is_none() {
        refuse(node, what, &format!("a whole number from {} to {}", range.start(), range.end()), out);
    }
    value
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A decimal number within bounds.
pub(super) fn number(node: &Node, what: &str, range: RangeInclusive<f64>, out: &mut Findings) -> Option<f64> {
    let value = plain(node).and_then(decimal).filter(|v| range.contains(v));
    if value.is_none() {
        refuse(node, what, &format!("a number from {} to {}", range.start(), range.end()), out);
    }
    value
}

/// A decimal fraction such as `-33.9`; no exponents, no `inf`, no `nan`.
fn decimal(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    (body.bytes().any(|b| b.is_ascii_digit()) && body.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        .then(|| text.parse().ok())
        .flatten()
}

/// A percentage such as `10%`, as a whole number of per cent within bounds.
pub(super) fn percent(
    node: &Node,
    what: &str,
    range: RangeInclusive<u16>,
    out: &mut Findings,
) -> Option<u16> {
    let value = plain(node)
        .and_then(|t| t.strip_suffix('%'))
        .map(str::trim_end)
        .filter(|t| is_decimal(t))
        .and_then(|t| t.parse().ok())
        .filter(|v| range.contains(v));
    if value.is_none() {
        refuse(node, what, &format!("a percentage from {}% to {}%", range.start(), range.end()), out);
    }
    value
}

/// A share written as a percentage (`50%`) or as a fraction (`0.5`), in whole per cent from 1
/// to 100.
pub(super) fn share_percent(node: &Node, what: &str, out: &mut Findings) -> Option<u8> {
    let value = plain(node).and_then(|t| match t.strip_suffix('%') {
        Some(percent) => decimal(percent.trim_end()),
        None => decimal(t).map(|v| v * 100.0),
    });
    let value = value.filter(|v| (0.5..=100.0).contains(v)).map(|v| libm::round(v) as u8);
    if value.is_none() {
        refuse(node, what, "a share from 1% to 100%, or from 0.01 to 1", out);
    }
    value
}

/// A time such as `5s`, `250ms`, `5m`, `2h`, `1d` or a plain number of seconds, in milliseconds.
pub(super) fn time_ms(
    node: &Node,
    what: &str,
    range_ms: RangeInclusive<u64>,
    out: &mut Findings,
) -> Option<u64> {
    let value = plain(node).and_then(|t| {
        let split = t.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(t.len());
        let (digits, unit) = t.split_at(split);
        let factor: u64 = match unit.trim_start() {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        digits.parse::<u64>().ok()?.checked_mul(factor)
    });
    let value = value.filter(|v| range_ms.contains(v));
    if value.is_none() {
        let (least, most) = (human_ms(*range_ms.start()), human_ms(*range_ms.end()));
        refuse(node, what, &format!("a time from {least} to {most}, such as `5s` or `2m`"), out);
    }
    value
}

fn human_ms(ms: u64) -> String {
    match ms {
        _ if !ms.is_multiple_of(1_000) => format!("{ms}ms"),
        _ if ms > 0 && ms.is_multiple_of(86_400_000) => format!("{}d", ms / 86_400_000),
        _ if ms > 0 && ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ => format!("{}s", ms / 1_000),
    }
}

/// A TTL or another time of the DNS in seconds (RFC 2181 section 8).
pub(super) fn seconds(node: &Node, what: &str, out: &mut Findings) -> Option<u32> {
    let most = u64::from(crate::wire::rr::Ttl::MAX.secs()) * 1_000;
    let ms = time_ms(node, what, 0..=most, out)?;
    if ms % 1_000 != 0 {
        refuse(node, what, "whole seconds", out);
        return None;
    }
    u32::try_from(ms / 1_000).ok()
}

/// `true` or `false`, also written `on`/`off` and `yes`/`no`.
pub(super) fn switch(node: &Node, what: &str, out: &mut Findings) -> Option<bool> {
    choice(
        node,
        what,
        &[("on", true), ("off", false), ("true", true), ("false", false), ("yes", true), ("no", false)],
        out,
    )
}

/// One of a few words.
pub(super) fn choice<T: Clone>(
    node: &Node,
    what: &str,
    words: &[(&str, T)],
    out: &mut Findings,
) -> Option<T> {
    let found = plain(node).and_then(|t| words.iter().find(|(word, _)| *word == t));
    if found.is_none() {
        let list: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let mut finding = Finding::error(
            code::BAD_VALUE,
            format!("`{what}` must be one of {}, not {}", list.join(", "), shown(node)),
        )
        .at(node.at, "not one of them");
        if let Some(near) = plain(node).and_then(|t| nearest(t, words.iter().map(|(word, _)| *word))) {
            finding = finding.help(format!("did you mean `{near}`?"));
        }
        out.push(finding);
    }
    found.map(|(_, value)| value.clone())
}

/// A domain name, relative to `origin` where there is one.
pub(super) fn name(node: &Node, what: &str, origin: Option<&Name>, out: &mut Findings) -> Option<Name> {
    let text = text(node, what, out)?;
    match Name::parse(text, origin) {
        Ok(name) => Some(name),
        Err(error) => {
            let finding =
                Finding::error(code::BAD_NAME, format!("{} is not a domain name: {error}", shown(node)))
                    .at(node.at, "not a name");
            out.push(idn::help(error, text).into_iter().fold(finding, Finding::help));
            None
        }
    }
}

/// A name for PoPs, tags and the like: letters, digits, hyphens, underscores and dots, 1 to 63
/// octets.
pub(super) fn word<'t>(
    text: &'t str,
    at: crate::finding::At,
    what: &str,
    out: &mut Findings,
) -> Option<&'t str> {
    let fine = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !fine {
        out.push(
            Finding::error(code::BAD_VALUE, format!("`{text}` cannot be the name of {what}"))
                .at(at, "not usable as a name")
                .help("use 1 to 63 letters, digits, `-`, `_` and `.`, beginning with a letter or digit"),
        );
    }
    fine.then_some(text)
}
