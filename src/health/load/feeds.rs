//! Whose load is measured: the feeds of a deployment, and the slots that each speaks for.
//!
//! Made when a snapshot is compiled, beside the targets of probes: indexes are valid inside that
//! snapshot. State goes to the next feed set by [`FeedTarget::key`].

use super::spec::LoadSpec;
use std::sync::Arc;

/// Everything that load needs of one snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedSet {
    /// Feeds; a slot stands in at most one.
    pub feeds: Vec<FeedTarget>,
    /// For each slot of the steering, in its order, the index of its PoP.
    pub slots: Vec<u16>,
    /// Names of PoPs, in the order of the steering.
    pub pops: Vec<Arc<str>>,
}

/// One feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedTarget {
    /// Equal where and only where PoP, service and feed are equal: what is carried over by.
    pub key: Arc<str>,
    /// Index of the PoP.
    pub pop: u16,
    /// The service whose load it is; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// Slots that it speaks for: that of the service, or all of the PoP's that have no feed of
    /// their own.
    pub slots: Vec<u32>,
    /// Slots of other PoPs that can take what it sheds, the nearest PoP first, one slot a PoP:
    /// those that stand with it in a preference list, because a shed cell goes down its own list.
    pub followers: Vec<u32>,
    /// Capacity in the unit of the feed, above 0. A PoP without a capacity has no feed.
    pub capacity: f64,
    /// The largest TTL of the policies that answer with these slots, in seconds: so long an answer
    /// outlives a change.
    pub ttl_secs: u32,
    /// The feed and its rule.
    pub spec: Arc<LoadSpec>,
}
