//! From a share to steps of 1/256: what answers see of it.
//!
//! Nothing is told that noise could take back: a share follows in its direction at once, and turns only after
//! [`TURN_STEPS`]; an acceptance moves by a few steps at a time, and not at all for a small difference.

/// Steps against its last direction that are not told.
const TURN_STEPS: u16 = 8;
/// Differences of an acceptance that are not told.
const ACCEPT_DEAD_STEPS: u16 = 24;
/// Steps by which an acceptance moves at once.
const ACCEPT_STEPS: u16 = 8;
/// All cells.
const ALL: u16 = 256;

/// A fraction in steps, rounded to the nearest.
pub(super) fn steps(fraction: f64) -> u16 {
    (fraction.clamp(0.0, 1.0) * f64::from(ALL) + 0.5) as u16
}

/// A share as answers see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Published {
    pub share: u16,
    is_rising: Option<bool>,
}

impl Published {
    /// What was told before a restart.
    pub fn kept(share: u16) -> Published {
        Published { share: share.min(ALL), is_rising: None }
    }

    /// Follows the exact share. Whether anything changed.
    pub fn follow(&mut self, exact: f64) -> bool {
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

/// Moves a row of acceptances towards what room allows; at once where nobody has left yet. Whether anything
/// changed.
pub(super) fn follow_row(row: &mut [u16], wanted: &[u16], at_once: bool) -> bool {
    let mut changed = false;
    for (accept, wanted) in row.iter_mut().zip(wanted) {
        let gap = wanted.abs_diff(*accept);
        if gap == 0 || !at_once && gap < ACCEPT_DEAD_STEPS {
            continue;
        }
        let step = if at_once { gap } else { gap.min(ACCEPT_STEPS) };
        *accept = if *wanted > *accept { *accept + step } else { *accept - step };
        changed = true;
    }
    changed
}
