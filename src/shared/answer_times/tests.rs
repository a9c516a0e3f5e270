//! Buckets and the sample.

use super::*;
use crate::answer::Transport;
use crate::shared::counters::{CounterBlock, Counters};
use std::sync::Arc;

/// A time at a bound is in its bucket, a longer one in the next; counts are cumulative, and the
/// longest times count in no bucket with a bound.
#[test]
fn times_have_their_buckets() {
    let block = Arc::new(CounterBlock::single_writer(Transport::Udp, 0));
    let counters = Counters::new(vec![Arc::clone(&block)], Arc::default());
    for (nanos, answers) in [(0, 1), (2_000, 2), (2_001, 4), (1_000_000, 8), (100_000_001, 16)] {
        block.took(nanos, answers);
    }
    let sum = counters.fold(Transport::Udp).times;
    let below: Vec<u64> = sum.cumulative().map(|(_, count)| count).collect();
    assert_eq!(below, [3, 7, 7, 7, 7, 7, 7, 7, 15, 15, 15, 15]);
    assert_eq!(sum.count(), 31);
    let nanos = 2 * 2_000 + 4 * 2_001 + 8 * 1_000_000 + 16 * 100_000_001_u64;
    assert!((sum.sum_seconds() - nanos as f64 / 1e9).abs() < 1e-9, "{}", sum.sum_seconds());
    assert_eq!(counters.fold(Transport::Tcp).times, AnswerTimesSum::default());
}

/// The first of every [`SAMPLE_EVERY`] batches and messages is measured.
#[test]
fn one_in_so_many_is_measured() {
    let every = SAMPLE_EVERY as usize;
    let mut sampler = Sampler::default();
    let block = CounterBlock::multi_writer(Transport::Tcp, 0);
    for n in 0..3 * every {
        assert_eq!(sampler.is_due(), n % every == 0, "batch {n}");
        assert_eq!(block.arrived(), n % every == 0, "message {n}");
    }
    assert!(SAMPLE_EVERY.is_power_of_two());
}

/// Bounds rise, or a time would not be in the bucket of the smallest bound above it.
#[test]
fn bounds_rise() {
    assert!(BOUNDS_MICROS.is_sorted_by(|one, next| one < next));
}
