//! What one load may make and how much it may work: the bound against input that is small on the
//! disk and large once it is read.
//!
//! Text that is read once makes little more than it weighs, and may: each octet that is written
//! grants so many of memory and of work to its reader. Text that repeats other text (`$GENERATE`, a
//! file that is included again, an alias) draws on the [`Budget`] of the load beyond that, when it
//! is made, whichever file and whichever mechanism makes it. Each reader has a [`Share`]; none
//! takes more than a part of the budget. A text that would is a bomb, whatever other texts take: it
//! is dropped, and all that it took goes back. However many bombs there are, the other texts have
//! the whole budget; each bomb costs no more time than one part.

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
    /// Whether a reader may go on to the end of its part where the budget is empty: see
    /// [`Budget::lending`].
    lends: bool,
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
            lends: false,
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
            lends: self.lends,
        }
    }

    /// The budget for readers that come one after another: where it is empty, it lends each of them
    /// the rest of its part. So a bomb is found to be one whatever was taken before it, and a text
    /// that is none ends with a debt ([`Share::owes`]).
    pub(crate) fn lending(self) -> Budget {
        Budget { lends: true, ..self }
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
        let (from, lends) = (&self.budget.octets, self.budget.lends);
        let taken = self.octets.take(from, octets as u64, (SHARE_OCTETS, self.part), lends);
        taken.map_err(|empty| self.refused(Spent::Octets, empty))
    }

    /// Counts steps of work, before they are done: about one for each octet that is looked at.
    pub fn work(&mut self, steps: usize) -> Result<(), Spent> {
        let part = LOAD_STEPS_MAX / LOAD_PARTS;
        let (from, lends) = (&self.budget.steps, self.budget.lends);
        let taken = self.steps.take(from, steps as u64, (SHARE_STEPS, part), lends);
        taken.map_err(|empty| self.refused(Spent::Steps, empty))
    }

    /// Whether this reader's part has so many steps more; the budget may have fewer.
    pub(crate) fn foresee(&self, steps: usize) -> Result<(), Spent> {
        let beyond = (steps as u64).saturating_sub(self.steps.own);
        let fits = self.steps.used.saturating_add(beyond) <= LOAD_STEPS_MAX / LOAD_PARTS;
        if fits { Ok(()) } else { Err(Spent::Steps) }
    }

    /// What was made is dropped again: all that was taken goes back to the budget, the work too, so
    /// that other texts do not lack it.
    pub fn give_back(&mut self) {
        self.octets.give_back();
        self.steps.give_back();
    }

    /// Whether something was lent: other texts have used the budget up, and what was made cannot be
    /// kept.
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
    /// Used of what was drawn and lent.
    used: u64,
    /// Used without being there.
    lent: u64,
}

impl Purse {
    /// Takes as much as is wanted, or nothing: drawn in pieces, never more than a part in all. What
    /// the budget lacks is lent if it `lends`.
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
