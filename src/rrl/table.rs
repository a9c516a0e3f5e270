//! Accounts in fixed memory: how many answers a holder got in the current second.
//!
//! An account is one word in a set of four, found by a hash. A new holder takes the word that was
//! used longest ago, or of equals the one with the least count, so that a flood from many prefixes
//! does not push out the account of a heavy one. Two holders whose hashes agree in 35 bits share an
//! account: with a full table, one new holder in 260,000 meets such a twin.
//!
//! Workers count with relaxed atomic operations and no lock, and no two of them get the same count
//! of one account. A worker reads the clock once a batch, so it may be a second behind the others;
//! then it counts for their second. A count is lost only if two new holders take the same word at
//! the same moment.

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

    /// The account with one more answer.
    #[inline(always)]
    fn more(self) -> Account {
        Account { count: self.count.saturating_add(1), ..self }
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
pub(crate) struct Table(Box<[Set; RRL_SETS]>);

impl Default for Table {
    fn default() -> Table {
        let sets: Box<[Set]> = (0..RRL_SETS).map(|_| Set::default()).collect();
        Table(sets.try_into().expect("as many sets as were made"))
    }
}

impl Table {
    /// Adds one to the account of a hash. `renew` makes the account of a new second from the last
    /// one; a new holder has an empty account as its last.
    #[inline(never)]
    pub(crate) fn count(&self, hash: u64, now: u32, renew: impl Fn(Account) -> Account) -> Account {
        let holder @ (tag, second) = holder(hash, now);
        let set = &self.0[hash as usize % RRL_SETS].0;
        for way in set {
            let word = way.load(Ordering::Relaxed);
            if word >> TAG_SHIFT != tag {
                continue;
            }
            return match is_of(word, second) {
                true if Account::of(word).count >= COUNT_MAX => Account::of(word).more(),
                true => add(way),
                false => enter((way, word), holder, renew(Account::of(word))),
            };
        }
        replace(set, holder, renew(Account { count: 0, is_busy: false }))
    }

    /// As [`Table::count`]; `None` if the account is not busy, and has `quiet` answers or fewer
    /// with the present one. `quiet` is below [`COUNT_MAX`].
    #[inline(always)]
    pub(crate) fn count_past(
        &self,
        quiet: u16,
        hash: u64,
        now: u32,
        renew: impl Fn(Account) -> Account,
    ) -> Option<Account> {
        let (none_yet, quiet) = (head(holder(hash, now)) << SECOND_SHIFT, u64::from(quiet));
        for way in &self.0[hash as usize % RRL_SETS].0 {
            // The count alone, if the word is of this holder and second and not busy: any other bit
            // is above every count.
            let apart = way.load(Ordering::Relaxed) ^ none_yet;
            if apart < quiet {
                let old = way.fetch_add(1, Ordering::Relaxed);
                return (old ^ none_yet >= quiet).then(|| Account::of(old).more());
            }
            // Workers that met may have made two words of one holder: the first one counts, as in
            // `count`, else the holder would have the quiet answers of both.
            if apart >> TAG_SHIFT == 0 {
                break;
            }
        }
        let account = self.count(hash, now, renew);
        (account.is_busy || u64::from(account.count) > quiet).then_some(account)
    }
}

/// Writes the account of a new holder in the place of the word of least rank.
#[inline(never)]
fn replace(set: &[AtomicU64; WAYS], holder: (u64, u64), account: Account) -> Account {
    let words = set.iter().map(|way| (way, way.load(Ordering::Relaxed)));
    let oldest = words.min_by_key(|(_, word)| rank(*word, holder.1));
    oldest.map_or(account, |place| enter(place, holder, account))
}

/// Tag and second of a holder.
#[inline(always)]
fn holder(hash: u64, now: u32) -> (u64, u64) {
    (hash >> TAG_SHIFT, u64::from(now) & SECOND_MASK)
}

/// Tag and second of a holder, as they stand in its word.
#[inline(always)]
fn head((tag, second): (u64, u64)) -> u64 {
    tag << (TAG_SHIFT - SECOND_SHIFT) | second
}

/// True if a word counts for `second`, or for the next one: another worker has read the clock
/// later.
#[inline(always)]
fn is_of(word: u64, second: u64) -> bool {
    let age = second.wrapping_sub(word >> SECOND_SHIFT) & SECOND_MASK;
    age == 0 || age == SECOND_MASK
}

/// Adds one to an account.
#[inline(always)]
fn add(way: &AtomicU64) -> Account {
    Account::of(way.fetch_add(1, Ordering::Relaxed)).more()
}

/// Rank of a word among those of its set: the least is replaced first. Seconds count from half of
/// their range ago, so that they may wrap.
#[inline(always)]
fn rank(word: u64, second: u64) -> u64 {
    let ago = (second.wrapping_sub(word >> SECOND_SHIFT)) & SECOND_MASK;
    (SECOND_MASK - ago) << SECOND_SHIFT | word & (BUSY | COUNT_MASK)
}

/// Writes an account with one more answer in the place of a word. If another worker was first, and
/// wrote the account of this holder, adds to that.
#[inline(always)]
fn enter((way, old): (&AtomicU64, u64), holder: (u64, u64), account: Account) -> Account {
    let (account, (tag, second)) = (account.more(), holder);
    let new = head(holder) << SECOND_SHIFT | account.word();
    match way.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed) {
        Err(other) if other >> TAG_SHIFT == tag && is_of(other, second) => add(way),
        Ok(_) | Err(_) => account,
    }
}

#[cfg(test)]
mod tests;
