//! `rate_limit`: bounds of the answers that one client prefix gets over UDP.

use crate::config::networks::prefix;
use crate::config::scalar::{choice, integer, is_off, members};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};
use crate::geo::prefix::Prefix;
use crate::limits::{RRL_EXEMPT_MAX, RRL_RATE_MAX};
use crate::rrl::{Class, RateLimit};

/// Default limit of equal answers a second. A resolver asks for a record once a TTL, and a farm of
/// resolvers in one /24 seldom has twenty caches that expire in the same second.
const PER_SECOND: u16 = 20;
/// Default limit of the answers of one name, as a multiple of the limit of equal answers. A
/// resolver with client subnets asks for a name once a TTL for each subnet: 500 a second are 30,000
/// subnets in a minute behind one /24, more than a large public resolver has at one of its sites.
const ANSWERS_PER_NAME_FACTOR: u16 = 25;
/// Default rate of the node's queries below which nothing is limited: with full answers, 500 a
/// second are less than 5 Mbit/s, which harms no victim.
const FROM_QPS: u32 = 500;
/// Default slip: every second limited answer lets a real client go on by TCP, and the octets sent
/// stay below those received.
const SLIP: u8 = 2;

/// Reads the limits; `None` where they are off, or after a finding that leaves nothing to limit.
pub(super) fn lower(node: &Node, out: &mut Findings) -> Option<RateLimit> {
    if is_off(node) {
        return None;
    }
    let mut table = MapReader::open(node, "`rate_limit`", out)?;
    let mut limits = RateLimit {
        is_log_only: false,
        from_qps: FROM_QPS,
        per_second: [PER_SECOND; Class::ALL.len()],
        answers_per_name: 0,
        prefix_per_second: None,
        zone_nxdomain_per_second: None,
        slip: SLIP,
        exempt: Vec::new(),
    };
    if let Some(node) = table.take("mode")
        && let Some(is_log_only) = choice(node, "mode", &[("enforce", false), ("log_only", true)], out)
    {
        limits.is_log_only = is_log_only;
    }
    if let Some(node) = table.take("from_qps")
        && let Some(qps) = integer(node, "from_qps", 0..=i64::from(u32::MAX), out)
    {
        limits.from_qps = qps as u32;
    }
    if let Some(rate) = rate(&mut table, "per_second", out) {
        limits.per_second = [rate; Class::ALL.len()];
    }
    for class in Class::ALL {
        if let Some(rate) = rate(&mut table, class.word(), out) {
            limits.per_second[class as usize] = rate;
        }
    }
    let most = limits.per_second[Class::Answer as usize].saturating_mul(ANSWERS_PER_NAME_FACTOR);
    limits.answers_per_name =
        rate(&mut table, "answers_per_name", out).unwrap_or_else(|| most.min(RRL_RATE_MAX));
    limits.prefix_per_second = rate(&mut table, "prefix_per_second", out);
    limits.zone_nxdomain_per_second = rate(&mut table, "zone_nxdomain_per_second", out);
    if let Some(node) = table.take("slip")
        && let Some(slip) = integer(node, "slip", 0..=10, out)
    {
        limits.slip = slip as u8;
    }
    if let Some(node) = table.take("exempt") {
        limits.exempt = exempt(node, out);
    }
    table.finish(out);
    Some(limits)
}

fn rate(table: &mut MapReader<'_>, key: &'static str, out: &mut Findings) -> Option<u16> {
    let node = table.take(key)?;
    integer(node, key, 1..=i64::from(RRL_RATE_MAX), out).map(|rate| rate as u16)
}

fn exempt(node: &Node, out: &mut Findings) -> Vec<Prefix> {
    let read = |member| prefix(member, "exempt", out).map(|(prefix, _)| prefix);
    let mut prefixes: Vec<Prefix> = members(node).iter().filter_map(read).collect();
    if prefixes.len() > RRL_EXEMPT_MAX {
        let message = format!("`exempt` lists {} prefixes, more than {RRL_EXEMPT_MAX}", prefixes.len());
        out.push(Finding::error(code::TOO_LARGE, message).at(node.at, "too many"));
    }
    prefixes.sort();
    prefixes.dedup();
    prefixes
}
