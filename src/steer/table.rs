//! A policy as it is served: preference lists, the routes from an address to one of them, and the
//! addresses of every PoP.

use super::policy::{PolicyId, Sharing};
use super::pop::{HttpsParams, PopId};
use super::preference_list::{Entry, PreferenceList};
use crate::geo::trie::Trie;
use crate::health::targets::SlotId;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Address families as bits.
pub(crate) type Families = u8;
/// IPv4.
pub const V4: Families = 1;
/// IPv6.
pub const V6: Families = 2;

/// An address with what sharing needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedAddress<A> {
    /// The address.
    pub address: A,
    /// Its weight; 0 is answered only where all are 0.
    pub(crate) weight: u32,
    /// Hash of the address, so that reordering a list moves no client.
    pub(crate) seed: u64,
}

/// One service of one PoP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The PoP.
    pub pop: PopId,
    /// IPv4 addresses.
    pub v4: Box<[SharedAddress<Ipv4Addr>]>,
    /// IPv6 addresses.
    pub v6: Box<[SharedAddress<Ipv6Addr>]>,
    /// Parameters of its HTTPS record, addresses apart.
    pub(crate) https: Option<Box<HttpsParams>>,
}

impl Slot {
    /// Families in which it has an address.
    pub(crate) fn families(&self) -> Families {
        (if self.v4.is_empty() { 0 } else { V4 }) | (if self.v6.is_empty() { 0 } else { V6 })
    }
}

/// No slot: the PoP lacks the policy's service.
pub const NO_SLOT: SlotId = SlotId(u32::MAX);

/// The value of a route leaf that carries IPv4 inside IPv6; never looked up.
pub const REDIRECT: u32 = crate::geo::trie::VALUE_MAX;

/// A name of a PoP with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopIdentity {
    /// Name.
    pub name: Arc<str>,
    /// Hash of the name.
    pub seed: u64,
}

/// A policy, compiled.
#[derive(Clone, Debug)]
pub struct PolicyTable {
    /// Its index among the policies of the snapshot.
    pub(crate) index: PolicyId,
    /// Name, with the zone for policies of a zone file (`web`, `cdn.example./web`).
    pub name: Arc<str>,
    /// For each PoP the slot of the policy's service, or [`NO_SLOT`].
    pub slots: Box<[SlotId]>,
    /// Families that the policy's own candidates have. They do not depend on the client, because
    /// the existence of a type never does.
    pub families: Families,
    /// True if HTTPS records are answered, for every client.
    pub(crate) https: bool,
    /// CNAME targets.
    pub(crate) cnames: Box<[Name]>,
    /// Every candidate that the policy or one of its rules can answer with, in one band.
    pub members: Box<[Entry]>,
    /// Pools, each sorted by PoP: what is offered outside fences, and then each fence once.
    pub pools: Box<[Box<[PopId]>]>,
    /// Listed order behind every list.
    pub(crate) tail: Box<[Entry]>,
    /// All preference lists.
    pub preference_lists: Box<[PreferenceList]>,
    /// Preference lists of a leaf: one if ECS decides, one if the resolver's address decides (they
    /// differ only where no place is known and the node has a site).
    pub choices: Box<[[u32; 2]]>,
    /// Address to choice, for each class of resolver.
    pub routes: Box<[Arc<Trie>]>,
    /// As `routes`, for answers that also depend on the client's cell. No scope of an IPv6 client
    /// covers a block of embedded IPv4, even if all places have one choice.
    pub(crate) cell_routes: Box<[Arc<Trie>]>,
    /// Resolver address to class; `None` if no rule asks for the resolver's network.
    pub resolver_classes: Option<Arc<Trie>>,
    /// True if ECS is used.
    pub(crate) ecs: bool,
    /// Rule by which equals share clients.
    pub(crate) share: Sharing,
    /// True if anything of it shares by cell; never with `share: random`.
    pub(crate) by_cell: bool,
    /// True if routes lead to different preference lists.
    pub(crate) located: bool,
    /// Prefix length of a sharing cell.
    pub(crate) cell_v4: u8,
    /// Prefix length of a sharing cell.
    pub(crate) cell_v6: u8,
    /// Share of a PoP's addresses of a family that must be up, in per cent, 1 to 100.
    pub(crate) up_threshold_percent: u8,
    /// Number of distinct leaves of the routes: its cost in resolvers' caches.
    pub(crate) scopes: usize,
    /// Number of database networks that are too long for a scope, and for whose clients another
    /// network of the same block decides. Clients without ECS are not affected.
    pub(crate) overruled: usize,
}

impl PolicyTable {
    /// Address to choice, for each class of resolver: the tries for answers that depend on the
    /// client's cell, or those for other answers.
    #[inline(always)]
    pub(crate) fn routes_of(&self, by_cell: bool) -> &[Arc<Trie>] {
        if by_cell { &self.cell_routes } else { &self.routes }
    }

    /// True if a CNAME is among its members; CNAMEs come last.
    pub(crate) fn has_cname_member(&self) -> bool {
        self.members.last().is_some_and(|member| member.target.split().is_err())
    }

    /// The PoPs among its members.
    pub(crate) fn member_pops(&self) -> impl Iterator<Item = PopId> {
        self.members.iter().filter_map(|member| member.target.split().ok())
    }

    /// The family of a type of addresses, if the policy's own candidates have it. They decide which
    /// types exist, whatever PoPs a rule adds for some clients.
    #[inline(always)]
    pub(crate) fn offers(&self, qtype: RrType) -> Option<Families> {
        let family = match qtype {
            RrType::A => V4,
            RrType::AAAA => V6,
            _ => 0,
        };
        (self.families & family != 0).then_some(family)
    }

    /// True if it decides what a question of this type gets. A CNAME answers every type.
    #[inline(always)]
    pub(crate) fn decides(&self, qtype: RrType) -> bool {
        self.offers(qtype).is_some() || self.https && qtype == RrType::HTTPS || self.may_alias()
    }

    /// True if it may answer a CNAME.
    pub fn may_alias(&self) -> bool {
        !self.cnames.is_empty()
    }
}
