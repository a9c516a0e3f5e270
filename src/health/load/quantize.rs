//! Quantized shares: steps of 1/256, which answers see.
//!
//! Changes that noise could reverse are not published. A share continues in its direction at once,
//! and turns only after [`TURN_STEPS`]. An acceptance falls by a few steps at a time. It rises at
//! once if cells without a place take the rise, and by a few steps if the rise moves cells that
//! another PoP holds.

/// Steps against the last direction below which a share does not turn.
pub(super) const TURN_STEPS: u16 = 8;
/// Differences of an acceptance that are not published.
const ACCEPT_DEAD_STEPS: u16 = 24;
/// Steps by which an acceptance falls at once, or rises if the rise moves placed cells.
const ACCEPT_STEPS: u16 = 8;
/// Least rise of an acceptance that moves placed cells, so that it need not fall again.
pub(super) const PLACED_RISE_STEPS: u16 = ACCEPT_DEAD_STEPS + ACCEPT_STEPS;
/// All cells.
const ALL: u16 = 256;

/// Fraction in steps, rounded to the nearest.
pub(super) fn steps(fraction: f64) -> u16 {
    (fraction.clamp(0.0, 1.0) * f64::from(ALL) + 0.5) as u16
}

/// Published share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QuantizedShare {
    /// Share, in steps of 1/256.
    pub(crate) share: u16,
    is_rising: Option<bool>,
}

impl QuantizedShare {
    /// Share of before a restart.
    pub(crate) fn kept(share: u16) -> QuantizedShare {
        QuantizedShare { share: share.min(ALL), is_rising: None }
    }

    /// True if its last change was a rise.
    pub(crate) fn has_risen(&self) -> bool {
        self.is_rising == Some(true)
    }

    /// Follows the exact share. True if the published share changed.
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

/// Acceptance that room allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Acceptance in steps of 1/256.
    pub(super) accept: u16,
    /// True if a higher acceptance moves cells that another follower has already taken. Such a rise
    /// places no more of the load, so it is made in small steps that move few clients at once.
    pub(super) moves_placed: bool,
}

/// Moves acceptances towards those that room allows. True if any changed.
///
/// Room is an estimate that swings, and each swing would move cells from one follower to the next
/// and back. So an acceptance falls only while more cells are shed and all find a place; a cell
/// then goes down its list and never back. A follower that was given too much sheds in turn.
pub(super) fn follow_row(row: &mut [u16], wanted: &[Wanted], may_fall: bool) -> bool {
    let mut changed = false;
    for (accept, wanted) in row.iter_mut().zip(wanted) {
        let gap = wanted.accept.abs_diff(*accept);
        if wanted.accept < *accept && may_fall && gap >= ACCEPT_DEAD_STEPS {
            *accept -= gap.min(ACCEPT_STEPS);
            changed = true;
        } else if wanted.accept > *accept {
            let (least, step) = match (wanted.moves_placed, *accept) {
                (true, _) => (PLACED_RISE_STEPS.min(ALL - *accept), gap.min(ACCEPT_STEPS)),
                (false, 0) => (1, gap),
                (false, _) => (ACCEPT_DEAD_STEPS.min(ALL - *accept), gap),
            };
            if gap >= least {
                *accept += step;
                changed = true;
            }
        }
    }
    changed
}
