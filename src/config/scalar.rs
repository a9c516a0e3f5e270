//! Scalars of the tree as numbers, words, times and names: each function takes a node and returns a
//! checked value, or records a finding that describes a valid value.

use super::table::{nearest, shown};
use super::tree::{Node, ValueKind};
use crate::finding::{Finding, Findings, code};
use crate::wire::idn;
use crate::wire::name::Name;
use std::ops::RangeInclusive;

/// Reports that `what` must be `expected`.
pub(super) fn refuse(node: &Node, what: &str, expected: &str, out: &mut Findings) {
    let finding =
        Finding::error(code::BAD_VALUE, format!("`{what}` must be {expected}, not {}", shown(node)))
            .at(node.at, format!("expected {expected}"));
    out.push(with_way_out(finding, node));
}

/// Adds help for a missing value, or for a value that is a text only because of its quotes.
pub(super) fn with_way_out(finding: Finding, node: &Node) -> Finding {
    match &node.kind {
        ValueKind::Null => finding.help(NO_VALUE),
        ValueKind::Text(text) if node.quoted && !matches!(core(text), Core::Text) => {
            finding.help(format!("the quotes make it a text: write `{text}` without quotes"))
        }
        _ => finding,
    }
}

/// Help for a key without a value.
pub(super) const NO_VALUE: &str = "remove the key, or write its value";

/// Text of a scalar, which must not be empty.
pub(super) fn text<'n>(node: &'n Node, what: &str, out: &mut Findings) -> Option<&'n str> {
    let text = any_text(node, what, out)?;
    if text.is_empty() {
        refuse(node, what, "a text of at least one character", out);
        return None;
    }
    Some(text)
}

/// Text of a scalar, which may be empty.
pub(super) fn any_text<'n>(node: &'n Node, what: &str, out: &mut Findings) -> Option<&'n str> {
    if plain(node).is_none() {
        refuse(node, what, "a text", out);
    }
    plain(node)
}

/// Text of a scalar, without any finding.
pub(super) fn plain(node: &Node) -> Option<&str> {
    match &node.kind {
        ValueKind::Text(text) => Some(text),
        _ => None,
    }
}

/// Members of a list; a lone value is a list of one. A missing value is a list of one too, so that
/// the reader of the members refuses it.
pub(super) fn members(node: &Node) -> &[Node] {
    match &node.kind {
        ValueKind::List(list) => list,
        _ => std::slice::from_ref(node),
    }
}

/// Type of a plain scalar in the core schema of YAML 1.2.2 (section 10.3.2), which editors apply
/// when they check a file against the JSON Schema.
enum Core {
    Bool(bool),
    /// Saturates: numbers of more than 64 bits are out of every range.
    Integer(i64),
    Float(f64),
    Text,
}

fn core(text: &str) -> Core {
    match text {
        "true" | "True" | "TRUE" => return Core::Bool(true),
        "false" | "False" | "FALSE" => return Core::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Core::Float(f64::NAN),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return Core::Integer(i64::from_str_radix(digits, radix).unwrap_or(i64::MAX));
        }
    }
    let (is_negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(body, ".inf" | ".Inf" | ".INF") {
        return Core::Float(if is_negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if is_digits(body) {
        return Core::Integer(text.parse().unwrap_or(if is_negative { i64::MIN } else { i64::MAX }));
    }
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = [whole, fraction].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(is_digits);
    match text.parse() {
        Ok(value) if is_float => Core::Float(value),
        _ => Core::Text,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Value of an unquoted whole number: `8`, `0x10`, `1e3` and `2.0`, which JSON Schema also counts
/// as integers.
pub(super) fn whole(node: &Node) -> Option<i64> {
    match plain(node).filter(|_| !node.quoted).map(core)? {
        Core::Integer(value) => Some(value),
        // Doubles are exact up to 2^53.
        Core::Float(value) if libm::trunc(value) == value && value.abs() <= 9_007_199_254_740_992.0 => {
            Some(value as i64)
        }
        _ => None,
    }
}

/// Reads a whole number within bounds.
pub(super) fn integer(
    node: &Node,
    what: &str,
    range: RangeInclusive<i64>,
    out: &mut Findings,
) -> Option<i64> {
    let value = whole(node).filter(|v| range.contains(v));
    if value.is_none() {
        refuse(node, what, &format!("a whole number from {} to {}", range.start(), range.end()), out);
    }
    value
}

/// Reads a number within bounds.
pub(super) fn number(node: &Node, what: &str, range: RangeInclusive<f64>, out: &mut Findings) -> Option<f64> {
    let value = any_number(node).filter(|v| range.contains(v));
    if value.is_none() {
        refuse(node, what, &format!("a number from {} to {}", range.start(), range.end()), out);
    }
    value
}

fn any_number(node: &Node) -> Option<f64> {
    match plain(node).filter(|_| !node.quoted).map(core)? {
        Core::Integer(value) => Some(value as f64),
        Core::Float(value) => Some(value),
        _ => None,
    }
}

/// Reads a percentage such as `10%`, as a whole number of percent within bounds.
pub(super) fn percent(
    node: &Node,
    what: &str,
    range: RangeInclusive<u16>,
    out: &mut Findings,
) -> Option<u16> {
    let value = plain(node)
        .and_then(per_cent)
        .filter(|t| is_digits(t))
        .and_then(|t| t.parse().ok())
        .filter(|v| range.contains(v));
    if value.is_none() {
        refuse(node, what, &format!("a percentage from {}% to {}%", range.start(), range.end()), out);
    }
    value
}

/// Number before the sign of `10%` or `10 %`.
fn per_cent(text: &str) -> Option<&str> {
    let number = text.strip_suffix('%')?;
    Some(number.strip_suffix(' ').unwrap_or(number))
}

/// Reads a share, written as a percentage (`50%`) or a fraction (`0.5`), in whole percent from 1 to
/// 100.
pub(super) fn share_percent(node: &Node, what: &str, out: &mut Findings) -> Option<u8> {
    let value = match plain(node).and_then(per_cent) {
        Some(text) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            (is_digits(whole) && is_digits(fraction)).then(|| text.parse().ok()).flatten()
        }
        None => any_number(node).map(|v| v * 100.0),
    };
    let value = value.filter(|v| (1.0..=100.0).contains(v)).map(|v: f64| libm::round(v) as u8);
    if value.is_none() {
        refuse(node, what, "a share from 1% to 100%, or from 0.01 to 1", out);
    }
    value
}

/// Reads a time such as `5s`, `250ms`, `5m`, `2h`, `1d` or a plain number of seconds, in
/// milliseconds.
pub(super) fn time_ms(
    node: &Node,
    what: &str,
    range_ms: RangeInclusive<u64>,
    out: &mut Findings,
) -> Option<u64> {
    let value = time(node).filter(|v| range_ms.contains(v));
    if value.is_none() {
        let (least, most) = (human_ms(*range_ms.start()), human_ms(*range_ms.end()));
        refuse(node, what, &format!("a time from {least} to {most}, such as `5s` or `2m`"), out);
    }
    value
}

/// Units of time, in milliseconds.
pub(crate) const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

fn time(node: &Node) -> Option<u64> {
    if let Some(secs) = whole(node) {
        return u64::try_from(secs).ok()?.checked_mul(1_000);
    }
    let text = plain(node)?;
    let (digits, unit) = text.split_at(text.bytes().position(|b| !b.is_ascii_digit())?);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, factor) = UNITS.iter().find(|(word, _)| *word == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

fn human_ms(ms: u64) -> String {
    match ms {
        _ if !ms.is_multiple_of(1_000) => format!("{ms}ms"),
        _ if ms > 0 && ms.is_multiple_of(86_400_000) => format!("{}d", ms / 86_400_000),
        _ if ms > 0 && ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ => format!("{}s", ms / 1_000),
    }
}

/// Reads a TTL or another time of the DNS, in seconds (RFC 2181 section 8).
pub(super) fn seconds(node: &Node, what: &str, out: &mut Findings) -> Option<u32> {
    seconds_within(node, what, 0..=crate::wire::rr::Ttl::MAX.secs(), out)
}

/// Reads a time in whole seconds within bounds.
pub(super) fn seconds_within(
    node: &Node,
    what: &str,
    range: RangeInclusive<u32>,
    out: &mut Findings,
) -> Option<u32> {
    let range_ms = u64::from(*range.start()) * 1_000..=u64::from(*range.end()) * 1_000;
    let ms = time_ms(node, what, range_ms, out)?;
    if plain(node).is_some_and(|text| text.ends_with("ms")) {
        refuse(node, what, "in whole seconds", out);
        return None;
    }
    u32::try_from(ms / 1_000).ok()
}

/// Reads `true` or `false`, also written `on`/`off` and `yes`/`no`.
pub(super) fn switch(node: &Node, what: &str, out: &mut Findings) -> Option<bool> {
    if let Some(Core::Bool(value)) = plain(node).filter(|_| !node.quoted).map(core) {
        return Some(value);
    }
    choice(
        node,
        what,
        &[("on", true), ("off", false), ("true", true), ("false", false), ("yes", true), ("no", false)],
        out,
    )
}

/// True for the word `off`, and for the plain `false` that YAML 1.1 makes of it.
pub(super) fn is_off(node: &Node) -> bool {
    match plain(node) {
        Some("off") => true,
        Some(text) => !node.quoted && matches!(core(text), Core::Bool(false)),
        None => false,
    }
}

/// Reads one of a few words.
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
        .at(node.at, "not one of these words");
        if let Some(near) = plain(node).and_then(|t| nearest(t, words.iter().map(|(word, _)| *word))) {
            finding = finding.help(format!("did you mean `{near}`?"));
        }
        out.push(with_way_out(finding, node));
    }
    found.map(|(_, value)| value.clone())
}

/// Reads a domain name, relative to `origin` if given.
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

/// True if a text can be the name of a PoP, tag and the like (see [`word`]).
pub(super) fn is_word(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

/// Reads the name of a PoP, tag and the like: 1 to 63 letters, digits, hyphens, underscores and
/// dots, beginning with a letter or digit.
pub(super) fn word<'t>(
    text: &'t str,
    at: crate::finding::At,
    what: &str,
    out: &mut Findings,
) -> Option<&'t str> {
    let fine = is_word(text);
    if !fine {
        out.push(
            Finding::error(code::BAD_VALUE, format!("`{text}` cannot be the name of {what}"))
                .at(at, "not usable as a name")
                .help("use 1 to 63 letters, digits, `-`, `_` and `.`, beginning with a letter or digit"),
        );
    }
    fine.then_some(text)
}
