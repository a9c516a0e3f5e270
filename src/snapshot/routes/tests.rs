//! Routes over small atlases, as rows of leaves and the table made of them.

use super::*;
use crate::geo::atlas::Provenance;
use crate::geo::place::{Country, Place};

const BAR: u8 = LEAF_DEPTH_V4_MAX;
const SPECIAL: u32 = 99;

fn leaf(address: [u8; 4], len: u8, place: u32) -> Leaf<u32> {
    Leaf { start: u32::from_be_bytes(address), len, place, operator: false, space: Space::Usable }
}

fn operator(leaf: Leaf<u32>) -> Leaf<u32> {
    Leaf { operator: true, ..leaf }
}

/// Completes leaves to a cover of the whole space with place 0.
fn covered(leaves: &[Leaf<u32>]) -> Vec<Leaf<u32>> {
    let mut all = Vec::new();
    fill(0, 0, leaves, &mut all);
    all
}

fn fill(start: u32, len: u8, leaves: &[Leaf<u32>], all: &mut Vec<Leaf<u32>>) {
    if let Some(whole) = leaves.iter().find(|l| (l.start, l.len) == (start, len)) {
        all.push(*whole);
    } else if leaves.iter().any(|l| l.len > len && l.start.cut(len) == start) {
        fill(start, len + 1, leaves, all);
        fill(start.sibling(len + 1), len + 1, leaves, all);
    } else {
        all.push(Leaf { start, len, place: 0, operator: false, space: Space::Usable });
    }
}

fn atlas(leaves: &[Leaf<u32>]) -> Atlas {
    let v6 = vec![
        Leaf { start: 0u128, len: 1, place: 0, operator: false, space: Space::Embedded },
        Leaf { start: 1 << 127, len: 1, place: 0, operator: false, space: Space::Usable },
    ];
    Atlas {
        // Place 0 is unknown.
        places: (0..4)
            .map(|place| Place {
                country: Country::from_code("DE").filter(|_| place > 0),
                ..Place::default()
            })
            .collect(),
        evidence: vec![Provenance::default(); 4],
        v4: covered(leaves),
        v6,
        databases: vec![],
        networks: vec![],
    }
}

/// Places 2 and 3 are one choice.
fn choices() -> Choices {
    Choices { of_place: vec![0, 10, 20, 20], of_resolvers: vec![], special: SPECIAL }
}

fn compiled(leaves: &[Leaf<u32>]) -> Trie {
    compile(&atlas(leaves), &choices())
}

/// Resolvers with a choice of their own are found beside the table: they cut no leaf of it, and no
/// client subnet gets their choice, whether policies share their leaves or not.
#[test]
fn resolvers_have_a_choice_of_their_own() {
    let atlas = atlas(&[
        leaf([10, 0, 0, 0], 9, 2),
        leaf([10, 128, 0, 0], 9, 3),
        leaf([20, 0, 0, 0], 25, 1),
        leaf([20, 0, 0, 128], 25, 3),
    ]);
    let own = Choices { of_resolvers: vec![(3, 30)], ..choices() };
    let (plain, table) = (compile(&atlas, &choices()), compile(&atlas, &own));
    assert_eq!((&table.v4, &table.v6), (&plain.v4, &plain.v6));
    let other = Choices { of_place: vec![0, 10, 20, 21], ..choices() };
    let mut tables = Tables::default();
    for asked in [&own, &other, &choices()] {
        tables.ask(asked.clone());
    }
    let (shared, is_shared) = tables.build(&crate::snapshot::each::in_order, &atlas, 0);
    assert!(is_shared);
    // An address, and the choice of a client and of a resolver there.
    let rows = [
        ([10, 1, 0, 0], 20, 20),
        ([10, 200, 0, 0], 20, 30),
        ([20, 0, 0, 1], 10, 10),
        // The block is one place for client subnets, and each part its own for resolvers.
        ([20, 0, 0, 200], 10, 30),
        ([99, 0, 0, 1], 0, 0),
    ];
    for (address, client, resolver) in rows {
        let bits = u32::from_be_bytes(address);
        for trie in [&table, &*shared[0]] {
            assert_eq!(trie.v4.lookup(bits).0, client, "{address:?}");
            let deeper = trie.deeper.as_ref().and_then(|deeper| deeper.v4(bits));
            assert_eq!(deeper.map_or(client, |(value, _)| value), resolver, "{address:?}");
        }
    }
    let overruled = |trie: &Trie| trie.deeper.as_ref().map(|deeper| deeper.overruled);
    assert_eq!((overruled(&table), overruled(&plain)), (Some(1), Some(1)), "a choice overrules none");
}

/// Rows of description, leaves, address, choice and depth.
#[test]
fn choices_and_depths() {
    type Row = (&'static str, Vec<Leaf<u32>>, [u8; 4], (u32, u8));
    let rows: Vec<Row> = vec![
        ("nothing is known", vec![], [9, 9, 9, 9], (0, 0)),
        ("a leaf has its own depth", vec![leaf([10, 0, 0, 0], 8, 1)], [10, 1, 1, 1], (10, 8)),
        ("its sibling has the same", vec![leaf([10, 0, 0, 0], 8, 1)], [11, 1, 1, 1], (0, 8)),
        ("far away the scope is wide", vec![leaf([10, 0, 0, 0], 8, 1)], [200, 1, 1, 1], (0, 1)),
        (
            "siblings of one choice are one leaf",
            vec![leaf([10, 0, 0, 0], 9, 2), leaf([10, 128, 0, 0], 9, 3)],
            [10, 200, 0, 0],
            (20, 8),
        ),
        (
            "siblings of two choices stay two",
            vec![leaf([10, 0, 0, 0], 9, 1), leaf([10, 128, 0, 0], 9, 3)],
            [10, 200, 0, 0],
            (20, 9),
        ),
        (
            "past the bar the majority of the block decides",
            vec![leaf([10, 0, 0, 0], 25, 1), leaf([10, 0, 0, 128], 26, 1), leaf([10, 0, 0, 192], 26, 2)],
            [10, 0, 0, 200],
            (10, BAR),
        ),
        (
            "an operator's network keeps its depth past the bar",
            vec![operator(leaf([10, 0, 0, 0], 32, 2)), leaf([10, 0, 0, 128], 25, 1)],
            [10, 0, 0, 0],
            (20, 32),
        ),
        (
            "and does not vote",
            vec![
                operator(leaf([10, 0, 0, 0], 25, 2)),
                leaf([10, 0, 0, 128], 26, 1),
                leaf([10, 0, 0, 192], 26, 1),
            ],
            [10, 0, 0, 130],
            (10, 25),
        ),
        (
            "a tie goes to the lower choice",
            vec![leaf([10, 0, 0, 0], 25, 2), leaf([10, 0, 0, 128], 25, 1)],
            [10, 0, 0, 1],
            (10, BAR),
        ),
        (
            "past the bar a known part beats a larger one that is not",
            vec![leaf([10, 0, 0, 0], 28, 1)],
            [10, 0, 0, 200],
            (10, BAR),
        ),
        (
            "what nobody knows is left to the resolver",
            vec![Leaf { space: Space::Special, ..leaf([10, 0, 0, 0], 8, 0) }],
            [10, 1, 1, 1],
            (SPECIAL, 8),
        ),
    ];
    for (what, leaves, address, expected) in rows {
        assert_eq!(compiled(&leaves).v4.lookup(u32::from_be_bytes(address)), expected, "{what}");
    }
}

/// Blocks that embed IPv4 lead to the IPv4 table and never merge with others.
#[test]
fn embedded_blocks_redirect() {
    let trie = compiled(&[]);
    assert_eq!(trie.v6.lookup(5), (REDIRECT, 1));
    assert_eq!(trie.v6.lookup(1 << 127), (0, 1));
}

/// Leaves are disjoint and cover the space, for any nesting.
#[test]
fn leaves_cover_the_space_once() {
    let trie = compiled(&[
        leaf([10, 0, 0, 0], 16, 1),
        leaf([10, 1, 0, 0], 30, 2),
        operator(leaf([10, 1, 0, 64], 27, 3)),
        leaf([10, 2, 3, 4], 32, 1),
    ]);
    let covered: u64 = trie.v4.blocks().map(|b| 1u64 << (32 - b.len)).sum();
    assert_eq!(covered, 1 << 32);
    assert!(
        trie.v4
            .blocks()
            .collect::<Vec<_>>()
            .windows(2)
            .all(|w| u64::from(w[0].start) + (1 << (32 - w[0].len)) == u64::from(w[1].start))
    );
}

/// Rows of leaves past the depth limit, an address, the result for a client by ECS, and that for a
/// resolver, whose answer needs no scope.
#[test]
fn a_resolver_is_located_at_full_depth() {
    type Row = (Vec<Leaf<u32>>, [u8; 4], (u32, u8), (u32, u8));
    let rows: Vec<Row> = vec![
        (
            vec![leaf([10, 0, 0, 0], 25, 1), leaf([10, 0, 0, 128], 26, 1), leaf([10, 0, 0, 192], 26, 2)],
            [10, 0, 0, 200],
            (10, BAR),
            (20, 26),
        ),
        (vec![leaf([10, 0, 0, 0], 28, 1)], [10, 0, 0, 200], (10, BAR), (0, 25)),
        (vec![leaf([10, 0, 0, 0], 28, 1)], [10, 0, 0, 1], (10, BAR), (10, BAR)),
        (vec![operator(leaf([10, 0, 0, 0], 32, 2))], [10, 0, 0, 0], (20, 32), (20, 32)),
        (vec![leaf([10, 0, 0, 0], 8, 1)], [10, 1, 1, 1], (10, 8), (10, 8)),
    ];
    for (leaves, address, by_ecs, by_resolver) in rows {
        let (trie, address) = (compiled(&leaves), u32::from_be_bytes(address));
        assert_eq!(trie.v4.lookup(address), by_ecs, "{leaves:?}");
        let own = trie.deeper.as_ref().and_then(|deeper| deeper.v4(address));
        assert_eq!(own.unwrap_or_else(|| trie.v4.lookup(address)), by_resolver, "{leaves:?}");
    }
    assert!(compiled(&[leaf([10, 0, 0, 0], 24, 1)]).deeper.is_none(), "nothing is deeper");
}
