//! Known prefixes first: while the receive buffer of a UDP socket overflows, queries of prefixes
//! that were answered before pass, and of all others a share is shed before the buffer.
//!
//! ```text
//!  worker ── one useful answer in 64 ──▶ KnownPrefixes ──┐ when shedding begins
//!  kernel ── drops, fill of the buffer ──▶ Throttle ─────┴▶ filter of the socket, or none
//! ```
//!
//! The kernel drops the datagrams that find no room without looking at them, so a flood takes the
//! same part of the answers from every client. A filter on the socket runs before the datagram is
//! queued, and costs the worker nothing.

pub(crate) mod known;
pub(crate) mod throttle;

use crate::geo::prefix::Prefix;
use crate::limits::{SHED_PREFIXES_MAX, SHED_WIDE_MAX};
use known::KnownPrefixes;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use throttle::Share;

/// Settings of the server file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overload {
    /// Shortest time between two useful answers that make a prefix known, in seconds.
    pub(crate) known_after_secs: u32,
}

/// State that the workers and the control loop share.
#[derive(Debug, Default)]
pub(crate) struct OverloadState {
    /// Prefixes that got useful answers.
    pub(crate) known: KnownPrefixes,
    /// True while no other prefix becomes known: strangers are shed at some socket, and known
    /// prefixes pass.
    pub(crate) is_frozen: AtomicBool,
    /// Lowest share of strangers in force at any socket; 0 without a filter.
    share: AtomicU32,
    /// Known prefixes in the filters.
    passing: AtomicUsize,
    /// True if the kernel took no filter when one was wanted last.
    is_refused: AtomicBool,
    /// True if a control loop runs.
    is_watched: AtomicBool,
}

/// Filters in force, at all sockets together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InForce {
    /// Lowest share of strangers; `None` if no socket has a filter.
    pub(crate) lowest: Option<Share>,
    /// Known prefixes that pass.
    pub(crate) passing: usize,
    /// True while no other prefix becomes known.
    pub(crate) is_frozen: bool,
    /// True if the kernel took no filter when one was wanted last.
    pub(crate) is_refused: bool,
}

impl OverloadState {
    /// Puts the filters in force before workers and pages.
    pub(crate) fn enforce(&self, now: InForce) {
        self.share.store(now.lowest.map_or(0, Share::parts), Ordering::Relaxed);
        self.passing.store(now.passing, Ordering::Relaxed);
        self.is_frozen.store(now.is_frozen, Ordering::Relaxed);
        self.is_refused.store(now.is_refused, Ordering::Relaxed);
    }

    /// Notes that a control loop runs.
    pub(crate) fn watch(&self) {
        self.is_watched.store(true, Ordering::Relaxed);
    }

    /// True if a control loop runs, which not every engine has.
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    /// Lowest share of strangers that a socket takes, from 0 to 1; 1 while nothing is shed.
    pub(crate) fn share(&self) -> f64 {
        match self.share.load(Ordering::Relaxed) {
            0 => 1.0,
            parts => f64::from(parts) / f64::from(Share::WHOLE),
        }
    }

    /// Known prefixes that pass the filters; 0 while nothing is shed.
    pub(crate) fn passing(&self) -> usize {
        self.passing.load(Ordering::Relaxed)
    }

    /// True if the kernel took no filter when one was wanted last.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }
}

/// Split of the kernel's counter of drops of one socket, which is the same for a full buffer and
/// for a filter. Drops count as shed while the socket has a filter, and as those of a full buffer
/// while it has none.
#[derive(Debug, Default)]
pub(crate) struct DropSplit(AtomicU64);

/// Mark of a socket with a filter. The lower half of the word is the part of the counter that
/// stands still: drops of the full buffer with a filter, shed datagrams without.
const FILTERED: u64 = 1 << 32;

impl DropSplit {
    /// Drops for a full buffer and shed datagrams, of `drops` in all; each modulo 2^32.
    pub(crate) fn of(&self, drops: u32) -> (u32, u32) {
        let word = self.0.load(Ordering::Relaxed);
        let still = word as u32;
        match word & FILTERED == 0 {
            true => (drops.wrapping_sub(still), still),
            false => (still, drops.wrapping_sub(still)),
        }
    }

    /// Begins to count drops as shed. `drops` is the counter at this moment. Returns true if they
    /// were counted so before.
    pub(crate) fn begin(&self, drops: u32) -> bool {
        let (full, _) = self.of(drops);
        self.0.swap(FILTERED | u64::from(full), Ordering::Relaxed) & FILTERED != 0
    }

    /// Begins to count drops as those of a full buffer.
    pub(crate) fn end(&self, drops: u32) {
        let (_, shed) = self.of(drops);
        self.0.store(u64::from(shed), Ordering::Relaxed);
    }
}

/// Prefixes of one family that pass a filter, in numbers: the first 24 bits of IPv4, the first 48
/// of IPv6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passing {
    /// A /24 or /48 each.
    pub(crate) narrow: Vec<u64>,
    /// Shorter prefixes: the first number, and the bits at its end that any number may have.
    pub(crate) wide: Vec<(u64, u8)>,
    /// Known prefixes at the end of `narrow`.
    pub(crate) known: usize,
    /// Prefixes of the operator for which there was no place.
    pub(crate) left_out: usize,
}

impl Passing {
    /// Prefixes of IPv4 and of IPv6 that pass: `own` of the operator, then those of `known` in
    /// order, until [`SHED_PREFIXES_MAX`] are listed, and of the shorter ones [`SHED_WIDE_MAX`].
    pub(crate) fn of(own: &[Prefix], known: &[Prefix]) -> [Passing; 2] {
        let mut passing = [Passing::default(), Passing::default()];
        let own = own.iter().map(|prefix| (prefix, false));
        for (prefix, is_known) in own.chain(known.iter().map(|prefix| (prefix, true))) {
            let (family, number, missing) = match *prefix {
                Prefix::V4 { bits, len } => (0, u64::from(bits >> 8), 24u8.saturating_sub(len)),
                Prefix::V6 { bits, len } => (1, (bits >> 80) as u64, 48u8.saturating_sub(len)),
            };
            let Passing { narrow, wide, known, left_out } = &mut passing[family];
            if missing > 0 && wide.len() < SHED_WIDE_MAX {
                wide.push((number, missing));
            } else if missing == 0 && narrow.len() < SHED_PREFIXES_MAX {
                narrow.push(number);
                *known += usize::from(is_known);
            } else {
                *left_out += usize::from(!is_known);
            }
        }
        passing
    }

    /// Numbers of narrow and wide prefixes that a filter may begin with, fewer and fewer, for a
    /// kernel without memory for all: known prefixes give way before those of the operator.
    pub(crate) fn fewer(&self) -> [(usize, usize); 4] {
        let (own, wide) = (self.narrow.len() - self.known, self.wide.len());
        [(self.narrow.len(), wide), (own + self.known / 4, wide), (own, wide), (own / 4, wide / 4)]
    }

    /// Filter with the first `narrow` and `wide` of them: known prefixes in it, and those of the
    /// operator that are not.
    pub(crate) fn with(&self, (narrow, wide): (usize, usize)) -> Fitted {
        let own = self.narrow.len() - self.known;
        let left_out = self.left_out + own.saturating_sub(narrow) + (self.wide.len() - wide);
        Fitted { known: narrow.saturating_sub(own), left_out }
    }
}

/// Prefixes that a filter has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// Known prefixes in it.
    pub(crate) known: usize,
    /// Prefixes of the operator that are not in it.
    pub(crate) left_out: usize,
}

#[cfg(test)]
mod tests;
