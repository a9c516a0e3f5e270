//! What is kept of a feed over a restart.

use std::sync::Arc;

/// Milliseconds that a kept share is good for: a restart for maintenance.
const AGE_MAX_MS: u64 = 600_000;

/// One feed that sheds. Plain values, for any format of file.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedLoad {
    /// [`super::roster::FeedRoster::key`].
    pub key: Arc<str>,
    /// Its exact share, 0 to 1.
    pub share: f64,
    /// Smoothed load, in the unit of the capacity.
    pub smoothed: Option<f64>,
    /// Share as answers saw it, in steps of 1/256.
    pub published: u16,
    /// Who accepted how much of it, by name of the PoP, in steps of 1/256.
    pub accept: Vec<(Arc<str>, u16)>,
    /// When it was saved, in milliseconds since 1970.
    pub saved_epoch_ms: u64,
}

impl SavedLoad {
    /// Whether it is still worth something; stamps of the future are as wrong as old ones.
    pub fn is_fresh(&self, now_epoch_ms: u64) -> bool {
        self.saved_epoch_ms.abs_diff(now_epoch_ms) <= AGE_MAX_MS
    }
}
