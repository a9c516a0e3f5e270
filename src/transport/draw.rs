//! Draws: a pseudorandom number for each query, for the order of addresses and for policies with
//! `share: random`. Not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A generator, one for each thread or connection.
#[derive(Debug)]
pub struct Draws(u64);

impl Draws {
    /// A generator seeded by the operating system, through the keys of the standard hasher.
    pub fn seeded() -> Draws {
        Draws(RandomState::new().build_hasher().finish())
    }

    /// The next draw. Successive draws are not independent: mix a draw before use
    /// ([`crate::wire::hash::mix`]). The mixing is not done here, because most answers use no draw.
    #[inline(always)]
    pub fn draw(&mut self) -> u64 {
        // A Weyl sequence: its period covers every 64-bit number once.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0
    }
}

#[cfg(test)]
mod tests;
