//! Atomic counters, alone or in rows, and their sums over the blocks of several workers.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counter, or a row of counters, with its sum over several blocks.
pub trait Cell {
    /// Sum.
    type Sum: Default;
    /// Counter at 0.
    fn zero() -> Self;
    /// Adds the counter to a sum.
    fn add_to(&self, sum: &mut Self::Sum);
}

impl Cell for AtomicU64 {
    type Sum = u64;

    fn zero() -> AtomicU64 {
        AtomicU64::new(0)
    }

    fn add_to(&self, sum: &mut u64) {
        *sum += self.load(Ordering::Relaxed);
    }
}

impl<const N: usize> Cell for [AtomicU64; N]
where
    [u64; N]: Default,
{
    type Sum = [u64; N];

    fn zero() -> [AtomicU64; N] {
        array::from_fn(|_| AtomicU64::new(0))
    }

    fn add_to(&self, sums: &mut [u64; N]) {
        for (sum, counter) in sums.iter_mut().zip(self) {
            counter.add_to(sum);
        }
    }
}
