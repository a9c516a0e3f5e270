//! A look-up table for compiling: from hashes to numbers in a list that its user keeps.
//!
//! Zones of a million names pass through several such tables, so an entry is one word, and neither
//! keys nor hashes are stored beside it: most strangers are told apart by half of the hash, and the
//! user compares the rest.

use crate::limits::PREFETCH_MAX;
use crate::wire::name::{NAME_OCTETS_MAX, in_lower_case};
use crate::wire::name_hash::{NameHash, NameKey};

/// Open addressing; each slot holds the upper half of a hash and a number, or 0.
#[derive(Debug)]
pub(super) struct HashTable {
    slots: Vec<u64>,
    filled: usize,
}

impl HashTable {
    /// A table that takes `count` numbers before it grows.
    pub(crate) fn with_room(count: usize) -> HashTable {
        HashTable { slots: vec![0; (count + count / 2 + 1).next_power_of_two().max(8)], filled: 0 }
    }

    /// The number that was put in under this hash and that `is` takes for the one sought.
    pub(crate) fn find(&self, hash: NameHash, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let tag = u64::from(hash.tag());
        let mut slot = tag as usize & mask;
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return None;
            }
            // Numbers are stored one higher, so that no entry is 0.
            let number = entry as u32 - 1;
            if entry >> 32 == tag && is(number) {
                return Some(number);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The hashes, at most [`PREFETCH_MAX`] of them, of what is sought next. What finding them will
    /// read is read here, so that all wait for memory together instead of one after the other.
    pub(crate) fn prefetch(&self, hashes: impl Iterator<Item = NameHash>) -> [NameHash; PREFETCH_MAX] {
        let mut some = [NameHash::default(); PREFETCH_MAX];
        let count = some.iter_mut().zip(hashes).map(|(to, hash)| *to = hash).count();
        let mask = self.slots.len() - 1;
        std::hint::black_box(
            some[..count].iter().fold(0, |read, hash| read ^ self.slots[hash.tag() as usize & mask]),
        );
        some
    }

    /// Puts a number in; `u32::MAX` is none.
    pub(crate) fn insert(&mut self, hash: NameHash, number: u32) {
        self.filled += 1;
        // At most two thirds full.
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

/// Hash of an uncompressed wire name of any letter case.
pub(super) fn hash_of(wire: &[u8]) -> NameHash {
    NameKey::of_process().whole(in_lower_case(wire, &mut [0; NAME_OCTETS_MAX]))
}

#[cfg(test)]
mod tests;
