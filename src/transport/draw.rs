//! Draws: a number per query for what the core leaves to chance (the order of addresses, and policies
//! that ask for `share: random`). Not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A SplitMix64 generator, one for each thread or connection.
#[derive(Debug)]
pub struct Draws(u64);

impl Draws {
    /// A generator seeded by the operating system, through the keys of the standard hasher.
    pub fn seeded() -> Draws {
        Draws(RandomState::new().build_hasher().finish())
    }

    /// The next draw.
    pub fn draw(&mut self) -> u64 {
        // Sebastiano Vigna's SplitMix64 (public domain): a Weyl sequence through a 64-bit finaliser.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::Draws;

    /// The published first outputs of SplitMix64 with seed 1234567; and two threads draw apart.
    #[test]
    fn golden() {
        let mut draws = Draws(1_234_567);
        assert_eq!([draws.draw(), draws.draw()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        assert_ne!(Draws::seeded().draw(), Draws::seeded().draw());
    }
}
