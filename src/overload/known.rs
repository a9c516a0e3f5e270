//! Prefixes that got useful answers at two moments, far enough apart, in fixed memory.
//!
//! One answer in 64 is noted, so that the table costs the other answers nothing; the clients that
//! ask most are noted soonest. Denials and refusals do not count. Random names below a wildcard or
//! a delegation get useful answers, so the sources of a flood of them may become known, and take
//! the places of prefixes that are not known yet. Nothing locks. A slot that two workers take at
//! the same moment begins with the time of that moment, whichever prefix it ends up with, so the
//! mixture makes no prefix known early.

use crate::geo::prefix::Prefix;
use crate::wire::hash::mix;
use std::cmp::Reverse;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// One in so many useful answers is noted, by a random number.
pub(crate) const SAMPLE: u64 = 64;
/// Time without a note after which a prefix is forgotten, in seconds.
const FORGET_SECS: u32 = 3_600;
/// Multiple of the time between two notes for which a table is young.
const YOUNG: u32 = 10;
/// Largest lead of one worker's clock over another's, in seconds. Times further ahead are those of
/// a clock that was set back.
const LEAD_SECS: u32 = 5;
/// Sets of slots, a power of two.
const SETS: usize = 1_024;
/// Slots of a set: 8,192 in all, of 24 octets each.
const WAYS: usize = 8;

/// Prefix length of IPv4, and of IPv6: the longest that are routed on the Internet.
const LEN_V4: u8 = 24;
const LEN_V6: u8 = 48;
/// Marks of the families in the word of a prefix, so that no word is 0.
const V4: u64 = 1 << 63;
const V6: u64 = 1 << 62;

#[derive(Debug, Default)]
struct Slot {
    /// Word of the prefix; 0 is an empty slot.
    prefix: AtomicU64,
    /// Seconds of the first note and of the last one.
    first: AtomicU32,
    last: AtomicU32,
    /// Notes, halved every hour. Of two at the same moment one may be lost.
    notes: AtomicU32,
}

/// The table.
#[derive(Debug)]
pub(crate) struct KnownPrefixes {
    sets: Box<[[Slot; WAYS]]>,
    /// Second of the first note; 0 before it.
    begun: AtomicU32,
    /// Secret key of the hash, so that an attacker cannot choose prefixes that share a set.
    key: u64,
}

impl Default for KnownPrefixes {
    fn default() -> KnownPrefixes {
        let sets = std::iter::repeat_with(Default::default).take(SETS).collect();
        KnownPrefixes { sets, begun: AtomicU32::new(0), key: RandomState::new().hash_one(0) }
    }
}

impl KnownPrefixes {
    /// Notes a useful answer to `address` in the second `now` (seconds since 1970 modulo 2^32). A
    /// new prefix takes the place of the one that was noted longest ago, but never of one that is
    /// known: notes at least `after` seconds apart.
    #[cold]
    pub(crate) fn note(&self, address: IpAddr, now: u32, after: u32) {
        let word = word(address);
        let (set, own) = self.places(word);
        // Fails after the first note.
        let _ = self.begun.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        if let Some(slot) = own {
            match slot.is_forgotten(now) {
                true => slot.begin(word, now),
                false => slot.note(now),
            }
            return;
        }
        let replaced = set.iter().filter(|slot| !slot.is_known(now, after)).max_by_key(|slot| {
            let is_empty = slot.prefix.load(Ordering::Relaxed) == 0;
            (is_empty, slot.age(now))
        });
        if let Some(slot) = replaced {
            slot.begin(word, now);
        }
    }

    /// Notes an answer to a prefix that is known already, so that it stays so.
    #[cold]
    pub(crate) fn refresh(&self, address: IpAddr, now: u32, after: u32) {
        let (_, own) = self.places(word(address));
        if let Some(slot) = own.filter(|slot| slot.is_known(now, after)) {
            slot.touch(now);
        }
    }

    /// True until it has learned for ten times `after`, or for an hour: before that, many clients
    /// that ask again and again are not known yet.
    pub(crate) fn is_young(&self, now: u32, after: u32) -> bool {
        let begun = self.begun.load(Ordering::Relaxed);
        begun == 0 || elapsed(begun, now) < after.saturating_mul(YOUNG).min(FORGET_SECS)
    }

    /// Set of a prefix, and its slot if it has one.
    fn places(&self, word: u64) -> (&[Slot; WAYS], Option<&Slot>) {
        let set = &self.sets[mix(word, self.key) as usize % SETS];
        (set, set.iter().find(|slot| slot.prefix.load(Ordering::Relaxed) == word))
    }

    /// Known prefixes, those with most notes first.
    pub(crate) fn list(&self, now: u32, after: u32) -> Vec<Prefix> {
        let slots = self.sets.iter().flatten().filter(|slot| slot.is_known(now, after));
        let mut list: Vec<(Reverse<u32>, Prefix)> = slots
            .filter_map(|slot| {
                let notes = slot.notes.load(Ordering::Relaxed);
                Some((Reverse(notes), prefix(slot.prefix.load(Ordering::Relaxed))?))
            })
            .collect();
        list.sort_unstable();
        list.into_iter().map(|(_, prefix)| prefix).collect()
    }
}

impl Slot {
    fn begin(&self, word: u64, now: u32) {
        self.prefix.store(0, Ordering::Relaxed);
        self.first.store(now, Ordering::Relaxed);
        self.last.store(now, Ordering::Relaxed);
        self.notes.store(1, Ordering::Relaxed);
        self.prefix.store(word, Ordering::Release);
    }

    /// Adds a note. The first one of an hour of the clock halves those before, so that those of
    /// long ago count little.
    fn note(&self, now: u32) {
        let is_other_hour = self.last.load(Ordering::Relaxed) / 3_600 != now / 3_600;
        let notes = self.notes.load(Ordering::Relaxed);
        let kept = if is_other_hour { notes / 2 } else { notes };
        self.notes.store(kept.saturating_add(1), Ordering::Relaxed);
        self.touch(now);
    }

    /// Puts off the end of the prefix; an earlier second than the last one changes nothing.
    fn touch(&self, now: u32) {
        let later = |last: u32| (elapsed(last, now) > 0).then_some(now);
        // Fails if there is nothing to store.
        let _ = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    fn age(&self, now: u32) -> u32 {
        elapsed(self.last.load(Ordering::Relaxed), now)
    }

    fn is_forgotten(&self, now: u32) -> bool {
        self.age(now) > FORGET_SECS
    }

    fn is_known(&self, now: u32, after: u32) -> bool {
        let lasted = elapsed(self.first.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed));
        self.prefix.load(Ordering::Acquire) != 0 && lasted >= after && !self.is_forgotten(now)
    }
}

/// Seconds from one moment to another. Workers that note across the turn of a second may have them
/// in the wrong order, which is no time.
fn elapsed(from: u32, to: u32) -> u32 {
    let elapsed = to.wrapping_sub(from);
    if elapsed > u32::MAX - LEAD_SECS { 0 } else { elapsed }
}

/// The prefix of an address in one word.
fn word(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => V4 | u64::from(address.to_bits() >> (32 - LEN_V4)),
        IpAddr::V6(address) => V6 | (address.to_bits() >> (128 - LEN_V6)) as u64,
    }
}

/// The prefix of a word from [`word`]; `None` for 0.
fn prefix(word: u64) -> Option<Prefix> {
    match (word & V4, word & V6) {
        (0, 0) => None,
        (0, _) => {
            let bits = u128::from(word ^ V6) << (128 - LEN_V6);
            Some(Prefix::new(Ipv6Addr::from_bits(bits).into(), LEN_V6))
        }
        _ => {
            let bits = ((word ^ V4) << (32 - LEN_V4)) as u32;
            Some(Prefix::new(Ipv4Addr::from_bits(bits).into(), LEN_V4))
        }
    }
}

#[cfg(test)]
mod tests;
