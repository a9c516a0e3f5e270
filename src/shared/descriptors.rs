//! Descriptors of the process: the limit, the share that each part may hold, and what each holds.
//!
//! ```text
//!  limit ─┬─ own      sockets, files of a reload, logs
//!         ├─ pages    connections of the control socket and of the admin address
//!         ├─ probes   checks, load feeds, programs
//!         └─ tcp      what is left, or less: connections of DNS over TCP
//! ```
//!
//! Each part keeps within its share, so that a storm of TCP connections takes the descriptor of no
//! probe and of no page.

use crate::shared::alarm::{Alarm, AlarmKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A part that holds descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// DNS over TCP.
    Tcp,
    /// Control socket and admin address.
    Pages,
    /// Checks, load feeds, programs.
    Probes,
    /// Whatever is not counted one by one.
    Own,
}

impl Use {
    /// Every part.
    pub(crate) const ALL: [Use; 4] = [Use::Tcp, Use::Pages, Use::Probes, Use::Own];

    /// The word in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Use::Tcp => "tcp",
            Use::Pages => "pages",
            Use::Probes => "probes",
            Use::Own => "own",
        }
    }
}

/// What each part may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Descriptors that the process may have open.
    pub(crate) limit: usize,
    /// TCP connections.
    pub(crate) tcp: usize,
    /// Connections to pages.
    pub(crate) pages: usize,
    /// Descriptors of probes.
    pub(crate) probes: usize,
    /// Sockets, files and the like.
    pub(crate) own: usize,
}

impl Default for Shares {
    /// No limit, as where the system has none.
    fn default() -> Shares {
        let all = usize::MAX;
        Shares { limit: all, tcp: all, pages: all, probes: all, own: all }
    }
}

impl Shares {
    /// The share of one part.
    pub(crate) fn of(&self, part: Use) -> usize {
        match part {
            Use::Tcp => self.tcp,
            Use::Pages => self.pages,
            Use::Probes => self.probes,
            Use::Own => self.own,
        }
    }
}

/// The descriptors of one server.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    shares: Shares,
    held: [AtomicUsize; 3],
    open: AtomicUsize,
    exhausted: AtomicU64,
    /// Since when they are short, in seconds since 1970; 0 while they are not.
    short_since: AtomicU64,
}

/// One descriptor of a part, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    descriptors: Arc<Descriptors>,
    part: Use,
}

impl Descriptors {
    /// Counts for these shares.
    pub(crate) fn new(shares: Shares) -> Descriptors {
        Descriptors { shares, ..Descriptors::default() }
    }

    /// The shares.
    pub(crate) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Counts one more descriptor of a part. The part itself keeps within its share.
    pub(crate) fn hold(self: Arc<Descriptors>, part: Use) -> Held {
        if let Some(count) = self.held.get(part as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Held { descriptors: self, part }
    }

    /// What a part holds; of the own ones, what was open at the last look beyond the others.
    pub(crate) fn held(&self, part: Use) -> usize {
        match self.held.get(part as usize) {
            Some(count) => count.load(Ordering::Relaxed),
            None => {
                let others: usize = self.held.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                self.open().saturating_sub(others)
            }
        }
    }

    /// Open descriptors at the last look.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Notes how many are open.
    pub(crate) fn note_open(&self, open: usize) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// Notes that the system gave no descriptor, or no memory for one.
    pub(crate) fn note_exhausted(&self) {
        self.exhausted.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes since when descriptors are short, in seconds since 1970.
    pub(crate) fn note_short(&self, since_epoch_secs: Option<u64>) {
        self.short_since.store(since_epoch_secs.unwrap_or(0), Ordering::Relaxed);
    }

    /// The alarm, while they are short.
    pub(crate) fn alarm(&self) -> Option<Alarm> {
        let since_epoch_secs = self.short_since.load(Ordering::Relaxed);
        (since_epoch_secs > 0).then(|| Alarm {
            key: AlarmKey::DescriptorsShort,
            sentence: self.sentence(),
            since_epoch_secs,
        })
    }

    /// The alarm's sentence.
    pub(crate) fn sentence(&self) -> String {
        let held = |part: Use| format!("{} {}", self.held(part), part.word());
        format!(
            "descriptors are short: {} of {} are open ({}), and the system gave none {} times",
            self.open(),
            self.shares.limit,
            Use::ALL.map(held).join(", "),
            self.exhausted()
        )
    }

    /// How often the system gave none.
    pub(crate) fn exhausted(&self) -> u64 {
        self.exhausted.load(Ordering::Relaxed)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(count) = self.descriptors.held.get(self.part as usize) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
