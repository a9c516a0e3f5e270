//! Comparing: what the files on the disk would move, if the server took them over now.

use crate::desk::command::Compared;
use crate::desk::comparison::Comparison;
use crate::desk::tally::Decisions;
use crate::reload::cycle::{self, Fixed};
use crate::server::overrides::{Truth, over};
use crate::server::writer::epoch_secs;
use crate::snapshot::Snapshot;
use crate::snapshot::carry::{Carried, carry};
use crate::steer::ledger::Ledger;
use std::path::Path;
use std::sync::Arc;

/// Reads and compiles the files as a reload would, under the overrides, verdicts and shares of now, and replays every
/// leaf. Takes as long as that: call it where waiting is allowed.
pub fn compare(root: &Path, fixed: &Fixed, ledger: &Ledger, served: &Arc<Snapshot>, counted: &Decisions) -> Compared {
    let sequence = served.sequence() + 1;
    let fresh = cycle::run(root, Some(served), Some(fixed), sequence)?.snapshot;
    let Carried { picture, left, sheds } = carry(served, &fresh);
    let after = over(ledger, &fresh, Truth { picture: &picture, left: &left, sheds: &sheds }, epoch_secs(), sequence);
    Ok(Comparison::new(served, &after, counted))
}
