//! Clients to ask: addresses for one policy change, each with the weight of the space that the
//! address represents.
//!
//! [`evenly`] draws a given number of clients from all space. [`every_leaf`] has clients of each
//! leaf of either side. It cuts space at the boundaries of both sides, so that neither side
//! distinguishes two clients of one piece except by their cells. If cells may decide, a piece is
//! sampled, the more the larger it is; else one client represents the whole piece. IPv4 counts by
//! addresses, IPv6 by pieces, because most of its space is empty.

use super::answered::Side;
use crate::geo::special::V4_BLOCKS;
use crate::snapshot::sizes::tries;
use crate::steer::table::{PolicyTable, REDIRECT};
use crate::wire::hash::mix;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Clients asked in all IPv4 space, or in all IPv6 pieces, where cells may decide: a share of a
/// whole family is then right to about one per cent.
const LEAF_SAMPLES: u64 = 4_096;
/// Clients asked in each of these pieces at the least.
const LEAF_SAMPLES_MIN: u64 = 4;

/// A client to ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// Address of the client.
    pub(super) address: IpAddr,
    /// Space that the client stands for, in the unit of its family.
    pub(super) weight: f64,
    /// Number from which the name that the client asks for is drawn.
    pub(super) dice: u64,
}

impl Client {
    fn v4(bits: u64, weight: f64, dice: u64) -> Client {
        Client { address: IpAddr::V4(Ipv4Addr::from_bits(bits as u32)), weight, dice }
    }

    fn v6(bits: u128, weight: f64, dice: u64) -> Client {
        Client { address: IpAddr::V6(Ipv6Addr::from_bits(bits)), weight, dice }
    }
}

/// `samples` clients of each family: IPv4 evenly over its space, IPv6 evenly over the leaves of the
/// policy's routes. All have the same weight.
pub(super) fn evenly(policy: &PolicyTable, samples: u32) -> impl Iterator<Item = Client> {
    let step = (1u64 << 32) / u64::from(samples.max(1));
    let v4 = (0..u64::from(samples)).map(move |n| n * step + mix(n, 4) % step.max(1));
    let leaves: Vec<_> = policy.cell_routes[0].v6.blocks().filter(|leaf| leaf.value != REDIRECT).collect();
    let count = u64::from(if leaves.is_empty() { 0 } else { samples });
    let v6 = (0..count).map(move |n| {
        let leaf = &leaves[(n as usize) * leaves.len() / count as usize];
        let hosts = if leaf.len == 0 { u128::MAX } else { (1u128 << (128 - leaf.len)) - 1 };
        let random = u128::from(mix(n, 6)) << 64 | u128::from(mix(n, 7));
        leaf.start | random & hosts
    });
    let dice = |number: usize| mix(number as u64, 0x666f_7265_6361_7374);
    let v4 = v4.map(|bits| Client::v4(bits, 1.0, 0));
    let v6 = v6.map(|bits| Client::v6(bits, 1.0, 0));
    v4.chain(v6).enumerate().map(move |(number, client)| Client { dice: dice(number), ..client })
}

/// Clients of every leaf of the sides of a policy change.
pub(super) fn every_leaf<'s>(sides: &'s [Side<'s>]) -> impl Iterator<Item = Client> + 's {
    let tables: Vec<&PolicyTable> = sides.iter().map(|side| side.table()).collect();
    let by_cell = || sides.iter().filter(|side| side.is_by_cell()).map(|side| side.table());
    let cell_v4 = by_cell().map(|table| table.cell_v4).max();
    let cell_v6 = by_cell().map(|table| table.cell_v6).max();
    v4_pieces(&tables)
        .into_iter()
        .flat_map(move |piece| of_v4_piece(piece, cell_v4))
        .chain(of_v6_pieces(v6_starts(&tables), cell_v6))
}

/// A piece of IPv4 space: its first address, and the number of its addresses.
#[derive(Clone, Copy, Debug)]
struct V4Piece {
    start: u64,
    size: u64,
}

/// Clients of an IPv4 piece; `cell` is the length of a cell's prefix, where cells may decide.
fn of_v4_piece(V4Piece { start, size }: V4Piece, cell: Option<u8>) -> impl Iterator<Item = Client> {
    let cells = |cell: u8| (size >> (32 - u32::from(cell).min(32))).max(1);
    let samples = cell.map_or(1, |cell| cells(cell).min(LEAF_SAMPLES_MIN + ((size * LEAF_SAMPLES) >> 32)));
    let step = size / samples;
    (0..samples).map(move |sample| {
        let inside = if cell.is_some() { mix(start, sample) % step } else { 0 };
        let weight = size as f64 / samples as f64;
        Client::v4(start + sample * step + inside, weight, mix(start, sample) >> 32)
    })
}

/// Clients of all IPv6 pieces, which begin at `starts`.
fn of_v6_pieces(starts: Vec<u128>, cell: Option<u8>) -> impl Iterator<Item = Client> {
    let most = LEAF_SAMPLES_MIN + LEAF_SAMPLES / starts.len().max(1) as u64;
    (0..starts.len()).flat_map(move |index| {
        let start = starts[index];
        // The last address of the piece; the space ends at all ones.
        let size = starts.get(index + 1).map_or(u128::MAX, |next| next - 1) - start;
        let cells = |cell: u8| (size >> (128 - u32::from(cell).min(128)).min(127)) + 1;
        let samples = cell.map_or(1, |cell| cells(cell).min(u128::from(most)) as u64);
        (0..samples).map(move |sample| {
            let random = u128::from(mix(start as u64 ^ (start >> 64) as u64, sample)) << 64
                | u128::from(mix(sample, 6));
            let inside = if cell.is_some() { random % size.saturating_add(1).max(1) } else { 0 };
            Client::v6(start + inside, 1.0 / samples as f64, mix(index as u64, sample) >> 32)
        })
    })
}

/// Pieces between the boundaries of leaves, and of blocks whose addresses no client has.
fn v4_pieces(tables: &[&PolicyTable]) -> Vec<V4Piece> {
    let mut starts: Vec<u32> = V4_BLOCKS
        .iter()
        .flat_map(|(start, len)| [*start, start.wrapping_add(1 << (32 - len))])
        .chain([0])
        .collect();
    for trie in tables.iter().flat_map(|table| tries(table)) {
        starts.extend(trie.v4.blocks().map(|leaf| leaf.start));
    }
    starts.sort_unstable();
    starts.dedup();
    let starts = starts.into_iter().map(u64::from);
    let ends = starts.clone().skip(1).chain([1 << 32]);
    starts.zip(ends).map(|(start, end)| V4Piece { start, size: end - start }).collect()
}

/// First addresses of IPv6 pieces; IPv4 inside IPv6 counts as IPv4.
fn v6_starts(tables: &[&PolicyTable]) -> Vec<u128> {
    let mut starts: Vec<u128> = Vec::new();
    for trie in tables.iter().flat_map(|table| tries(table)) {
        starts.extend(trie.v6.blocks().filter(|leaf| leaf.value != REDIRECT).map(|leaf| leaf.start));
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}
