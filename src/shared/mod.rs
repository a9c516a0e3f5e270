//! State that threads share: commands to the writer, and the data that it publishes.
//!
//! ```text
//!   signals, control ── Command ──▶ writer ── publishes ──▶ Published ──▶ workers answer
//!                    ◀── Report ──
//!   workers ── count ──▶ DecisionCounters, Counters ──▶ control adds up and shows
//! ```
//!
//! Nothing here waits, locks or keeps time. A command carries a closure as its callback, so that
//! this folder needs no runtime.

pub(crate) mod alarm;
pub(crate) mod answer_times;
pub(crate) mod captured;
pub(crate) mod cell;
pub(crate) mod command;
pub(crate) mod counters;
pub(crate) mod decisions;
pub(crate) mod descriptors;
pub(crate) mod event;
mod event_line;
pub(crate) mod one_line;
pub(crate) mod operator_view;
pub(crate) mod override_entry;
pub(crate) mod phase;
pub(crate) mod published;
pub(crate) mod quarantine;
pub(crate) mod recent_events;
pub(crate) mod streams;
pub(crate) mod task;
pub(crate) mod tasks;

use self::counters::Counters;
use self::descriptors::Descriptors;
use self::operator_view::OperatorView;
use self::phase::AtomicPhase;
use self::published::Published;
use self::quarantine::Quarantine;
use self::recent_events::RecentEvents;
use self::tasks::TaskBoard;
use crate::overload::OverloadState;
use crate::rrl::Limiter;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// State that all parts of one running server share.
pub struct Shared {
    /// Served snapshot, with its decision counters.
    pub published: Published,
    /// Counters of all workers.
    pub counters: Counters,
    /// Supervised tasks.
    pub(crate) tasks: Arc<TaskBoard>,
    /// Phase of the server's life.
    pub(crate) phase: AtomicPhase,
    /// State of PoPs, as control pages show it.
    pub operator_view: ArcSwap<OperatorView>,
    /// Accounts of the rate limits.
    pub(crate) limiter: Limiter,
    /// Known prefixes, and the share of strangers under overload.
    pub(crate) overload: OverloadState,
    /// Descriptors, by the part that holds them.
    pub(crate) descriptors: Arc<Descriptors>,
    /// Questions that are refused because the program has panicked on messages like them.
    pub(crate) quarantine: Quarantine,
    /// The last events, for readers that follow them.
    pub(crate) recent_events: RecentEvents,
}

impl Shared {
    /// Shared state of a server that does not answer yet.
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
            limiter: Limiter::default(),
            overload: OverloadState::default(),
            descriptors,
            quarantine: Quarantine::default(),
            recent_events: RecentEvents::default(),
        }
    }
}
