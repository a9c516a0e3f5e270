//! Preference lists: a policy's ranked candidates for one place, ready for a scan.
//!
//! A list has the first `depth` candidates, and the rest of a written band that would be split
//! there. The candidates are in bands of equals. A list also has TTL, number of answers and
//! fallback. Behind it stands the policy's tail (its listed order, stored once). Lists are
//! interned: places with equal lists count as one place from then on, so that ECS scopes are wide.

use super::policy::TtlRange;
use super::pop::PopId;
use std::hash::{Hash, Hasher};

/// Target of an entry or a fallback: a PoP, or one of the policy's CNAMEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryTarget(u16);

/// The top bit is set for CNAMEs; [`crate::limits::POPS_MAX`] keeps it free for PoPs.
const CNAME_BIT: u16 = 0x8000;

impl EntryTarget {
    /// A PoP.
    pub(crate) fn pop(pop: PopId) -> EntryTarget {
        EntryTarget(pop.0 & !CNAME_BIT)
    }

    /// A CNAME, by its index in [`super::table::PolicyTable::cnames`].
    pub(crate) fn cname(index: usize) -> EntryTarget {
        EntryTarget(index as u16 | CNAME_BIT)
    }

    /// The PoP, or the index of the CNAME.
    pub fn split(self) -> Result<PopId, usize> {
        if self.0 & CNAME_BIT == 0 { Ok(PopId(self.0)) } else { Err(usize::from(self.0 & !CNAME_BIT)) }
    }
}

/// The weight of an entry that no rule or policy overrides: the PoP's own, from the status.
pub(crate) const OWN_WEIGHT: u32 = u32::MAX;

/// Number of a pool in its policy ([`super::table::PolicyTable::pools`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PoolNumber(pub(crate) u16);

impl PoolNumber {
    /// The PoPs that the policy offers outside fences.
    pub(crate) const OPEN: PoolNumber = PoolNumber(0);

    /// True if it is the pool of a fence.
    pub(crate) fn is_fence(self) -> bool {
        self != PoolNumber::OPEN
    }
}

/// One candidate of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The target.
    pub target: EntryTarget,
    /// Band: entries with equal numbers stand together and are equals.
    pub(crate) band: u16,
    /// Weight, or [`OWN_WEIGHT`].
    pub(crate) weight: u32,
}

/// As one word: lists are hashed by the million when a snapshot is compiled.
impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.target.0) << 48 | u64::from(self.band) << 32 | u64::from(self.weight));
    }
}

/// The answer when nothing passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllDown {
    /// The answer as if everything were up.
    AsIfUp,
    /// No data, if the whole policy is down; else as if up.
    NoData,
    /// SERVFAIL.
    ServFail,
    /// The answer before the last candidate went down.
    LastGood,
    /// A CNAME of the policy, by index.
    Cname(u16),
}

impl AllDown {
    /// The answer is no data.
    pub(crate) fn is_denial(self) -> bool {
        match self {
            AllDown::NoData => true,
            AllDown::AsIfUp | AllDown::ServFail | AllDown::LastGood | AllDown::Cname(_) => false,
        }
    }

    /// The answer depends on the order in which candidates went down.
    pub(crate) fn reads_falls(self) -> bool {
        match self {
            AllDown::LastGood => true,
            AllDown::AsIfUp | AllDown::NoData | AllDown::ServFail | AllDown::Cname(_) => false,
        }
    }

    /// True if the answer for all down goes on while a pool is on its way back, because it serves
    /// clients. An error or a denial does not, so it ends with the first PoP that is back.
    pub(super) fn lasts_on_the_way_back(self) -> bool {
        match self {
            AllDown::AsIfUp | AllDown::LastGood | AllDown::Cname(_) => true,
            AllDown::NoData | AllDown::ServFail => false,
        }
    }
}

/// The candidates of a policy for one place, and the rules of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreferenceList {
    /// A CNAME that a rule answers whatever else is true, by index.
    pub(crate) cname: Option<u16>,
    /// The list, bands in ascending order; within a band by PoP.
    pub(crate) entries: Box<[Entry]>,
    /// True if the policy's tail follows.
    pub(crate) tail: bool,
    /// The pool of the list. If the pool is a fence, no PoP outside the list is ever answered.
    pub(crate) pool: PoolNumber,
    /// TTL bounds.
    pub ttl: TtlRange,
    /// Most addresses of an answer.
    pub(crate) answers: u8,
    /// The answer when nothing passes.
    pub when_all_down: AllDown,
}

/// Cuts a list after `depth` entries, or after the whole band of the last of them. A band that an
/// operator wrote is never split, so that all its PoPs have their share, and a PoP that goes down
/// moves only its own cells.
pub(super) fn cut(entries: &mut Vec<Entry>, depth: usize) {
    let Some(last) = depth.checked_sub(1).and_then(|last| entries.get(last)).map(|entry| entry.band) else {
        return;
    };
    let behind = entries[depth..].iter().position(|entry| entry.band != last);
    entries.truncate(behind.map_or(entries.len(), |more| depth + more));
}

/// Puts what is not listed yet behind a list, in its own bands.
pub(super) fn continue_with(entries: &mut Vec<Entry>, behind: &[Entry]) {
    let mut band = entries.last().map_or(0, |e| e.band + 1);
    let mut own_band = None;
    for entry in behind {
        if entries.iter().any(|e| e.target == entry.target) {
            continue;
        }
        if own_band.is_some_and(|b| b != entry.band) {
            band += 1;
        }
        own_band = Some(entry.band);
        entries.push(Entry { band, ..*entry });
    }
}
