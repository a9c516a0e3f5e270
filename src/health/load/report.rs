//! What people are shown of a feed.

use super::feeds::FeedTarget;
use std::sync::Arc;

/// One feed, as it is now.
#[derive(Clone, Debug)]
pub(crate) struct FeedReport<'l> {
    /// Which.
    pub(crate) feed: &'l FeedTarget,
    /// Name of its PoP.
    pub(crate) pop: &'l Arc<str>,
    /// Smoothed load, in the unit of the capacity.
    pub(crate) smoothed: Option<f64>,
    /// Share of cells that may leave, in steps of 1/256, as answers see it.
    pub(crate) share: u16,
    /// Who accepts how much of them: name of the PoP, and steps of 1/256; the others accept none.
    pub(crate) accept: Vec<(&'l Arc<str>, u16)>,
    /// No reading for longer than `stale_after`.
    pub(crate) is_stale: bool,
    /// The share turned too often, and the gain is less than configured.
    pub(crate) oscillates: bool,
    /// Cells should leave and have nowhere to go.
    pub(crate) is_stuck: bool,
    /// The last failure; none once a reading has followed.
    pub(crate) last_error: Option<&'l Arc<str>>,
    /// Milliseconds since the last reading.
    pub(crate) read_ago_ms: Option<u64>,
}
