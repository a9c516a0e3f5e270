//! Keys that belong to later versions (probes, capacity, load): read and checked,
//! so that a file may hold them already, but said to be without effect, never silently ignored.

use super::scalar::{integer, members, number, percent, text, time_ms};
use super::table::{Table, nearest};
use super::tree::{Key, Node};
use crate::finding::{At, Finding, Findings, code};
use std::collections::BTreeMap;

/// A key that is read and checked, but changes nothing yet.
pub(super) fn without_effect(what: &str, at: At) -> Finding {
    let what = if what.starts_with('`') { what.to_owned() } else { format!("`{what}`") };
    Finding::warning(code::BAD_VALUE, format!("{what} is read and checked but not yet acted upon"))
        .at(at, "takes effect in a later version")
}

/// Which later keys were met, each with its first place and how often.
#[derive(Default)]
pub(super) struct Later {
    met: BTreeMap<&'static str, (At, usize)>,
}

impl Later {
    fn meet(&mut self, key: &'static str, at: At) {
        self.met.entry(key).or_insert((at, 0)).1 += 1;
    }

    /// One finding for each key.
    pub fn tell(self, out: &mut Findings) {
        for (key, (at, times)) in self.met {
            let more = match times {
                1 => String::new(),
                2 => " (and in one more place)".to_owned(),
                n => format!(" (and in {} more places)", n - 1),
            };
            out.push(without_effect(&format!("`{key}`{more}"), at));
        }
    }

    /// `probes:` of the PoP file; gives the names.
    pub fn probes<'n>(&mut self, entry: Option<(&'n Key, &'n Node)>, out: &mut Findings) -> Vec<&'n str> {
        let Some((key, node)) = entry else { return Vec::new() };
        self.meet("probes", key.at);
        let Some(mut table) = Table::open(node, "`probes`", out) else { return Vec::new() };
        let mut names = Vec::new();
        for (key, node) in table.rest() {
            names.push(&*key.text);
            probe(&key.text, node, out);
        }
        names
    }

    /// `probe:`, `capacity:` and `load:` of a PoP, `probe:` of a service.
    pub fn of_service(&mut self, table: &mut Table<'_>, probes: &[&str], out: &mut Findings) {
        if let Some((key, node)) = table.take_entry("probe") {
            self.meet("probe", key.at);
            for member in members(node) {
                if let Some(name) = text(member, "probe", out)
                    && !probes.contains(&name)
                {
                    let mut finding = Finding::error(code::BAD_VALUE, format!("there is no probe `{name}`")).at(member.at, "not defined");
                    if let Some(near) = nearest(name, probes.iter().copied()) {
                        finding = finding.help(format!("did you mean `{near}`?"));
                    }
                    out.push(finding);
                }
            }
        }
    }

    /// `capacity:` and `load:` of a PoP.
    pub fn of_pop(&mut self, table: &mut Table<'_>, out: &mut Findings) {
        if let Some((key, node)) = table.take_entry("capacity") {
            self.meet("capacity", key.at);
            number(node, "capacity", 0.0..=1e15, out);
        }
        if let Some((key, node)) = table.take_entry("load") {
            self.meet("load", key.at);
            load(node, out);
        }
    }
}

const KINDS: [&str; 9] = ["https", "http", "tcp", "dns", "exec", "file", "push", "icmp", "all_of"];

fn probe(name: &str, node: &Node, out: &mut Findings) {
    let Some(mut table) = Table::open(node, format!("the probe `{name}`"), out) else { return };
    let kinds: Vec<&Node> = KINDS.iter().filter_map(|kind| table.take(kind)).collect();
    if kinds.len() != 1 {
        out.push(
            Finding::error(code::BAD_VALUE, format!("the probe `{name}` must have exactly one kind"))
                .at(node.at, format!("has {}", kinds.len()))
                .help(format!("the kinds are {}", KINDS.join(", "))),
        );
    }
    let every = table.take("every").and_then(|node| time_ms(node, "every", 100..=86_400_000, out));
    if let Some(node) = table.take("timeout") {
        let timeout = time_ms(node, "timeout", 10..=86_400_000, out);
        if let (Some(every), Some(timeout)) = (every, timeout)
            && timeout >= every
        {
            out.push(Finding::error(code::BAD_VALUE, "`timeout` must be shorter than `every`").at(node.at, "not shorter than `every`"));
        }
    }
    for key in ["up_after", "down_after", "ok_after"] {
        if let Some(node) = table.take(key) {
            integer(node, key, 1..=1_000, out);
        }
    }
    table.finish(out);
}

fn load(node: &Node, out: &mut Findings) {
    let Some(mut table) = Table::open(node, "`load`", out) else { return };
    let kinds = ["http", "prometheus", "file", "push"].iter().filter(|kind| table.take(kind).is_some()).count();
    if kinds != 1 {
        out.push(
            Finding::error(code::BAD_VALUE, "`load` must have exactly one feed")
                .at(node.at, format!("has {kinds}"))
                .help("the feeds are http, prometheus, file and push"),
        );
    }
    for key in ["target", "limit"] {
        if let Some(node) = table.take(key) {
            percent(node, key, 1..=1_000, out);
        }
    }
    for key in ["every", "stale_after"] {
        if let Some(node) = table.take(key) {
            time_ms(node, key, 1_000..=86_400_000, out);
        }
    }
    table.finish(out);
}
