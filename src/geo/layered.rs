//! Converts nested prefixes to disjoint leaves: the longest prefix that contains an address decides
//! alone.
//!
//! A wide prefix around longer ones is split into as many leaves as they have additional bits, so a
//! few octets of text can stand for many leaves. Therefore leaves are counted before any is made.

use super::trie::AddressBits;
use crate::limits::{LEAVES_OF_PREFIX_MAX, LEAVES_UNCOUNTED};

/// Leaf of a database: network address, length, index into [`super::mmdb::Database::places`].
pub(crate) type PlacedLeaf<B> = (B, u8, u32);

/// A prefix and its value: first address, length, value; a prefix without a value makes a hole.
pub(crate) type Layer<K> = (K, u8, Option<u32>);

/// Fault of prefixes that [`disjoint`] refuses, in words.
pub(crate) const TOO_MANY_LEAVES: &str = "each of them would be cut into dozens of parts";

/// Splits layers, with each prefix once, into disjoint blocks in ascending order. `None` if that
/// takes more than [`LEAVES_OF_PREFIX_MAX`] leaves per prefix.
pub(crate) fn disjoint<K: AddressBits>(layers: Vec<Layer<K>>) -> Option<Vec<PlacedLeaf<K>>> {
    let (count, layers) = count_disjoint(layers)?;
    let mut leaves = Vec::with_capacity(count);
    cut((K::ZERO, 0, None), &layers, &mut |leaf| leaves.push(leaf));
    Some(leaves)
}

/// Number of leaves that [`disjoint`] makes, and the layers in the order in which it splits them.
pub(crate) fn count_disjoint<K: AddressBits>(mut layers: Vec<Layer<K>>) -> Option<(usize, Vec<Layer<K>>)> {
    layers.sort_unstable_by_key(|&(start, len, _)| (start, len));
    let mut count = 0usize;
    cut((K::ZERO, 0, None), &layers, &mut |_| count += 1);
    let most = layers.len().saturating_mul(LEAVES_OF_PREFIX_MAX).saturating_add(LEAVES_UNCOUNTED);
    (count <= most).then_some((count, layers))
}

/// Splits one block; `inside` are the layers in it, ascending, wider ones first. The recursion is
/// at most as deep as an address has bits.
fn cut<K: AddressBits>(block: Layer<K>, mut inside: &[Layer<K>], leaf: &mut impl FnMut(PlacedLeaf<K>)) {
    let (start, len, mut value) = block;
    if let Some((first, rest)) = inside.split_first()
        && (first.0, first.1) == (start, len)
    {
        value = first.2;
        inside = rest;
    }
    if inside.is_empty() || len >= K::BITS {
        if let Some(value) = value {
            leaf((start, len, value));
        }
        return;
    }
    let right = start.sibling(len + 1);
    let (low, high) = inside.split_at(inside.partition_point(|layer| layer.0 < right));
    cut((start, len + 1, value), low, leaf);
    cut((right, len + 1, value), high, leaf);
}

#[cfg(test)]
mod tests;
