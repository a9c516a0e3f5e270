//! What is kept over a restart: verdicts of targets, and holds of panic guards.

use super::Moment;
use super::health_state::Verdict;
use super::spec::{Check, Spec};
use super::verdict::VerdictState;
use std::sync::Arc;

/// Periods after which a kept verdict is worth nothing.
const PERIODS_MAX: u64 = 10;
/// Milliseconds that a kept verdict is good for at least: a restart for maintenance.
const AGE_MIN_MS: u64 = 600_000;

/// All of it, as lines of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedHealth {
    /// Targets with a verdict.
    pub(crate) targets: Vec<SavedTarget>,
    /// Policies whose guard holds.
    pub(crate) holds: Vec<SavedHold>,
    /// Pools on their way back from all down.
    pub(crate) returns: Vec<SavedReturn>,
}

impl SavedHealth {
    /// As lines, without their ends.
    pub(crate) fn to_lines(&self) -> Vec<String> {
        self.targets
            .iter()
            .map(SavedTarget::to_line)
            .chain(self.holds.iter().flat_map(SavedHold::to_lines))
            .chain(self.returns.iter().flat_map(SavedReturn::to_lines))
            .collect()
    }

    /// What the lines say; those that say nothing are passed over.
    pub(crate) fn from_lines<'t>(lines: impl Iterator<Item = &'t str>) -> SavedHealth {
        let mut kept = SavedHealth::default();
        for line in lines {
            if let Some(hold) = SavedHold::from_line(line) {
                kept.holds.push(hold);
            } else if let Some(way_back) = SavedReturn::from_line(line) {
                kept.returns.push(way_back);
            } else if let Some(slot) = SavedSlot::from_line(line) {
                // Of the hold above it.
                kept.holds.last_mut().into_iter().for_each(|hold| hold.down.push(slot.clone()));
            } else if let Some(slot) = SavedRank::from_line(line) {
                kept.returns.last_mut().into_iter().for_each(|pool| pool.slots.push(slot.clone()));
            } else {
                kept.targets.extend(SavedTarget::from_line(line));
            }
        }
        kept
    }
}

/// A policy whose guard holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedHold {
    /// Its name.
    pub(crate) policy: Arc<str>,
    /// Since when, in milliseconds since 1970.
    pub(crate) since_epoch_ms: u64,
    /// What is served as down, as it was before the hold.
    pub(crate) down: Vec<SavedSlot>,
}

/// A pool on its way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedReturn {
    /// Its policy.
    pub(crate) policy: Arc<str>,
    /// Since when, in milliseconds since 1970.
    pub(crate) since_epoch_ms: u64,
    /// Its slots.
    pub(crate) slots: Vec<SavedRank>,
}

/// A slot of a pool on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedRank {
    /// Its PoP.
    pub(crate) pop: Arc<str>,
    /// Its service.
    pub(crate) service: Arc<str>,
    /// Order in which it went down when all were down.
    pub(crate) went_down: u32,
}

/// Addresses of a slot that were down, a bit for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedSlot {
    /// Its PoP.
    pub(crate) pop: Arc<str>,
    /// Its service.
    pub(crate) service: Arc<str>,
    /// IPv4.
    pub(crate) down_v4: u64,
    /// IPv6.
    pub(crate) down_v6: u64,
}

impl SavedReturn {
    fn to_lines(&self) -> impl Iterator<Item = String> {
        [format!("return {} {}", self.since_epoch_ms, self.policy)]
            .into_iter()
            .chain(self.slots.iter().map(SavedRank::to_line))
    }

    fn from_line(line: &str) -> Option<SavedReturn> {
        let (since, policy) = line.strip_prefix("return ")?.split_once(' ')?;
        Some(SavedReturn { policy: policy.into(), since_epoch_ms: since.parse().ok()?, slots: Vec::new() })
    }
}

impl SavedHold {
    fn to_lines(&self) -> impl Iterator<Item = String> {
        [format!("hold {} {}", self.since_epoch_ms, self.policy)]
            .into_iter()
            .chain(self.down.iter().map(SavedSlot::to_line))
    }

    fn from_line(line: &str) -> Option<SavedHold> {
        let (since, policy) = line.strip_prefix("hold ")?.split_once(' ')?;
        Some(SavedHold { policy: policy.into(), since_epoch_ms: since.parse().ok()?, down: Vec::new() })
    }
}

impl SavedSlot {
    fn to_line(&self) -> String {
        let SavedSlot { down_v4, down_v6, pop, service } = self;
        format!("held {down_v4} {down_v6} {pop} {service}")
    }

    fn from_line(line: &str) -> Option<SavedSlot> {
        let mut words = line.strip_prefix("held ")?.splitn(4, ' ');
        let (down_v4, down_v6) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(SavedSlot { down_v4, down_v6, pop: words.next()?.into(), service: words.next()?.into() })
    }
}

impl SavedRank {
    fn to_line(&self) -> String {
        let SavedRank { pop, service, went_down } = self;
        format!("returns {went_down} {pop} {service}")
    }

    fn from_line(line: &str) -> Option<SavedRank> {
        let mut words = line.strip_prefix("returns ")?.splitn(3, ' ');
        let went_down = words.next()?.parse().ok()?;
        Some(SavedRank { went_down, pop: words.next()?.into(), service: words.next()?.into() })
    }
}

/// One target with a verdict. Plain values, for any format of file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedTarget {
    /// [`super::targets::Target::key`].
    pub(crate) key: Arc<str>,
    /// Its verdict, never unknown.
    pub(crate) verdict: Verdict,
    /// Failures counted while up.
    pub(crate) failures: u16,
    /// Successes counted.
    pub(crate) successes: u16,
    /// Its last result, in milliseconds since 1970.
    pub(crate) seen_epoch_ms: u64,
    /// Since when the verdict holds, in milliseconds since 1970.
    pub(crate) since_epoch_ms: u64,
}

impl SavedTarget {
    /// Where it stands. A suspect is kept as up: its proof must be found anew.
    pub(crate) fn verdict_state(&self) -> Option<VerdictState> {
        match self.verdict {
            Verdict::Unknown => None,
            Verdict::Up => Some(VerdictState::Up { failures: self.failures, successes: self.successes }),
            Verdict::Down => Some(VerdictState::Down { successes: self.successes }),
        }
    }

    /// As one line of text, without its end. Keys are made of names and addresses, and hold no line
    /// end.
    fn to_line(&self) -> String {
        let verdict = self.verdict.word();
        let SavedTarget { failures, successes, seen_epoch_ms, since_epoch_ms, key, .. } = self;
        format!("{verdict} {failures} {successes} {seen_epoch_ms} {since_epoch_ms} {key}")
    }

    /// What a line says; `None` for one that says nothing.
    fn from_line(line: &str) -> Option<SavedTarget> {
        let mut words = line.splitn(6, ' ');
        let verdict = match words.next()? {
            "up" => Verdict::Up,
            "down" => Verdict::Down,
            _ => return None,
        };
        Some(SavedTarget {
            verdict,
            failures: words.next()?.parse().ok()?,
            successes: words.next()?.parse().ok()?,
            seen_epoch_ms: words.next()?.parse().ok()?,
            since_epoch_ms: words.next()?.parse().ok()?,
            key: words.next()?.into(),
        })
    }

    /// Whether it is still worth something; stamps of the future are as wrong as old ones. What is
    /// pushed speaks for as long as whoever pushed it said, which may be for ever.
    pub(crate) fn is_fresh(&self, spec: &Spec, now_epoch_ms: u64) -> bool {
        let good_for_ms = match &spec.check {
            Check::Push(push) if push.ttl_ms == 0 => u64::MAX,
            Check::Push(push) => u64::from(push.ttl_ms),
            _ => PERIODS_MAX * u64::from(spec.every_ms),
        };
        self.seen_epoch_ms.abs_diff(now_epoch_ms) <= AGE_MIN_MS.max(good_for_ms)
    }
}

/// A moment of the past, or before the clock's zero, on the clock of the world; and back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch {
    offset_ms: i64,
}

impl Epoch {
    /// Both clocks read now.
    pub(super) fn new(now: Moment, now_epoch_secs: u64) -> Epoch {
        let of = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        Epoch { offset_ms: of(now_epoch_secs.saturating_mul(1000)).saturating_sub(of(now.0)) }
    }

    /// Milliseconds since 1970.
    pub(super) fn stamp(self, clock_ms: i64) -> u64 {
        u64::try_from(clock_ms.saturating_add(self.offset_ms)).unwrap_or(0)
    }

    /// Milliseconds on the caller's clock.
    pub(super) fn clock_ms(self, epoch_ms: u64) -> i64 {
        i64::try_from(epoch_ms).unwrap_or(i64::MAX).saturating_sub(self.offset_ms)
    }
}
