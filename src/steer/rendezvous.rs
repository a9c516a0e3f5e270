//! Sharing: weighted rendezvous hashing over integers, so that every build on every machine agrees.
//!
//! Each candidate draws a number u in (0, 1] from a hash of (cell, owner name, candidate) and
//! scores `-weight / ln u`; the highest score wins. A candidate that leaves takes only its own
//! cells with it, and a changed weight moves only the difference, since no other score changes. The
//! logarithm is to base 2 (a constant factor decides nothing), from a table made by integer
//! arithmetic at compile time.

use crate::wire::hash::mix;

/// `-log2(u)` in units of 2^-32.
type NegLog = u64;

const TABLE_BITS: u32 = 10;
const TABLE: [u64; (1 << TABLE_BITS) + 1] = log2_table();

/// log2(1 + i / 1024) in units of 2^-32, by squaring: each squaring of a number in [1, 2) gives the
/// next bit of its logarithm.
const fn log2_table() -> [u64; (1 << TABLE_BITS) + 1] {
    let mut table = [0; (1 << TABLE_BITS) + 1];
    let mut i = 0;
    while i < (1 << TABLE_BITS) {
        // 1.63 fixed point.
        let mut x: u128 = ((1u128 << TABLE_BITS) + i as u128) << (63 - TABLE_BITS);
        let mut log = 0u64;
        let mut bit = 0;
        while bit < 40 {
            x = (x * x) >> 63;
            log <<= 1;
            if x >= 1 << 64 {
                x >>= 1;
                log |= 1;
            }
            bit += 1;
        }
        // 40 bits computed, rounded to 32.
        table[i] = (log + (1 << 7)) >> 8;
        i += 1;
    }
    table[1 << TABLE_BITS] = 1 << 32;
    table
}

/// `-log2((hash + 1) / 2^64)` in units of 2^-32; 0 to 64 * 2^32.
#[inline]
fn neg_log2(hash: u64) -> NegLog {
    if hash == u64::MAX {
        return 0;
    }
    let u = hash + 1;
    let exponent = 63 - u.leading_zeros();
    let mantissa = u << (63 - exponent); // 1.63 fixed point
    let fraction = mantissa << 1; // 0.64
    let index = (fraction >> (64 - TABLE_BITS)) as usize;
    let rest = (fraction << TABLE_BITS) >> 32; // 0.32 within the table's step
    let (low, high) = (TABLE[index], TABLE[index + 1]);
    let log2 = (u64::from(exponent) << 32) + low + (((high - low) * rest) >> 32);
    (64 << 32) - log2
}

/// A candidate's score; compare with [`Score::beats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    weight: u32,
    neg_log: NegLog,
}

impl Score {
    /// A score that every candidate beats: for room that is not used yet.
    pub(crate) const NONE: Score = Score { weight: 0, neg_log: 1 };

    /// The score of a candidate with `weight` (1 to [`crate::limits::WEIGHT_MAX`]) for the draw
    /// that `key` and `candidate` give.
    #[inline]
    pub fn new(key: u64, candidate: u64, weight: u32) -> Score {
        Score { weight, neg_log: neg_log2(mix(key, candidate)) }
    }

    /// True if this score is higher. The caller keeps the first by name where scores are equal.
    #[inline]
    pub fn beats(self, other: Score) -> bool {
        // weight / neg_log, compared crosswise: 20 bits times 39 bits.
        u64::from(self.weight) * other.neg_log > u64::from(other.weight) * self.neg_log
    }
}

/// Key for sharing: hash of address family, cell and owner name.
#[inline]
pub fn cell_key(family_bits: u8, cell: u128, owner_seed: u64) -> u64 {
    mix(mix((cell >> 64) as u64 ^ u64::from(family_bits), cell as u64), owner_seed)
}

#[cfg(test)]
mod tests;
