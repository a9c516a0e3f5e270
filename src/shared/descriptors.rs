//! File descriptors of the process: the limit, the share of each part, and the number in use.
//!
//! ```text
//!  limit ─┬─ own      sockets, files of a reload, logs
//!         ├─ pages    connections of the control socket and of the admin address
//!         ├─ probes   checks, load feeds, programs
//!         └─ streams  what is left, or less: connections of DNS
//! ```
//!
//! Each part keeps to its share, so that a storm of TCP connections cannot take descriptors from
//! probes or pages.

use super::streams::descriptor_streams;
use crate::answer::Transport;
use crate::shared::alarm::{Alarm, AlarmKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

closed_union! {
    /// Part of the server that holds descriptors. Its word stands in metrics.
    pub(crate) enum Use {
        /// Connections of a stream transport.
        Stream(transport: Transport = descriptor_streams()) = transport.word(),
        /// Control socket and admin address.
        Pages = "pages",
        /// Checks, load feeds, programs.
        Probes = "probes",
        /// All descriptors that are not counted one by one.
        Own = "own",
    }
}

/// Most descriptors of each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Limit of the process; `usize::MAX` for none.
    pub(crate) limit: usize,
    /// Share of each part, in order of [`Use::all`].
    parts: Box<[usize]>,
}

impl Default for Shares {
    /// No limit, for systems without one.
    fn default() -> Shares {
        Shares::each(usize::MAX, |_| usize::MAX)
    }
}

impl Shares {
    /// Shares of a limit.
    pub(crate) fn each(limit: usize, share: impl FnMut(Use) -> usize) -> Shares {
        Shares { limit, parts: Use::all().map(share).collect() }
    }

    /// Share of one part.
    pub(crate) fn of(&self, part: Use) -> usize {
        self.parts[part.index()]
    }

    /// Sum of all shares.
    pub(crate) fn sum(&self) -> usize {
        self.parts.iter().sum()
    }
}

/// Descriptors of one server.
#[derive(Debug)]
pub(crate) struct Descriptors {
    shares: Shares,
    /// Descriptors that each part holds, in order of [`Use::all`]. [`Use::Own`] is never counted.
    held: Box<[AtomicUsize]>,
    open: AtomicUsize,
    exhausted: AtomicU64,
    /// Start of the current shortage, in seconds since 1970; 0 if there is none.
    short_since: AtomicU64,
}

impl Default for Descriptors {
    fn default() -> Descriptors {
        Descriptors::new(Shares::default())
    }
}

/// One descriptor of a part, released on drop.
#[derive(Debug)]
pub(crate) struct Held {
    descriptors: Arc<Descriptors>,
    part: Use,
}

impl Descriptors {
    /// Counters for these shares.
    pub(crate) fn new(shares: Shares) -> Descriptors {
        Descriptors {
            shares,
            held: Use::all().map(|_| AtomicUsize::new(0)).collect(),
            open: AtomicUsize::new(0),
            exhausted: AtomicU64::new(0),
            short_since: AtomicU64::new(0),
        }
    }

    /// Shares of the parts.
    pub(crate) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Counts one more descriptor of a part. The caller keeps to the share.
    pub(crate) fn hold(self: Arc<Descriptors>, part: Use) -> Held {
        if let Some(count) = self.count(part) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Held { descriptors: self, part }
    }

    /// Count of a part; `None` if its descriptors are not counted one by one.
    fn count(&self, part: Use) -> Option<&AtomicUsize> {
        match part {
            Use::Stream(_) | Use::Pages | Use::Probes => Some(&self.held[part.index()]),
            Use::Own => None,
        }
    }

    /// Descriptors that a part holds. For `Own`: those that were open at the last check, less all
    /// others.
    pub(crate) fn held(&self, part: Use) -> usize {
        match self.count(part) {
            Some(count) => count.load(Ordering::Relaxed),
            None => {
                let others: usize = self.held.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                self.open().saturating_sub(others)
            }
        }
    }

    /// Open descriptors at the last check.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Notes the number of open descriptors.
    pub(crate) fn note_open(&self, open: usize) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// Notes that the system refused a descriptor, or the memory for one.
    pub(crate) fn note_exhausted(&self) {
        self.exhausted.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes the start of a shortage, in seconds since 1970, or its end.
    pub(crate) fn note_short(&self, since_epoch_secs: Option<u64>) {
        self.short_since.store(since_epoch_secs.unwrap_or(0), Ordering::Relaxed);
    }

    /// Alarm during a shortage.
    pub(crate) fn alarm(&self) -> Option<Alarm> {
        let since_epoch_secs = self.short_since.load(Ordering::Relaxed);
        (since_epoch_secs > 0).then(|| Alarm {
            key: AlarmKey::DescriptorsShort,
            sentence: self.sentence(),
            since_epoch_secs,
        })
    }

    /// Sentence of the alarm.
    pub(crate) fn sentence(&self) -> String {
        let held = |part: Use| format!("{} {}", self.held(part), part.word());
        format!(
            "descriptors are short: {} of {} are open ({}), and the system refused {}",
            self.open(),
            self.shares.limit,
            Use::all().map(held).collect::<Vec<_>>().join(", "),
            self.exhausted()
        )
    }

    /// Number of descriptors that the system refused.
    pub(crate) fn exhausted(&self) -> u64 {
        self.exhausted.load(Ordering::Relaxed)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(count) = self.descriptors.count(self.part) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
