//! Routes: from every address to a choice of a policy, compiled from the atlas.
//!
//! Each distinct place is mapped once; each leaf takes the choice of its place; leaves of databases
//! that are deeper than RFC 7871 section 11.1 wants are merged into the choice that covers most of
//! their block; equal siblings merge. The result is disjoint, so a leaf's depth is a truthful
//! scope.
//!
//! Where the tables of all policies together are too large, they share the cuts of one: its leaves
//! hold classes of places of which each policy makes the same, and each policy says what it makes
//! of a class.

use super::interner::Interner;
use crate::geo::atlas::{Atlas, Leaf, Space};
use crate::geo::trie::{AddressBits, AddressTable, Merging, Trie, ValueBlock};
use crate::limits::{LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX};
use crate::snapshot::each::Each;
use crate::steer::table::REDIRECT;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Choice numbers for leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices<'a> {
    /// By place.
    pub(crate) of_place: &'a [u32],
    /// For special-purpose blocks that nobody knows; never equal to a place's, so that their leaves
    /// never merge with others.
    pub(crate) special: u32,
}

/// A table of routes that was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// One choice for everybody.
    Constant(Arc<Trie>),
    /// A number among what [`Tables::build`] makes.
    Table(usize),
}

/// The tables that policies ask for, by what they make of every place and of special-purpose
/// blocks.
#[derive(Default)]
pub(crate) struct Tables {
    asked: Vec<Arc<(Vec<u32>, u32)>>,
    known: HashMap<Arc<(Vec<u32>, u32)>, usize>,
}

impl Tables {
    /// Asks for a table; the same for who asks for the same.
    pub(crate) fn ask(&mut self, of_place: Vec<u32>, special: u32) -> Route {
        let key = Arc::new((of_place, special));
        let next = self.asked.len();
        Route::Table(*self.known.entry(key).or_insert_with_key(|key| {
            self.asked.push(Arc::clone(key));
            next
        }))
    }

    /// Every table that was asked for, made by `each`; and whether they share their cuts, since
    /// they would have more than `octets_max` octets in all.
    pub(crate) fn build(self, each: Each<'_>, atlas: &Atlas, octets_max: usize) -> (Vec<Arc<Trie>>, bool) {
        // Numbers of classes must leave room for REDIRECT.
        let may_share = self.asked.len() > 1 && atlas.places.len() < REDIRECT as usize - 1;
        let octets = AtomicUsize::new(0);
        let is_too_large = || may_share && octets.load(Ordering::Relaxed) > octets_max;
        let tables: Vec<OnceLock<Arc<Trie>>> = self.asked.iter().map(|_| OnceLock::new()).collect();
        each(tables.len(), &|index| {
            if is_too_large() {
                return;
            }
            let (of_place, special) = &*self.asked[index];
            let table = compile(atlas, &Choices { of_place, special: *special });
            octets.fetch_add(table.octets(), Ordering::Relaxed);
            // Each number is met once.
            _ = tables[index].set(Arc::new(table));
        });
        if is_too_large() {
            drop(tables);
            return (self.shared(atlas), true);
        }
        (tables.into_iter().filter_map(OnceLock::into_inner).collect(), false)
    }

    /// One cut for all.
    fn shared(&self, atlas: &Atlas) -> Vec<Arc<Trie>> {
        // Classes become finer with each table: places are one as long as every table so far makes
        // one of them. Behind the places stands what is made of special-purpose blocks, which is
        // apart from all of them.
        let places = atlas.places.len();
        let mut class_of: Vec<u32> = vec![0; places + 1];
        let (mut count, mut finer) = (1, Interner::default());
        for asked in &self.asked {
            // Nothing is finer than each place for itself.
            if count > places {
                break;
            }
            finer.clear();
            for (class, choice) in class_of.iter_mut().zip(asked.0.iter().chain([&asked.1])) {
                *class = finer.intern((*class, *choice));
            }
            count = finer.list().len();
        }
        let special = match class_of.pop() {
            Some(special) if !class_of.contains(&special) => special,
            // A table of resolvers knows no special blocks: alone it would take them for a place.
            _ => {
                count += 1;
                count as u32 - 1
            }
        };
        let cuts = compile(atlas, &Choices { of_place: &class_of, special });
        let meaning = |asked: &Arc<(Vec<u32>, u32)>| {
            let mut of_class = vec![asked.1; count];
            for (class, choice) in class_of.iter().zip(&asked.0) {
                of_class[*class as usize] = *choice;
            }
            Arc::new(cuts.of_classes(of_class.into()))
        };
        self.asked.iter().map(meaning).collect()
    }
}

/// The routes for one way of choosing.
pub(crate) fn compile(atlas: &Atlas, choices: &Choices<'_>) -> Trie {
    Trie {
        v4: table(&atlas.v4, choices, LEAF_DEPTH_V4_MAX),
        v6: table(&atlas.v6, choices, LEAF_DEPTH_V6_MAX),
    }
}

fn table<K: AddressBits>(leaves: &[Leaf<K>], choices: &Choices<'_>, depth_max: u8) -> AddressTable<K> {
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
            merging.push(ValueBlock { start: leaf.start, len: leaf.len, value });
        }
        at = end;
    }
    AddressTable::new(&merging.finish())
}

/// How many of the first leaves lie in one block of `depth_max` bits.
fn block_len<K: AddressBits>(leaves: &[Leaf<K>], depth_max: u8) -> usize {
    let block = leaves[0].start.cut(depth_max);
    leaves.iter().take_while(|l| l.len > depth_max && l.start.cut(depth_max) == block).count()
}

/// The choice that covers most of a block's database leaves; the smaller number wins a tie, so that
/// every build agrees.
fn majority<K: AddressBits>(leaves: &[Leaf<K>], choices: &Choices<'_>) -> Option<u32> {
    let mut covered: Vec<(u32, u128)> = Vec::new();
    for leaf in leaves.iter().filter(|l| !l.operator && l.space == Space::Usable) {
        let choice = choices.of_place[leaf.place as usize];
        let addresses = 1u128 << (K::BITS - leaf.len).min(127);
        match covered.iter_mut().find(|(c, _)| *c == choice) {
            Some((_, sum)) => *sum += addresses,
            None => covered.push((choice, addresses)),
        }
    }
    covered
        .into_iter()
        .min_by_key(|&(choice, sum)| (std::cmp::Reverse(sum), choice))
        .map(|(choice, _)| choice)
}

#[cfg(test)]
mod tests;
