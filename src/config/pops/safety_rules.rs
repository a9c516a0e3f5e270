//! `safety:` and `safety_off_until:` of the PoP file.

use crate::config::scalar::{integer, percent, plain, refuse};
use crate::config::table::MapReader;
use crate::config::tree::{Node, ValueKind};
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::limits::{POPS_MAX, SAFETY_RULES_MAX};
use crate::steer::pop::PopId;
use crate::steer::safety::{Requirement, SafetyRule};

/// Reads `safety:`.
pub(crate) fn lower(node: &Node, world: &World, out: &mut Findings) -> Vec<SafetyRule> {
    let list = crate::config::scalar::members(node);
    if list.len() > SAFETY_RULES_MAX {
        out.push(
            Finding::error(code::TOO_LARGE, format!("more than {SAFETY_RULES_MAX} safety rules"))
                .at(node.at, "too many"),
        );
    }
    list.iter().take(SAFETY_RULES_MAX).filter_map(|node| rule(node, world, out)).collect()
}

fn rule(node: &Node, world: &World, out: &mut Findings) -> Option<SafetyRule> {
    let mut table = MapReader::open(node, "a safety rule", out)?;
    let fewer = table.take_entry("never_fewer_than");
    let more = table.take_entry("never_more_off_than");
    let of = table.need("of", out);
    let need = match (fewer, more) {
        (Some((_, node)), None) => integer(node, "never_fewer_than", 1..=POPS_MAX as i64, out)
            .map(|least| (node.at, Requirement::NeverFewerThan(least as u32))),
        (None, Some((_, node))) => percent(node, "never_more_off_than", 0..=99, out)
            .map(|most| (node.at, Requirement::NeverMoreOffThan { percent: most as u8 })),
        (fewer, _) => {
            let at = fewer.map_or(node.at, |(key, _)| key.at);
            out.push(
                Finding::error(
                    code::BAD_VALUE,
                    "a safety rule has either `never_fewer_than` or `never_more_off_than`",
                )
                .at(at, if fewer.is_some() { "has both" } else { "has neither" })
                .help("write two rules if both apply"),
            );
            None
        }
    };
    table.finish(out);
    let (of, words) = members(of?, world, out)?;
    let (at, need) = need?;
    if let Requirement::NeverFewerThan(least) = need
        && least as usize > of.len()
    {
        out.push(
            Finding::error(
                code::BAD_VALUE,
                format!("there are only {} PoPs, so {least} can never be in service", of.len()),
            )
            .at(at, "more than the rule covers")
            .help("such a rule would refuse every change"),
        );
        return None;
    }
    Some(SafetyRule { need, of, words, at: node.at })
}

/// Reads the PoPs that a rule covers, and describes them in words.
fn members(node: &Node, world: &World, out: &mut Findings) -> Option<(Vec<PopId>, String)> {
    let (mut of, words): (Vec<PopId>, String) = match &node.kind {
        ValueKind::Text(text) if &**text == "all" => {
            (world.numbered().map(|(id, _)| id).collect(), "all PoPs".to_owned())
        }
        ValueKind::Map(_) => {
            let mut table = MapReader::open(node, "`of`", out)?;
            let tag = table.need("tag", out);
            table.finish(out);
            let name = crate::config::scalar::text(tag?, "tag", out)?;
            (world.tagged(name, tag?.at, out), format!("the PoPs tagged `{name}`"))
        }
        _ => {
            let chosen: Vec<PopId> = crate::config::scalar::members(node)
                .iter()
                .filter_map(|member| {
                    world.find_pop(crate::config::scalar::text(member, "of", out)?, member.at, out)
                })
                .collect();
            let names: Vec<&str> = chosen.iter().map(|id| world.pop_name(*id)).collect();
            let words = crate::config::policy::check::listed(&names);
            if crate::config::scalar::members(node).is_empty() {
                out.push(
                    Finding::error(code::NO_CANDIDATES, "a safety rule that covers no PoP")
                        .at(node.at, "an empty list"),
                );
            }
            (chosen, words)
        }
    };
    of.sort_unstable();
    of.dedup();
    (!of.is_empty()).then_some((of, words))
}

/// Reads `safety_off_until:`, and returns the first second of that day (UTC), from which the rules
/// apply again, in seconds since 1970.
pub(crate) fn off_until(node: &Node, out: &mut Findings) -> Option<(u64, At)> {
    let epoch = plain(node).and_then(date);
    if epoch.is_none() {
        refuse(node, "safety_off_until", "a date such as `2030-01-31`", out);
    }
    epoch.map(|epoch| (epoch, node.at))
}

/// Parses a day from 1970 to 9999 to seconds since 1970.
fn date(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split('-').collect();
    let &[year, month, day] = parts.as_slice() else { return None };
    let number = |text: &str, len: usize| {
        (text.len() == len && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=last).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day ends its year. An era has 400 years.
    let year = year - u64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year / 400 * 146_097 + year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;
    Some((days - 719_468) * 86_400)
}

#[cfg(test)]
mod tests;
