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
use crate::geo::trie::{Deeper, Descent, Trie};
use crate::steer::choose::ChoiceInputs;
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
}

/// A policy's look-up of a client: the address, the routes, and what the policy sees of the PoPs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientLookup<'s> {
    /// The policy.
    pub(crate) policy: &'s PolicyTable,
    /// The policy's view of the status.
    pub(crate) view: &'s View,
    /// Whether the client's cell may have a say.
    by_cell: bool,
    /// Whether the address is that of the client subnet.
    by_ecs: bool,
    routes: &'s Trie,
    /// The address.
    pub(crate) subject: LookupAddress,
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
    /// Depth of the leaf, offset included.
    pub(crate) depth: u8,
    /// Length of the special-purpose block that holds the client subnet, offset included, if the
    /// resolver decided for that reason; else 0.
    special_len: u8,
    /// Address that decided.
    pub subject: LookupAddress,
    /// Whether the client subnet was a special-purpose address that nobody knows.
    pub is_special: bool,
    /// Whether the client's cell may have a say.
    pub by_cell: bool,
    by_ecs: bool,
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
        if !self.by_ecs {
            return 0;
        }
        // Scope 0 would say "for everybody", which is only true of an untailored answer.
        let leaf = self.depth.max(1);
        match self.reads_cell() {
            // The resolver decided, but that it did was read off the subnet.
            _ if self.is_special => self.scope_by_resolver(leaf),
            true => leaf.max(cell_depth(self.subject, self.policy)),
            false if self.policy.located => leaf,
            false => 0,
        }
    }

    #[cold]
    fn scope_by_resolver(&self, leaf: u8) -> u8 {
        if self.policy.located || self.reads_cell() { leaf.max(self.special_len) } else { 0 }
    }

    /// The evidence that located the client.
    #[inline(always)]
    pub fn evidence(&self) -> Evidence {
        match self.by_ecs && !self.is_special {
            _ if !self.policy.located && !self.by_cell => Evidence::Nothing,
            true => Evidence::Ecs,
            false => Evidence::Resolver,
        }
    }

    /// Whether something was chosen by the client's cell.
    #[inline(always)]
    pub(crate) fn reads_cell(&self) -> bool {
        self.key.get().is_some() && !self.policy.share.is_drawn()
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
        if self.policy.share.is_drawn() {
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
    /// The look-up of the policy of this number.
    #[inline(always)]
    pub(crate) fn lookup<'s>(&self, snapshot: &'s Snapshot, number: u32) -> Option<ClientLookup<'s>> {
        let policy = snapshot.steering.policies.get(number as usize)?;
        let (view, by_cell) = snapshot.status.seen_by(number, policy);
        let routes = self.routes(policy, by_cell)?;
        let subnet = self.subnet.filter(|_| policy.ecs);
        let subject = LookupAddress::of(subnet.map_or(self.resolver, |subnet| subnet.address));
        Some(ClientLookup { policy, view, by_cell, by_ecs: subnet.is_some(), routes, subject })
    }

    /// The routes of the resolver's class.
    #[inline(always)]
    fn routes<'s>(&self, policy: &'s PolicyTable, by_cell: bool) -> Option<&'s Trie> {
        let class = match &policy.resolver_classes {
            None => 0,
            Some(classes) => class_of(LookupAddress::of(self.resolver), classes),
        };
        policy.routes_of(by_cell).get(class as usize).map(|routes| &**routes)
    }

    /// Decides by the leaf that was looked up, for an owner. `draw` is used where the policy shares
    /// at random.
    #[inline(always)]
    pub(crate) fn decide<'s>(
        &self,
        lookup: &ClientLookup<'s>,
        (choice, depth): (u32, u8),
        owner_seed: u64,
        draw: u64,
    ) -> Decision<'s> {
        let ClientLookup { policy, by_cell, by_ecs, subject, .. } = *lookup;
        let [list_by_ecs, list_by_resolver] = policy.choices[choice as usize];
        let list = if by_ecs { list_by_ecs } else { list_by_resolver };
        let mut decision = Decision {
            preference_list: &policy.preference_lists[0],
            depth,
            special_len: 0,
            subject,
            is_special: by_ecs && list == BY_ECS_SPECIAL,
            by_cell,
            by_ecs,
            policy,
            owner_seed,
            draw,
            key: Cell::new(None),
        };
        if decision.is_special {
            self.decide_by_resolver(lookup.routes, &mut decision);
        } else {
            decision.preference_list = &policy.preference_lists[list as usize];
        }
        decision
    }

    /// The client subnet is a special-purpose address that nobody knows.
    #[cold]
    fn decide_by_resolver(&self, routes: &Trie, decision: &mut Decision<'_>) {
        let policy = decision.policy;
        decision.special_len = special_len(decision.subject);
        decision.subject = LookupAddress::of(self.resolver);
        let (choice, _) = decision.subject.lookup_full_depth(routes);
        decision.preference_list = &policy.preference_lists[policy.choices[choice as usize][1] as usize];
    }
}

impl<'s> ClientLookup<'s> {
    /// Value and depth of the leaf.
    #[inline(always)]
    pub(crate) fn leaf(&self) -> (u32, u8) {
        if self.by_ecs {
            self.subject.lookup(self.routes)
        } else {
            self.subject.lookup_full_depth(self.routes)
        }
    }

    /// The look-up as a step of many at once, with the asker's tag; nothing of it is done yet.
    #[inline(always)]
    pub(crate) fn descent(&self, tag: usize) -> ClientDescent<'s> {
        match self.subject {
            LookupAddress::V4 { bits, offset } => {
                ClientDescent::V4(self.routes.v4.descent(bits, (tag, offset)))
            }
            LookupAddress::V6(bits) => ClientDescent::V6(self.routes.v6.descent(bits, (tag, 0))),
        }
    }

    /// [`ClientLookup::leaf`], if a descent has found this; a resolver may be known deeper.
    #[inline(always)]
    pub(crate) fn leaf_from(&self, found: (u32, u8)) -> (u32, u8) {
        let deeper = self.routes.deeper.as_ref().filter(|_| !self.by_ecs);
        match deeper.and_then(|deeper| self.subject.lookup_deeper(deeper)) {
            Some(deeper) => deeper,
            // What leads to the IPv4 table is looked up again.
            None if found.0 == REDIRECT => self.subject.lookup(self.routes),
            None => found,
        }
    }
}

/// A look-up among many at once, by its family.
pub(crate) enum ClientDescent<'s> {
    /// Of an IPv4 client.
    V4(Descent<'s, u32>),
    /// Of an IPv6 client.
    V6(Descent<'s, u128>),
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
    decision.evidence() == Evidence::Ecs && own.is_some_and(|(own, _)| is_other(own))
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
