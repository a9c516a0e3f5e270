//! The two digests of a snapshot (SHA-256, displayed as the first 16 octets).
//!
//! * The *files* digest covers the files that nodes share: every file that the server file names,
//!   each with its role. It leaves out the server file, which differs by node (name, site, listen
//!   addresses, cookie secrets). Roll-outs and `check` compare files digests: two nodes with the
//!   same files have the same one, whatever their version and their probe results.
//! * The *state* digest covers everything that shapes an answer: the files digest, the version of
//!   the algorithm with its limits, and the part of the status that policies read. Nodes of equal
//!   state digest and site give every client the same records (law 5).
//!
//! A snapshot computes its state digest when it is first read, by a page or a log line. No answer
//! needs it, and it would be most of the work of a publication: it reads every member of every
//! policy.
//!
//! Facts that cannot change the records of an answer are not part of the state digest: the horizon,
//! which shapes TTLs only and changes with every probe; PoPs that no policy answers; probe results
//! of a PoP that is switched off; `up` by override if probes agree; and the order in which PoPs
//! went down, unless a list of the policy uses it (`last_good`).

use super::Steering;
use super::inputs::{InputHashes, hash_as};
use crate::limits;
use crate::steer::policy::PolicyId;
use crate::steer::pop::AdminState;
use crate::steer::pop_status::{PopStatus, Shed};
use crate::steer::status::Status;
use crate::steer::table::{NO_SLOT, PolicyTable, Slot};
use crate::steer::view::SlotView;
use crate::wire::hash::mix;
use crate::zone::source::{ZoneSource, ZoneTexts};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;

/// Version of the algorithm, which changes whenever equal inputs would give other answers than
/// before. Every state digest contains the version, so that nodes of different versions have
/// different digests. The files of `tests/golden` begin with it: while it stays, no value in them
/// changes for equal files.
pub const ALGORITHM: &str = "meridian steering 6";

/// Limits that shape answers: a build with other limits answers differently.
const LIMITS: [u64; 10] = [
    limits::ANSWERS_MAX as u64,
    limits::CHAIN_MAX as u64,
    limits::ECH_OCTETS_MAX as u64,
    limits::LEAF_DEPTH_V4_MAX as u64,
    limits::LEAF_DEPTH_V6_MAX as u64,
    limits::LIST_DEPTH_MAX as u64,
    limits::MESSAGE_MAX as u64,
    limits::ROUTES_OCTETS_MAX as u64,
    limits::UDP_PAYLOAD_MAX as u64,
    limits::WEIGHT_MAX as u64,
];

/// State digest: nodes compare it to see if they answer alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// Files digest: nodes compare it to see if they have the same files.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FilesDigest([u8; 32]);

impl FilesDigest {
    /// Digest of inputs in any order.
    pub(crate) fn of(inputs: &InputHashes) -> FilesDigest {
        let mut each = inputs.hashes();
        each.sort_unstable();
        let mut hash = Sha256::new();
        each.iter().for_each(|h| hash.update(h));
        FilesDigest(hash.finalize().into())
    }
}

impl Digest {
    /// Digest of files with a status.
    pub(crate) fn of(files: FilesDigest, steering: &Steering, status: &Status) -> Digest {
        let mut hash = Sha256::new();
        hash.update(ALGORITHM);
        LIMITS.iter().for_each(|limit| hash.update(limit.to_be_bytes()));
        hash.update(files.0);
        let read = Read::of(steering, status);
        for (index, policy) in PolicyId::in_order().zip(&steering.policies) {
            hash.update(read.by_policy(index, policy).to_be_bytes());
        }
        Digest(hash.finalize().into())
    }
}

/// Digest of a zone's texts, in hexadecimal: nodes compare it to see if they serve the zone from
/// the same texts. `None` for a zone that is not served. A load computes it, so that pages only
/// print it.
pub(crate) fn of_texts(source: &ZoneSource) -> Option<String> {
    let digest = (!source.standing.is_dead()).then(|| source.texts.digest.get(|| hash_of(&source.texts)))?;
    Some(digest.iter().map(|octet| format!("{octet:02x}")).collect())
}

fn hash_of(texts: &ZoneTexts) -> [u8; 16] {
    let files = texts.files.iter();
    let mut each: Vec<_> = files.map(|file| hash_as(file.file_use.digest_word(), &file.octets)).collect();
    each.sort_unstable();
    let mut hash = Sha256::new();
    each.iter().for_each(|file| hash.update(file));
    let hash: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|index| hash[index])
}

/// Hashes of the status as policies read it, each computed once for all policies.
struct Read<'s> {
    status: &'s Status,
    /// Hash of each PoP.
    pops: Vec<u64>,
    /// Hash of each slot, by view.
    slots: Vec<Vec<u64>>,
    /// Hash of each slot, by view and by its pools on their way back.
    returning: Vec<Vec<(u64, Vec<u64>)>>,
    /// View of each policy.
    views: Vec<u32>,
    /// Hash of each slot's shed share; empty while no slot sheds.
    sheds: Vec<u64>,
}

impl<'s> Read<'s> {
    fn of(steering: &Steering, status: &'s Status) -> Read<'s> {
        let (views, of_policies) = status.views();
        let of_view = |seen: &[SlotView]| seen.iter().zip(&steering.slots).map(of_slot).collect();
        Read {
            status,
            pops: status.pops().iter().map(of_pop).collect(),
            slots: views.iter().map(|view| of_view(view.slots())).collect(),
            returning: views
                .iter()
                .map(|view| {
                    view.returning()
                        .iter()
                        .map(|it| (u64::from(it.pool.0), of_view(it.view.slots())))
                        .collect()
                })
                .collect(),
            views: of_policies.collect(),
            sheds: status.sheds().iter().map(of_shed).collect(),
        }
    }

    /// Hash of a policy's members.
    fn by_policy(&self, index: PolicyId, policy: &PolicyTable) -> u64 {
        let view = self.views.get(index.index()).map_or(0, |view| *view as usize);
        let seen = self.status.view(index);
        let ranks = self.falls(index, policy);
        let mut all = 0;
        for pop in policy.member_pops() {
            let pop = pop.index();
            let is_off = self.status.pops()[pop].state.is_down();
            let slot = policy.slots[pop];
            all = mix(all, self.pops[pop]);
            if is_off || slot == NO_SLOT {
                continue;
            }
            all = mix(all, self.slots[view][slot.index()]);
            for (pool, slots) in &self.returning[view] {
                all = mix(mix(all, *pool), slots[slot.index()]);
            }
            all = mix(all, self.sheds.get(slot.index()).copied().unwrap_or(0));
            if !ranks.is_empty() {
                let fell = seen.slot(slot).went_down;
                all = mix(all, ranks.iter().position(|rank| *rank == fell).unwrap_or(0) as u64);
            }
        }
        all
    }

    /// Ranks in which members went down, in order, if a list of the policy uses them. Only their
    /// order matters, because each node counts from its own start.
    fn falls(&self, index: PolicyId, policy: &PolicyTable) -> Vec<u32> {
        if !policy.preference_lists.iter().any(|list| list.when_all_down.reads_falls()) {
            return Vec::new();
        }
        let seen = self.status.view(index);
        let members = policy.member_pops();
        let slots = members
            .filter(|pop| !self.status.pop(*pop).state.is_down())
            .map(|pop| policy.slots[pop.index()])
            .filter(|slot| *slot != NO_SLOT);
        // 0 is the rank of a slot that is not down.
        slots.map(|slot| seen.slot(slot).went_down).chain([0]).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Hash of a PoP as a choice reads it: a PoP that is off has no weight, and one that drains has no
/// cells that left.
fn of_pop(pop: &PopStatus) -> u64 {
    let (state, weight, left) = match pop.state {
        AdminState::Auto | AdminState::Up => (0, pop.weight, pop.left),
        AdminState::Down => (1, 0, 0),
        AdminState::Drain => (2, pop.weight, 0),
    };
    mix(u64::from(weight) << 32 | u64::from(left), state)
}

/// Hash of a slot as a choice reads it. Its families follow from the files, and bits beyond its
/// addresses have no meaning.
fn of_slot((seen, slot): (&SlotView, &Slot)) -> u64 {
    fn down(bits: u64, addresses: usize) -> u64 {
        if addresses >= 64 { bits } else { bits & ((1 << addresses) - 1) }
    }
    let families =
        mix(u64::from(seen.up) << 16 | u64::from(seen.last_resort) << 8 | u64::from(seen.awaited), 1);
    mix(mix(families, down(seen.down_v4, slot.v4.len())), down(seen.down_v6, slot.v6.len()))
}

fn of_shed(shed: &Shed) -> u64 {
    if shed.share == 0 {
        return 0;
    }
    shed.accept.iter().fold(mix(1, u64::from(shed.share)), |all, accept| mix(all, u64::from(*accept)))
}

/// First 16 octets in hexadecimal.
fn short(hash: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    hash[..16].iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for FilesDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(&self.0, f)
    }
}

impl fmt::Debug for FilesDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
