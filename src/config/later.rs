//! Keys that belong to later versions (load): read and checked,
//! so that a file may hold them already, but said to be without effect, never silently ignored.

use super::scalar::{percent, time_ms};
use super::table::Table;
use super::tree::Node;
use crate::finding::{At, Finding, Findings, code};
use std::collections::BTreeMap;

/// A key that is read and checked, but changes nothing yet.
fn without_effect(what: &str, at: At) -> Finding {
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

    /// `load:` of a PoP.
    pub fn of_pop(&mut self, table: &mut Table<'_>, out: &mut Findings) {
        if let Some((key, node)) = table.take_entry("load") {
            self.meet("load", key.at);
            load(node, out);
        }
    }
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
