//! Routes: from every address to a choice of a policy, compiled from the atlas.
//!
//! Each distinct place is mapped once; each leaf takes the choice of its place; leaves of databases
//! that are deeper than RFC 7871 section 11.1 wants are merged into the choice that covers most of
//! their block; equal siblings merge. The result is disjoint, so a leaf's depth is a truthful scope.

use crate::geo::atlas::{Atlas, Leaf, Space};
use crate::geo::trie::{Block, Key, Merging, Table, Trie};
use crate::limits::{LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX};
use crate::steer::table::REDIRECT;

/// Choice numbers for leaves.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'a> {
    /// By place.
    pub of_place: &'a [u32],
    /// For special-purpose blocks that nobody knows; never equal to a place's, so that their leaves
    /// never merge with others.
    pub special: u32,
}

/// The routes for one way of choosing.
pub fn compile(atlas: &Atlas, choices: &Choices<'_>) -> Trie {
    Trie { v4: table(&atlas.v4, choices, LEAF_DEPTH_V4_MAX), v6: table(&atlas.v6, choices, LEAF_DEPTH_V6_MAX) }
}

fn table<K: Key>(leaves: &[Leaf<K>], choices: &Choices<'_>, depth_max: u8) -> Table<K> {
    let mut merging = Merging::default();
    let mut at = 0;
    while let Some(leaf) = leaves.get(at) {
        let end = if leaf.len > depth_max { at + block_len(&leaves[at..], depth_max) } else { at + 1 };
        let majority = if end > at + 1 { majority(&leaves[at..end], choices) } else { None };
        for leaf in &leaves[at..end] {
            let value = match leaf.space {
                Space::Embedded => REDIRECT,
                Space::Special => choices.special,
                Space::Usable if leaf.operator => choices.of_place[leaf.place as usize],
                Space::Usable => majority.unwrap_or(choices.of_place[leaf.place as usize]),
            };
            merging.push(Block { start: leaf.start, len: leaf.len, value });
        }
        at = end;
    }
    Table::new(&merging.finish())
}

/// How many of the first leaves lie in one block of `depth_max` bits.
fn block_len<K: Key>(leaves: &[Leaf<K>], depth_max: u8) -> usize {
    let block = leaves[0].start.cut(depth_max);
    leaves.iter().take_while(|l| l.len > depth_max && l.start.cut(depth_max) == block).count()
}

/// The choice that covers most of a block's database leaves; the smaller number wins a tie, so that
/// every build agrees.
fn majority<K: Key>(leaves: &[Leaf<K>], choices: &Choices<'_>) -> Option<u32> {
    let mut covered: Vec<(u32, u128)> = Vec::new();
    for leaf in leaves.iter().filter(|l| !l.operator && l.space == Space::Usable) {
        let choice = choices.of_place[leaf.place as usize];
        let addresses = 1u128 << (K::BITS - leaf.len).min(127);
        match covered.iter_mut().find(|(c, _)| *c == choice) {
            Some((_, sum)) => *sum += addresses,
            None => covered.push((choice, addresses)),
        }
    }
    covered.into_iter().min_by_key(|&(choice, sum)| (std::cmp::Reverse(sum), choice)).map(|(choice, _)| choice)
}

#[cfg(test)]
mod tests;
