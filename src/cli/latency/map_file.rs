//! Octets of a latency map: a MaxMind DB whose records share what they repeat.
//!
//! ```text
//! search tree | 16 zeros | data section | marker | metadata
//! ```
//!
//! A general writer keeps a tree of values for each of a million records, which takes gigabytes.
//! This one encodes a record at once. A record that is there already is not written again. Keys,
//! names, words, and the arrays of names, words and samples are written where they first occur, and
//! are pointers elsewhere.
//!
//! Specification: MaxMind DB File Format 2.0.

use crate::geo::prefix::Prefix;
use crate::latency::ranking::Ranked;
use crate::wire::hash;
use std::collections::HashMap;
use std::sync::Arc;

/// The name of this kind of database.
pub(super) const KIND: &str = "Meridian-Latency";

const DESCRIPTION: &str = "Estimated RTT of networks to PoPs, made by meridian latency build";
/// Octets before the metadata, by which readers find it.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// Zeros between the tree and the data.
const GAP: usize = 16;

/// Child of a node that leads nowhere.
const EMPTY: u32 = u32::MAX;
/// Bit of a child that is the offset of a record.
const RECORD: u32 = 1 << 31;
/// Nodes and octets of data at most, so that both fit beside [`RECORD`].
const NUMBERS_MAX: usize = (1 << 31) - 2;

/// Content of a map for a network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record<'r> {
    /// Ranking of the unit.
    pub(super) ranking: &'r [Ranked],
    /// Place, from 0, that the first PoP has where it is not explored; 0 if it is not.
    pub(super) explored: u8,
    /// Hour of the newest sample of the unit itself, in seconds since 1970; 0 without one.
    pub(super) measured_at: u64,
    /// Ranking for resolvers there; empty without one.
    pub(super) resolver: &'r [Ranked],
}

/// A map that grows.
pub(super) struct MapFile<'p> {
    /// Children of the nodes, the root first.
    nodes: Vec<[u32; 2]>,
    data: Data<'p>,
}

impl<'p> MapFile<'p> {
    /// An empty map. `pops` are the names of PoPs by index.
    pub(super) fn new(pops: &'p [Arc<str>]) -> MapFile<'p> {
        MapFile { nodes: vec![[EMPTY; 2]], data: Data::new(pops) }
    }

    /// Puts a record at a prefix, where it replaces the record of the same prefix. Prefixes come
    /// after those that hold them; one that does not, such as an IPv6 network around the IPv4
    /// addresses, gets what is empty in it.
    pub(super) fn insert(&mut self, prefix: Prefix, record: &Record<'_>) -> Result<(), String> {
        let offset = self.data.record(record);
        if self.nodes.len().max(self.data.octets.len()) > NUMBERS_MAX - 256 {
            return Err("the map would have more than 2 GiB".to_owned());
        }
        let (bits, len) = match prefix {
            Prefix::V4 { bits, len } => (u128::from(bits), len + 96),
            Prefix::V6 { bits, len } => (bits, len),
        };
        let Some(last) = len.checked_sub(1) else { return Err(format!("`{prefix}` is everything")) };
        let side = |depth: u8| (bits >> (127 - depth) & 1) as usize;
        let mut node = 0;
        for depth in 0..last {
            let child = self.nodes[node][side(depth)];
            if child & RECORD != 0 {
                // Nothing, or a shorter prefix, whose record both halves take over.
                self.nodes.push([child; 2]);
                self.nodes[node][side(depth)] = self.nodes.len() as u32 - 1;
            }
            node = self.nodes[node][side(depth)] as usize;
        }
        match self.nodes[node][side(last)] {
            child if child & RECORD != 0 => self.nodes[node][side(last)] = RECORD | offset,
            child => self.fill(child, RECORD | offset),
        }
        Ok(())
    }

    /// Gives all that is empty below a node a record.
    fn fill(&mut self, below: u32, record: u32) {
        let mut open = vec![below];
        while let Some(node) = open.pop() {
            for child in &mut self.nodes[node as usize] {
                match *child {
                    EMPTY => *child = record,
                    inner if inner & RECORD == 0 => open.push(inner),
                    _ => {}
                }
            }
        }
    }

    /// The octets of the map, with its date in seconds since 1970.
    pub(super) fn finish(self, epoch: u64) -> Vec<u8> {
        let MapFile { nodes, data } = self;
        let data = data.octets;
        let numbers = nodes.len() + GAP + data.len();
        let record_bits = [24, 28, 32].into_iter().find(|bits| numbers < 1 << bits).unwrap_or(32);
        let mut octets = Vec::with_capacity(nodes.len() * record_bits / 4 + data.len() + 512);
        for children in &nodes {
            let [left, right] = children.map(|child| match child {
                EMPTY => nodes.len() as u32,
                child if child & RECORD != 0 => ((child ^ RECORD) as usize + nodes.len() + GAP) as u32,
                child => child,
            });
            let (left_octets, right_octets) = (left.to_be_bytes(), right.to_be_bytes());
            match record_bits {
                24 => octets.extend_from_slice(&left_octets[1..]),
                28 => {
                    octets.extend_from_slice(&left_octets[1..]);
                    octets.push(((left >> 24) as u8 & 15) << 4 | (right >> 24) as u8 & 15);
                }
                _ => octets.extend_from_slice(&left_octets),
            }
            octets.extend_from_slice(if record_bits == 32 { &right_octets } else { &right_octets[1..] });
        }
        octets.extend_from_slice(&[0; GAP]);
        octets.extend_from_slice(&data);
        metadata(&mut octets, epoch, nodes.len(), record_bits);
        octets
    }
}

fn metadata(octets: &mut Vec<u8>, epoch: u64, nodes: usize, record_bits: usize) {
    octets.extend_from_slice(MARKER);
    map(octets, 9);
    let number = |octets: &mut Vec<u8>, key: &str, kind: Kind, value: u64| {
        text(octets, key);
        unsigned(octets, kind, value);
    };
    number(octets, "binary_format_major_version", Kind::U16, 2);
    number(octets, "binary_format_minor_version", Kind::U16, 0);
    number(octets, "build_epoch", Kind::U64, epoch);
    text(octets, "database_type");
    text(octets, KIND);
    text(octets, "description");
    map(octets, 1);
    text(octets, "en");
    text(octets, DESCRIPTION);
    number(octets, "ip_version", Kind::U16, 6);
    text(octets, "languages");
    array(octets, 1);
    text(octets, "en");
    number(octets, "node_count", Kind::U32, nodes as u64);
    number(octets, "record_size", Kind::U16, record_bits as u64);
}

/// A value that is written once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Shared {
    Text(&'static str),
    Pop(u16),
    Pops(Box<[u16]>),
    Samples(Box<[u32]>),
    Sources(Box<[u8]>),
}

/// The data section.
struct Data<'p> {
    pops: &'p [Arc<str>],
    octets: Vec<u8>,
    /// Offsets of shared values.
    shared: HashMap<Shared, u32>,
    /// Shared values of the record at work, by their place in it.
    fresh: Vec<(Shared, u32)>,
    /// Offset and end of each record, by its hash; a record whose hash is taken gets another one.
    records: HashMap<u64, (u32, u32)>,
    /// The record at work.
    work: Vec<u8>,
}

impl<'p> Data<'p> {
    fn new(pops: &'p [Arc<str>]) -> Data<'p> {
        Data {
            pops,
            octets: Vec::new(),
            shared: HashMap::new(),
            fresh: Vec::new(),
            records: HashMap::new(),
            work: Vec::new(),
        }
    }

    /// Offset of a record, which is written unless it is there.
    fn record(&mut self, record: &Record<'_>) -> u32 {
        self.work.clear();
        self.fresh.clear();
        map(&mut self.work, 1);
        self.key("latency");
        let (is_measured, has_resolver) = (record.measured_at > 0, !record.resolver.is_empty());
        let arrays = if record.ranking.is_empty() { 0 } else { 4 };
        let own = [record.explored > 0, is_measured, has_resolver].into_iter().filter(|has| *has).count();
        map(&mut self.work, arrays + own);
        if arrays > 0 {
            self.arrays(record.ranking);
        }
        if is_measured {
            self.key("measured_at");
            unsigned(&mut self.work, Kind::U64, record.measured_at);
        }
        if record.explored > 0 {
            self.key("explored");
            unsigned(&mut self.work, Kind::U16, u64::from(record.explored));
        }
        if has_resolver {
            self.key("resolver");
            map(&mut self.work, 4);
            self.arrays(record.resolver);
        }
        self.place()
    }

    /// Offset of the record at work.
    fn place(&mut self) -> u32 {
        let mut key = hash::octets(&self.work);
        while let Some(&(begin, end)) = self.records.get(&key) {
            if self.octets[begin as usize..end as usize] == self.work {
                return begin;
            }
            key = hash::mix(key, 1);
        }
        let begin = self.octets.len() as u32;
        self.octets.extend_from_slice(&self.work);
        self.records.insert(key, (begin, self.octets.len() as u32));
        self.shared.extend(self.fresh.drain(..).map(|(value, at)| (value, begin + at)));
        begin
    }

    fn arrays(&mut self, ranking: &[Ranked]) {
        self.key("pop");
        self.share(Shared::Pops(ranking.iter().map(|ranked| ranked.pop).collect()));
        self.key("rtt_ms");
        array(&mut self.work, ranking.len());
        for ranked in ranking {
            unsigned(&mut self.work, Kind::U16, u64::from(ranked.rtt_ms));
        }
        self.key("samples");
        self.share(Shared::Samples(ranking.iter().map(|ranked| ranked.samples).collect()));
        self.key("source");
        self.share(Shared::Sources(ranking.iter().map(|ranked| ranked.source as u8).collect()));
    }

    fn key(&mut self, key: &'static str) {
        self.share(Shared::Text(key));
    }

    /// Writes a value, or a pointer to it.
    fn share(&mut self, value: Shared) {
        if let Some(&offset) = self.shared.get(&value) {
            return pointer(&mut self.work, offset);
        }
        let at = self.work.len() as u32;
        let in_work = self.fresh.iter().any(|(fresh, _)| *fresh == value);
        match &value {
            Shared::Text(word) => text(&mut self.work, word),
            Shared::Pop(pop) => text(&mut self.work, &self.pops[usize::from(*pop)]),
            Shared::Pops(pops) => {
                array(&mut self.work, pops.len());
                pops.iter().for_each(|pop| self.share(Shared::Pop(*pop)));
            }
            Shared::Samples(samples) => {
                array(&mut self.work, samples.len());
                samples.iter().for_each(|count| unsigned(&mut self.work, Kind::U32, u64::from(*count)));
            }
            Shared::Sources(sources) => {
                use crate::geo::rtts::RttSource;
                array(&mut self.work, sources.len());
                for source in sources {
                    self.key(RttSource::ALL[usize::from(*source)].word());
                }
            }
        }
        if !in_work {
            self.fresh.push((value, at));
        }
    }
}

/// Kinds of unsigned numbers.
#[derive(Clone, Copy)]
enum Kind {
    U16,
    U32,
    U64,
}

fn unsigned(octets: &mut Vec<u8>, kind: Kind, value: u64) {
    let whole = value.to_be_bytes();
    let used = &whole[(value.leading_zeros() / 8) as usize..];
    match kind {
        Kind::U16 => octets.push(5 << 5 | used.len() as u8),
        Kind::U32 => octets.push(6 << 5 | used.len() as u8),
        Kind::U64 => octets.extend_from_slice(&[used.len() as u8, 9 - 7]),
    }
    octets.extend_from_slice(used);
}

/// A text of at most 284 octets: names of PoPs and words of this file are shorter.
fn text(octets: &mut Vec<u8>, text: &str) {
    match text.len() {
        short if short < 29 => octets.push(2 << 5 | short as u8),
        long => octets.extend_from_slice(&[2 << 5 | 29, (long - 29) as u8]),
    }
    octets.extend_from_slice(text.as_bytes());
}

/// Head of a map with fewer than 29 entries.
fn map(octets: &mut Vec<u8>, entries: usize) {
    octets.push(7 << 5 | entries as u8);
}

/// Head of an array with fewer than 29 items.
fn array(octets: &mut Vec<u8>, items: usize) {
    octets.extend_from_slice(&[items as u8, 11 - 7]);
}

fn pointer(octets: &mut Vec<u8>, offset: u32) {
    const CONTROL: u8 = 1 << 5;
    let (size, value) = match offset {
        0..2_048 => (0, offset),
        2_048..526_336 => (1, offset - 2_048),
        526_336..134_744_064 => (2, offset - 526_336),
        _ => (3, offset),
    };
    let whole = value.to_be_bytes();
    match size {
        3 => octets.push(CONTROL | 3 << 3),
        _ => octets.push(CONTROL | size << 3 | whole[2 - usize::from(size)]),
    }
    octets.extend_from_slice(&whole[3 - usize::from(size)..]);
}

#[cfg(test)]
mod tests;
