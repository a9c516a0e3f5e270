//! Prefixes with most answers past a limit, by the space-saving sketch (Metwally, Agrawal, El
//! Abbadi 2005): a prefix that is not among the 64 takes the place of the least, and continues from
//! its count. So a prefix with more than a 64th of all such answers is always there, and its count
//! is too high by at most the least.
//!
//! Counts halve every minute, so that a flood of yesterday does not hide the present one. Only one
//! in eight answers past a limit comes here, by a random number, and counts as eight, because each
//! may read all places, which the workers share. Nothing locks: a count may lose a few that workers
//! add at the same moment.

use super::{prefix, word};
use crate::geo::prefix::Prefix;
use crate::wire::hash::mix;
use std::array;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Prefixes in the sketch.
const PLACES: usize = 64;
/// One in so many answers is noted, and counts as so many.
const SAMPLE: u64 = 8;
/// Seconds after which counts halve.
const HALF_LIFE_SECS: u32 = 60;

#[derive(Debug, Default)]
struct Place {
    /// Word of the prefix; 0 is an empty place.
    prefix: AtomicU64,
    count: AtomicU64,
}

/// The sketch.
#[derive(Debug)]
pub(crate) struct HeavyPrefixes {
    places: [Place; PLACES],
    /// Number of the minute for which counts were halved last.
    minute: AtomicU32,
}

impl Default for HeavyPrefixes {
    fn default() -> HeavyPrefixes {
        HeavyPrefixes { places: array::from_fn(|_| Place::default()), minute: AtomicU32::new(0) }
    }
}

impl HeavyPrefixes {
    /// Notes an answer past a limit, or passes over it by `draw`, a random number.
    #[cold]
    pub(crate) fn note(&self, address: IpAddr, now: u32, draw: u64) {
        if !mix(draw, SAMPLE).is_multiple_of(SAMPLE) {
            return;
        }
        self.age(now);
        let word = word(&address);
        let mut least = &self.places[0];
        let mut least_count = u64::MAX;
        for place in &self.places {
            if place.prefix.load(Ordering::Relaxed) == word {
                place.count.fetch_add(SAMPLE, Ordering::Relaxed);
                return;
            }
            let count = place.count.load(Ordering::Relaxed);
            if count < least_count {
                (least, least_count) = (place, count);
            }
        }
        least.prefix.store(word, Ordering::Relaxed);
        least.count.store(least_count + SAMPLE, Ordering::Relaxed);
    }

    /// Prefixes and their counts, the heaviest first. A count is of the last minutes: every minute
    /// that passed halved it.
    pub(crate) fn list(&self, now: u32) -> Vec<(Prefix, u64)> {
        self.age(now);
        let read = |place: &Place| {
            let prefix = prefix(place.prefix.load(Ordering::Relaxed))?;
            let count = place.count.load(Ordering::Relaxed);
            (count > 0).then_some((prefix, count))
        };
        let mut list: Vec<(Prefix, u64)> = self.places.iter().filter_map(read).collect();
        list.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        list
    }

    /// Halves the counts once for each minute since the last time. A worker whose clock is a minute
    /// behind halves nothing, and of those that see a new minute first, one does.
    fn age(&self, now: u32) {
        let minute = now / HALF_LIFE_SECS;
        let last = self.minute.load(Ordering::Relaxed);
        let passed = minute.wrapping_sub(last) as i32;
        let is_first = || {
            let taken = self.minute.compare_exchange(last, minute, Ordering::Relaxed, Ordering::Relaxed);
            taken.is_ok()
        };
        if passed == 0 || passed == -1 || !is_first() {
            return;
        }
        let halvings = passed.clamp(0, 63);
        for place in &self.places {
            let count = place.count.load(Ordering::Relaxed);
            place.count.store(count >> halvings, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
