//! Settings shared by policies and rules: order, band, weights, TTL, answers, and the fallback.

use super::BAND_DEFAULT;
use crate::config::pops::weight;
use crate::config::scalar::{choice, integer, name, percent, plain, refuse, seconds};
use crate::config::table::MapReader;
use crate::config::tree::{Node, ValueKind};
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::limits::ANSWERS_MAX;
use crate::steer::policy::{BandWidth, LATENCY_BAND_MILLIS, LatencyBand, Order, TtlRange, WhenAllDown};
use crate::steer::pop::PopId;
use crate::wire::name::Name;

/// Default TTL bounds of a policy, in seconds: short enough to move clients within a minute, long
/// enough to make caches useful.
pub(crate) const TTL_DEFAULT: TtlRange = TtlRange { min_secs: 30, max_secs: 60 };

/// `order:`.
pub(crate) fn order(node: &Node, out: &mut Findings) -> Option<Order> {
    choice(node, "order", &Order::ALL.map(|order| (order.word(), order)), out)
}

/// `band:`.
pub(crate) fn band(node: &Node, out: &mut Findings) -> Option<BandWidth> {
    if plain(node) == Some("none") {
        return Some(BandWidth::None);
    }
    if plain(node).is_some_and(|t| t.ends_with('%')) {
        return percent(node, "band", 0..=1_000, out).map(BandWidth::Percent);
    }
    if let ValueKind::Map(_) = node.kind {
        let mut table = MapReader::open(node, "`band`", out)?;
        let millis = table.take("ms").and_then(|node| integer(node, "ms", 0..=3_000, out));
        let percent = table.take("percent").and_then(|node| integer(node, "percent", 0..=1_000, out));
        table.finish(out);
        return Some(BandWidth::Latency(LatencyBand {
            millis: millis.map_or(LATENCY_BAND_MILLIS, |millis| millis as u16),
            percent: percent.map_or(BAND_DEFAULT, |percent| percent as u16),
        }));
    }
    refuse(
        node,
        "band",
        "a percentage such as `10%`, `{ ms: 5, percent: 10 }` with `order: latency`, or `none`",
        out,
    );
    None
}

/// `answers:`.
pub(crate) fn answers(node: &Node, out: &mut Findings) -> Option<u8> {
    integer(node, "answers", 1..=i64::from(ANSWERS_MAX), out).map(|n| n as u8)
}

/// `ttl:` as a number, or as `{ min, max }`; a missing bound has its default.
pub(crate) fn ttl(node: &Node, out: &mut Findings) -> Option<TtlRange> {
    let ValueKind::Map(_) = node.kind else {
        return seconds(node, "ttl", out).map(|secs| TtlRange { min_secs: secs, max_secs: secs });
    };
    let mut table = MapReader::open(node, "`ttl`", out)?;
    let (min, max) = (table.take("min"), table.take("max"));
    let faults = out.len();
    let min_secs = min.and_then(|node| seconds(node, "min", out));
    let max_secs = max.and_then(|node| seconds(node, "max", out));
    table.finish(out);
    let range = match (min_secs, max_secs) {
        (Some(min_secs), Some(max_secs)) => TtlRange { min_secs, max_secs },
        (Some(min_secs), None) => TtlRange { min_secs, max_secs: TTL_DEFAULT.max_secs.max(min_secs) },
        (None, Some(max_secs)) => TtlRange { min_secs: TTL_DEFAULT.min_secs.min(max_secs), max_secs },
        (None, None) => TTL_DEFAULT,
    };
    if range.min_secs > range.max_secs {
        let at = min.map_or(node.at, |node| node.at);
        let message =
            format!("the smallest TTL, {}, is more than the largest, {}", range.min_secs, range.max_secs);
        out.push(Finding::error(code::BAD_VALUE, message).at(at, "more than `max`"));
    }
    (out.len() == faults).then_some(range)
}

/// `when_all_down:`.
pub(crate) fn when_all_down(node: &Node, origin: Option<&Name>, out: &mut Findings) -> Option<WhenAllDown> {
    if let ValueKind::Map(_) = node.kind {
        let mut table = MapReader::open(node, "`when_all_down`", out)?;
        let target = table.need("cname", out).and_then(|node| name(node, "cname", origin, out));
        table.finish(out);
        return target.map(WhenAllDown::Cname);
    }
    let words = [
        ("as_if_up", WhenAllDown::AsIfUp),
        ("nodata", WhenAllDown::NoData),
        ("servfail", WhenAllDown::ServFail),
        ("last_good", WhenAllDown::LastGood),
    ];
    choice(node, "when_all_down", &words, out)
}

/// `weights:`, sorted by PoP, each with its place.
pub(crate) fn weights(node: &Node, world: &World, out: &mut Findings) -> Vec<(PopId, u32, At)> {
    let Some(mut table) = MapReader::open(node, "`weights`", out) else { return Vec::new() };
    let mut weights: Vec<(PopId, u32, At)> = Vec::new();
    for (key, node) in table.rest() {
        let pop = world.find_pop(&key.text, key.at, out);
        let weight = weight(node, out);
        weights.extend(pop.zip(weight).map(|(pop, weight)| (pop, weight, key.at)));
    }
    weights.sort_by_key(|(pop, ..)| *pop);
    weights
}
