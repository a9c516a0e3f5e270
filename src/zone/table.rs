//! Hash table for compiling: from hashes to indexes of a list that the caller keeps.
//!
//! Zones of a million names pass through several such tables. So an entry is one word, without the
//! key or the whole hash: half of the hash rules out most other keys, and the caller compares the
//! rest.

use crate::limits::PREFETCH_MAX;
use crate::wire::name::{NAME_OCTETS_MAX, in_lower_case};
use crate::wire::name_hash::{NameHash, NameKey};

/// Table with open addressing; each slot holds the upper half of a hash and a number, or 0.
#[derive(Debug)]
pub(super) struct HashTable {
    slots: Vec<u64>,
    filled: usize,
}

impl HashTable {
    /// Table with room for `count` numbers before it grows.
    pub(crate) fn with_room(count: usize) -> HashTable {
        HashTable { slots: vec![0; (count + count / 2 + 1).next_power_of_two().max(8)], filled: 0 }
    }

    /// Number that was inserted under this hash and for which `is` returns true.
    pub(crate) fn find(&self, hash: NameHash, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let tag = u64::from(hash.tag());
        let mut slot = tag as usize & mask;
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return None;
            }
            // Numbers are stored plus one, so that no entry is 0.
            let number = entry as u32 - 1;
            if entry >> 32 == tag && is(number) {
                return Some(number);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Collects up to [`PREFETCH_MAX`] hashes for look-ups that follow, and reads their slots, so
    /// that the cache misses overlap.
    pub(crate) fn prefetch(&self, hashes: impl Iterator<Item = NameHash>) -> [NameHash; PREFETCH_MAX] {
        let mut some = [NameHash::default(); PREFETCH_MAX];
        let count = some.iter_mut().zip(hashes).map(|(to, hash)| *to = hash).count();
        let mask = self.slots.len() - 1;
        std::hint::black_box(
            some[..count].iter().fold(0, |read, hash| read ^ self.slots[hash.tag() as usize & mask]),
        );
        some
    }

    /// Inserts a number other than `u32::MAX`.
    pub(crate) fn insert(&mut self, hash: NameHash, number: u32) {
        self.filled += 1;
        // Keep the table at most two thirds full.
        if self.filled * 3 > self.slots.len() * 2 {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![0; old.len() * 2];
            for entry in old.into_iter().filter(|entry| *entry != 0) {
                self.claim(entry);
            }
        }
        self.claim(u64::from(hash.tag()) << 32 | u64::from(number + 1));
    }

    fn claim(&mut self, entry: u64) {
        let mask = self.slots.len() - 1;
        let mut slot = (entry >> 32) as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = entry;
    }
}

/// Hash of an uncompressed wire name in any letter case.
pub(super) fn hash_of(wire: &[u8]) -> NameHash {
    NameKey::of_process().whole(in_lower_case(wire, &mut [0; NAME_OCTETS_MAX]))
}

#[cfg(test)]
mod tests;
