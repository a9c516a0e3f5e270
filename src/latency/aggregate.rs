//! Samples by network, PoP and hour, in bounded memory.
//!
//! At most [`LATENCY_SAMPLES_MAX`] samples of one key count, so that a busy or hostile network
//! weighs no more than its neighbours. When [`LATENCY_KEYS_MAX`] keys are held, the rows of all
//! keys are written, and the aggregate is empty again. A key may then have several rows, which the
//! reader of measurements joins.

use super::estimate::representative_ms;
use super::measurements::Row;
use crate::geo::prefix::Prefix;
use crate::limits::{LATENCY_KEYS_MAX, LATENCY_SAMPLES_MAX};
use std::collections::HashMap;

/// Network, PoP (by index) and hour since 1970.
type Key = (Prefix, u16, u32);

/// Samples that wait to be written.
#[derive(Default)]
pub(crate) struct Aggregate {
    /// RTTs in tenths of a millisecond.
    held: HashMap<Key, Vec<u16>>,
}

impl Aggregate {
    /// Adds samples with one RTT (ms, at most 3,000).
    pub(crate) fn add(&mut self, prefix: Prefix, pop: u16, hour: u32, rtt_ms: f64, samples: u32) {
        let held = self.held.entry((prefix, pop, hour)).or_default();
        let room = LATENCY_SAMPLES_MAX.saturating_sub(held.len());
        let tenths = (rtt_ms * 10.0).round().clamp(1.0, f64::from(u16::MAX)) as u16;
        held.extend(std::iter::repeat_n(tenths, room.min(samples as usize)));
    }

    /// True if no more keys should be held.
    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= LATENCY_KEYS_MAX
    }

    /// The rows of what was added since the last call, in the order of their keys.
    pub(crate) fn take(&mut self) -> Vec<Row> {
        let mut rows: Vec<Row> = (self.held.drain())
            .filter_map(|((prefix, pop, hour), held)| {
                let mut values: Vec<f64> = held.iter().map(|t| f64::from(*t) / 10.0).collect();
                let rtt_ms = representative_ms(&mut values)?;
                Some(Row { prefix, pop, hour, samples: values.len() as u32, rtt_ms })
            })
            .collect();
        rows.sort_unstable_by_key(|row| (row.prefix, row.pop, row.hour));
        rows
    }
}

#[cfg(test)]
mod tests;
