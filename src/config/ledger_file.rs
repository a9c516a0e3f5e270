//! `state/overrides.yaml`: the ledger as text for people to read and repair, and its comparison
//! with `pops.yaml`.
//!
//! The program rewrites the file at every change: one block per entry, oldest first, with the words
//! of people always quoted. At the start it reads the file, all of it or nothing.

use super::scalar::{any_text, choice, integer, members, refuse, text};
use super::table::MapReader;
use super::tree::{self, Node};
use crate::budget::Budget;
use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::limits::{OVERRIDE_SECS_MAX, WEIGHT_MAX};
use crate::rfc3339;
use crate::steer::ledger::{Action, Ledger, Override, Selector};
use crate::steer::pop::{AdminState, Pop};
use crate::steer::transition::Transition;
use std::fmt::Write;

const HEAD: &str = "\
# Manual overrides of PoPs on this node, set by `meridian pop`. For each PoP the last entry wins, over \
pops.yaml.
# The server reads this file when it starts and writes it at every change: stop it before you edit.
";

/// A ledger with the places of its entries.
pub(crate) struct WrittenLedger {
    /// The ledger.
    pub(crate) ledger: Ledger,
    /// Places of the entries, in their order.
    pub(crate) places: Vec<At>,
}

/// Reads a ledger from the file with number `file`. `None` if any part is invalid.
pub(crate) fn read(octets: &[u8], file: FileId, out: &mut Findings) -> Option<WrittenLedger> {
    let before = out.iter().filter(|finding| is_error(finding)).count();
    let Ok(text) = std::str::from_utf8(octets) else {
        out.push(Finding::error(code::NOT_UTF8, "the ledger is not UTF-8 text").at(At::whole(file), ""));
        return None;
    };
    let root = tree::parse(text, file, &Budget::default(), out)?;
    let mut written = WrittenLedger { ledger: Ledger::default(), places: Vec::new() };
    let mut table = MapReader::open(&root, "the ledger", out)?;
    // The key is required, so that a truncated file is not read as an empty ledger.
    let list = table.need("overrides", out);
    for node in list.map(members).unwrap_or_default() {
        if let Some(entry) = lower(node, out) {
            match written.ledger.add(entry) {
                Ok(_) => written.places.push(node.at),
                Err(sentence) => out.push(Finding::error(code::BAD_VALUE, sentence).at(node.at, "in here")),
            }
        }
    }
    table.finish(out);
    let after = out.iter().filter(|finding| is_error(finding)).count();
    (before == after).then_some(written)
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == crate::finding::Severity::Error
}

/// [`read`] for a single file, with findings in their final form.
pub fn read_alone(octets: &[u8], path: &str) -> Result<Ledger, Box<(Findings, Files)>> {
    let (mut files, mut findings) = (Files::default(), Findings::default());
    let file = files.add(path, String::from_utf8_lossy(octets));
    match read(octets, file, &mut findings) {
        Some(written) => Ok(written.ledger),
        None => Err(Box::new((findings, files))),
    }
}

fn lower(node: &Node, out: &mut Findings) -> Option<Override> {
    let mut table = MapReader::open(node, "an override", out)?;
    let selector = table.need("pops", out).and_then(|node| {
        let selector = Selector::parse(text(node, "pops", out)?);
        selector
            .map_err(|sentence| {
                out.push(Finding::error(code::BAD_VALUE, sentence).at(node.at, "not a selector"))
            })
            .ok()
    });
    let states = AdminState::ALL.map(|state| (state.word(), state));
    let state = table.take_entry("state");
    let weight = table.take_entry("weight");
    let action = match (state, weight) {
        (Some((_, node)), None) => choice(node, "state", &states, out).map(Action::State),
        (None, Some((_, node))) if super::scalar::plain(node) == Some("auto") => Some(Action::Weight(None)),
        (None, Some((_, node))) => integer(node, "weight", 0..=i64::from(WEIGHT_MAX), out)
            .map(|weight| Action::Weight(u32::try_from(weight).ok())),
        _ => {
            out.push(
                Finding::error(code::MISSING_KEY, "an override needs either a state or a weight")
                    .at(node.at, "in here")
                    .help("write one of `state` and `weight`"),
            );
            None
        }
    };
    let mut words = |key: &'static str, out: &mut Findings| {
        table.need(key, out).and_then(|node| any_text(node, key, out)).map(Into::into)
    };
    let (reason, author) = (words("reason", out), words("author", out));
    let set = table.need("set", out).and_then(|node| date_time(node, "set", out));
    let until = table.take("until").map(|node| date_time(node, "until", out));
    // A transition without duration that starts no later than its override was set is immediate.
    let transition = transition(&mut table, out).map(|transition| {
        if transition.over_secs == 0 && transition.start_epoch_secs <= set.unwrap_or(0) {
            Transition::default()
        } else {
            transition
        }
    });
    table.finish(out);
    Some(Override {
        id: 0,
        selector: selector?,
        action: action?,
        author: author?,
        reason: reason?,
        set_epoch_secs: set?,
        until_epoch_secs: match until {
            Some(until) => Some(until?),
            None => None,
        },
        transition: transition?,
    })
}

/// Reads the start and duration of an override; without them it takes effect at once.
fn transition(table: &mut MapReader<'_>, out: &mut Findings) -> Option<Transition> {
    let mut number = |key: &'static str, max: u64, out: &mut Findings| match table.take(key) {
        Some(node) => integer(node, key, 0..=i64::try_from(max).unwrap_or(i64::MAX), out)
            .and_then(|n| u64::try_from(n).ok()),
        None => Some(0),
    };
    let over_secs = number("over_secs", OVERRIDE_SECS_MAX, out);
    let from = number("from", u64::from(WEIGHT_MAX), out);
    let start = table.take("start").map(|node| date_time(node, "start", out));
    let start_epoch_secs = start.unwrap_or(Some(0))?;
    Some(Transition { start_epoch_secs, over_secs: over_secs?, from: u32::try_from(from?).ok()? })
}

fn date_time(node: &Node, key: &str, out: &mut Findings) -> Option<u64> {
    let found = text(node, key, out).map(rfc3339::parse)?;
    if found.is_none() {
        refuse(node, key, "a time such as 2026-03-01T12:00:00Z", out);
    }
    found
}

/// Text of a ledger.
pub fn print(ledger: &Ledger) -> String {
    let mut text = String::from(HEAD);
    if ledger.entries().is_empty() {
        text.push_str("overrides: []\n");
        return text;
    }
    text.push_str("overrides:\n");
    for entry in ledger.entries() {
        let _ = writeln!(text, "  - pops: {}", quoted(&entry.selector.to_string()));
        let _ = match entry.action {
            Action::State(state) => writeln!(text, "    state: {}", state.word()),
            Action::Weight(Some(weight)) => writeln!(text, "    weight: {weight}"),
            Action::Weight(None) => writeln!(text, "    weight: auto"),
        };
        let _ =
            writeln!(text, "    reason: {}\n    author: {}", quoted(&entry.reason), quoted(&entry.author));
        let _ = writeln!(text, "    set: {}", rfc3339::date_time(entry.set_epoch_secs));
        let Transition { start_epoch_secs, over_secs, from } = entry.transition;
        if start_epoch_secs > 0 {
            let _ = writeln!(
                text,
                "    start: {}\n    over_secs: {over_secs}\n    from: {from}",
                rfc3339::date_time(start_epoch_secs)
            );
        }
        if let Some(until) = entry.until_epoch_secs {
            let _ = writeln!(text, "    until: {}", rfc3339::date_time(until));
        }
    }
    text
}

/// A text in double quotes, with escapes for invisible characters.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ' => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Notes about PoPs whose state both the ledger and `pops.yaml` set, and about entries that cover
/// no PoP.
pub(crate) fn compare(written: &WrittenLedger, pops: &[Pop], now_epoch_secs: u64) -> Findings {
    let mut out = Findings::default();
    let place = |id: Option<u64>| {
        let index = written.ledger.entries().iter().position(|entry| Some(entry.id) == id)?;
        Some((written.ledger.entries().get(index)?, *written.places.get(index)?))
    };
    for (pop, effective) in pops.iter().zip(written.ledger.effective(pops, now_epoch_secs)) {
        let Some((entry, at)) = place(effective.state_by) else { continue };
        if !pop.state.is_auto() {
            let message = format!(
                "the file gives the PoP `{}` as `{}`, but the ledger of this node as `{}`",
                pop.state.word(),
                pop.name,
                entry.action
            );
            out.push(
                Finding::note(code::LEDGER_AND_FILE, message)
                    .at(at, "the override takes precedence")
                    .related(pop.at, "the PoP in the file")
                    .help(format!("`meridian pop auto {}` lets the file decide", pop.name)),
            );
        }
    }
    for (entry, at) in written.ledger.entries().iter().zip(&written.places) {
        if !pops.iter().any(|pop| entry.selector.covers(pop)) {
            out.push(
                Finding::note(
                    code::LEDGER_COVERS_NOBODY,
                    format!("the override of `{}` covers no PoP", entry.selector),
                )
                .at(*at, "in here"),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests;
