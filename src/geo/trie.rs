//! A table from address to value whose leaves are disjoint, so that a leaf's depth is a truthful ECS
//! scope.
//!
//! With nested prefixes and longest match, an answer decided at a /8 could be contradicted by a /16
//! inside it; RFC 7871 forbids to announce that /8 as the scope. Here every address lies in exactly
//! one leaf. Leaves are kept sorted; an index over the top bits narrows a look-up to a short binary
//! search. Equal siblings are merged while building, which makes scopes as wide as the truth allows.
//!
//! Tables may share where they are cut: then the leaves hold classes, and each table says what a class
//! means to it.

use super::prefix::{truncate_v4, truncate_v6};
use std::sync::Arc;

/// An aligned block of addresses with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<K> {
    /// First address.
    pub start: K,
    /// Prefix length.
    pub len: u8,
    /// Value, at most [`VALUE_MAX`].
    pub value: u32,
}

/// Largest value: depth takes the upper eight bits of a word.
pub const VALUE_MAX: u32 = (1 << 24) - 1;

/// Addresses of a family as integers.
pub trait Key: Copy + Ord {
    /// Bits of an address.
    const BITS: u8;
    /// Zero.
    const ZERO: Self;
    /// The top `n` bits (at most 24) as a number.
    fn top(self, n: u8) -> usize;
    /// The address with bits behind `len` zero.
    fn cut(self, len: u8) -> Self;
    /// The first address of the sibling block of the block of `len` bits at `self`.
    fn sibling(self, len: u8) -> Self;
}

impl Key for u32 {
    const BITS: u8 = 32;
    const ZERO: u32 = 0;
    fn top(self, n: u8) -> usize {
        if n == 0 { 0 } else { (self >> (32 - n)) as usize }
    }
    fn cut(self, len: u8) -> u32 {
        truncate_v4(self, len)
    }
    fn sibling(self, len: u8) -> u32 {
        self ^ (1 << (32 - len))
    }
}

impl Key for u128 {
    const BITS: u8 = 128;
    const ZERO: u128 = 0;
    fn top(self, n: u8) -> usize {
        if n == 0 { 0 } else { (self >> (128 - n)) as usize }
    }
    fn cut(self, len: u8) -> u128 {
        truncate_v6(self, len)
    }
    fn sibling(self, len: u8) -> u128 {
        self ^ (1 << (128 - len))
    }
}

/// Blocks in order with equal siblings merged, as they are pushed.
#[derive(Debug)]
pub struct Merging<K> {
    blocks: Vec<Block<K>>,
}

impl<K: Key> Default for Merging<K> {
    fn default() -> Self {
        Merging { blocks: Vec::new() }
    }
}

impl<K: Key> Merging<K> {
    /// Adds the next block; blocks must come in ascending order and not overlap.
    pub fn push(&mut self, mut block: Block<K>) {
        while let Some(last) = self.blocks.last() {
            let are_twins =
                block.len > 0 && last.len == block.len && last.value == block.value && last.start.sibling(last.len) == block.start;
            if !are_twins {
                break;
            }
            block = Block { start: last.start.cut(block.len - 1), len: block.len - 1, value: block.value };
            self.blocks.pop();
        }
        self.blocks.push(block);
    }

    /// The merged blocks.
    pub fn finish(self) -> Vec<Block<K>> {
        self.blocks
    }
}

/// The table of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<K> {
    cuts: Arc<Cuts<K>>,
    /// The value of each class; none where the leaves hold values themselves.
    of_class: Option<Arc<[u32]>>,
}

/// Where a table is cut, and what each leaf holds.
#[derive(Debug, PartialEq, Eq)]
struct Cuts<K> {
    /// Bits that `index` resolves.
    index_bits: u8,
    /// For each value of the top bits the first leaf that begins at or behind it; one more at the end.
    index: Box<[u32]>,
    starts: Box<[K]>,
    /// Depth in the upper eight bits, value below.
    leaves: Box<[u32]>,
}

impl<K: Key> Table<K> {
    /// A table from blocks that cover the whole space in order without overlap.
    pub fn new(blocks: &[Block<K>]) -> Table<K> {
        debug_assert!(blocks.first().is_some_and(|b| b.start == K::ZERO));
        // About four leaves behind each index entry, an eighth of the table: a search over more would miss the cache at each
        // step. 4 MiB of index at most.
        let index_bits = (blocks.len() / 4 + 1).ilog2().min(20) as u8;
        let mut index = Vec::with_capacity((1 << index_bits) + 1);
        for (at, block) in blocks.iter().enumerate() {
            while index.len() <= block.start.top(index_bits) {
                // A bucket whose first address is inside the leaf before begins with the next leaf.
                let bucket_begins_here = index.len() == block.start.top(index_bits) && block.start.cut(index_bits) == block.start;
                index.push(at as u32);
                debug_assert!(bucket_begins_here || at > 0);
            }
        }
        index.resize((1 << index_bits) + 1, blocks.len() as u32);
        let cuts = Cuts {
            index_bits,
            index: index.into(),
            starts: blocks.iter().map(|b| b.start).collect(),
            leaves: blocks.iter().map(|b| u32::from(b.len) << 24 | b.value & VALUE_MAX).collect(),
        };
        Table { cuts: Arc::new(cuts), of_class: None }
    }

    /// Value and depth of the leaf that holds an address.
    #[inline]
    pub fn lookup(&self, address: K) -> (u32, u8) {
        let cuts = &*self.cuts;
        let bucket = address.top(cuts.index_bits);
        let (low, high) = (cuts.index[bucket] as usize, cuts.index[bucket + 1] as usize);
        // The leaf is the last that begins at or before the address; if none in this bucket does, it is
        // the one that reaches into the bucket from before.
        let behind = low + cuts.starts[low..high].partition_point(|start| *start <= address);
        let leaf = cuts.leaves[behind.saturating_sub(1)];
        (self.value(leaf), (leaf >> 24) as u8)
    }

    /// What a leaf holds, or what its class means. A value that is no class means itself.
    #[inline]
    fn value(&self, leaf: u32) -> u32 {
        let held = leaf & VALUE_MAX;
        match &self.of_class {
            None => held,
            Some(of_class) => of_class.get(held as usize).copied().unwrap_or(held),
        }
    }

    /// All leaves in order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Block<K>> {
        let cuts = &*self.cuts;
        cuts.starts.iter().zip(&cuts.leaves).map(|(&start, &leaf)| Block { start, len: (leaf >> 24) as u8, value: self.value(leaf) })
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.cuts.starts.len()
    }

    /// The cuts: what tells them from others, and their octets in memory.
    fn part(&self) -> Part {
        let cuts = &*self.cuts;
        let octets = size_of_val::<[u32]>(&cuts.index) + size_of_val::<[K]>(&cuts.starts) + size_of_val::<[u32]>(&cuts.leaves);
        Part { at: Arc::as_ptr(&self.cuts).addr(), leaves: cuts.starts.len(), octets }
    }
}

/// A part of a table in memory, which other tables may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it stands.
    pub at: usize,
    /// How many leaves it has.
    pub leaves: usize,
    /// Its octets.
    pub octets: usize,
}

/// A table over both families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trie {
    /// IPv4.
    pub v4: Table<u32>,
    /// IPv6, without the blocks that carry IPv4 ([`super::embedded`]): those are looked up in `v4`.
    pub v6: Table<u128>,
}

impl Trie {
    /// One value for every address.
    pub fn constant(value: u32) -> Trie {
        Trie { v4: Table::new(&[Block { start: 0, len: 0, value }]), v6: Table::new(&[Block { start: 0, len: 0, value }]) }
    }

    /// The same cuts with another meaning: the value of each class, which is what the leaves of this table hold.
    pub fn of_classes(&self, of_class: Arc<[u32]>) -> Trie {
        let (v4, v6) = (Arc::clone(&self.v4.cuts), Arc::clone(&self.v6.cuts));
        Trie { v4: Table { cuts: v4, of_class: Some(of_class.clone()) }, v6: Table { cuts: v6, of_class: Some(of_class) } }
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.v4.leaves() + self.v6.leaves()
    }

    /// What it is made of in memory.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let classes = self.v4.of_class.as_ref().map(|c| Part { at: Arc::as_ptr(c).addr(), leaves: 0, octets: size_of_val::<[u32]>(c) });
        [self.v4.part(), self.v6.part()].into_iter().chain(classes)
    }

    /// Octets in memory.
    pub fn octets(&self) -> usize {
        self.parts().map(|part| part.octets).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn twins_merge_all_the_way_up() {
        let mut merging = Merging::default();
        for n in 0..=255u32 {
            merging.push(Block { start: n << 24, len: 8, value: 7 });
        }
        assert_eq!(merging.finish(), [Block { start: 0, len: 0, value: 7 }]);
    }

    #[test]
    fn neighbours_that_are_not_twins_stay_apart() {
        let mut merging = Merging::default();
        for (start, len, value) in [(0u32, 2, 1), (0x4000_0000, 2, 2), (0x8000_0000, 2, 2), (0xc000_0000, 2, 3)] {
            merging.push(Block { start, len, value });
        }
        assert_eq!(merging.finish().len(), 4);
    }

    /// Splits the space at random and gives blocks in order.
    fn split(space: &mut Vec<Block<u32>>, block: Block<u32>, choices: &mut impl Iterator<Item = u8>) {
        let choice = choices.next().unwrap_or(0);
        if choice & 1 == 0 || block.len == 32 {
            space.push(Block { value: u32::from(choice >> 6), ..block });
            return;
        }
        let half = Block { len: block.len + 1, ..block };
        split(space, half, choices);
        split(space, Block { start: half.start.sibling(half.len), ..half }, choices);
    }

    proptest! {
        #[test]
        fn every_address_is_found_in_its_leaf(choices in proptest::collection::vec(any::<u8>(), 0..2000), addresses in proptest::collection::vec(any::<u32>(), 64)) {
            let mut blocks = Vec::new();
            split(&mut blocks, Block { start: 0, len: 0, value: 0 }, &mut choices.into_iter());
            let mut merging = Merging::default();
            blocks.iter().for_each(|b| merging.push(*b));
            let merged = merging.finish();
            let table = Table::new(&merged);
            prop_assert_eq!(table.blocks().collect::<Vec<_>>(), merged.clone());
            for address in addresses.into_iter().chain(blocks.iter().map(|b| b.start)).chain([0, u32::MAX]) {
                let (value, len) = table.lookup(address);
                let unmerged = blocks.iter().rev().find(|b| b.start <= address).unwrap();
                let leaf = merged.iter().rev().find(|b| b.start <= address).unwrap();
                prop_assert_eq!((value, len), (leaf.value, leaf.len));
                prop_assert_eq!(value, unmerged.value);
                prop_assert_eq!(address.cut(len), leaf.start);
            }
        }
    }

    #[test]
    fn the_wide_family_is_the_same_code() {
        let mut merging = Merging::default();
        for (top, value) in [(0u128, 1), (1, 1), (2, 2), (3, 1)] {
            merging.push(Block { start: top << 126, len: 2, value });
        }
        let table = Table::new(&merging.finish());
        assert_eq!(table.lookup(1 << 126), (1, 1));
        assert_eq!(table.lookup(2 << 126), (2, 2));
        assert_eq!(table.lookup(u128::MAX), (1, 2));
    }
}
