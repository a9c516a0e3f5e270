//! What one load may make and how much it may work: the bound against input that is small on the
//! disk and large once it is read.
//!
//! Text that is read once makes little more than it weighs. Text that repeats other text does not:
//! YAML aliases and merge keys, `$GENERATE`, a file that is included again. All of it is counted
//! here when it is made, whichever file and whichever mechanism makes it. A load has one [`Budget`];
//! each reader draws from it through a [`Share`].

use crate::limits::{
    LOAD_OCTETS_FACTOR, LOAD_OCTETS_MAX, LOAD_STEPS_FACTOR, LOAD_STEPS_MAX, SHARE_OCTETS, SHARE_STEPS,
};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// The budget of one load, shared by all of its readers.
#[derive(Debug)]
pub struct Budget {
    octets: AtomicU64,
    steps: AtomicU64,
    is_spent: AtomicBool,
}

/// The part of the budget that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Octets of memory.
    Octets,
    /// Steps of work.
    Steps,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spent::Octets => write!(
                f,
                "the files make more than {} MiB and {LOAD_OCTETS_FACTOR} times their size in memory",
                LOAD_OCTETS_MAX >> 20
            ),
            Spent::Steps => write!(
                f,
                "the files take more work than {} million steps and {LOAD_STEPS_FACTOR} for each octet",
                LOAD_STEPS_MAX / 1_000_000
            ),
        }
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            octets: AtomicU64::new(LOAD_OCTETS_MAX),
            steps: AtomicU64::new(LOAD_STEPS_MAX),
            is_spent: AtomicBool::new(false),
        }
    }
}

impl Budget {
    /// Grants what a text of so many octets may make. For each file once, however often it is used.
    pub fn grant(&self, octets: usize) {
        let octets = octets as u64;
        // A load reads far less than would overflow: files have limits of their own.
        self.octets.fetch_add(octets.saturating_mul(LOAD_OCTETS_FACTOR), Ordering::Relaxed);
        self.steps.fetch_add(octets.saturating_mul(LOAD_STEPS_FACTOR), Ordering::Relaxed);
    }

    /// A reader's share, empty at first.
    pub fn share(&self) -> Share<'_> {
        Share { budget: self, octets: 0, steps: 0 }
    }

    /// Whether some reader was refused.
    pub fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// Octets that may still be made.
    pub fn octets_left(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    /// Steps of work that may still be made.
    pub fn steps_left(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

/// One reader's part of a [`Budget`]. Drawn in large pieces, so that readers on several cores do
/// not wait for each other; what is left of it goes back.
#[derive(Debug)]
pub struct Share<'b> {
    budget: &'b Budget,
    octets: u64,
    steps: u64,
}

impl Share<'_> {
    /// Counts octets of memory, before they are allocated.
    pub fn make(&mut self, octets: usize) -> Result<(), Spent> {
        let taken = take(&mut self.octets, &self.budget.octets, octets as u64, SHARE_OCTETS);
        taken.ok_or_else(|| self.refused(Spent::Octets))
    }

    /// Counts steps of work, before they are done: about one for each octet that is looked at.
    pub fn work(&mut self, steps: usize) -> Result<(), Spent> {
        let taken = take(&mut self.steps, &self.budget.steps, steps as u64, SHARE_STEPS);
        taken.ok_or_else(|| self.refused(Spent::Steps))
    }

    fn refused(&self, spent: Spent) -> Spent {
        self.budget.is_spent.store(true, Ordering::Relaxed);
        spent
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.octets.fetch_add(self.octets, Ordering::Relaxed);
        self.budget.steps.fetch_add(self.steps, Ordering::Relaxed);
    }
}

/// Takes from the share, filled up from the budget if there is not enough in it.
fn take(share: &mut u64, budget: &AtomicU64, wanted: u64, piece: u64) -> Option<()> {
    if *share < wanted {
        let lacking = wanted - *share;
        let mut drawn = 0;
        let _ = budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            drawn = lacking.max(piece).min(left);
            Some(left - drawn)
        });
        *share += drawn;
    }
    *share = share.checked_sub(wanted)?;
    Some(())
}
