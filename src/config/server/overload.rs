//! `overload`: clients that keep their answers while the node has more queries than it can answer.

use crate::config::scalar::{seconds_within, switch};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::finding::Findings;
use crate::limits::KNOWN_AFTER_SECS_MAX;
use crate::overload::Overload;

/// Default time between two useful answers that make a prefix known: most floods that begin with
/// names that exist end sooner.
const KNOWN_AFTER_SECS: u32 = 60;

/// Reads the settings; `None` where they are off. A section must say whether they are, so that
/// another key alone is not taken for a protection.
pub(super) fn lower(node: &Node, out: &mut Findings) -> Option<Overload> {
    let mut table = MapReader::open(node, "`overload`", out)?;
    let known_first = table.need("known_first", out).and_then(|node| switch(node, "known_first", out));
    let known_after = table
        .take("known_after")
        .and_then(|node| seconds_within(node, "known_after", 1..=KNOWN_AFTER_SECS_MAX, out));
    table.finish(out);
    let known_after_secs = known_after.unwrap_or(KNOWN_AFTER_SECS);
    (known_first == Some(true)).then_some(Overload { known_after_secs })
}
