//! Health saved for a restart: verdicts of targets, holds of panic guards, pools on their way back
//! from all down, and damping with its exemptions.

use super::Moment;
use super::flap::{Damping, Flap};
use super::health_state::Verdict;
use super::spec::Spec;
use super::verdict::VerdictState;
use crate::limits::FLAP_DAMP_MAX_MS;
use std::sync::Arc;

/// Periods after which a saved verdict is too old.
const PERIODS_MAX: u64 = 10;
/// Milliseconds for which a saved verdict is valid at least: a restart for maintenance.
const AGE_MIN_MS: u64 = 600_000;

/// Saved health, as lines of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedHealth {
    /// Targets with a verdict.
    pub(crate) targets: Vec<SavedTarget>,
    /// Policies whose guard holds.
    pub(crate) holds: Vec<SavedHold>,
    /// Pools on their way back.
    pub(crate) returns: Vec<SavedReturn>,
    /// Targets whose verdict has turned.
    pub(crate) flaps: Vec<SavedFlap>,
    /// PoPs that are exempt from the damping of a target.
    pub(crate) spared: Vec<SavedSpared>,
}

impl SavedHealth {
    /// Lines of text, without their ends.
    pub fn to_lines(&self) -> Vec<String> {
        let SavedHealth { targets, holds, returns, flaps, spared } = self;
        targets
            .iter()
            .map(SavedTarget::to_line)
            .chain(holds.iter().flat_map(SavedHold::to_lines))
            .chain(returns.iter().flat_map(SavedReturn::to_lines))
            .chain(flaps.iter().map(SavedFlap::to_line))
            .chain(spared.iter().map(SavedSpared::to_line))
            .collect()
    }

    /// Parses lines; unknown lines are ignored.
    pub fn from_lines<'t>(lines: impl Iterator<Item = &'t str>) -> SavedHealth {
        let mut kept = SavedHealth::default();
        for line in lines {
            if let Some(hold) = SavedHold::from_line(line) {
                kept.holds.push(hold);
            } else if let Some(flap) = SavedFlap::from_line(line) {
                kept.flaps.push(flap);
            } else if let Some(spared) = SavedSpared::from_line(line) {
                kept.spared.push(spared);
            } else if let Some(way_back) = SavedReturn::from_line(line) {
                kept.returns.push(way_back);
            } else if let Some(slot) = SavedSlot::from_line(line) {
                // Belongs to the hold above it.
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

/// Policy whose guard holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedHold {
    /// Name of the policy.
    pub(crate) policy: Arc<str>,
    /// Start, in milliseconds since 1970.
    pub(crate) since_epoch_ms: u64,
    /// Slots that are served as down, as they were before the hold.
    pub(crate) down: Vec<SavedSlot>,
}

/// Pool on its way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedReturn {
    /// Name of the policy.
    pub(crate) policy: Arc<str>,
    /// Start, in milliseconds since 1970.
    pub(crate) since_epoch_ms: u64,
    /// Slots with their ranks.
    pub(crate) slots: Vec<SavedRank>,
}

/// Slot of a pool on its way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedRank {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// Name of the service.
    pub(crate) service: Arc<str>,
    /// Rank when all were down.
    pub(crate) went_down: u32,
}

/// Addresses of a slot that were down, as bit masks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedSlot {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// Name of the service.
    pub(crate) service: Arc<str>,
    /// IPv4 addresses.
    pub(crate) down_v4: u64,
    /// IPv6 addresses.
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

/// Turns of a target; times are in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedFlap {
    /// [`super::targets::Target::key`].
    pub(crate) key: Arc<str>,
    /// Dampings without a calm window between them.
    pub(crate) level: u8,
    /// End of the last damping; 0 for none.
    pub(crate) ended: u64,
    /// Start and end of the current damping; 0 and 0 for none.
    pub(crate) damped: (u64, u64),
    /// Turns since the last damping began, oldest first.
    pub(crate) turns: Vec<u64>,
}

impl SavedFlap {
    /// State to save; `None` for a target whose verdict has never turned.
    pub(super) fn of(key: &Arc<str>, flap: &Flap, epoch: Epoch) -> Option<SavedFlap> {
        let stamp = |clock_ms: i64| epoch.stamp(clock_ms);
        (*flap != Flap::default()).then(|| SavedFlap {
            key: key.clone(),
            level: flap.level,
            ended: flap.ended_ms.map_or(0, stamp),
            damped: flap.damping.map_or((0, 0), |damping| (stamp(damping.since_ms), stamp(damping.until_ms))),
            turns: flap.turns_ms.iter().copied().map(stamp).collect(),
        })
    }

    /// Restores the state. Times in the future, and dampings longer than the limit, come from a
    /// clock that was set, and are left out.
    pub(super) fn flap(&self, epoch: Epoch, now: Moment) -> Flap {
        let clock_ms = |epoch_ms: u64| epoch.clock_ms(epoch_ms);
        let is_past = |clock_ms: &i64| *clock_ms <= now.clock_ms();
        let (since_ms, until_ms) = (clock_ms(self.damped.0), clock_ms(self.damped.1));
        let is_sound = self.damped.1 > 0
            && since_ms <= now.clock_ms()
            && until_ms <= now.after_ms(FLAP_DAMP_MAX_MS).clock_ms();
        Flap {
            turns_ms: self.turns.iter().copied().map(clock_ms).filter(is_past).collect(),
            damping: is_sound.then_some(Damping { since_ms, until_ms }),
            level: self.level,
            ended_ms: Some(self.ended).filter(|ended| *ended > 0).map(clock_ms).filter(is_past),
        }
    }

    fn to_line(&self) -> String {
        let SavedFlap { key, level, ended, damped: (since, until), turns } = self;
        let turns: Vec<String> = turns.iter().map(u64::to_string).collect();
        format!("flap {level} {ended} {since} {until} {} {key}", turns.join(","))
    }

    fn from_line(line: &str) -> Option<SavedFlap> {
        let mut words = line.strip_prefix("flap ")?.splitn(6, ' ');
        let level = words.next()?.parse().ok()?;
        let mut number = || words.next()?.parse().ok();
        let (ended, damped) = (number()?, (number()?, number()?));
        let turns = words.next()?.split(',').filter(|turn| !turn.is_empty()).map(|turn| turn.parse().ok());
        let turns = turns.take(usize::from(u8::MAX)).collect::<Option<Vec<u64>>>()?;
        Some(SavedFlap { key: words.next()?.into(), level, ended, damped, turns })
    }
}

/// PoP that is exempt from the damping of a target, because an operator has decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedSpared {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// [`super::targets::Target::key`].
    pub(crate) key: Arc<str>,
}

impl SavedSpared {
    fn to_line(&self) -> String {
        format!("spared {} {}", self.pop, self.key)
    }

    fn from_line(line: &str) -> Option<SavedSpared> {
        let (pop, key) = line.strip_prefix("spared ")?.split_once(' ')?;
        Some(SavedSpared { pop: pop.into(), key: key.into() })
    }
}

/// Target with a verdict. Plain values, for any file format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedTarget {
    /// [`super::targets::Target::key`].
    pub(crate) key: Arc<str>,
    /// Verdict, never unknown.
    pub(crate) verdict: Verdict,
    /// Failures counted while up.
    pub(crate) failures: u16,
    /// Successes counted.
    pub(crate) successes: u16,
    /// Last result, in milliseconds since 1970.
    pub(crate) seen_epoch_ms: u64,
    /// Start of the verdict, in milliseconds since 1970.
    pub(crate) since_epoch_ms: u64,
}

impl SavedTarget {
    /// Verdict state. A suspect is saved as up, because its proof must be found again.
    pub(crate) fn verdict_state(&self) -> Option<VerdictState> {
        match self.verdict {
            Verdict::Unknown => None,
            Verdict::Up => Some(VerdictState::Up { failures: self.failures, successes: self.successes }),
            Verdict::Down => Some(VerdictState::Down { successes: self.successes }),
        }
    }

    /// Line of text, without its end. Keys consist of names and addresses, and hold no line end.
    fn to_line(&self) -> String {
        let verdict = self.verdict.word();
        let SavedTarget { failures, successes, seen_epoch_ms, since_epoch_ms, key, .. } = self;
        format!("{verdict} {failures} {successes} {seen_epoch_ms} {since_epoch_ms} {key}")
    }

    /// Parses a line; `None` if it is not about a target.
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

    /// True if the saved verdict is not too old. A time stamp too far in the future is as wrong as
    /// an old one. A pushed verdict is valid for the time that the push gave, which may be for
    /// ever.
    pub(crate) fn is_fresh(&self, spec: &Spec, now_epoch_ms: u64) -> bool {
        let good_for_ms = if spec.check.is_pushed() {
            spec.check.push_ttl_ms().map_or(u64::MAX, u64::from)
        } else {
            PERIODS_MAX * u64::from(spec.every_ms)
        };
        self.seen_epoch_ms.abs_diff(now_epoch_ms) <= AGE_MIN_MS.max(good_for_ms)
    }
}

/// Conversion between the caller's clock, also before its zero, and Unix time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch {
    offset_ms: i64,
}

impl Epoch {
    /// Conversion by the readings of both clocks at one moment.
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
