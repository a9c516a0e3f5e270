//! A zone as read: records with their places, before compilation into an image.

use crate::finding::At;
use crate::steer::policy::{Policy, PolicyId, TtlRange};
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::octets::Octets;
use std::sync::Arc;

/// Mode of answering a chain of CNAMEs inside our zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ChainMode {
    /// Follow the chain to its end; the answer has the longest scope of its steps.
    #[default]
    Full,
    /// Answer only the first CNAME.
    First,
    /// Follow the chain while the scope stays the same.
    SameScope,
}

/// A record as read.
#[derive(Clone, Debug)]
pub struct Record {
    /// Owner, in its original case.
    pub owner: Name,
    /// Type.
    pub rtype: RrType,
    /// TTL.
    pub(crate) ttl: Ttl,
    /// RDATA in uncompressed wire form; names keep their case.
    pub rdata: Octets,
    /// Place in the file.
    pub(crate) at: At,
}

impl Record {
    /// Key of its RRset among the records of its owner.
    pub(crate) fn set_key(&self) -> SetKey {
        // The field "Type Covered" stands first (RFC 2535 section 4.1, RFC 4034 section 3.1).
        let covered = match self.rtype {
            RrType::RRSIG | RrType::SIG => {
                self.rdata.first_chunk().map(|type_covered| u16::from_be_bytes(*type_covered))
            }
            _ => None,
        };
        SetKey { rtype: self.rtype, covered: RrType(covered.unwrap_or(0)) }
    }
}

/// Key that the records of one RRset share: their type and, in signatures, the type that these
/// cover, because signatures of different RRsets have the TTLs of these (RFC 4034 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SetKey {
    /// Type of the records.
    pub(crate) rtype: RrType,
    /// The covered type; 0 in all but signatures.
    pub(crate) covered: RrType,
}

/// An owner whose addresses a policy decides.
#[derive(Clone, Debug)]
pub struct SteeredOwner {
    /// Owner, possibly a wildcard.
    pub(crate) owner: Name,
    /// Index into the deployment's list of policies.
    pub(crate) policy: PolicyId,
    /// TTL bounds that override the policy's.
    pub(crate) ttl: Option<TtlRange>,
    /// Place in the file.
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
    /// Mode of answering CNAME chains.
    pub chain: ChainMode,
    /// Place of the zone's name.
    pub at: At,
}

/// A policy with the scope of its name: all zones, or one.
#[derive(Clone, Debug)]
pub struct ScopedPolicy {
    /// The policy.
    pub(crate) policy: Policy,
    /// Apex of the zone in which the policy is defined; `None` for shared policies.
    pub(crate) zone: Option<Arc<str>>,
}
