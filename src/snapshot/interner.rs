//! Interner: equal values get one number, in the order of their first use.
//!
//! Two hundred policies over a hundred thousand places give twenty million preference lists, few of
//! them distinct. So a list is hashed with a few multiplications and stored once. The hash is not
//! keyed, because it covers only the operator's own data.

use crate::wire::hash::mix;
use std::hash::{Hash, Hasher};

/// Values by number, and numbers by value.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    list: Vec<T>,
    /// Entry: upper half of a value's hash, and its number plus one; 0 if the entry is free. Open
    /// addressing, at most half full; the length is a power of two.
    table: Vec<(u32, u32)>,
}

impl<T> Default for Interner<T> {
    fn default() -> Interner<T> {
        Interner { list: Vec::new(), table: vec![(0, 0); 16] }
    }
}

impl<T: Hash + Eq> Interner<T> {
    /// Number of a value.
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let mut words = Words(0);
        value.hash(&mut words);
        let hash = (words.finish() >> 32) as u32;
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        while let (known, number @ 1..) = self.table[at] {
            if known == hash && self.list[number as usize - 1] == value {
                return number - 1;
            }
            at = (at + 1) & mask;
        }
        self.list.push(value);
        let number = self.list.len() as u32;
        self.table[at] = (hash, number);
        if self.list.len() * 2 > self.table.len() {
            self.grow();
        }
        number - 1
    }

    fn grow(&mut self) {
        let mask = self.table.len() * 2 - 1;
        let mut table = vec![(0, 0); mask + 1];
        for (hash, number) in self.table.iter().copied().filter(|(_, number)| *number > 0) {
            let mut at = hash as usize & mask;
            while table[at].1 > 0 {
                at = (at + 1) & mask;
            }
            table[at] = (hash, number);
        }
        self.table = table;
    }

    /// Values so far, by number.
    pub(crate) fn list(&self) -> &[T] {
        &self.list
    }

    /// Removes all values, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.table.fill((0, 0));
    }

    /// All values, by number.
    pub(crate) fn finish(self) -> Box<[T]> {
        self.list.into()
    }
}

/// Hash of words: each is rotated and multiplied in; the finish mixes all.
struct Words(u64);

impl Words {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Words {
    fn write(&mut self, octets: &[u8]) {
        for word in octets.chunks(8) {
            self.add(word.iter().fold(0, |word, octet| word << 8 | u64::from(*octet)));
        }
    }
    fn write_u8(&mut self, word: u8) {
        self.add(word.into());
    }
    fn write_u16(&mut self, word: u16) {
        self.add(word.into());
    }
    fn write_u32(&mut self, word: u32) {
        self.add(word.into());
    }
    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }
    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }
    fn finish(&self) -> u64 {
        mix(self.0, 0)
    }
}

#[cfg(test)]
mod tests;
