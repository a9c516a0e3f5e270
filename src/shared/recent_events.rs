//! The last events, for readers that follow them while they happen.
//!
//! A ring of slots: an event takes the next number and replaces the event in its slot. Readers ask
//! by number, so a slow reader holds nothing up, and learns which events it has missed.

use crate::limits::{RECENT_EVENT_OCTETS_MAX, RECENT_EVENTS};
use arc_swap::ArcSwapOption;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Event of the ring.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RecentEvent {
    /// Number of the event in this run of the server, from 1.
    pub(crate) number: u64,
    /// Kind of the event.
    pub(crate) kind: &'static str,
    /// Line of the event log, without its end.
    pub(crate) line: Box<str>,
    /// Line for readers that may be anyone; `None` if it is the same.
    pub(crate) public: Option<Box<str>>,
}

/// Ring of the last events.
#[derive(Debug)]
pub(crate) struct RecentEvents {
    /// Name of this run of the server, so that numbers of different runs are not mixed up.
    run: OnceLock<String>,
    newest: AtomicU64,
    slots: Box<[ArcSwapOption<RecentEvent>]>,
}

impl Default for RecentEvents {
    fn default() -> RecentEvents {
        RecentEvents {
            run: OnceLock::new(),
            newest: AtomicU64::new(0),
            slots: (0..RECENT_EVENTS).map(|_| ArcSwapOption::empty()).collect(),
        }
    }
}

/// Result of asking for an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recent {
    /// The event.
    Event(Arc<RecentEvent>),
    /// The event has not happened yet.
    NotYet,
    /// The event was replaced by a newer one.
    Gone,
}

impl RecentEvents {
    /// Names this run of the server. Only the first name counts.
    pub(crate) fn name_run(&self, name: String) {
        let _ = self.run.set(name);
    }

    /// Name of this run of the server.
    pub(crate) fn run(&self) -> &str {
        self.run.get().map_or("0", String::as_str)
    }

    /// Adds an event. `public` is its line for readers that may be anyone, if it differs; `short`
    /// makes the line that stands for one that is too long.
    pub(crate) fn push(
        &self,
        kind: &'static str,
        line: &str,
        public: Option<&str>,
        short: impl Fn() -> String,
    ) {
        let number = self.newest.fetch_add(1, Ordering::AcqRel) + 1;
        let bounded = |line: &str| match line.len() <= RECENT_EVENT_OCTETS_MAX {
            true => line.into(),
            false => short().into_boxed_str(),
        };
        let (line, public) = (bounded(line), public.map(bounded));
        self.slot(number).store(Some(Arc::new(RecentEvent { number, kind, line, public })));
    }

    /// Number of the newest event; 0 before the first.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    /// Number of the oldest event that may still be there.
    pub(crate) fn oldest(&self) -> u64 {
        (self.newest() + 1).saturating_sub(RECENT_EVENTS as u64).max(1)
    }

    /// The event of a number, from 1.
    pub(crate) fn get(&self, number: u64) -> Recent {
        if number > self.newest() {
            return Recent::NotYet;
        }
        match self.slot(number).load_full() {
            Some(event) if event.number == number => Recent::Event(event),
            Some(event) if event.number > number => Recent::Gone,
            // Its number is taken, and it is about to be stored.
            _ => Recent::NotYet,
        }
    }

    fn slot(&self, number: u64) -> &ArcSwapOption<RecentEvent> {
        &self.slots[(number % RECENT_EVENTS as u64) as usize]
    }
}

#[cfg(test)]
mod tests;
