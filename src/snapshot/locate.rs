//! Place of a client: its lookup address, from the client subnet or the resolver, and the decision
//! of a policy for it.
//!
//! The lookup address is the ECS address if it is usable, else the resolver. Usable means that it
//! is global unicast, or known to an operator network or a database; a special-purpose address that
//! nobody knows (10/8, loopback) leaves the decision to the resolver, with the length of its block
//! as the scope. Whatever decided is covered by the scope: the leaf's depth, and the cell's where
//! the cell was read.

use super::Snapshot;
use super::steering::BY_ECS_SPECIAL;
use crate::geo::embedded;
use crate::geo::prefix::{truncate_v4, truncate_v6};
use crate::geo::special::special_block;
use crate::geo::trie::{Deeper, Trie};
use crate::steer::choose::ChoiceInputs;
use crate::steer::policy::Sharing;
use crate::steer::preference_list::PreferenceList;
use crate::steer::rendezvous::cell_key;
use crate::steer::table::{Families, PolicyTable, REDIRECT};
use crate::steer::view::View;
use crate::wire::ecs::ClientSubnet;
use crate::wire::hash::mix;
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address as it is looked up: IPv4 clients inside IPv6 are IPv4, at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupAddress {
    /// IPv4, found `offset` bits into an IPv6 address (0 for a plain one).
    V4 {
        /// Address.
        bits: u32,
        /// Bits of IPv6 before it.
        offset: u8,
    },
    /// IPv6.
    V6(u128),
}

impl LookupAddress {
    /// Lookup address of an address.
    #[inline(always)]
    pub(crate) fn of(address: IpAddr) -> LookupAddress {
        match address {
            IpAddr::V4(a) => LookupAddress::V4 { bits: a.to_bits(), offset: 0 },
            IpAddr::V6(a) => match embedded::ipv4_in(a.to_bits()) {
                Some((bits, offset)) => LookupAddress::V4 { bits, offset },
                None => LookupAddress::V6(a.to_bits()),
            },
        }
    }

    /// Value and depth of its leaf; the depth counts from the start of the address as sent.
    #[inline(always)]
    fn lookup(self, trie: &Trie) -> (u32, u8) {
        match self {
            LookupAddress::V4 { bits, offset } => {
                let (value, depth) = trie.v4.lookup(bits);
                (value, depth + offset)
            }
            LookupAddress::V6(bits) => match trie.v6.lookup(bits) {
                // `::` and `::1`, the only ones that come here, stand among embedded IPv4 clients
                // without being such. A neighbour's scope may hold them, so they get what it gets;
                // a scope of their own is no more than themselves.
                (REDIRECT, _) => (trie.v4.lookup(bits as u32).0, 128),
                found => found,
            },
        }
    }

    /// [`LookupAddress::lookup`] for an address that needs no scope: at full depth.
    #[inline(always)]
    fn lookup_full_depth(self, trie: &Trie) -> (u32, u8) {
        match &trie.deeper {
            Some(deeper) => self.lookup_deeper(deeper).unwrap_or_else(|| self.lookup(trie)),
            None => self.lookup(trie),
        }
    }

    fn lookup_deeper(self, deeper: &Deeper) -> Option<(u32, u8)> {
        match self {
            LookupAddress::V4 { bits, offset } => {
                deeper.v4(bits).map(|(value, depth)| (value, depth + offset))
            }
            LookupAddress::V6(bits) => deeper.v6(bits),
        }
    }
}

/// From where a query is seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuerySource<'a> {
    /// The resolver's address.
    pub(crate) resolver: IpAddr,
    /// The client subnet, if the query carries one that says anything (source above 0).
    pub(crate) subnet: Option<&'a ClientSubnet>,
    /// Value and depth of the leaf that decides, if it was looked up before: that of the client
    /// subnet, or of the resolver where there is none or the policy asks for none.
    pub(crate) leaf: Option<(u32, u8)>,
}

/// What located the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The client subnet.
    Ecs,
    /// The resolver's address.
    Resolver,
    /// Nothing: the policy gives every client the same preference list.
    Nothing,
}

/// Decision of a policy for a query source.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The preference list.
    pub preference_list: &'a PreferenceList,
    /// ECS scopes of an answer by it: one that does not read the client's cell, and one that does.
    scopes: [u8; 2],
    /// Depth of the leaf, offset included.
    pub(crate) depth: u8,
    /// Address that decided.
    pub subject: LookupAddress,
    /// What located the client.
    pub evidence: Evidence,
    /// Whether the client subnet was a special-purpose address that nobody knows.
    pub is_special: bool,
    /// Whether the client's cell may have a say.
    pub by_cell: bool,
    policy: &'a PolicyTable,
    owner_seed: u64,
    draw: u64,
    /// The key, once it was asked for.
    key: Cell<Option<u64>>,
}

impl Decision<'_> {
    /// ECS scope of the answer, once all of it is chosen: the cell is part of it if the cell's key
    /// was asked for. Whether it is asked for depends on nothing that tells one cell of a leaf from
    /// another (see [`crate::steer::choose::choose`]), so all of them are given one scope.
    #[inline(always)]
    pub(crate) fn scope(&self) -> u8 {
        self.scopes[usize::from(self.reads_cell())]
    }

    /// Whether something was chosen by the client's cell.
    #[inline(always)]
    pub(crate) fn reads_cell(&self) -> bool {
        self.key.get().is_some() && self.policy.share == Sharing::Sticky
    }

    /// Key for sharing. Most decisions share nothing, so it is made when asked for.
    #[inline]
    pub(crate) fn key(&self) -> u64 {
        self.key.get().unwrap_or_else(|| {
            let key = self.make_key();
            self.key.set(Some(key));
            key
        })
    }

    fn make_key(&self) -> u64 {
        if self.policy.share == Sharing::Random {
            return mix(self.draw, self.owner_seed);
        }
        match self.subject {
            LookupAddress::V4 { bits, .. } => {
                cell_key(4, u128::from(truncate_v4(bits, self.policy.cell_v4)), self.owner_seed)
            }
            // Only `::` and `::1` stand among embedded IPv4 clients without being such
            // ([`LookupAddress::of`]).
            LookupAddress::V6(bits @ 0..=1) => {
                cell_key(4, u128::from(truncate_v4(bits as u32, self.policy.cell_v4)), self.owner_seed)
            }
            LookupAddress::V6(bits) => cell_key(6, truncate_v6(bits, self.policy.cell_v6), self.owner_seed),
        }
    }
}

/// Class of a resolver. Few policies ask for it.
#[cold]
fn class_of(resolver: LookupAddress, classes: &Trie) -> u32 {
    resolver.lookup(classes).0
}

/// Depth of the cell that holds a subject, offset included.
fn cell_depth(subject: LookupAddress, policy: &PolicyTable) -> u8 {
    match subject {
        LookupAddress::V4 { offset, .. } => policy.cell_v4 + offset,
        LookupAddress::V6(0..=1) => 128,
        LookupAddress::V6(_) => policy.cell_v6,
    }
}

impl Snapshot {
    /// The inputs of a choice, for a preference list of a policy and an asked family.
    #[inline(always)]
    pub(crate) fn question<'s>(
        &'s self,
        policy: &'s PolicyTable,
        preference_list: &'s PreferenceList,
        view: &'s View,
        family: Option<Families>,
    ) -> ChoiceInputs<'s> {
        let (pops, status) = (&*self.steering.pops, &self.status);
        ChoiceInputs { policy, preference_list, pops, status, view, family }
    }
}

impl QuerySource<'_> {
    /// Decides for a policy and an owner. `by_cell` says whether the client's cell has a say now;
    /// `draw` is used where the policy shares at random.
    #[inline(always)]
    pub(crate) fn decide<'a>(
        &self,
        policy: &'a PolicyTable,
        by_cell: bool,
        owner_seed: u64,
        draw: u64,
    ) -> Decision<'a> {
        let tailors = policy.located || by_cell;
        let resolver = || LookupAddress::of(self.resolver);
        let class = policy.resolver_classes.as_ref().map_or(0, |classes| class_of(resolver(), classes));
        let trie = &*policy.routes_of(by_cell)[class as usize];
        let by_ecs = self.subnet.filter(|_| policy.ecs).map(|subnet| {
            let subject = LookupAddress::of(subnet.address);
            let (choice, depth) = self.leaf.unwrap_or_else(|| subject.lookup(trie));
            (subject, policy.choices[choice as usize][0], depth)
        });
        let (subject, preference_list, depth, is_special) = match by_ecs {
            Some((subject, preference_list, depth)) if preference_list != BY_ECS_SPECIAL => {
                (subject, preference_list, depth, false)
            }
            special => {
                let resolver = resolver();
                let known = self.leaf.filter(|_| special.is_none());
                let (choice, depth) = known.unwrap_or_else(|| resolver.lookup_full_depth(trie));
                let preference_list = policy.choices[choice as usize][1];
                (resolver, preference_list, special.map_or(depth, |(.., depth)| depth), special.is_some())
            }
        };
        // Scope 0 would say "for everybody", which is only true of an untailored answer.
        let [leaf, cell] = match by_ecs {
            None => [0, 0],
            // The resolver decided, but that it did was read off the subnet.
            Some((subject, ..)) if is_special => [depth.max(special_len(subject)).max(1); 2],
            Some(_) => [depth.max(1), depth.max(cell_depth(subject, policy)).max(1)],
        };
        let scopes = [if policy.located { leaf } else { 0 }, cell];
        let evidence = match by_ecs {
            _ if !tailors => Evidence::Nothing,
            Some(_) if !is_special => Evidence::Ecs,
            _ => Evidence::Resolver,
        };
        let preference_list = &policy.preference_lists[preference_list as usize];
        Decision {
            preference_list,
            scopes,
            depth,
            subject,
            evidence,
            is_special,
            by_cell,
            policy,
            owner_seed,
            draw,
            key: Cell::new(None),
        }
    }
}

/// Whether the place of the client subnet is not the one that decided: networks deeper than a scope
/// may be were merged, and another of its block is known better or larger.
#[cold]
pub(crate) fn is_overruled(policy: &PolicyTable, decision: &Decision<'_>, resolver: IpAddr) -> bool {
    let class = policy.resolver_classes.as_ref();
    let class = class.map_or(0, |classes| class_of(LookupAddress::of(resolver), classes));
    let Some(trie) = policy.routes_of(decision.by_cell).get(class as usize) else { return false };
    let own = trie.deeper.as_ref().and_then(|deeper| decision.subject.lookup_deeper(deeper));
    let list = |choice: u32| policy.choices.get(choice as usize).map(|[by_ecs, _]| *by_ecs);
    let is_other = |own: u32| list(own) != list(decision.subject.lookup(trie).0);
    decision.evidence == Evidence::Ecs && own.is_some_and(|(own, _)| is_other(own))
}

/// Length of the leaf that holds the subject, counted from the start of the subject: of the
/// resolver's own leaf where the client subnet is special, though the scope is that of the subnet.
#[cold]
pub(crate) fn leaf_len(policy: &PolicyTable, decision: &Decision<'_>, resolver: IpAddr) -> u8 {
    let own = || {
        let class = policy.resolver_classes.as_ref();
        let class = class.map_or(0, |classes| class_of(LookupAddress::of(resolver), classes));
        let trie = policy.routes_of(decision.by_cell).get(class as usize)?;
        Some(decision.subject.lookup_full_depth(trie).1)
    };
    let depth = if decision.is_special { own() } else { None }.unwrap_or(decision.depth);
    match decision.subject {
        LookupAddress::V4 { offset, .. } => depth.saturating_sub(offset),
        LookupAddress::V6(_) => depth,
    }
}

/// Length of the special-purpose block that holds a subject, offset included.
#[cold]
fn special_len(subject: LookupAddress) -> u8 {
    let (address, offset) = match subject {
        LookupAddress::V4 { bits, offset } => (IpAddr::V4(Ipv4Addr::from_bits(bits)), offset),
        LookupAddress::V6(bits) => (IpAddr::V6(Ipv6Addr::from_bits(bits)), 0),
    };
    special_block(address).map_or(0, |block| block.len() + offset)
}
