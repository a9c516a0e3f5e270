//! Draws: a number per query for what the core leaves to chance (the order of addresses, and
//! policies that ask for `share: random`). Not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A generator, one for each thread or connection.
#[derive(Debug)]
pub struct Draws(u64);

impl Draws {
    /// A generator seeded by the operating system, through the keys of the standard hasher.
    pub fn seeded() -> Draws {
        Draws(RandomState::new().build_hasher().finish())
    }

    /// The next draw. Neighbours are far apart but not independent: whoever uses a draw mixes it
    /// first ([`crate::wire::hash::mix`]), and most answers use none.
    #[inline(always)]
    pub fn draw(&mut self) -> u64 {
        // A Weyl sequence: it meets every number once.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Draws;
    use crate::wire::hash::mix;

    /// Mixed, draws are even: each of eight buckets gets its share of 80,000 within 4 per cent. And
    /// two threads draw apart.
    #[test]
    fn draws_are_even_once_mixed() {
        let (mut draws, mut buckets) = (Draws(1_234_567), [0u32; 8]);
        for _ in 0..80_000 {
            buckets[(mix(draws.draw(), 3) % 8) as usize] += 1;
        }
        assert!(buckets.iter().all(|n| n.abs_diff(10_000) < 400), "{buckets:?}");
        assert_ne!(Draws::seeded().draw(), Draws::seeded().draw());
    }
}
