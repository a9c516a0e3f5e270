//! Addresses of one family (IPv4 or IPv6) of a slot that may be answered, and the choice among them
//! for a client.
//!
//! The answerable addresses do not depend on the query, so a view computes them at publication. If
//! an answer has room for all of them, all are picked and the client's key is not read, so that the
//! ECS scope need not cover the client's cell.

use super::rendezvous::Score;
use super::table::SharedAddress;
use crate::limits::ANSWERS_MAX;
use crate::wire::hash::mix;

/// Addresses that may be answered: those that are not down and have a weight above 0. If all that
/// are not down have weight 0, all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Answerable {
    /// Their indexes, as bits.
    bits: u64,
    /// Their number.
    count: u8,
}

impl Answerable {
    /// Addresses without those that are down, whose indexes are the bits of `down`.
    pub(crate) fn of<A>(addresses: &[SharedAddress<A>], down: u64) -> Answerable {
        let bits_of = |takes: &dyn Fn(u32) -> bool| {
            let taken = (0..).zip(addresses).filter(|(index, address)| {
                down.checked_shr(*index).unwrap_or(0) & 1 == 0 && takes(address.weight)
            });
            taken.fold(0, |bits, (index, _)| bits | 1u64.checked_shl(index).unwrap_or(0))
        };
        let weighted = bits_of(&|weight| weight > 0);
        let bits = if weighted != 0 { weighted } else { bits_of(&|_| true) };
        Answerable { bits, count: bits.count_ones() as u8 }
    }

    /// The index of the only address, if there is one alone.
    #[inline(always)]
    pub(crate) fn only(self) -> Option<usize> {
        (self.count == 1).then(|| self.bits.trailing_zeros() as usize)
    }

    /// Number of addresses of an answer, if that is fewer than there are.
    #[inline(always)]
    fn fewer(self, answers: u8) -> Option<u8> {
        let wanted = answers.min(ANSWERS_MAX);
        (self.count > wanted).then_some(wanted)
    }

    /// Number of addresses that [`Answerable::pick`] picks. Asks for the key where that does.
    pub(crate) fn count(self, answers: u8, key: &impl Fn() -> u64) -> usize {
        match self.fewer(answers) {
            Some(wanted) => {
                key();
                usize::from(wanted)
            }
            None => usize::from(self.count),
        }
    }

    /// Picks at most `answers` addresses by weighted rendezvous hashing. Calls `key` only if more
    /// than `answers` may be answered, because a read of the key can make the ECS scope cover the
    /// cell (see [`super::choose::choose`]).
    #[inline(always)]
    pub(crate) fn pick<A>(
        self,
        addresses: &[SharedAddress<A>],
        answers: u8,
        key: &impl Fn() -> u64,
    ) -> Picked {
        if let Some(wanted) = self.fewer(answers) {
            return self.best(addresses, usize::from(wanted), mix(key(), ADDRESS_SALT));
        }
        let mut picked = Picked { indexes: [0; ANSWERS_MAX as usize], count: usize::from(self.count) };
        for (place, index) in picked.indexes.iter_mut().zip(self) {
            *place = index;
        }
        picked
    }

    /// The `wanted` addresses with the highest scores, the highest first; there are more.
    #[inline(always)]
    fn best<A>(self, addresses: &[SharedAddress<A>], wanted: usize, key: u64) -> Picked {
        let mut picked = Picked { indexes: [0; ANSWERS_MAX as usize], count: wanted };
        let mut scores = [Score::NONE; ANSWERS_MAX as usize];
        for index in self {
            let Some(address) = addresses.get(usize::from(index)) else { break };
            let (mut score, mut index) = (Score::new(key, address.seed, address.weight.max(1)), index);
            let mut is_in = false;
            for (high, place) in scores.iter_mut().zip(&mut picked.indexes).take(wanted) {
                // All behind a better one move by one place.
                is_in |= score.beats(*high);
                if is_in {
                    std::mem::swap(high, &mut score);
                    std::mem::swap(place, &mut index);
                }
            }
        }
        picked
    }
}

/// The indexes, in ascending order.
impl Iterator for Answerable {
    type Item = u8;

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        let index = self.bits.trailing_zeros() as u8;
        self.bits &= self.bits.checked_sub(1)?;
        Some(index)
    }
}

/// Indexes of the addresses of one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picked {
    indexes: [u8; ANSWERS_MAX as usize],
    count: usize,
}

impl Picked {
    /// The indexes.
    #[inline(always)]
    pub(crate) fn indexes(&self) -> &[u8] {
        self.indexes.get(..self.count).unwrap_or_default()
    }

    /// Brings the indexes into an order by a draw (Fisher and Yates).
    #[inline(always)]
    pub(crate) fn shuffle(&mut self, draw: u64) {
        for last in (1..self.count).rev() {
            let roll = mix(draw, last as u64);
            self.indexes.swap(last, (roll % (last as u64 + 1)) as usize);
        }
    }

    /// Brings the indexes into ascending order.
    pub(crate) fn sort(&mut self) {
        self.indexes.get_mut(..self.count).unwrap_or_default().sort_unstable();
    }
}

/// Keeps the choice of an address independent of the choice of its PoP.
const ADDRESS_SALT: u64 = 0x6164_6472_6573_7365;

#[cfg(test)]
mod tests;
