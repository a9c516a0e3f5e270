//! Load feeds of a deployment, and the slots that each covers.
//!
//! Compiled with a snapshot, like the targets of probes, so indexes are valid in that snapshot
//! only. State is carried to the next feed set by [`FeedTarget::key`].

use super::spec::LoadSpec;
use crate::health::targets::{PopId, SlotId};
use std::sync::Arc;

list_index! {
    /// Index of a load feed in [`FeedSet::feeds`].
    pub(crate) FeedId(u32)
}

/// Load feeds of one snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedSet {
    /// Feeds; each slot belongs to at most one.
    pub feeds: Vec<FeedTarget>,
    /// For each slot, in the order of the steering, its PoP.
    pub slots: Vec<PopId>,
    /// Names of PoPs, in the order of the steering.
    pub pops: Vec<Arc<str>>,
}

/// Load feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedTarget {
    /// Identity of the feed across reloads: its state is carried over to the next feed set if the
    /// PoP, the service and the source (URL, file or push) are equal. The rule may differ.
    pub key: Arc<str>,
    /// Its PoP.
    pub pop: PopId,
    /// Name of the service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// Slots that it covers: that of the service, or all slots of the PoP without a feed of their
    /// own.
    pub slots: Vec<SlotId>,
    /// Slots of other PoPs that can take shed load, the nearest PoP first, one slot per PoP. They
    /// share a preference list with this PoP, because a shed cell goes down its own list.
    pub followers: Vec<SlotId>,
    /// Capacity in the unit of the feed, above 0. A PoP without a capacity has no feed.
    pub capacity: f64,
    /// Largest TTL of the policies that answer with these slots, in seconds: caches keep an answer
    /// this long after a change.
    pub ttl_secs: u32,
    /// Source of the number, and the rule.
    pub spec: Arc<LoadSpec>,
}
