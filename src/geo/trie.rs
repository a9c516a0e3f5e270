//! Table from addresses to values with disjoint leaves, so that the depth of a leaf is a true ECS
//! scope.
//!
//! With nested prefixes and longest match, a /16 inside a /8 could contradict an answer decided at
//! the /8, and RFC 7871 forbids announcing that /8 as the scope. Here every address is in exactly
//! one leaf. The top bits index a root table, and every four further bits a branch of sixteen
//! slots: a look-up takes one load per level, and no more levels than the leaf is deep, even where
//! leaves are dense. (A sorted list of leaves with an index of the top bits would need a search
//! inside each dense bucket, and networks are dense.) A leaf wider than a slot fills several slots.
//! Equal siblings are merged during the build, which makes scopes as wide as possible.
//!
//! Tables may share their structure: then the leaves hold classes, and each table maps a class to
//! its own value.

use super::prefix::{truncate_v4, truncate_v6};
use std::marker::PhantomData;
use std::sync::Arc;

/// An aligned block of addresses with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueBlock<K> {
    /// First address.
    pub start: K,
    /// Prefix length.
    pub len: u8,
    /// Value, at most [`VALUE_MAX`].
    pub value: u32,
}

/// Largest value: the depth takes the upper eight bits of a word.
pub(crate) const VALUE_MAX: u32 = (1 << 24) - 1;

/// Mark in the tables of [`Deeper`] for addresses outside all of its blocks.
const NO_VALUE: u32 = VALUE_MAX;

/// Addresses of a family as integers.
pub trait AddressBits: Copy + Ord {
    /// Bits of an address.
    const BITS: u8;
    /// Zero.
    const ZERO: Self;
    /// Most bits for the root table. If leaves are spread over the whole space, a larger root saves
    /// a level, which is a cache miss; if they are dense in few places, a larger root is mostly
    /// empty.
    const ROOT_BITS_MAX: u8;
    /// Top `n` bits (at most 24) as a number.
    fn top(self, n: u8) -> usize;
    /// The four bits after the first `n`, a multiple of four, as a number.
    fn four(self, n: u8) -> usize;
    /// Address one block of `len` bits further; `None` after the last block.
    fn next(self, len: u8) -> Option<Self>;
    /// Address with all bits after `len` set to zero.
    fn cut(self, len: u8) -> Self;
    /// First address of the sibling of the block of `len` bits at `self`.
    fn sibling(self, len: u8) -> Self;
}

impl AddressBits for u32 {
    const BITS: u8 = 32;
    const ZERO: u32 = 0;
    const ROOT_BITS_MAX: u8 = 20;
    #[inline(always)]
    fn top(self, n: u8) -> usize {
        (u64::from(self) >> (32 - n)) as usize
    }
    #[inline(always)]
    fn four(self, n: u8) -> usize {
        (self << n >> 28) as usize
    }
    fn next(self, len: u8) -> Option<u32> {
        if len == 0 { None } else { self.checked_add(1 << (32 - len)) }
    }
    fn cut(self, len: u8) -> u32 {
        truncate_v4(self, len)
    }
    fn sibling(self, len: u8) -> u32 {
        self ^ (1 << (32 - len))
    }
}

impl AddressBits for u128 {
    const BITS: u8 = 128;
    const ZERO: u128 = 0;
    const ROOT_BITS_MAX: u8 = 16;
    #[inline(always)]
    fn top(self, n: u8) -> usize {
        if n == 0 { 0 } else { (self >> (128 - n)) as usize }
    }
    #[inline(always)]
    fn four(self, n: u8) -> usize {
        (self << n >> 124) as usize
    }
    fn next(self, len: u8) -> Option<u128> {
        if len == 0 { None } else { self.checked_add(1 << (128 - len)) }
    }
    fn cut(self, len: u8) -> u128 {
        truncate_v6(self, len)
    }
    fn sibling(self, len: u8) -> u128 {
        self ^ (1 << (128 - len))
    }
}

/// Collects blocks in order, and merges equal siblings.
#[derive(Debug)]
pub(crate) struct Merging<K> {
    blocks: Vec<ValueBlock<K>>,
}

impl<K: AddressBits> Default for Merging<K> {
    fn default() -> Self {
        Merging { blocks: Vec::new() }
    }
}

impl<K: AddressBits> Merging<K> {
    /// Adds the next block; blocks must be ascending and disjoint.
    pub(crate) fn push(&mut self, mut block: ValueBlock<K>) {
        while let Some(last) = self.blocks.last() {
            let are_twins = block.len > 0
                && last.len == block.len
                && last.value == block.value
                && last.start.sibling(last.len) == block.start;
            if !are_twins {
                break;
            }
            block =
                ValueBlock { start: last.start.cut(block.len - 1), len: block.len - 1, value: block.value };
            self.blocks.pop();
        }
        self.blocks.push(block);
    }

    /// Merged blocks.
    pub(crate) fn finish(self) -> Vec<ValueBlock<K>> {
        self.blocks
    }
}

/// Table of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressTable<K> {
    cuts: Arc<Cuts<K>>,
    /// Value of each class; `None` if the leaves hold values themselves.
    of_class: Option<Arc<[u32]>>,
}

/// Structure of a table, with the content of each leaf. A slot is a leaf (depth in the upper eight
/// bits, value below) or leads to a branch ([`BRANCH`] and its number).
#[derive(Debug, PartialEq, Eq)]
struct Cuts<K> {
    /// Bits of the root table: a multiple of four, at most [`AddressBits::ROOT_BITS_MAX`].
    root_bits: u8,
    root: Box<[u32]>,
    branches: Box<[Branch]>,
    leaves: usize,
    keys: PhantomData<K>,
}

/// Sixteen slots for four bits: one cache line, so that a level costs at most one miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
struct Branch([u32; 16]);

/// Mark of a slot that leads to a branch: no depth has both upper bits set.
const BRANCH: u32 = 3 << 30;

impl<K: AddressBits> AddressTable<K> {
    /// Makes a table from blocks that cover the whole space, in order and without overlap.
    pub(crate) fn new(blocks: &[ValueBlock<K>]) -> AddressTable<K> {
        debug_assert!(blocks.first().is_some_and(|b| b.start == K::ZERO));
        // Keep the root at about two slots per leaf at most.
        let root_bits = (((blocks.len().max(1).ilog2() + 1) / 4) * 4).min(u32::from(K::ROOT_BITS_MAX)) as u8;
        let mut root = vec![0; 1 << root_bits];
        let mut branches: Vec<Branch> = Vec::new();
        for block in blocks {
            let leaf = u32::from(block.len) << 24 | block.value & VALUE_MAX;
            let first = block.start.top(root_bits);
            if block.len <= root_bits {
                root[first..first + (1 << (root_bits - block.len))].fill(leaf);
                continue;
            }
            let (mut at, mut branch) = (root_bits, enter(&mut root[first], &mut branches));
            while block.len > at + 4 {
                // Write the slot back, since a new branch may move the others.
                let mut place = branches[branch].0[block.start.four(at)];
                let inner = enter(&mut place, &mut branches);
                branches[branch].0[block.start.four(at)] = place;
                (at, branch) = (at + 4, inner);
            }
            let first = block.start.four(at);
            branches[branch].0[first..first + (1 << (at + 4 - block.len))].fill(leaf);
        }
        let cuts = Cuts {
            root_bits,
            root: root.into(),
            branches: branches.into(),
            leaves: blocks.len(),
            keys: PhantomData,
        };
        AddressTable { cuts: Arc::new(cuts), of_class: None }
    }

    /// Value and depth of the leaf that contains an address.
    #[inline(always)]
    pub fn lookup(&self, address: K) -> (u32, u8) {
        let cuts = &*self.cuts;
        let mut at = cuts.root_bits;
        let mut place = cuts.root[address.top(at)];
        while place >= BRANCH {
            place = cuts.branches[(place & !BRANCH) as usize].0[address.four(at) & 15];
            at += 4;
        }
        (self.value(place), (place >> 24) as u8)
    }

    /// Starts a look-up at its first level. `tag` is a number by which the caller recognises the
    /// result, and an offset to be added to the depth (for an IPv4 client inside IPv6).
    #[inline(always)]
    pub(crate) fn descent(&self, address: K, tag: (usize, u8)) -> Descent<'_, K> {
        let place = self.cuts.root[address.top(self.cuts.root_bits)];
        Descent { table: self, address, place, tag }
    }

    /// Table with the same structure and a value for each class.
    fn of_classes(&self, of_class: &Arc<[u32]>) -> AddressTable<K> {
        AddressTable { cuts: Arc::clone(&self.cuts), of_class: Some(Arc::clone(of_class)) }
    }

    /// Content of a leaf, or the value of its class. A value that is not a class stands for itself.
    #[inline]
    fn value(&self, leaf: u32) -> u32 {
        let held = leaf & VALUE_MAX;
        match &self.of_class {
            None => held,
            Some(of_class) => of_class.get(held as usize).copied().unwrap_or(held),
        }
    }

    /// All leaves in order.
    pub fn blocks(&self) -> impl Iterator<Item = ValueBlock<K>> {
        let mut next = Some(K::ZERO);
        std::iter::from_fn(move || {
            let start = next?;
            let (value, len) = self.lookup(start);
            next = start.next(len);
            Some(ValueBlock { start, len, value })
        })
    }

    /// Number of leaves.
    pub(crate) fn leaves(&self) -> usize {
        self.cuts.leaves
    }

    /// Identity of the shared structure, and its octets in memory.
    fn part(&self) -> Part {
        let cuts = &*self.cuts;
        let octets = size_of_val::<[u32]>(&cuts.root) + size_of_val::<[Branch]>(&cuts.branches);
        Part { at: Arc::as_ptr(&self.cuts).addr(), leaves: cuts.leaves, octets }
    }
}

/// A look-up in progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descent<'t, K> {
    table: &'t AddressTable<K>,
    address: K,
    place: u32,
    tag: (usize, u8),
}

impl<K: AddressBits> Descent<'_, K> {
    /// The tag, and the result of [`AddressTable::lookup`] with the offset added to the depth.
    /// Valid only after [`descend`].
    #[inline(always)]
    pub(crate) fn found(&self) -> (usize, (u32, u8)) {
        let (tag, offset) = self.tag;
        (tag, (self.table.value(self.place), (self.place >> 24) as u8 + offset))
    }
}

/// Completes look-ups, each in its own table. All look-ups advance by one level before the next
/// level, and within a level they are independent, so that their cache misses overlap.
pub(crate) fn descend<K: AddressBits>(descents: &mut [Option<Descent<'_, K>>]) {
    let mut level = 0;
    loop {
        let mut is_through = true;
        for Descent { table, address, place, .. } in descents.iter_mut().flatten() {
            let cuts = &*table.cuts;
            // A finished look-up reads the first branch again, and ignores it.
            let is_branch = *place >= BRANCH;
            is_through &= !is_branch;
            let branch = if is_branch { *place & !BRANCH } else { 0 };
            let at = (cuts.root_bits + level).min(K::BITS - 4);
            let inner =
                cuts.branches.get(branch as usize).map_or(0, |branch| branch.0[address.four(at) & 15]);
            *place = if is_branch { inner } else { *place };
        }
        if is_through {
            return;
        }
        level += 4;
    }
}

/// A part of a table in memory, which other tables may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Address of the part in memory.
    pub(crate) at: usize,
    /// Number of its leaves.
    pub leaves: usize,
    /// Its octets.
    pub(crate) octets: usize,
}

/// Branch to which a slot leads; adds one if there is none.
fn enter(place: &mut u32, branches: &mut Vec<Branch>) -> usize {
    if *place < BRANCH {
        *place = BRANCH | branches.len() as u32;
        branches.push(Branch([0; 16]));
    }
    (*place & !BRANCH) as usize
}

/// Table of both families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trie {
    /// IPv4.
    pub v4: AddressTable<u32>,
    /// IPv6, without the blocks that contain IPv4 ([`super::embedded`]): those are looked up in
    /// `v4`.
    pub v6: AddressTable<u128>,
    /// Blocks deeper than an ECS scope may be, if any.
    pub(crate) deeper: Option<Arc<Deeper>>,
}

/// Blocks with longer prefixes than an ECS scope may have, whose values differ from the values of
/// the tables. They are used for a client located by its resolver's address, because such an answer
/// needs no scope.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Deeper {
    v4: AddressTable<u32>,
    v6: AddressTable<u128>,
    /// Number of blocks that are here for their depth.
    pub(crate) overruled: usize,
}

impl Deeper {
    /// Collects the blocks of both families, each ascending and disjoint; `overruled` of them are
    /// here for their depth.
    pub(crate) fn new(
        v4: &[ValueBlock<u32>],
        v6: &[ValueBlock<u128>],
        overruled: usize,
    ) -> Option<Arc<Deeper>> {
        let is_any = v4.len() + v6.len() > 0;
        is_any.then(|| Arc::new(Deeper { v4: sparse(v4), v6: sparse(v6), overruled }))
    }

    /// First addresses of the IPv4 blocks.
    pub(crate) fn starts_v4(&self) -> impl Iterator<Item = u32> {
        self.v4.blocks().filter(|block| block.value != NO_VALUE).map(|block| block.start)
    }

    /// First addresses of the IPv6 blocks.
    pub(crate) fn starts_v6(&self) -> impl Iterator<Item = u128> {
        self.v6.blocks().filter(|block| block.value != NO_VALUE).map(|block| block.start)
    }

    /// Value and depth of the block that contains an IPv4 address, if any.
    #[inline]
    pub(crate) fn v4(&self, address: u32) -> Option<(u32, u8)> {
        Some(self.v4.lookup(address)).filter(|(value, _)| *value != NO_VALUE)
    }

    /// Value and depth of the block that contains an IPv6 address, if any.
    #[inline]
    pub(crate) fn v6(&self, address: u128) -> Option<(u32, u8)> {
        Some(self.v6.lookup(address)).filter(|(value, _)| *value != NO_VALUE)
    }
}

/// Table of a few blocks, with [`NO_VALUE`] everywhere else.
fn sparse<K: AddressBits>(blocks: &[ValueBlock<K>]) -> AddressTable<K> {
    let mut merging = Merging::default();
    let mut at = Some(K::ZERO);
    for block in blocks {
        fill(at, Some(block.start), &mut merging);
        merging.push(*block);
        at = block.start.next(block.len);
    }
    fill(at, None, &mut merging);
    AddressTable::new(&merging.finish())
}

/// Covers the addresses from `at` to before `end` with the widest blocks without a value.
fn fill<K: AddressBits>(mut at: Option<K>, end: Option<K>, merging: &mut Merging<K>) {
    while let Some(start) = at.filter(|at| end.is_none_or(|end| *at < end)) {
        let ends_in_time = |len: u8| match (start.next(len), end) {
            (_, None) => true,
            (Some(next), Some(end)) => next <= end,
            (None, Some(_)) => false,
        };
        let mut len = K::BITS;
        while len > 0 && start.cut(len - 1) == start && ends_in_time(len - 1) {
            len -= 1;
        }
        merging.push(ValueBlock { start, len, value: NO_VALUE });
        at = start.next(len);
    }
}

impl Trie {
    /// Table with one value for every address.
    pub(crate) fn constant(value: u32) -> Trie {
        Trie {
            v4: AddressTable::new(&[ValueBlock { start: 0, len: 0, value }]),
            v6: AddressTable::new(&[ValueBlock { start: 0, len: 0, value }]),
            deeper: None,
        }
    }

    /// Table with the same structure and other values: `of_class` has one for each class in the
    /// leaves of this table.
    pub(crate) fn of_classes(&self, of_class: Arc<[u32]>) -> Trie {
        let deeper = self.deeper.as_ref().map(|deeper| {
            let (v4, v6) = (deeper.v4.of_classes(&of_class), deeper.v6.of_classes(&of_class));
            Arc::new(Deeper { v4, v6, overruled: deeper.overruled })
        });
        Trie { v4: self.v4.of_classes(&of_class), v6: self.v6.of_classes(&of_class), deeper }
    }

    /// Number of leaves.
    pub(crate) fn leaves(&self) -> usize {
        self.v4.leaves() + self.v6.leaves()
    }

    /// Parts of the table in memory.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        let classes = self.v4.of_class.as_ref().map(|c| Part {
            at: Arc::as_ptr(c).addr(),
            leaves: 0,
            octets: size_of_val::<[u32]>(c),
        });
        // Leaves are counted as scopes, and leaves of the deeper table are never scopes.
        let uncounted = |part: Part| Part { leaves: 0, ..part };
        let deeper = self.deeper.iter().flat_map(|deeper| [deeper.v4.part(), deeper.v6.part()]);
        [self.v4.part(), self.v6.part()].into_iter().chain(classes).chain(deeper.map(uncounted))
    }

    /// Octets in memory.
    pub(crate) fn octets(&self) -> usize {
        self.parts().map(|part| part.octets).sum()
    }
}

#[cfg(test)]
mod tests;
