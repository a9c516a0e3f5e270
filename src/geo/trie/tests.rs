//! Tests of `trie`.

use super::*;
use proptest::prelude::*;

#[test]
fn twins_merge_all_the_way_up() {
    let mut merging = Merging::default();
    for n in 0..=255u32 {
        merging.push(ValueBlock { start: n << 24, len: 8, value: 7 });
    }
    assert_eq!(merging.finish(), [ValueBlock { start: 0, len: 0, value: 7 }]);
}

#[test]
fn neighbours_that_are_not_twins_stay_apart() {
    let mut merging = Merging::default();
    for (start, len, value) in [(0u32, 2, 1), (0x4000_0000, 2, 2), (0x8000_0000, 2, 2), (0xc000_0000, 2, 3)] {
        merging.push(ValueBlock { start, len, value });
    }
    assert_eq!(merging.finish().len(), 4);
}

/// A large table has a larger root, and gives the same results.
#[test]
fn large_tables_find_what_small_ones_do() {
    let mut blocks = Vec::new();
    for place in 0..1u32 << 20 {
        match place % 64 {
            0 => blocks.extend((0..16).map(|n| ValueBlock {
                start: place << 12 | n << 8,
                len: 24,
                value: place + n,
            })),
            _ => blocks.push(ValueBlock { start: place << 12, len: 20, value: place }),
        }
    }
    let table = AddressTable::new(&blocks);
    assert_eq!(table.cuts.root_bits, 20);
    for block in blocks.iter().step_by(97) {
        for address in [block.start, block.start | 0xff] {
            assert_eq!(table.lookup(address), (block.value, block.len), "{address:x}");
        }
    }
}

/// Splits the space at random, with blocks in order.
fn split(space: &mut Vec<ValueBlock<u32>>, block: ValueBlock<u32>, choices: &mut impl Iterator<Item = u8>) {
    let choice = choices.next().unwrap_or(0);
    if choice & 1 == 0 || block.len == 32 {
        space.push(ValueBlock { value: u32::from(choice >> 6), ..block });
        return;
    }
    let half = ValueBlock { len: block.len + 1, ..block };
    split(space, half, choices);
    split(space, ValueBlock { start: half.start.sibling(half.len), ..half }, choices);
}

proptest! {
    #[test]
    fn every_address_is_found_in_its_leaf(
        choices in proptest::collection::vec(any::<u8>(), 0..2000),
        addresses in proptest::collection::vec(any::<u32>(), 64),
    ) {
        let mut blocks = Vec::new();
        split(&mut blocks, ValueBlock { start: 0, len: 0, value: 0 }, &mut choices.into_iter());
        let mut merging = Merging::default();
        blocks.iter().for_each(|b| merging.push(*b));
        let merged = merging.finish();
        let table = AddressTable::new(&merged);
        prop_assert_eq!(table.blocks().collect::<Vec<_>>(), merged.clone());
        for address in addresses.into_iter().chain(blocks.iter().map(|b| b.start)).chain([0, u32::MAX]) {
            let (value, len) = table.lookup(address);
            let unmerged = blocks.iter().rev().find(|b| b.start <= address).unwrap();
            let leaf = merged.iter().rev().find(|b| b.start <= address).unwrap();
            prop_assert_eq!((value, len), (leaf.value, leaf.len));
            prop_assert_eq!(value, unmerged.value);
            prop_assert_eq!(address.cut(len), leaf.start);
        }
        // Few leaves, the last at the greatest depth: a small root, and a chain of branches.
        let mut spine: Vec<ValueBlock<u32>> = (1..=32)
            .rev()
            .map(|len| ValueBlock { start: 0u32.sibling(len), len, value: u32::from(len) })
            .collect();
        spine.insert(0, ValueBlock { start: 0, len: 32, value: 0 });
        let other = AddressTable::new(&spine);
        let mut starts = blocks.iter().map(|block| block.start);
        let asked: Vec<(&AddressTable<u32>, u32)> = (0..32)
            .filter_map(|at| match at % 4 {
                2 => Some((&other, at / 4)),
                _ => starts.next().map(|start| (&table, start)),
            })
            .collect();
        let begun = asked.iter().enumerate().map(|(at, (table, start))| table.descent(*start, (at, 7)));
        let mut descents: Vec<_> = begun.map(Some).collect();
        descend(&mut descents);
        for (descent, (at, (table, start))) in descents.iter().flatten().zip(asked.iter().enumerate()) {
            let (value, depth) = table.lookup(*start);
            prop_assert_eq!(descent.found(), (at, (value, depth + 7)));
        }
    }
}

#[test]
fn the_wide_family_is_the_same_code() {
    let mut merging = Merging::default();
    for (top, value) in [(0u128, 1), (1, 1), (2, 2), (3, 1)] {
        merging.push(ValueBlock { start: top << 126, len: 2, value });
    }
    let table = AddressTable::new(&merging.finish());
    assert_eq!(table.lookup(1 << 126), (1, 1));
    assert_eq!(table.lookup(2 << 126), (2, 2));
    assert_eq!(table.lookup(u128::MAX), (1, 2));
}
