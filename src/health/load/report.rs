//! Report on a load feed, for operators.

use super::feeds::FeedTarget;
use std::sync::Arc;

/// Current state of one feed.
#[derive(Clone, Debug)]
pub(crate) struct FeedReport<'l> {
    /// The feed.
    pub(crate) feed: &'l FeedTarget,
    /// Name of the feed's PoP.
    pub(crate) pop: &'l Arc<str>,
    /// Smoothed load, in the unit of the capacity.
    pub(crate) smoothed: Option<f64>,
    /// Published share of cells that may be shed, in steps of 1/256.
    pub(crate) share: u16,
    /// PoPs that accept shed cells: name, and share in steps of 1/256.
    pub(crate) accept: Vec<(&'l Arc<str>, u16)>,
    /// True if there was no reading for longer than `stale_after`.
    pub(crate) is_stale: bool,
    /// True if the share changed direction too often, so that the gain is less than configured.
    pub(crate) oscillates: bool,
    /// True if cells that should be shed have no place.
    pub(crate) is_stuck: bool,
    /// Last failure; `None` once a reading has followed.
    pub(crate) last_error: Option<&'l Arc<str>>,
    /// Milliseconds since the last reading.
    pub(crate) read_ago_ms: Option<u64>,
}
