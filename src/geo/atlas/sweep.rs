//! Reads several ascending lists of disjoint blocks as one.
//!
//! A sweep passes once over the address space and splits it where any list changes, so time and
//! memory are proportional to the lists, without a tree of pointers.

use std::ops::{BitAnd, BitOr, BitXor};

/// An address of one family as an integer.
pub(crate) trait Bits:
    Copy + Ord + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> + std::fmt::Debug
{
    /// Length of an address in bits.
    const WIDTH: u8;
    /// The lowest address.
    const ZERO: Self;
    /// The highest address.
    const MAX: Self;
    /// Mask of the bits after the first `len`.
    fn host_bits(len: u8) -> Self;
    /// Number of trailing zero bits; the width for zero.
    fn zeros_below(self) -> u8;
    /// The next address; wraps.
    fn next(self) -> Self;
    /// The address before; wraps.
    fn before(self) -> Self;
    /// Largest number of host bits of a block that begins at `self` and ends by `last`, ignoring
    /// the alignment of `self`.
    fn room_to(self, last: Self) -> u8;
}

macro_rules! bits {
    ($t:ty, $width:literal) => {
        impl Bits for $t {
            const WIDTH: u8 = $width;
            const ZERO: $t = 0;
            const MAX: $t = <$t>::MAX;
            fn host_bits(len: u8) -> $t {
                <$t>::MAX.checked_shr(len.into()).unwrap_or(0)
            }
            fn zeros_below(self) -> u8 {
                self.trailing_zeros() as u8
            }
            fn next(self) -> $t {
                self.wrapping_add(1)
            }
            fn before(self) -> $t {
                self.wrapping_sub(1)
            }
            fn room_to(self, last: $t) -> u8 {
                match (last - self).checked_add(1) {
                    Some(count) => count.ilog2() as u8,
                    None => $width,
                }
            }
        }
    };
}
bits!(u32, 32);
bits!(u128, 128);

/// A block with its value in a list.
pub(crate) type PrefixBlock<B, V> = (B, u8, V);

/// The last address of a block.
pub(crate) fn last_of<B: Bits>(start: B, len: u8) -> B {
    start | B::host_bits(len)
}

/// Splits the addresses from `first` to `last` into the fewest blocks.
pub(crate) fn cut<B: Bits>(first: B, last: B, mut emit: impl FnMut(B, u8)) {
    let mut at = first;
    loop {
        let len = B::WIDTH - at.zeros_below().min(at.room_to(last));
        emit(at, len);
        let end = last_of(at, len);
        if end >= last {
            return;
        }
        at = end.next();
    }
}

/// Splits the whole address space into runs in which no list changes its value. Calls `emit` with
/// the first and last address of each run, and with each list's value.
pub(crate) fn sweep<B: Bits>(lists: &[&[PrefixBlock<B, u32>]], mut emit: impl FnMut(B, B, &[Option<u32>])) {
    let mut cursors = vec![0usize; lists.len()];
    let mut values = vec![None; lists.len()];
    let mut at = B::ZERO;
    loop {
        let mut end = B::MAX;
        for ((list, cursor), value) in lists.iter().zip(&mut cursors).zip(&mut values) {
            while list.get(*cursor).is_some_and(|&(start, len, _)| last_of(start, len) < at) {
                *cursor += 1;
            }
            *value = match list.get(*cursor) {
                Some(&(start, len, said)) if start <= at => {
                    end = end.min(last_of(start, len));
                    Some(said)
                }
                Some(&(start, ..)) => {
                    end = end.min(start.before());
                    None
                }
                None => None,
            };
        }
        emit(at, end, &values);
        if end == B::MAX {
            return;
        }
        at = end.next();
    }
}

/// Converts nested prefixes to disjoint blocks. The value of each block is an index into the second
/// list. An entry of that list has the values of all prefixes that contain the block, the outermost
/// first.
///
/// `prefixes` must contain each prefix once.
pub(crate) fn flatten<B: Bits>(
    prefixes: &[PrefixBlock<B, u32>],
) -> (Vec<PrefixBlock<B, u32>>, Vec<Vec<u32>>) {
    let mut sorted = prefixes.to_vec();
    sorted.sort_unstable_by_key(|&(start, len, _)| (start, len));
    let mut blocks = Vec::new();
    let mut chains: Vec<Vec<u32>> = Vec::new();
    // Open prefixes from the outermost in, each with its last address and its chain.
    let mut open: Vec<(B, u32)> = Vec::new();
    // First address not yet covered by a block, while a prefix is open.
    let mut at = B::ZERO;
    let mut fill =
        |first: B, last: B, chain: u32| cut(first, last, |start, len| blocks.push((start, len, chain)));
    for (start, len, value) in sorted {
        while let Some(&(end, chain)) = open.last()
            && end < start
        {
            if at <= end {
                fill(at, end, chain);
                at = end.next(); // `end` is below `start`, so there is a next address
            }
            open.pop();
        }
        let mut nested = Vec::new();
        if let Some(&(_, chain)) = open.last() {
            if at < start {
                fill(at, start.before(), chain);
            }
            nested.clone_from(&chains[chain as usize]);
        }
        nested.push(value);
        at = start;
        open.push((last_of(start, len), chains.len() as u32));
        chains.push(nested);
    }
    while let Some((end, chain)) = open.pop() {
        if at <= end {
            fill(at, end, chain);
            if end == B::MAX {
                break;
            }
            at = end.next();
        }
    }
    (blocks, chains)
}
