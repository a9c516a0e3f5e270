//! Slots from targets: formulas give verdicts, verdicts give masks.

use super::health_state::{NO_HORIZON, SlotHealth, Verdict};
use super::spec::Need;
use super::targets::{Formula, SlotTargets, TargetId};
use std::collections::BTreeSet;

/// State of a target, as slots need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetReading {
    /// Current verdict.
    pub(crate) verdict: Verdict,
    /// True if it is new, has no result, and its wait is not over.
    pub(crate) is_awaited: bool,
    /// Start of its damping, on the caller's clock.
    pub(crate) damped_since_ms: Option<i64>,
    /// Seconds until its verdict can change; [`NO_HORIZON`] if no check can change it.
    pub(crate) horizon_secs: u32,
    /// Start of the verdict, in milliseconds; negative before the clock's zero (a restart).
    pub(crate) since_ms: i64,
}

/// Judges a slot, except for its rank. If the slot is down (in every family that it has, fewer
/// addresses are up than the threshold), also returns the start of the latest `down` among its
/// targets.
///
/// A family whose addresses all wait for their first result takes no clients. Alone in its slot, it
/// makes the slot awaited; beside a known family, it counts as down. One awaited address among
/// known ones counts as up, because adding an address must not take a PoP below its threshold.
///
/// `spared` holds the targets whose damping the PoP of the slot ignores.
pub(crate) fn judge(
    target_set: &SlotTargets,
    readings: &[TargetReading],
    spared: &BTreeSet<TargetId>,
    up_threshold_percent: u8,
) -> (SlotHealth, Option<i64>) {
    let mut slot = SlotHealth::default();
    let v4 = family(&target_set.v4, readings, &mut slot.horizon_secs);
    let v6 = family(&target_set.v6, readings, &mut slot.horizon_secs);
    let waits = |(is_awaited, _): (bool, u64), formulas: &[Formula]| formulas.is_empty() || is_awaited;
    slot.is_awaited = (v4.0 || v6.0) && waits(v4, &target_set.v4) && waits(v6, &target_set.v6);
    let mask = |(is_awaited, down): (bool, u64), formulas: &[Formula]| match is_awaited && !slot.is_awaited {
        true => full(formulas.len()),
        false => down,
    };
    (slot.down_v4, slot.down_v6) = (mask(v4, &target_set.v4), mask(v6, &target_set.v6));
    slot.damped_v4 = damped(&target_set.v4, readings, spared, slot.down_v4);
    slot.damped_v6 = damped(&target_set.v6, readings, spared, slot.down_v6);
    let is_down = !slot.is_awaited && is_down(target_set, &slot, up_threshold_percent);
    let mut since = i64::MIN;
    target_set.v4.iter().chain(&target_set.v6).for_each(|formula| {
        formula.visit(&mut |id| {
            let reading = readings[id.index()];
            if reading.verdict == Verdict::Down {
                since = since.max(reading.since_ms);
            }
        });
    });
    (slot, is_down.then_some(since))
}

/// Addresses that are up only because of targets that are damped.
fn damped(formulas: &[Formula], readings: &[TargetReading], spared: &BTreeSet<TargetId>, down: u64) -> u64 {
    let is_target_damped =
        |id: TargetId| readings[id.index()].damped_since_ms.is_some() && !spared.contains(&id);
    let without = |id: TargetId| match is_target_damped(id) {
        true => Verdict::Down,
        false => readings[id.index()].verdict,
    };
    let mut damped = 0;
    for (formula, bit) in formulas.iter().zip(0..64) {
        let mut is_damped = false;
        formula.visit(&mut |id| is_damped |= is_target_damped(id));
        if is_damped && down >> bit & 1 == 0 && verdict_by(formula, &without) == Verdict::Down {
            damped |= 1 << bit;
        }
    }
    damped
}

/// True if all addresses are awaited, and the mask of those that are down.
fn family(formulas: &[Formula], readings: &[TargetReading], horizon_secs: &mut u32) -> (bool, u64) {
    let (mut is_awaited, mut down) = (!formulas.is_empty(), 0);
    for (formula, bit) in formulas.iter().zip(0..64) {
        let verdict = verdict(formula, readings);
        down |= u64::from(verdict == Verdict::Down) << bit;
        let mut waits = false;
        formula.visit(&mut |id| {
            let reading = readings[id.index()];
            waits |= reading.is_awaited;
            *horizon_secs = reading.horizon_secs.min(*horizon_secs);
        });
        is_awaited &= waits && verdict == Verdict::Unknown;
    }
    (is_awaited, down)
}

/// Verdict of a formula: down if too few of its parts are up or unknown, up if enough parts are up,
/// else unknown.
pub(crate) fn verdict(formula: &Formula, readings: &[TargetReading]) -> Verdict {
    verdict_by(formula, &|id| readings[id.index()].verdict)
}

fn verdict_by(formula: &Formula, of: &impl Fn(TargetId) -> Verdict) -> Verdict {
    let (need, parts) = match formula {
        Formula::Unwatched => return Verdict::Unknown,
        Formula::Target(id) => return of(*id),
        Formula::Group(need, parts) => (need, parts),
    };
    let (mut up, mut down) = (0, 0);
    for part in parts {
        match verdict_by(part, of) {
            Verdict::Up => up += 1,
            Verdict::Down => down += 1,
            Verdict::Unknown => {}
        }
    }
    let needed = match need {
        Need::All => parts.len(),
        Need::Any => 1.min(parts.len()),
        Need::AtLeast(count) => usize::from(*count).min(parts.len()),
    };
    match () {
        () if parts.len() - down < needed => Verdict::Down,
        () if up >= needed => Verdict::Up,
        () => Verdict::Unknown,
    }
}

/// True if too few addresses are up: in every family that the slot has, fewer than the threshold of
/// its addresses, rounded up.
pub(crate) fn is_down(target_set: &SlotTargets, slot: &SlotHealth, up_threshold_percent: u8) -> bool {
    let fails = |formulas: &[Formula], down: u64| {
        let total = formulas.len();
        let needed = (total * usize::from(up_threshold_percent)).div_ceil(100);
        total - (down.count_ones() as usize).min(total) < needed
    };
    let of = |formulas: &[Formula], down: u64| (!formulas.is_empty()).then(|| fails(formulas, down));
    match (of(&target_set.v4, slot.down_v4), of(&target_set.v6, slot.down_v6)) {
        (None, None) => false,
        (v4, v6) => v4.unwrap_or(true) && v6.unwrap_or(true),
    }
}

/// True if the slot is up by its verdicts, but too few addresses are left without the damped ones.
pub(crate) fn is_damped(target_set: &SlotTargets, slot: &SlotHealth, up_threshold_percent: u8) -> bool {
    let without = SlotHealth {
        down_v4: slot.down_v4 | slot.damped_v4,
        down_v6: slot.down_v6 | slot.damped_v6,
        ..*slot
    };
    (slot.damped_v4, slot.damped_v6) != (0, 0)
        && !is_down(target_set, slot, up_threshold_percent)
        && is_down(target_set, &without, up_threshold_percent)
}

/// Start of the earliest damping among its targets, except those whose damping its PoP ignores.
pub(crate) fn damped_since_ms(
    target_set: &SlotTargets,
    readings: &[TargetReading],
    spared: &BTreeSet<TargetId>,
) -> Option<i64> {
    let mut since = None;
    for formula in target_set.v4.iter().chain(&target_set.v6) {
        formula.visit(&mut |id| {
            if !spared.contains(&id) {
                since = since.into_iter().chain(readings[id.index()].damped_since_ms).min();
            }
        });
    }
    since
}

/// Slot as a held policy serves it: an address is down only if it was down before and still is, so
/// addresses that came back serve. A slot that was awaited before is unchanged. If the result
/// differs from the verdicts, it may change at any moment, so the horizon is 0.
pub(crate) fn held(before: &SlotHealth, now: &SlotHealth) -> SlotHealth {
    if before.is_awaited {
        return *now;
    }
    let (down_v4, down_v6) = (before.down_v4 & now.down_v4, before.down_v6 & now.down_v6);
    let is_true = (down_v4, down_v6) == (now.down_v4, now.down_v6);
    SlotHealth {
        down_v4,
        down_v6,
        horizon_secs: if is_true { now.horizon_secs } else { 0 },
        went_down: if is_true { now.went_down } else { 0 },
        ..SlotHealth { is_awaited: false, ..*now }
    }
}

/// Mask with a bit for each address.
fn full(addresses: usize) -> u64 {
    u64::MAX.checked_shr(64u32.saturating_sub(addresses.min(64) as u32)).unwrap_or(0)
}

/// Horizon in seconds, from milliseconds, rounded up.
pub(crate) fn horizon_secs(horizon_ms: Option<u64>) -> u32 {
    horizon_ms.map_or(NO_HORIZON, |ms| u32::try_from(ms.div_ceil(1000)).unwrap_or(NO_HORIZON - 1))
}

#[cfg(test)]
mod tests;
