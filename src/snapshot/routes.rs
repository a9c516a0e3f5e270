//! Routes: from every address to a choice of a policy, compiled from the atlas.
//!
//! Each distinct place is mapped once; each leaf takes the choice of its place; leaves of databases
//! that are deeper than RFC 7871 section 11.1 wants are merged into one choice of their block: that
//! of a known part before that of an unknown one, then that of the larger; equal siblings merge.
//! The result is disjoint, so a leaf's depth is a truthful scope. What the other parts are is kept
//! beside it ([`Deeper`]), for resolvers without a client subnet: no scope is at stake there.
//!
//! Where the tables of all policies together are too large, they share the cuts of one: its leaves
//! hold classes of places of which each policy makes the same, and each policy says what it makes
//! of a class.

use super::interner::Interner;
use crate::geo::atlas::{Atlas, Leaf, Space};
use crate::geo::place::Place;
use crate::geo::trie::{AddressBits, AddressTable, Deeper, Merging, Trie, ValueBlock};
use crate::limits::{LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX};
use crate::snapshot::each::Each;
use crate::steer::table::REDIRECT;
use std::collections::{BTreeMap, HashMap};
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
    let (v4, overruled_v4) = table(&atlas.v4, &atlas.places, choices, LEAF_DEPTH_V4_MAX);
    let (v6, overruled_v6) = table(&atlas.v6, &atlas.places, choices, LEAF_DEPTH_V6_MAX);
    Trie { v4, v6, deeper: Deeper::new(&overruled_v4, &overruled_v6) }
}

/// The table of one family, and the leaves whose own choice gave way to another of their block.
fn table<K: AddressBits>(
    leaves: &[Leaf<K>],
    places: &[Place],
    choices: &Choices<'_>,
    depth_max: u8,
) -> (AddressTable<K>, Vec<ValueBlock<K>>) {
    let (mut merging, mut overruled) = (Merging::default(), Vec::new());
    let mut at = 0;
    while let Some(leaf) = leaves.get(at) {
        let end = if leaf.len > depth_max { at + block_len(&leaves[at..], depth_max) } else { at + 1 };
        let of_block = if end > at + 1 { of_block(&leaves[at..end], places, choices) } else { None };
        for leaf in &leaves[at..end] {
            let own = choices.of_place[leaf.place as usize];
            let block = |value| ValueBlock { start: leaf.start, len: leaf.len, value };
            let value = match leaf.space {
                Space::Embedded => REDIRECT,
                Space::Special => choices.special,
                Space::Usable if leaf.operator => own,
                Space::Usable => of_block.unwrap_or(own),
            };
            if leaf.space == Space::Usable && value != own {
                overruled.push(block(own));
            }
            merging.push(block(value));
        }
        at = end;
    }
    (AddressTable::new(&merging.finish()), overruled)
}

/// How many of the first leaves lie in one block of `depth_max` bits.
fn block_len<K: AddressBits>(leaves: &[Leaf<K>], depth_max: u8) -> usize {
    let block = leaves[0].start.cut(depth_max);
    leaves.iter().take_while(|l| l.len > depth_max && l.start.cut(depth_max) == block).count()
}

/// The choice that database leaves of a block are merged into: of those whose places are known best
/// the one that covers most; the smaller number wins a tie, so that every build agrees.
fn of_block<K: AddressBits>(leaves: &[Leaf<K>], places: &[Place], choices: &Choices<'_>) -> Option<u32> {
    // Ordered by how much is known, then by choice.
    let mut covered: BTreeMap<(Knowledge, u32), u128> = BTreeMap::new();
    for leaf in leaves.iter().filter(|l| !l.operator && l.space == Space::Usable) {
        let place = leaf.place as usize;
        let known = places.get(place).map_or(Knowledge::Nothing, Knowledge::of);
        // A block has at most 72 bits of addresses.
        *covered.entry((known, choices.of_place[place])).or_default() += 1 << (K::BITS - leaf.len).min(127);
    }
    let (&(best, _), _) = covered.last_key_value()?;
    covered
        .into_iter()
        .filter(|((known, _), _)| *known == best)
        .min_by_key(|&((_, choice), sum)| (std::cmp::Reverse(sum), choice))
        .map(|((_, choice), _)| choice)
}

/// How much is known of a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Knowledge {
    Nothing,
    /// Its autonomous system alone.
    System,
    /// Where it is.
    Location,
}

impl Knowledge {
    fn of(place: &Place) -> Knowledge {
        match (place.is_located(), place.asn) {
            (true, _) => Knowledge::Location,
            (false, Some(_)) => Knowledge::System,
            (false, None) => Knowledge::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
