//! Keyed hash of names for look-ups, with a key drawn by each process.
//!
//! Names come from outside: from queries, and from people who may edit one zone of many. Under a
//! fixed hash they could choose thousands of names that share one table slot, and every query for
//! such a name would walk through all of them. So the key is random, and no file, answer or digest
//! may depend on it. Hashes on which nodes must agree are in [`super::hash`]; [`NameHash`] is a
//! separate type, so that the two cannot be mixed up.
//!
//! A random start value alone would not be enough: with a known multiplier, an attacker can choose
//! two blocks of which the second cancels the first, whatever the state is. Here both factors are
//! secret: half of a block is xored into the state, the other half into a word of the key, and the
//! two are multiplied to 128 bits, whose halves are xored. So the effect of a changed block depends
//! on the key.
//!
//! A second multiplication ends the hash. Without it, the last block would be multiplied only once,
//! and the low bits of consecutive names would follow a pattern.

use super::hash::{fold, mix};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// Key: the starting value, a word that is xored into every block, and the final multiplier.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NameKey {
    start: u64,
    block: u64,
    end: u64,
}

/// Masks for the first `n` octets of a block.
const OWN: [u128; 16] = {
    let mut own = [0; 16];
    let mut octets = 1;
    while octets < own.len() {
        own[octets] = u128::MAX >> (128 - 8 * octets);
        octets += 1;
    }
    own
};

/// Hash of a name under a [`NameKey`]; meaningless under another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameHash(u64);

impl fmt::Debug for NameKey {
    /// Hides the key: with it, an attacker can construct names that collide.
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
    /// The key of this process, drawn at its first use. Images outlive snapshots, so all share one
    /// key.
    pub(crate) fn of_process() -> NameKey {
        static KEY: OnceLock<NameKey> = OnceLock::new();
        *KEY.get_or_init(|| {
            let dice = RandomState::new();
            NameKey::from_words([0u8, 1, 2].map(|word| dice.hash_one(word)))
        })
    }

    /// Key from random words.
    pub(crate) fn from_words([start, block, end]: [u64; 3]) -> NameKey {
        NameKey { start, block, end: end | 1 }
    }

    /// Hash of an uncompressed wire name in lower case. It takes blocks of sixteen octets from the
    /// end, so that the hash of a name continues from the hash of its ancestor: looking up a zone
    /// and then a name in it reads the name once.
    pub(crate) fn whole(&self, wire: &[u8]) -> NameHash {
        let (rest, blocks) = wire.as_rchunks();
        let add = |hash, block: &[u8; 16]| self.add(hash, u128::from_le_bytes(*block));
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        self.end(blocks.iter().rev().fold(self.begin(), add), u128::from_le_bytes(last), rest.len() as u8)
    }

    /// Starting value of every hash.
    #[inline(always)]
    pub(super) fn begin(&self) -> u64 {
        self.start
    }

    /// Step of [`NameKey::whole`]: adds the next block from the end, read as little-endian.
    #[inline(always)]
    pub(super) fn add(&self, hash: u64, block: u128) -> u64 {
        fold(hash ^ block as u64, self.block ^ (block >> 64) as u64)
    }

    /// Last step of [`NameKey::whole`]: adds the `octets` octets (0 to 15) at the start of the name
    /// that fill no block; further octets of `rest` are ignored. The last octet of the block holds
    /// `octets`, so that no two names have the same blocks.
    #[inline(always)]
    pub(super) fn end(&self, hash: u64, rest: u128, octets: u8) -> NameHash {
        let (octets, own) = (u128::from(octets), OWN[usize::from(octets & 15)]);
        NameHash(fold(self.add(hash, rest & own | octets << 120), self.end))
    }
}

impl NameHash {
    /// Hash of the name together with a number, for tables of pairs.
    pub(crate) fn with(self, number: u16) -> NameHash {
        NameHash(mix(self.0, number.into()))
    }

    /// First slot in a table of `mask` + 1 slots, a power of two.
    #[inline(always)]
    pub(crate) fn place(self, mask: usize) -> usize {
        self.0 as usize & mask
    }

    /// The hash as a number, for other keyed hashes of this process.
    pub(crate) fn word(self) -> u64 {
        self.0
    }

    /// Upper half of the hash; tables of up to 2^32 slots choose the slot by the lower half.
    #[inline(always)]
    pub(crate) fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[cfg(test)]
mod tests;
