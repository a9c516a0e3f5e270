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
//! which the second takes back what the first has changed, whatever the state is. Here both factors
//! are secret: half of a block is added with xor to the state, the other half to a word of the key,
//! and the two are multiplied to 128 bits, whose halves are added with xor. So the effect of a
//! changed block depends on the key. A second
//! multiplication ends the hash, because the last block would otherwise be multiplied only once,
//! and the low bits of names that count upwards would follow a pattern.

use super::hash::{fold, mix};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The key: where a hash begins, the word for each block, and the multiplier of the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameKey {
    start: u64,
    block: u64,
    end: u64,
}

/// The bits of so many octets at the start of a block.
const OWN: [u128; 16] = {
    let mut own = [0; 16];
    let mut octets = 1;
    while octets < own.len() {
        own[octets] = u128::MAX >> (128 - 8 * octets);
        octets += 1;
    }
    own
};

/// Hash of a name under a [`NameKey`]. It says nothing under another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameHash(u64);

impl fmt::Debug for NameKey {
    /// Nothing of it: whoever knows it can make names that collide.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameKey")
    }
}

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

    /// A key of these random words.
    pub(crate) fn from_words([start, block, end]: [u64; 3]) -> NameKey {
        NameKey { start, block, end: end | 1 }
    }

    /// Hash of an uncompressed wire name in lower case. Blocks have sixteen octets, from the end,
    /// so that a name goes on where the hash of its ancestor stood: a look-up of a zone and then of
    /// a name in it reads the name once.
    pub(crate) fn whole(&self, wire: &[u8]) -> NameHash {
        let (rest, blocks) = wire.as_rchunks();
        let add = |hash, block: &[u8; 16]| self.add(hash, u128::from_le_bytes(*block));
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        self.end(blocks.iter().rev().fold(self.begin(), add), u128::from_le_bytes(last), rest.len() as u8)
    }

    /// Where the hash of every name begins.
    #[inline(always)]
    pub(super) fn begin(&self) -> u64 {
        self.start
    }

    /// A step of [`NameKey::whole`]: the next block from the end, little end first.
    #[inline(always)]
    pub(super) fn add(&self, hash: u64, block: u128) -> u64 {
        fold(hash ^ block as u64, self.block ^ (block >> 64) as u64)
    }

    /// The last step of [`NameKey::whole`]: the octets at the start of the name that fill no block;
    /// what stands in `rest` behind them does not count. Their number, 0 to 15, stands in the octet
    /// that is free, so that no two names have the same blocks.
    #[inline(always)]
    pub(super) fn end(&self, hash: u64, rest: u128, octets: u8) -> NameHash {
        let (octets, own) = (u128::from(octets), OWN[usize::from(octets & 15)]);
        NameHash(fold(self.add(hash, rest & own | octets << 120), self.end))
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
