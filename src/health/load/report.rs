//! What people are shown of a feed.

use super::feeds::FeedTarget;
use std::sync::Arc;

/// One feed, as it is now.
#[derive(Clone, Debug)]
pub struct FeedReport<'l> {
    /// Which.
    pub feed: &'l FeedTarget,
    /// Name of its PoP.
    pub pop: &'l Arc<str>,
    /// The last number read, in the unit of the capacity.
    pub reading: Option<f64>,
    /// Smoothed.
    pub smoothed: Option<f64>,
    /// Smoothed, divided by the capacity.
    pub utilisation: Option<f64>,
    /// Share of cells that may leave, in steps of 1/256, as answers see it.
    pub share: u16,
    /// Who accepts how much of them: name of the PoP, and steps of 1/256; the others accept none.
    pub accept: Vec<(&'l Arc<str>, u16)>,
    /// No reading for longer than `stale_after`.
    pub is_stale: bool,
    /// The share turned too often, and the gain is less than configured.
    pub oscillates: bool,
    /// The last failure, also when readings followed.
    pub last_error: Option<&'l Arc<str>>,
    /// Milliseconds since the last reading.
    pub read_ago_ms: Option<u64>,
}
