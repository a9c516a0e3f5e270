//! Budget of memory and work for one load: protects against input that is small on disk and large
//! once read.
//!
//! Each octet of a text grants its reader some memory and work, and a text that is read once needs
//! little more than this grant. Text that repeats other text (`$GENERATE`, a file included again, a
//! YAML alias) draws on the [`Budget`] of the load beyond the grant, before anything is allocated.
//!
//! Each reader has a [`Share`] and takes at most a fixed part of the budget. A text that needs more
//! is a bomb, whatever other texts take: its reader drops it and returns all that it took. So any
//! number of bombs leaves the whole budget to the other texts, and each bomb costs no more time
//! than one part.

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
    /// True if the budget lends to readers when it is empty: see [`Budget::lending`].
    lends: bool,
}

/// Exhausted part of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Octets of memory.
    Octets,
    /// Steps of work.
    Steps,
    /// Either, exhausted by other readers: this reader has not used up its part.
    ByOthers,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spent::Octets => write!(
                f,
                "this text would take more memory than {LOAD_OCTETS_FACTOR} octets for each of its own \
                 and {} MiB (limit of all files together: {} MiB)",
                (LOAD_OCTETS_MAX / LOAD_PARTS) >> 20,
                LOAD_OCTETS_MAX >> 20
            ),
            Spent::Steps => write!(
                f,
                "this text would take more work than {LOAD_STEPS_FACTOR} steps for each octet and {} million \
                 (limit of all files together: {} million)",
                LOAD_STEPS_MAX / LOAD_PARTS / 1_000_000,
                LOAD_STEPS_MAX / 1_000_000
            ),
            Spent::ByOthers => write!(
                f,
                "all files together would take more than {} MiB of memory or {} million steps of work, \
                 beyond the allowance for their own length",
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
            lends: false,
        }
    }
}

impl Budget {
    /// A new share without any grant.
    pub fn share(&self) -> Share<'_> {
        self.share_up_to(LOAD_OCTETS_MAX / LOAD_PARTS)
    }

    /// Share of one YAML file for the copies that its aliases make.
    pub(crate) fn share_of_copies(&self) -> Share<'_> {
        self.share_up_to(YAML_COPIED_OCTETS_MAX)
    }

    fn share_up_to(&self, part: u64) -> Share<'_> {
        Share { budget: self, part, octets: Purse::default(), steps: Purse::default() }
    }

    /// Copy of the budget with its present amounts, for work that may be repeated.
    pub(crate) fn copy(&self) -> Budget {
        Budget {
            octets: AtomicU64::new(self.octets_left()),
            steps: AtomicU64::new(self.steps_left()),
            is_spent: AtomicBool::new(self.is_spent()),
            lends: self.lends,
        }
    }

    /// Makes the budget lend: when it is empty, each reader may still use the rest of its own part.
    /// So a bomb is recognised whatever was taken before it, and any other text ends with a debt
    /// ([`Share::owes`]). For readers that run one after another.
    pub(crate) fn lending(self) -> Budget {
        Budget { lends: true, ..self }
    }

    /// True if a reader was refused because others had used up the budget.
    pub fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// Octets of memory left beyond the grants of texts.
    pub fn octets_left(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    /// Steps of work left beyond the grants of texts.
    pub fn steps_left(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

/// One reader's part of a [`Budget`].
#[derive(Debug)]
pub struct Share<'b> {
    budget: &'b Budget,
    /// Octets that this reader may draw.
    part: u64,
    octets: Purse,
    steps: Purse,
}

impl Share<'_> {
    /// Grants the memory and work for a text of `octets` octets. Call it once for each text,
    /// however often the text is used.
    pub fn grant(&mut self, octets: usize) {
        let octets = octets as u64;
        self.octets.own = self.octets.own.saturating_add(octets.saturating_mul(LOAD_OCTETS_FACTOR));
        self.steps.own = self.steps.own.saturating_add(octets.saturating_mul(LOAD_STEPS_FACTOR));
    }

    /// Counts octets of memory, before they are allocated.
    pub fn make(&mut self, octets: usize) -> Result<(), Spent> {
        let (from, lends) = (&self.budget.octets, self.budget.lends);
        let taken = self.octets.take(from, octets as u64, (SHARE_OCTETS, self.part), lends);
        taken.map_err(|empty| self.refused(Spent::Octets, empty))
    }

    /// Counts steps of work before they are done; a step is about one octet examined.
    pub fn work(&mut self, steps: usize) -> Result<(), Spent> {
        let part = LOAD_STEPS_MAX / LOAD_PARTS;
        let (from, lends) = (&self.budget.steps, self.budget.lends);
        let taken = self.steps.take(from, steps as u64, (SHARE_STEPS, part), lends);
        taken.map_err(|empty| self.refused(Spent::Steps, empty))
    }

    /// Checks that this reader's part has room for `steps` more; the budget itself may have less.
    pub(crate) fn foresee(&self, steps: usize) -> Result<(), Spent> {
        let beyond = (steps as u64).saturating_sub(self.steps.own);
        let fits = self.steps.used.saturating_add(beyond) <= LOAD_STEPS_MAX / LOAD_PARTS;
        if fits { Ok(()) } else { Err(Spent::Steps) }
    }

    /// Returns all memory and work taken from the budget, after the result was dropped, so that
    /// other texts can use it.
    pub fn give_back(&mut self) {
        self.octets.give_back();
        self.steps.give_back();
    }

    /// True if this reader used octets or steps on credit, because other texts had used up the
    /// budget: its records must be dropped.
    pub(crate) fn owes(&self) -> bool {
        self.octets.lent > 0 || self.steps.lent > 0
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

/// Reason why a reader gets no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    /// The reader has used its part.
    Part,
    /// All readers together have used up the budget.
    Budget,
}

/// A reader's account of one quantity. The grant (`own`) is used first and never goes to other
/// readers, so the amount drawn from the budget does not depend on which reader is faster.
#[derive(Debug, Default)]
struct Purse {
    own: u64,
    /// Drawn from the budget and not yet used. Drawn in large pieces, so that readers on several
    /// cores need not synchronise; the rest goes back.
    drawn: u64,
    /// Used beyond the grant: drawn or lent.
    used: u64,
    /// Used on credit, because the budget was empty.
    lent: u64,
}

impl Purse {
    /// Takes all of `wanted`, or nothing: never more than `part` in all, drawn in pieces of
    /// `piece`. If `lends`, credit replaces what the budget lacks.
    fn take(
        &mut self,
        budget: &AtomicU64,
        wanted: u64,
        (piece, part): (u64, u64),
        lends: bool,
    ) -> Result<(), Empty> {
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
        let lent = beyond.saturating_sub(self.drawn);
        if lent > 0 && !lends {
            return Err(Empty::Budget);
        }
        self.drawn -= beyond - lent;
        self.lent += lent;
        self.used += beyond;
        self.own -= wanted - beyond;
        Ok(())
    }

    fn give_back(&mut self) {
        self.drawn += std::mem::take(&mut self.used) - std::mem::take(&mut self.lent);
    }
}
