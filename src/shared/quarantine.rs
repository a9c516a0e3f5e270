//! Quarantine: questions that are refused for a while, because the program has panicked on a
//! message like them, and messages on their way to the quarantine folder.
//!
//! ```text
//!  worker ── panic ──▶ table of hashes ──▶ REFUSED to messages alike, for ten minutes
//!                 └──▶ waiting messages ──▶ thread of the event log ──▶ state/quarantine/
//! ```
//!
//! Everything here is an atomic, so no reader or writer waits. While no entry is in force, a
//! message costs one load and one branch. An entry comes only from a panic on a message alike, and
//! its end is never moved. A full table gives up the entry that ends first; one more panic enters
//! it again.
//! The hash has random keys, so that no message can be made to look like a chosen other one.

use crate::limits::{QUARANTINE_MILLIS, QUARANTINE_QUESTIONS, QUARANTINE_WAITING};
use crate::shared::alarm::{Alarm, AlarmKey};
use crate::shared::captured::Captured;
use crate::wire::outline::Outline;
use arc_swap::ArcSwapOption;
use std::array;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Quarantine of one server. Times are milliseconds of one monotonic clock, given by the caller.
///
/// Aligned so that counters of others do not share the cache line that every message reads.
#[repr(align(128))]
#[derive(Debug)]
pub(crate) struct Quarantine {
    /// End of the last entry; 0 if there is none.
    until_ms: AtomicU64,
    entries: [Entry; QUARANTINE_QUESTIONS],
    keys: RandomState,
    waiting: [ArcSwapOption<Captured>; QUARANTINE_WAITING],
    taken_in: AtomicU64,
    lost: AtomicU64,
}

/// Entry of the table. A reader may see the hash of one entry and the end of another while the
/// entry is replaced. Then one reply is wrong: the refusal of a question of an earlier panic, or
/// one more panic.
#[derive(Debug, Default)]
struct Entry {
    hash: AtomicU64,
    /// End of the entry; 0 if there was none.
    until_ms: AtomicU64,
}

impl Default for Quarantine {
    fn default() -> Quarantine {
        Quarantine {
            until_ms: AtomicU64::new(0),
            entries: array::from_fn(|_| Entry::default()),
            keys: RandomState::new(),
            waiting: array::from_fn(|_| ArcSwapOption::empty()),
            taken_in: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }
}

impl Quarantine {
    /// True if no message has to be compared with the table.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.until_ms.load(Ordering::Relaxed) == 0
    }

    /// True if messages like this one are refused.
    #[cold]
    pub(crate) fn refuses(&self, outline: &Outline<'_>, now_ms: u64) -> bool {
        let until_ms = self.until_ms.load(Ordering::Relaxed);
        if until_ms <= now_ms {
            // Fails if another thread has just entered a question.
            let _ = self.until_ms.compare_exchange(until_ms, 0, Ordering::Relaxed, Ordering::Relaxed);
            return false;
        }
        self.find(self.hash(outline), now_ms).is_some()
    }

    /// Enters a message on which the program has panicked. Returns false if a message alike is
    /// already refused.
    #[cold]
    pub(crate) fn enter(&self, outline: &Outline<'_>, now_ms: u64) -> bool {
        let hash = self.hash(outline);
        if self.find(hash, now_ms).is_some() {
            return false;
        }
        // The clock of the caller may begin at 0.
        let until_ms = now_ms + QUARANTINE_MILLIS;
        let oldest = self.entries.iter().min_by_key(|entry| entry.until_ms.load(Ordering::Relaxed));
        if let Some(entry) = oldest {
            entry.until_ms.store(0, Ordering::Release);
            entry.hash.store(hash, Ordering::Release);
            entry.until_ms.store(until_ms, Ordering::Release);
        }
        self.until_ms.fetch_max(until_ms, Ordering::Release);
        self.taken_in.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn hash(&self, outline: &Outline<'_>) -> u64 {
        self.keys.hash_one(outline)
    }

    fn find(&self, hash: u64, now_ms: u64) -> Option<&Entry> {
        let is_it = |entry: &&Entry| {
            entry.hash.load(Ordering::Acquire) == hash && entry.until_ms.load(Ordering::Acquire) > now_ms
        };
        self.entries.iter().find(is_it)
    }

    /// Hands a message to the thread that writes files. If too many wait, the message is lost and
    /// counted.
    #[cold]
    pub(crate) fn hand_in(&self, captured: Captured) {
        let captured = Arc::new(captured);
        let is_taken = |place: &ArcSwapOption<Captured>| {
            let none: Option<Arc<Captured>> = None;
            place.load().is_none() && place.compare_and_swap(&none, Some(Arc::clone(&captured))).is_none()
        };
        if !self.waiting.iter().any(is_taken) {
            self.lose();
        }
    }

    /// A message that waits for its file.
    pub(crate) fn next(&self) -> Option<Arc<Captured>> {
        self.waiting.iter().find_map(|place| place.swap(None))
    }

    /// Counts a message without a file.
    pub(crate) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of messages without a file since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Number of questions that were entered since the start.
    pub(crate) fn taken_in(&self) -> u64 {
        self.taken_in.load(Ordering::Relaxed)
    }

    /// Number of questions that are refused now.
    pub(crate) fn questions(&self, now_ms: u64) -> usize {
        self.ends(now_ms).count()
    }

    fn ends(&self, now_ms: u64) -> impl Iterator<Item = u64> {
        let ends = self.entries.iter().map(|entry| entry.until_ms.load(Ordering::Relaxed));
        ends.filter(move |until_ms| *until_ms > now_ms)
    }

    /// Alarm while questions are refused.
    pub(crate) fn alarm(&self, now_ms: u64, now_epoch_secs: u64) -> Option<Alarm> {
        let first_ms = self.ends(now_ms).min()?;
        let age_secs = (now_ms + QUARANTINE_MILLIS).saturating_sub(first_ms) / 1_000;
        let questions = self.questions(now_ms);
        Some(Alarm {
            key: AlarmKey::Quarantine,
            sentence: format!(
                "the program has panicked on messages, and refuses questions like them: {questions}; \
                 `meridian quarantine list` shows the messages; please report this"
            ),
            since_epoch_secs: now_epoch_secs.saturating_sub(age_secs),
        })
    }
}

#[cfg(test)]
mod tests;
