//! Comparing: what the files on the disk would move, if the server took them over now.

use crate::finding::{Files, Finding, code};
use crate::health::health_state::SlotHealth;
use crate::reload::prepare::{self, RestartOnly};
use crate::server::overrides::{LiveInputs, with_live_state};
use crate::shared::command::Compared;
use crate::shared::comparison::Comparison;
use crate::shared::decisions::Decisions;
use crate::snapshot::Snapshot;
use crate::snapshot::carry::{Carried, carry};
use crate::steer::ledger::Ledger;
use crate::sys::clock::epoch_secs;
use std::path::Path;
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

/// One comparison at a time: each takes a core for as long as a reload, or longer.
#[derive(Debug, Default)]
pub(crate) struct Comparer {
    running: Option<JoinHandle<()>>,
}

impl Comparer {
    /// Begins one on a thread of its own, or says that another runs. Must run inside a Tokio
    /// runtime.
    pub(crate) fn begin(
        &mut self,
        compare: impl FnOnce() -> Compared + Send + 'static,
        reply: Box<dyn FnOnce(Compared) + Send>,
    ) {
        if self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            let finding = Finding::error(code::RELOAD_BUSY, "another comparison runs")
                .help("try again when that has ended");
            return reply(Err(Box::new((finding.into(), Files::default()))));
        }
        self.running = Some(spawn_blocking(move || reply(compare())));
    }
}

/// Reads and compiles the files as a reload would, under the overrides, verdicts and shares of now,
/// and replays every leaf. Takes as long as that: call it where waiting is allowed.
pub(crate) fn compare(
    root: &Path,
    fixed: &RestartOnly,
    ledger: &Ledger,
    served: &Arc<Snapshot>,
    counted: &Decisions,
    probed: &[SlotHealth],
) -> Compared {
    let sequence = served.sequence() + 1;
    let fresh = prepare::run(root, Some(served), Some(fixed), sequence)?.snapshot;
    let Carried { health_state, left, sheds } = carry(served, &fresh, probed);
    let after = with_live_state(
        ledger,
        &fresh,
        LiveInputs { health_state: &health_state, left: &left, sheds: &sheds },
        epoch_secs(),
        sequence,
    );
    Ok(Comparison::new(served, &after, counted))
}
