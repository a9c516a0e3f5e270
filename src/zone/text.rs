//! A zone as read: records with their places, before it is compiled into an image.

use crate::finding::At;
use crate::steer::policy::{Policy, TtlRange};
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::octets::Octets;
use std::sync::Arc;

/// How a chain of CNAMEs inside our zones is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ChainMode {
    /// Followed to its end; the answer has the longest scope of its steps.
    #[default]
    Full,
    /// Only the first CNAME.
    First,
    /// Followed while the scope stays the same.
    SameScope,
}

/// One record as read.
#[derive(Clone, Debug)]
pub struct Record {
    /// Owner, case as written.
    pub owner: Name,
    /// Type.
    pub rtype: RrType,
    /// TTL.
    pub(crate) ttl: Ttl,
    /// RDATA: uncompressed wire form, names with the case as written.
    pub rdata: Octets,
    /// Where it is written.
    pub(crate) at: At,
}

/// An owner whose addresses a policy decides.
#[derive(Clone, Debug)]
pub struct SteeredOwner {
    /// Owner, possibly a wildcard.
    pub(crate) owner: Name,
    /// Index into the deployment's list of policies.
    pub(crate) policy: usize,
    /// TTL bounds over the policy's.
    pub(crate) ttl: Option<TtlRange>,
    /// Where it is written.
    pub(crate) at: At,
}

/// A zone as read.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Apex.
    pub apex: Name,
    /// Records, the SOA among them, in the order read.
    pub records: Vec<Record>,
    /// Steered owners.
    pub steered: Vec<SteeredOwner>,
    /// How chains are answered.
    pub chain: ChainMode,
    /// Where the zone's name is written.
    pub at: At,
}

/// A policy with the scope in which its name is known: shared, or one zone.
#[derive(Clone, Debug)]
pub struct ScopedPolicy {
    /// The policy.
    pub(crate) policy: Policy,
    /// Apex of the zone that holds it; `None` for shared policies.
    pub(crate) zone: Option<Arc<str>>,
}
