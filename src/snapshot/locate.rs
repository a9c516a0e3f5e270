//! Place of a client: its lookup address, from the client subnet or the resolver, and the decision
//! of a policy for it.
//!
//! The lookup address is the ECS address if that is usable, else the resolver's. Usable means
//! global unicast, or known to an operator network or a database. An unknown special-purpose
//! address (10/8, loopback) leaves the decision to the resolver, with the length of its block as
//! the scope. The scope covers everything that the decision used: the depth of the leaf, and that
//! of the cell if the cell was read.

use super::Snapshot;
use super::steering::BY_ECS_SPECIAL;
use crate::geo::embedded;
use crate::geo::prefix::{truncate_v4, truncate_v6};
use crate::geo::special::special_block;
use crate::geo::trie::{Deeper, Descent, Trie};
use crate::steer::choose::ChoiceInputs;
use crate::steer::policy::PolicyId;
use crate::steer::preference_list::PreferenceList;
use crate::steer::rendezvous::cell_key;
use crate::steer::table::{Families, PolicyTable, REDIRECT};
use crate::steer::view::View;
use crate::wire::ecs::ClientSubnet;
use crate::wire::hash::mix;
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Address in its lookup form: IPv4 clients inside IPv6 are IPv4, with an offset.
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
    /// Lookup form of an address.
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
                // Only `::` and `::1` come here. They lie in the block of embedded IPv4 clients
                // without being such clients. The scope of a neighbour may include them, so they
                // get its answer; their own scope includes only themselves.
                (REDIRECT, _) => (trie.v4.lookup(bits as u32).0, 128),
                found => found,
            },
        }
    }

    /// Like [`LookupAddress::lookup`] at full depth, for an address that needs no scope.
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

/// Source of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuerySource<'a> {
    /// Address of the resolver.
    pub(crate) resolver: IpAddr,
    /// Client subnet, if the query has one with a source prefix length above 0.
    pub(crate) subnet: Option<&'a ClientSubnet>,
}

/// Lookup of a client for a policy: the address, the routes, and the policy's view of the PoPs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientLookup<'s> {
    /// Policy whose decision is made.
    pub(crate) policy: &'s PolicyTable,
    /// View of the policy on the status.
    pub(crate) view: &'s View,
    /// True if the client's cell may affect the answer.
    by_cell: bool,
    /// True if the address is that of the client subnet.
    by_ecs: bool,
    routes: &'s Trie,
    /// Lookup address of the client.
    pub(crate) subject: LookupAddress,
}

closed_set! {
    /// Evidence for the place of a client. Its word stands in metrics.
    pub enum Evidence {
        /// Client subnet.
        Ecs = "ecs",
        /// Address of the resolver.
        Resolver = "resolver",
        /// None: the policy gives every client of every resolver the same preference list.
        Nothing = "nothing",
    }
}

/// Decision of a policy for a query source.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// Preference list of the client.
    pub preference_list: &'a PreferenceList,
    /// Depth of the leaf, offset included.
    pub(crate) depth: u8,
    /// Length of the special-purpose block of the client subnet, offset included, if the resolver
    /// decided for that reason; else 0.
    special_len: u8,
    /// Lookup address that decided.
    pub subject: LookupAddress,
    /// True if the client subnet was an unknown special-purpose address.
    pub is_special: bool,
    /// True if the client's cell may affect the answer.
    pub by_cell: bool,
    by_ecs: bool,
    policy: &'a PolicyTable,
    owner_seed: u64,
    draw: u64,
    /// Key for sharing, once it was used.
    key: Cell<Option<u64>>,
}

impl Decision<'_> {
    /// ECS scope of the answer, once the choice is complete. The scope covers the cell if the key
    /// of the cell was used. Whether the key is used depends on nothing that differs between the
    /// cells of a leaf (see [`crate::steer::choose::choose`]), so all cells of a leaf get one
    /// scope.
    #[inline(always)]
    pub(crate) fn scope(&self) -> u8 {
        if !self.by_ecs {
            return 0;
        }
        // Scope 0 means that the answer is for all clients, which holds only for an untailored
        // answer.
        let leaf = self.depth.max(1);
        match self.reads_cell() {
            // The resolver decided, but only because of the client subnet.
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

    /// Evidence for the place of the client.
    #[inline(always)]
    pub fn evidence(&self) -> Evidence {
        match self.by_ecs && !self.is_special {
            _ if !self.policy.located && !self.by_cell => match &self.policy.resolver_classes {
                None => Evidence::Nothing,
                // A rule asks for the resolver's network.
                Some(_) => Evidence::Resolver,
            },
            true => Evidence::Ecs,
            false => Evidence::Resolver,
        }
    }

    /// True if the choice used the client's cell.
    #[inline(always)]
    pub(crate) fn reads_cell(&self) -> bool {
        self.key.get().is_some() && !self.policy.share.is_drawn()
    }

    /// Key for sharing. Most decisions share nothing, so it is computed on first use.
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
            // Only `::` and `::1` lie among embedded IPv4 clients without being such clients
            // ([`LookupAddress::of`]).
            LookupAddress::V6(bits @ 0..=1) => {
                cell_key(4, u128::from(truncate_v4(bits as u32, self.policy.cell_v4)), self.owner_seed)
            }
            LookupAddress::V6(bits) => cell_key(6, truncate_v6(bits, self.policy.cell_v6), self.owner_seed),
        }
    }
}

/// Class of a resolver. Few policies have classes.
#[cold]
fn class_of(resolver: LookupAddress, classes: &Trie) -> u32 {
    resolver.lookup(classes).0
}

/// Depth of the cell of a lookup address, offset included.
fn cell_depth(subject: LookupAddress, policy: &PolicyTable) -> u8 {
    match subject {
        LookupAddress::V4 { offset, .. } => policy.cell_v4 + offset,
        LookupAddress::V6(0..=1) => 128,
        LookupAddress::V6(_) => policy.cell_v6,
    }
}

impl Snapshot {
    /// Inputs of a choice, for a preference list of a policy and the queried family.
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
    /// Lookup for the policy of this number.
    #[inline(always)]
    pub(crate) fn lookup<'s>(&self, snapshot: &'s Snapshot, number: PolicyId) -> Option<ClientLookup<'s>> {
        let policy = snapshot.steering.policies.get(number.index())?;
        let (view, by_cell) = snapshot.status.seen_by(number, policy);
        let routes = self.routes(policy, by_cell)?;
        let subnet = self.subnet.filter(|_| policy.ecs);
        let subject = LookupAddress::of(subnet.map_or(self.resolver, |subnet| subnet.address));
        Some(ClientLookup { policy, view, by_cell, by_ecs: subnet.is_some(), routes, subject })
    }

    /// Routes for the class of the resolver.
    #[inline(always)]
    fn routes<'s>(&self, policy: &'s PolicyTable, by_cell: bool) -> Option<&'s Trie> {
        let class = match &policy.resolver_classes {
            None => 0,
            Some(classes) => class_of(LookupAddress::of(self.resolver), classes),
        };
        policy.routes_of(by_cell).get(class as usize).map(|routes| &**routes)
    }

    /// Decision from the leaf that was found, for an owner. A policy with random sharing uses
    /// `draw`.
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

    /// Decides for an unknown special-purpose client subnet.
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

    /// Lookup as one of many simultaneous descents, with the caller's tag; it has not started.
    #[inline(always)]
    pub(crate) fn descent(&self, tag: usize) -> ClientDescent<'s> {
        match self.subject {
            LookupAddress::V4 { bits, offset } => {
                ClientDescent::V4(self.routes.v4.descent(bits, (tag, offset)))
            }
            LookupAddress::V6(bits) => ClientDescent::V6(self.routes.v6.descent(bits, (tag, 0))),
        }
    }

    /// Like [`ClientLookup::leaf`], from the result of a descent. Without a client subnet, the
    /// resolver's own leaf may be deeper, because the answer needs no scope.
    #[inline(always)]
    pub(crate) fn leaf_from(&self, found: (u32, u8)) -> (u32, u8) {
        let deeper = self.routes.deeper.as_ref().filter(|_| !self.by_ecs);
        match deeper.and_then(|deeper| self.subject.lookup_deeper(deeper)) {
            Some(deeper) => deeper,
            // A redirection to the IPv4 table needs another lookup.
            None if found.0 == REDIRECT => self.subject.lookup(self.routes),
            None => found,
        }
    }
}

/// Lookup among many simultaneous ones, by its family.
pub(crate) enum ClientDescent<'s> {
    /// IPv4 client.
    V4(Descent<'s, u32>),
    /// IPv6 client.
    V6(Descent<'s, u128>),
}

/// True if another place than the client subnet's own decided: networks deeper than the longest
/// scope were merged, and another one of the block is better known or larger.
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

/// Length of the leaf that holds the deciding address, without the offset. For a special client
/// subnet it is the resolver's leaf, although the scope is that of the subnet.
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

/// Prefix length of the special-purpose block that holds the address; 0 if none. For IPv4 inside
/// IPv6, adds the bits before the IPv4 address (such as 96).
#[cold]
fn special_len(subject: LookupAddress) -> u8 {
    let (address, offset) = match subject {
        LookupAddress::V4 { bits, offset } => (IpAddr::V4(Ipv4Addr::from_bits(bits)), offset),
        LookupAddress::V6(bits) => (IpAddr::V6(Ipv6Addr::from_bits(bits)), 0),
    };
    special_block(address).map_or(0, |block| block.len() + offset)
}
