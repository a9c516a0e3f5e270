//! Routes: tables from addresses to choices of a policy, compiled from the atlas.
//!
//! Each distinct place is ranked once, and each leaf takes the choice of its place. Database leaves
//! deeper than RFC 7871 section 11.1 recommends are merged into one choice of their block: known
//! places precede unknown ones, then the larger part wins. Equal siblings merge. The result is
//! disjoint, so the depth of a leaf is a true scope. The other parts of a block are kept beside it
//! ([`Deeper`]) for resolvers without a client subnet, whose answers need no scope. There too is
//! the choice of resolvers that are steered for the clients behind them: it cuts no leaf, so it
//! changes neither an answer nor a scope of a query with a client subnet.
//!
//! If the tables of all policies together are too large, they share one set of leaves. Its leaves
//! hold classes of places for which each policy makes the same choice, and each policy maps classes
//! to choices.

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Choices {
    /// Choice of each place.
    pub(crate) of_place: Vec<u32>,
    /// Places whose resolvers have a choice of their own, ascending, with that choice.
    pub(crate) of_resolvers: Vec<(u32, u32)>,
    /// Choice of unknown special-purpose blocks. It never equals that of a place, so that their
    /// leaves never merge with others.
    pub(crate) special: u32,
}

impl Choices {
    /// Choice of the resolvers of a place.
    fn of_resolver(&self, place: u32) -> u32 {
        let own = self.of_resolvers.binary_search_by_key(&place, |(place, _)| *place);
        own.map_or_else(|_| self.of_place[place as usize], |at| self.of_resolvers[at].1)
    }

    /// Choices of all places, then those of the resolvers of some places, then that of
    /// special-purpose blocks.
    fn with_resolvers(&self, places: &[u32]) -> impl Iterator<Item = u32> {
        let of_resolvers = places.iter().map(|place| self.of_resolver(*place));
        self.of_place.iter().copied().chain(of_resolvers).chain([self.special])
    }
}

/// Requested table of routes.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// One choice for all clients.
    Constant(Arc<Trie>),
    /// Index into the result of [`Tables::build`].
    Table(usize),
}

/// Tables that policies request, by their choices.
#[derive(Default)]
pub(crate) struct Tables {
    asked: Vec<Arc<Choices>>,
    known: HashMap<Arc<Choices>, usize>,
}

impl Tables {
    /// Requests a table; equal requests get the same table.
    pub(crate) fn ask(&mut self, choices: Choices) -> Route {
        let next = self.asked.len();
        Route::Table(*self.known.entry(Arc::new(choices)).or_insert_with_key(|key| {
            self.asked.push(Arc::clone(key));
            next
        }))
    }

    /// Builds all requested tables with `each`. Returns true with them if they share their leaves,
    /// because separate ones would have more than `octets_max` octets in all.
    pub(crate) fn build(self, each: Each<'_>, atlas: &Atlas, octets_max: usize) -> (Vec<Arc<Trie>>, bool) {
        // Numbers of classes must leave room for REDIRECT.
        let of_resolvers = self.asked.iter().map(|asked| asked.of_resolvers.len()).sum::<usize>();
        let may_share = self.asked.len() > 1 && atlas.places.len() + of_resolvers < REDIRECT as usize - 1;
        let octets = AtomicUsize::new(0);
        let is_too_large = || may_share && octets.load(Ordering::Relaxed) > octets_max;
        let tables: Vec<OnceLock<Arc<Trie>>> = self.asked.iter().map(|_| OnceLock::new()).collect();
        each(tables.len(), &|index| {
            if is_too_large() {
                return;
            }
            let table = compile(atlas, &self.asked[index]);
            octets.fetch_add(table.octets(), Ordering::Relaxed);
            // Each index is built once.
            _ = tables[index].set(Arc::new(table));
        });
        if is_too_large() {
            drop(tables);
            return (self.shared(atlas), true);
        }
        (tables.into_iter().filter_map(OnceLock::into_inner).collect(), false)
    }

    /// Builds tables that share one set of leaves.
    fn shared(&self, atlas: &Atlas) -> Vec<Arc<Trie>> {
        // Classes become finer with each table: places share a class as long as every table so far
        // makes the same choice for them. The last entry is for special-purpose blocks, which must
        // have a class of their own.
        // Between them are the places again whose resolvers have a choice of their own in some
        // table.
        let places = atlas.places.len();
        let mut apart: Vec<u32> =
            self.asked.iter().flat_map(|asked| &asked.of_resolvers).map(|(place, _)| *place).collect();
        apart.sort_unstable();
        apart.dedup();
        let mut class_of: Vec<u32> = vec![0; places + apart.len() + 1];
        let (mut count, mut finer) = (1, Interner::default());
        for asked in &self.asked {
            // Every place already has a class of its own.
            if count == class_of.len() {
                break;
            }
            finer.clear();
            for (class, choice) in class_of.iter_mut().zip(asked.with_resolvers(&apart)) {
                *class = finer.intern((*class, choice));
            }
            count = finer.list().len();
        }
        let special = match class_of.pop() {
            Some(special) if !class_of.contains(&special) => special,
            // A table of resolver classes has no special blocks: alone it would treat them as a
            // place.
            _ => {
                count += 1;
                count as u32 - 1
            }
        };
        let mut of_place = class_of.clone();
        let of_resolvers = of_place.split_off(places);
        let is_other = |(place, class): &(u32, u32)| class_of[*place as usize] != *class;
        let of_resolvers = apart.iter().copied().zip(of_resolvers).filter(is_other).collect();
        let cuts = compile(atlas, &Choices { of_place, of_resolvers, special });
        let meaning = |asked: &Arc<Choices>| {
            let mut of_class = vec![asked.special; count];
            for (class, choice) in class_of.iter().zip(asked.with_resolvers(&apart)) {
                of_class[*class as usize] = choice;
            }
            Arc::new(cuts.of_classes(of_class.into()))
        };
        self.asked.iter().map(meaning).collect()
    }
}

/// Compiles routes for one set of choices.
pub(crate) fn compile(atlas: &Atlas, choices: &Choices) -> Trie {
    let (v4, of_v4) = table(&atlas.v4, &atlas.places, choices, LEAF_DEPTH_V4_MAX);
    let (v6, of_v6) = table(&atlas.v6, &atlas.places, choices, LEAF_DEPTH_V6_MAX);
    let deeper = Deeper::new(&of_v4.leaves, &of_v6.leaves, of_v4.overruled + of_v6.overruled);
    Trie { v4, v6, deeper }
}

/// Leaves with another choice for resolvers than the table has.
struct OfResolvers<K> {
    leaves: Vec<ValueBlock<K>>,
    /// Number of those whose own choice gave way to another of their block.
    overruled: usize,
}

/// Table of one family, and the leaves with another choice for resolvers.
fn table<K: AddressBits>(
    leaves: &[Leaf<K>],
    places: &[Place],
    choices: &Choices,
    depth_max: u8,
) -> (AddressTable<K>, OfResolvers<K>) {
    let (mut merging, mut deeper) = (Merging::default(), OfResolvers { leaves: Vec::new(), overruled: 0 });
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
            if leaf.space == Space::Usable {
                let of_resolver = choices.of_resolver(leaf.place);
                deeper.overruled += usize::from(value != own);
                if value != of_resolver {
                    deeper.leaves.push(block(of_resolver));
                }
            }
            merging.push(block(value));
        }
        at = end;
    }
    (AddressTable::new(&merging.finish()), deeper)
}

/// Number of the first leaves that lie in one block of `depth_max` bits.
fn block_len<K: AddressBits>(leaves: &[Leaf<K>], depth_max: u8) -> usize {
    let block = leaves[0].start.cut(depth_max);
    leaves.iter().take_while(|l| l.len > depth_max && l.start.cut(depth_max) == block).count()
}

/// Choice of a block whose database leaves are merged: among the best-known places, the one that
/// covers most addresses. The smaller number wins a tie, so that every build agrees.
fn of_block<K: AddressBits>(leaves: &[Leaf<K>], places: &[Place], choices: &Choices) -> Option<u32> {
    // Ordered by knowledge, then by choice.
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

/// Knowledge about a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Knowledge {
    Nothing,
    /// Only the AS number.
    System,
    /// The location.
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
