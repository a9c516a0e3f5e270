//! The status of a PoP without its health: state, weight, cells that are away because of a gradual
//! drain or a ramp, and cells that load sends elsewhere.

use super::pop::{AdminState, Pop, PopId};
use crate::health::health_state::NO_HORIZON;
use crate::wire::hash::mix;
use std::sync::Arc;

/// The candidates that a scan considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateTier {
    /// In service.
    Regular,
    /// Drained, of weight 0, flapping, or without this client's cell because of a gradual drain or
    /// a ramp. Considered only if no regular candidate can answer.
    LastResort,
}

/// A share of all cells, in steps of 1/256: 0 is none, 256 is all. Steps this coarse let every node
/// and every publication agree.
pub type Share256 = u16;

/// All cells.
pub const ALL_CELLS: Share256 = 256;

/// A share as a fraction, 0 to 1.
pub(crate) fn fraction(share: Share256) -> f64 {
    f64::from(share) / f64::from(ALL_CELLS)
}

/// A PoP right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PopStatus {
    /// State by file and overrides.
    pub state: AdminState,
    /// The PoP's own weight.
    pub weight: u32,
    /// Cells that have left by a gradual drain, or have not come back yet in a ramp.
    pub left: Share256,
    /// 0 while a plan, a step or the end of an override is near; else [`NO_HORIZON`].
    pub horizon_secs: u32,
}

/// Cells that load sends away from a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shed {
    /// Cells that may leave.
    pub share: Share256,
    /// For each PoP, by number, the share of the shed cells that the PoP accepts; empty if nothing
    /// is shed.
    pub accept: Arc<[Share256]>,
}

impl PopStatus {
    /// The status by the file alone: nothing gradual, nothing shed.
    pub fn of(pop: &Pop) -> PopStatus {
        PopStatus { state: pop.state, weight: pop.weight, left: 0, horizon_secs: NO_HORIZON }
    }

    /// True if a cell is away because of a gradual drain or a ramp. `seed` is the PoP's. `cell` is
    /// called only if some cells are away and some are not.
    #[inline]
    pub(crate) fn is_left_by(&self, cell: impl FnOnce() -> u64, seed: u64) -> bool {
        is_among(self.left, || order(cell(), seed, LEAVE_SALT))
    }
}

impl Shed {
    /// True if a cell is shed. `seed` is the PoP's. `cell` is called only if some cells are shed
    /// and some are not.
    pub fn sheds(&self, cell: impl FnOnce() -> u64, seed: u64) -> bool {
        is_among(self.share, || order(cell(), seed, SHED_SALT))
    }

    /// True if a cell that this slot sheds may go to the PoP `to`. `cell` is called as by
    /// [`Shed::sheds`].
    pub fn hands_to(&self, cell: impl FnOnce() -> u64, seed: u64, to: PopId, to_seed: u64) -> bool {
        let accept = self.accept.get(to.index()).copied().unwrap_or(0);
        is_among(accept, || order(mix(cell(), seed), to_seed, ACCEPT_SALT))
    }
}

/// True if a cell, by its place in an order, belongs to a share. Shares of none and of all need no
/// place, so the cell is not read and the ECS scope need not cover it.
#[inline]
fn is_among(share: Share256, place: impl FnOnce() -> u16) -> bool {
    match share {
        0 => false,
        ALL_CELLS.. => true,
        _ => place() < share,
    }
}

/// Place of a cell in the order in which cells leave a PoP, 0 to 255. Each PoP has an order of its
/// own. The cells that leave first come back last.
fn order(cell: u64, seed: u64, salt: u64) -> u16 {
    (mix(cell, seed ^ salt) >> 56) as u16
}

/// Keep the three orders independent of each other, and of the sharing by weight.
const LEAVE_SALT: u64 = 0x6c65_6176_6520_6279;
const SHED_SALT: u64 = 0x7368_6564_2062_7920;
const ACCEPT_SALT: u64 = 0x6163_6365_7074_6564;
