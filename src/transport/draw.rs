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

    /// The next draw. Neighbours are far apart but not independent: mix a draw before use
    /// ([`crate::wire::hash::mix`]), and most answers use none.
    #[inline(always)]
    pub fn draw(&mut self) -> u64 {
        // A Weyl sequence: it meets every number once.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0
    }
}

#[cfg(test)]
mod tests;
