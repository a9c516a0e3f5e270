//! Histogram of the times that answers take, over a sample of the messages.
//!
//! Reading the clock costs more than many answers, so most messages are not measured: over UDP one
//! batch in [`SAMPLE_EVERY`], with all its answers, and over connections one message in as many.
//! A message outside the sample costs a count and a comparison.

use crate::shared::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// One batch of datagrams, or one message of a connection, in so many is measured. A power of two.
pub(crate) const SAMPLE_EVERY: u32 = 64;

/// Upper bounds of the buckets in microseconds: from a lone datagram to a stalled thread.
pub(crate) const BOUNDS_MICROS: [u64; 12] = [2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000, 100_000];

/// Buckets: one for each bound, and one for longer times.
const BUCKETS: usize = BOUNDS_MICROS.len() + 1;

/// Histogram of one worker.
#[derive(Debug)]
pub struct AnswerTimes {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

/// Sum of the histograms of several workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerTimesSum {
    buckets: [u64; BUCKETS],
    nanos: u64,
}

impl AnswerTimes {
    /// Bucket of a time.
    pub(super) fn bucket(&self, nanos: u64) -> &AtomicU64 {
        let index = BOUNDS_MICROS.iter().position(|bound| nanos <= bound * 1_000);
        &self.buckets[index.unwrap_or(BUCKETS - 1)]
    }

    /// Sum of all times in nanoseconds.
    pub(super) fn nanos(&self) -> &AtomicU64 {
        &self.nanos
    }
}

impl Cell for AnswerTimes {
    type Sum = AnswerTimesSum;

    fn zero() -> AnswerTimes {
        AnswerTimes { buckets: Cell::zero(), nanos: Cell::zero() }
    }

    fn add_to(&self, sum: &mut AnswerTimesSum) {
        self.buckets.add_to(&mut sum.buckets);
        sum.nanos = sum.nanos.wrapping_add(self.nanos.load(Ordering::Relaxed));
    }
}

impl AnswerTimesSum {
    /// Each bound in seconds, with the number of answers that took no longer.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS_MICROS.iter().zip(&self.buckets).scan(0, |below, (bound, count)| {
            *below += count;
            Some((*bound as f64 / 1e6, *below))
        })
    }

    /// Number of answers measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Sum of their times.
    pub(crate) fn sum_seconds(&self) -> f64 {
        self.nanos as f64 / 1e9
    }
}

/// Choice of the batches of one worker that are measured, the first among them.
#[derive(Debug)]
pub(crate) struct Sampler {
    left: u32,
}

impl Default for Sampler {
    fn default() -> Sampler {
        Sampler { left: 1 }
    }
}

impl Sampler {
    /// True if the next batch is measured.
    #[inline(always)]
    pub(crate) fn is_due(&mut self) -> bool {
        self.left -= 1;
        let is_due = self.left == 0;
        if is_due {
            self.left = SAMPLE_EVERY;
        }
        is_due
    }
}

#[cfg(test)]
mod tests;
