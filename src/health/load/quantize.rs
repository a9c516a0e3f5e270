//! Quantized shares: steps of 1/256, which answers see.
//!
//! Nothing is told that noise could take back: a share follows in its direction at once, and turns
//! only after [`TURN_STEPS`]; an acceptance moves by a few steps at a time, and in one direction.

/// Steps against its last direction that are not told.
const TURN_STEPS: u16 = 8;
/// Differences of an acceptance that are not told.
const ACCEPT_DEAD_STEPS: u16 = 24;
/// Steps by which an acceptance moves at once.
const ACCEPT_STEPS: u16 = 8;
/// Where no acceptance is above this, hardly anybody accepts.
const SPENT_STEPS: u16 = 64;
/// All cells.
const ALL: u16 = 256;

/// A fraction in steps, rounded to the nearest.
pub(super) fn steps(fraction: f64) -> u16 {
    (fraction.clamp(0.0, 1.0) * f64::from(ALL) + 0.5) as u16
}

/// A share as answers see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QuantizedShare {
    /// The share, in steps of 1/256.
    pub(crate) share: u16,
    is_rising: Option<bool>,
}

impl QuantizedShare {
    /// What was told before a restart.
    pub(crate) fn kept(share: u16) -> QuantizedShare {
        QuantizedShare { share: share.min(ALL), is_rising: None }
    }

    /// Follows the exact share. Whether anything changed.
    pub(crate) fn follow(&mut self, exact: f64) -> bool {
        let next = steps(exact);
        let is_rising = next > self.share;
        let turns = self.is_rising.is_some_and(|was| was != is_rising);
        if next == self.share || turns && next > 0 && next.abs_diff(self.share) < TURN_STEPS {
            return false;
        }
        self.share = next;
        self.is_rising = (next > 0).then_some(is_rising);
        true
    }
}

/// Moves a row of acceptances towards what room allows. Whether anything changed.
///
/// Room is an estimate that swings, and each swing would drive cells from one follower to the next
/// and back. So a row is set when nobody has left yet; after that an acceptance only falls, and
/// only while more cells leave, so that a cell goes down its list and never back. Only where hardly
/// anybody accepts any more it rises. Who was given too much sheds in turn.
pub(super) fn follow_row(row: &mut [u16], wanted: &[u16], shares: (u16, u16)) -> bool {
    let (before, share) = shares;
    let is_spent = row.iter().all(|accept| *accept < SPENT_STEPS);
    let mut changed = false;
    for (accept, wanted) in row.iter_mut().zip(wanted) {
        let (gap, falls) = (wanted.abs_diff(*accept), wanted < accept);
        let step = match (before, falls) {
            (0, _) => gap,
            (_, true) if share > before && gap >= ACCEPT_DEAD_STEPS => gap.min(ACCEPT_STEPS),
            (_, false) if is_spent && gap >= ACCEPT_DEAD_STEPS => gap.min(ACCEPT_STEPS),
            _ => 0,
        };
        *accept = if falls { *accept - step } else { *accept + step };
        changed |= step > 0;
    }
    changed
}
