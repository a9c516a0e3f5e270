//! State that threads share: commands from the edges to the single writer, and what it publishes.
//!
//! ```text
//!   signals, control ── Command ──▶ writer ── publishes ──▶ Published ──▶ workers answer, count
//!                    ◀── Report ──       DecisionCounters, Counters ──▶ control folds and shows
//! ```
//!
//! Nothing here waits, locks or keeps time: commands carry the way back to their sender as a
//! closure, so that this folder knows no runtime.

pub(crate) mod command;
pub(crate) mod counters;
pub(crate) mod decisions;
pub(crate) mod descriptors;
pub(crate) mod event;
pub(crate) mod one_line;
pub(crate) mod operator_view;
pub(crate) mod phase;
pub(crate) mod published;
pub(crate) mod tasks;

use self::counters::Counters;
use self::descriptors::Descriptors;
use self::operator_view::OperatorView;
use self::phase::AtomicPhase;
use self::published::Published;
use self::tasks::TaskBoard;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// Everything the parts of one running server share.
pub struct Shared {
    /// The published snapshot, and what it decided.
    pub published: Published,
    /// What was counted.
    pub counters: Counters,
    /// Tasks of the control plane.
    pub(crate) tasks: Arc<TaskBoard>,
    /// How far the server is in its life.
    pub(crate) phase: AtomicPhase,
    /// What is shown of PoPs.
    pub operator_view: ArcSwap<OperatorView>,
    /// Descriptors, by the part that holds them.
    pub(crate) descriptors: Arc<Descriptors>,
}

impl Shared {
    /// Makes the shared state of a server that does not answer yet.
    pub(crate) fn new(
        published: Published,
        counters: Counters,
        operator_view: OperatorView,
        tasks: Arc<TaskBoard>,
        descriptors: Arc<Descriptors>,
    ) -> Shared {
        Shared {
            tasks,
            published,
            counters,
            phase: AtomicPhase::default(),
            operator_view: ArcSwap::from_pointee(operator_view),
            descriptors,
        }
    }
}
