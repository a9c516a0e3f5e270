//! What one load may make and how much it may work: the bound against input that is small on the
//! disk and large once it is read.
//!
//! Text that is read once makes little more than it weighs, and may: each octet that is written
//! grants so many of memory and of work to its reader. Text that repeats other text (`$GENERATE`, a
//! file that is included again, an alias) draws on the [`Budget`] of the load beyond that, when it
//! is made, whichever file and whichever mechanism makes it. Each reader has a [`Share`]; none
//! takes more than a part of the budget, so that one bomb leaves enough for every other zone.

use crate::limits::{
    LOAD_OCTETS_FACTOR, LOAD_OCTETS_MAX, LOAD_PARTS, LOAD_STEPS_FACTOR, LOAD_STEPS_MAX, SHARE_OCTETS,
    SHARE_STEPS, YAML_COPIED_OCTETS_MAX,
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
    /// Either, by other readers: this one has not used its part.
    ByOthers,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spent::Octets => write!(
                f,
                "more would be made of this text than {LOAD_OCTETS_FACTOR} octets for each that is \
                 written and {} MiB (for all files together {} MiB)",
                (LOAD_OCTETS_MAX / LOAD_PARTS) >> 20,
                LOAD_OCTETS_MAX >> 20
            ),
            Spent::Steps => write!(
                f,
                "this text would take more work than {LOAD_STEPS_FACTOR} steps for each octet and {} million \
                 (all files together {} million)",
                LOAD_STEPS_MAX / LOAD_PARTS / 1_000_000,
                LOAD_STEPS_MAX / 1_000_000
            ),
            Spent::ByOthers => write!(
                f,
                "all files together would make more than {} MiB, or take more than {} million steps of \
                 work, beyond what is written",
                LOAD_OCTETS_MAX >> 20,
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
    /// A reader's share, empty at first.
    pub fn share(&self) -> Share<'_> {
        self.share_up_to(LOAD_OCTETS_MAX / LOAD_PARTS)
    }

    /// The share of one YAML file, for what its aliases copy.
    pub(crate) fn share_of_copies(&self) -> Share<'_> {
        self.share_up_to(YAML_COPIED_OCTETS_MAX)
    }

    fn share_up_to(&self, part: u64) -> Share<'_> {
        Share { budget: self, part, octets: Purse::default(), steps: Purse::default() }
    }

    /// The same budget as it is now, for work that may have to be done again.
    pub(crate) fn copy(&self) -> Budget {
        Budget {
            octets: AtomicU64::new(self.octets_left()),
            steps: AtomicU64::new(self.steps_left()),
            is_spent: AtomicBool::new(self.is_spent()),
        }
    }

    /// Whether some reader was refused because others had used the budget up.
    pub fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// Octets that may still be made beyond what texts grant.
    pub fn octets_left(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    /// Steps of work that may still be done beyond what texts grant.
    pub fn steps_left(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

/// One reader's part of a [`Budget`].
#[derive(Debug)]
pub struct Share<'b> {
    budget: &'b Budget,
    /// Octets that it may draw.
    part: u64,
    octets: Purse,
    steps: Purse,
}

impl Share<'_> {
    /// Grants what a text of so many octets may make by itself: for each text once, however often
    /// it is used.
    pub fn grant(&mut self, octets: usize) {
        let octets = octets as u64;
        self.octets.own = self.octets.own.saturating_add(octets.saturating_mul(LOAD_OCTETS_FACTOR));
        self.steps.own = self.steps.own.saturating_add(octets.saturating_mul(LOAD_STEPS_FACTOR));
    }

    /// Counts octets of memory, before they are allocated.
    pub fn make(&mut self, octets: usize) -> Result<(), Spent> {
        let taken = self.octets.take(&self.budget.octets, octets as u64, (SHARE_OCTETS, self.part));
        taken.map_err(|empty| self.refused(Spent::Octets, empty))
    }

    /// Counts steps of work, before they are done: about one for each octet that is looked at.
    pub fn work(&mut self, steps: usize) -> Result<(), Spent> {
        let part = LOAD_STEPS_MAX / LOAD_PARTS;
        let taken = self.steps.take(&self.budget.steps, steps as u64, (SHARE_STEPS, part));
        taken.map_err(|empty| self.refused(Spent::Steps, empty))
    }

    /// What was made is dropped again: its octets go back to the budget.
    pub fn give_back(&mut self) {
        self.octets.drawn += std::mem::take(&mut self.octets.used);
    }

    fn refused(&self, spent: Spent, empty: Empty) -> Spent {
        match empty {
            Empty::Part => spent,
            Empty::Budget => {
                self.budget.is_spent.store(true, Ordering::Relaxed);
                Spent::ByOthers
            }
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.octets.fetch_add(self.octets.drawn, Ordering::Relaxed);
        self.budget.steps.fetch_add(self.steps.drawn, Ordering::Relaxed);
    }
}

/// Why a reader gets no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    /// It has used its part.
    Part,
    /// All readers together have used the budget.
    Budget,
}

/// What a reader has of one quantity. What its texts grant is used first, and never goes to other
/// readers: then how much each draws from the budget does not depend on which of them is faster.
#[derive(Debug, Default)]
struct Purse {
    own: u64,
    /// Taken from the budget in a large piece, so that readers on several cores do not wait for
    /// each other; what is left of it goes back.
    drawn: u64,
    /// Used of what was drawn.
    used: u64,
}

impl Purse {
    /// Takes as much as is wanted, or nothing: drawn in pieces, never more than a part in all.
    fn take(&mut self, budget: &AtomicU64, wanted: u64, (piece, part): (u64, u64)) -> Result<(), Empty> {
        let beyond = wanted.saturating_sub(self.own);
        if self.used.saturating_add(beyond) > part {
            return Err(Empty::Part);
        }
        if self.drawn < beyond {
            let lacking = beyond - self.drawn;
            let mut drawn = 0;
            let _ = budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                drawn = lacking.max(piece).min(left);
                Some(left - drawn)
            });
            self.drawn += drawn;
        }
        self.drawn = self.drawn.checked_sub(beyond).ok_or(Empty::Budget)?;
        self.used += beyond;
        self.own -= wanted - beyond;
        Ok(())
    }
}
