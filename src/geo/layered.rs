//! Nested prefixes as disjoint leaves: the longest prefix that holds an address speaks for it
//! alone.

use super::trie::AddressBits;

/// A leaf of a database: network address, length, index into [`super::mmdb::Database::places`].
pub(crate) type PlacedLeaf<B> = (B, u8, u32);

/// A prefix and its value: first address, length; without a value it makes a hole.
pub(crate) type Layer<K> = (K, u8, Option<u32>);

/// Cuts layers, each prefix once, into disjoint blocks, ascending.
pub(crate) fn disjoint<K: AddressBits>(mut layers: Vec<Layer<K>>) -> Vec<PlacedLeaf<K>> {
    layers.sort_unstable_by_key(|&(start, len, _)| (start, len));
    let mut leaves = Vec::with_capacity(layers.len());
    cut((K::ZERO, 0, None), &layers, &mut leaves);
    leaves
}

/// Cuts one block: `inside` are the layers in it, ascending, wider ones first. The recursion is as
/// deep as an address has bits.
fn cut<K: AddressBits>(block: Layer<K>, mut inside: &[Layer<K>], leaves: &mut Vec<PlacedLeaf<K>>) {
    let (start, len, mut value) = block;
    if let Some((first, rest)) = inside.split_first()
        && (first.0, first.1) == (start, len)
    {
        value = first.2;
        inside = rest;
    }
    if inside.is_empty() || len >= K::BITS {
        leaves.extend(value.map(|value| (start, len, value)));
        return;
    }
    let right = start.sibling(len + 1);
    let (low, high) = inside.split_at(inside.partition_point(|layer| layer.0 < right));
    cut((start, len + 1, value), low, leaves);
    cut((right, len + 1, value), high, leaves);
}

#[cfg(test)]
mod tests;
