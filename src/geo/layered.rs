//! Nested prefixes as disjoint leaves: the longest prefix that holds an address speaks for it
//! alone.

use super::mmdb::PlacedLeaf;
use super::trie::AddressBits;

/// A prefix and its value: first address, length; without a value it makes a hole.
pub type Layer<K> = (K, u8, Option<u32>);

/// Cuts layers, each prefix once, into disjoint blocks, ascending.
pub fn disjoint<K: AddressBits>(mut layers: Vec<Layer<K>>) -> Vec<PlacedLeaf<K>> {
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
mod tests {
    use super::*;

    /// Holes, nesting, the ends of the address space, and the whole of it.
    #[test]
    fn the_longest_prefix_speaks() {
        let v4 = |a: u32, len: u8, value: Option<u32>| (a << 24, len, value);
        type Row = (u32, u8, u32);
        let cases: [(Vec<Layer<u32>>, Vec<Row>); 5] = [
            (vec![], vec![]),
            (vec![v4(0, 0, Some(7))], vec![(0, 0, 7)]),
            (
                vec![v4(10, 8, Some(1)), v4(8, 6, Some(0))],
                vec![(8 << 24, 7, 0), (10 << 24, 8, 1), (11 << 24, 8, 0)],
            ),
            (vec![v4(8, 6, Some(0)), v4(10, 7, None)], vec![(8 << 24, 7, 0)]),
            (vec![(u32::MAX, 32, Some(2)), (0, 32, Some(1))], vec![(0, 32, 1), (u32::MAX, 32, 2)]),
        ];
        for (layers, expected) in cases {
            assert_eq!(disjoint(layers.clone()), expected, "{layers:?}");
        }
        assert_eq!(
            disjoint(vec![(1u128 << 127, 1, Some(3)), (0, 0, Some(4))]),
            [(0, 1, 4), (1 << 127, 1, 3)]
        );
    }
}
