//! The hash of names for look-ups, under a key of the process.
//!
//! Names come from strangers: from queries, and from people who may write one zone of many. Under a
//! fixed hash they could choose thousands of names of one table place, which every query of such a
//! name, existing or not, would walk through. So the key is drawn at start, and nothing that leaves
//! the process may depend on it: neither a file nor an answer nor a digest. What nodes must agree
//! on has the hash of [`super::hash`]; a [`NameHash`] has a type of its own, so that neither can
//! stand in the place of the other.
//!
//! A start value alone would not do. Where the multiplier is known, two blocks can be chosen of
//! which the second takes back what the first has changed, whatever the state is. Here the
//! multiplier is secret as well: each block is added with xor and multiplied to 128 bits, whose
//! halves are added with xor, so that the effect of a changed block depends on the key. A second
//! multiplication ends the hash, because the last block would otherwise be multiplied only once,
//! and the low bits of names that count upwards would follow a pattern.

use super::hash::{fold, last_word, mix};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The key: where a hash begins, the multiplier of each block, and that of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameKey {
    start: u64,
    block: u64,
    end: u64,
}

/// Hash of a name under a [`NameKey`]. It says nothing under another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameHash(u64);

impl Default for NameKey {
    fn default() -> NameKey {
        NameKey::of_process()
    }
}

impl NameKey {
    /// The key of this process, drawn when it is first asked for. Images outlive publications, so
    /// there is one key for all.
    pub(crate) fn of_process() -> NameKey {
        static KEY: OnceLock<NameKey> = OnceLock::new();
        *KEY.get_or_init(|| {
            let dice = RandomState::new();
            NameKey::from_words([0u8, 1, 2].map(|word| dice.hash_one(word)))
        })
    }

    /// A key of these random words. Multipliers are odd, so that no octet of a block is lost.
    pub(crate) fn from_words([start, block, end]: [u64; 3]) -> NameKey {
        NameKey { start, block: block | 1, end: end | 1 }
    }

    /// Hash of an uncompressed wire name in lower case. Blocks are words of eight octets from the
    /// end, so that a name goes on where the hash of its ancestor stood: a look-up of a zone and
    /// then of a name in it reads the name once.
    pub(crate) fn whole(&self, wire: &[u8]) -> NameHash {
        let (rest, words) = wire.as_rchunks();
        let hash =
            words.iter().rev().fold(self.begin(), |hash, word| self.add(hash, u64::from_le_bytes(*word)));
        self.end(hash, if rest.is_empty() { 0 } else { last_word(rest) }, rest.len() as u8)
    }

    /// Where the hash of every name begins.
    #[inline(always)]
    pub(super) fn begin(&self) -> u64 {
        self.start
    }

    /// A step of [`NameKey::whole`]: the next word from the end, little end first.
    #[inline(always)]
    pub(super) fn add(&self, hash: u64, word: u64) -> u64 {
        fold(hash ^ word, self.block)
    }

    /// The last step of [`NameKey::whole`]: the octets at the start of the name that fill no word.
    /// Their number, 0 to 7, stands in the octet that is free, so that no two names have the same
    /// blocks.
    #[inline(always)]
    pub(super) fn end(&self, hash: u64, rest: u64, octets: u8) -> NameHash {
        NameHash(fold(self.add(hash, rest | u64::from(octets) << 56), self.end))
    }
}

impl NameHash {
    /// Hash of the name and a number, for tables of pairs.
    pub(crate) fn with(self, number: u16) -> NameHash {
        NameHash(mix(self.0, number.into()))
    }

    /// First place in a table whose length is `mask` and one, a power of two.
    #[inline(always)]
    pub(crate) fn place(self, mask: usize) -> usize {
        self.0 as usize & mask
    }

    /// The upper half: another than the places of tables of up to 2^32 are made of.
    #[inline(always)]
    pub(crate) fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[cfg(test)]
mod tests;
