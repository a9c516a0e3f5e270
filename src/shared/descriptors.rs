//! File descriptors of the process: the limit, the share of each part, and the number in use.
//!
//! ```text
//!  limit ─┬─ own      sockets, files of a reload, logs
//!         ├─ pages    connections of the control socket and of the admin address
//!         ├─ probes   checks, load feeds, programs
//!         └─ tcp      what is left, or less: connections of DNS over TCP
//! ```
//!
//! Each part keeps to its share, so that a storm of TCP connections cannot take descriptors from
//! probes or pages.

use crate::shared::alarm::{Alarm, AlarmKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Part of the server that holds descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// DNS over TCP.
    Tcp,
    /// Control socket and admin address.
    Pages,
    /// Checks, load feeds, programs.
    Probes,
    /// All descriptors that are not counted one by one.
    Own,
}

impl Use {
    /// All parts.
    pub(crate) const ALL: [Use; 4] = [Use::Tcp, Use::Pages, Use::Probes, Use::Own];

    /// Name in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Use::Tcp => "tcp",
            Use::Pages => "pages",
            Use::Probes => "probes",
            Use::Own => "own",
        }
    }
}

/// Most descriptors of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Limit of the process.
    pub(crate) limit: usize,
    /// DNS over TCP.
    pub(crate) tcp: usize,
    /// Connections to the control socket and the admin address.
    pub(crate) pages: usize,
    /// Checks, load feeds and programs.
    pub(crate) probes: usize,
    /// Sockets, files and others.
    pub(crate) own: usize,
}

impl Default for Shares {
    /// No limit, for systems without one.
    fn default() -> Shares {
        let all = usize::MAX;
        Shares { limit: all, tcp: all, pages: all, probes: all, own: all }
    }
}

impl Shares {
    /// Share of one part.
    pub(crate) fn of(&self, part: Use) -> usize {
        match part {
            Use::Tcp => self.tcp,
            Use::Pages => self.pages,
            Use::Probes => self.probes,
            Use::Own => self.own,
        }
    }
}

/// Descriptors of one server.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    shares: Shares,
    held: [AtomicUsize; 3],
    open: AtomicUsize,
    exhausted: AtomicU64,
    /// Start of the current shortage, in seconds since 1970; 0 if there is none.
    short_since: AtomicU64,
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
        Descriptors { shares, ..Descriptors::default() }
    }

    /// Shares of the parts.
    pub(crate) fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Counts one more descriptor of a part. The caller keeps to the share.
    pub(crate) fn hold(self: Arc<Descriptors>, part: Use) -> Held {
        if let Some(count) = self.held.get(part as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Held { descriptors: self, part }
    }

    /// Descriptors that a part holds. For `Own`: those that were open at the last check, less all
    /// others.
    pub(crate) fn held(&self, part: Use) -> usize {
        match self.held.get(part as usize) {
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
            Use::ALL.map(held).join(", "),
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
        if let Some(count) = self.descriptors.held.get(self.part as usize) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
