//! Accounts in fixed memory: how many answers a holder got in the current second.
//!
//! An account is one word in a set of four, found by a hash. A new holder takes the word that was
//! used longest ago, or of equals the one with the least count, so that a flood from many prefixes
//! does not push out the account of a heavy one. Two holders whose hashes agree in 35 bits share an
//! account: with a full table, one new holder in 260,000 meets such a twin.
//!
//! Workers count with relaxed atomic operations and no lock. Two of them that start a second at the
//! same moment may lose one count.

use crate::limits::RRL_SETS;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words of a set; a set is half of a cache line.
const WAYS: usize = 4;

/// Bits of a word: tag (20), second (27), busy (1), count (16).
const TAG_SHIFT: u32 = 44;
const SECOND_SHIFT: u32 = 17;
const SECOND_MASK: u64 = (1 << (TAG_SHIFT - SECOND_SHIFT)) - 1;
const BUSY: u64 = 1 << 16;
const COUNT_MASK: u64 = BUSY - 1;
/// Count at which an account stops counting. Above it is room for the additions of all workers that
/// read a lower count at the same time.
pub(crate) const COUNT_MAX: u16 = 61_440;

/// An account in the current second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Answers in this second, the present one included.
    pub(crate) count: u16,
    /// Mark that the holder keeps from second to second.
    pub(crate) is_busy: bool,
}

impl Account {
    #[inline(always)]
    fn of(word: u64) -> Account {
        Account { count: (word & COUNT_MASK) as u16, is_busy: word & BUSY != 0 }
    }

    #[inline(always)]
    fn word(self) -> u64 {
        u64::from(self.count) | if self.is_busy { BUSY } else { 0 }
    }
}

#[derive(Debug, Default)]
#[repr(align(32))]
struct Set([AtomicU64; WAYS]);

/// The accounts.
#[derive(Debug)]
pub(crate) struct Table(Box<[Set]>);

impl Default for Table {
    fn default() -> Table {
        Table((0..RRL_SETS).map(|_| Set::default()).collect())
    }
}

impl Table {
    /// Adds one to the account of a hash. `renew` makes the account of a new second from the last
    /// one; a new holder has an empty account as its last.
    #[inline(always)]
    pub(crate) fn count(&self, hash: u64, now: u32, renew: impl Fn(Account) -> Account) -> Account {
        let second = u64::from(now) & SECOND_MASK;
        let set = &self.0[hash as usize % RRL_SETS].0;
        let tag = hash >> TAG_SHIFT;
        for way in set {
            let word = way.load(Ordering::Relaxed);
            if word >> TAG_SHIFT != tag {
                continue;
            }
            let last = Account::of(word);
            if word >> SECOND_SHIFT & SECOND_MASK == second {
                if last.count < COUNT_MAX {
                    way.fetch_add(1, Ordering::Relaxed);
                }
                return Account { count: last.count + 1, ..last };
            }
            return enter(way, tag, second, renew(last));
        }
        let oldest = set.iter().min_by_key(|way| rank(way.load(Ordering::Relaxed), second));
        let account = renew(Account { count: 0, is_busy: false });
        oldest.map_or(account, |way| enter(way, tag, second, account))
    }
}

/// Rank of a word among those of its set: the least is replaced first. Seconds count from half of
/// their range ago, so that they may wrap.
#[inline(always)]
fn rank(word: u64, second: u64) -> u64 {
    let ago = (second.wrapping_sub(word >> SECOND_SHIFT)) & SECOND_MASK;
    (SECOND_MASK - ago) << SECOND_SHIFT | word & (BUSY | COUNT_MASK)
}

#[inline(always)]
fn enter(way: &AtomicU64, tag: u64, second: u64, account: Account) -> Account {
    let account = Account { count: account.count + 1, ..account };
    way.store(tag << TAG_SHIFT | second << SECOND_SHIFT | account.word(), Ordering::Relaxed);
    account
}

#[cfg(test)]
mod tests;
