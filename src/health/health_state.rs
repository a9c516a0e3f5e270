//! Health state: verdicts of addresses and slots. The monitor builds it, and a status reads it.

use super::targets::{PolicyId, SlotId};

/// Verdict of the probes about an address or a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verdict {
    /// Not probed, or without a result yet; counts as up.
    #[default]
    Unknown,
    /// Up.
    Up,
    /// Down.
    Down,
}

impl Verdict {
    /// Name in files, events and tables.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Unknown => "unknown",
            Verdict::Up => "up",
            Verdict::Down => "down",
        }
    }
}

/// Horizon if no change is pending.
pub(crate) const NO_HORIZON: u32 = u32::MAX;

/// Health of one slot (a service of a PoP). Bit `i` of a mask is address `i` of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotHealth {
    /// IPv4 addresses that are down.
    pub down_v4: u64,
    /// IPv6 addresses that are down.
    pub down_v6: u64,
    /// IPv4 addresses that are up but damped: a last resort.
    pub damped_v4: u64,
    /// IPv6 addresses that are up but damped: a last resort.
    pub damped_v6: u64,
    /// Seconds until the state can change, by the checks still needed; [`NO_HORIZON`] if no change
    /// is pending.
    pub horizon_secs: u32,
    /// Rank in the order in which slots went down, from 1; the last has the highest. A slot is down
    /// if in every family fewer addresses are up than the strictest `up_threshold` of its policies
    /// demands. 0 if the slot is not down.
    pub went_down: u32,
    /// True if it takes no clients yet: new since a reload, and without a result.
    pub is_awaited: bool,
}

impl Default for SlotHealth {
    fn default() -> SlotHealth {
        SlotHealth {
            down_v4: 0,
            down_v6: 0,
            damped_v4: 0,
            damped_v6: 0,
            horizon_secs: NO_HORIZON,
            went_down: 0,
            is_awaited: false,
        }
    }
}

impl SlotHealth {
    /// Slot that is wholly down, with its rank.
    pub fn all_down(went_down: u32) -> SlotHealth {
        SlotHealth { down_v4: u64::MAX, down_v6: u64::MAX, went_down, ..SlotHealth::default() }
    }

    /// Slot of a pool on its way back: shown as wholly down, which may end at any moment.
    pub(crate) fn returning(went_down: u32) -> SlotHealth {
        SlotHealth { horizon_secs: 0, ..SlotHealth::all_down(went_down) }
    }
}

/// Health of all slots and policies of one target set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthState {
    /// Health of each slot, in the order of the target set.
    pub slots: Vec<SlotHealth>,
    /// All slots as they were before the hold, for each policy that the panic guard holds. Sorted
    /// by policy.
    pub held: Vec<(PolicyId, Vec<SlotHealth>)>,
    /// Pools on their way back. Sorted by policy and pool.
    pub returning: Vec<ReturningPool>,
    /// Slots whose damping is ignored, for each policy with more PoPs down or damped than the share
    /// of its panic guard. Sorted by policy.
    pub undamped: Vec<(PolicyId, Vec<SlotId>)>,
}

/// Pool on its way back from all down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturningPool {
    /// Its policy.
    pub policy: PolicyId,
    /// Number of the pool in the policy.
    pub pool: u16,
    /// Share of its PoPs, in percent, above which the way back is over.
    pub share_percent: u8,
    /// Its slots, each with its rank when all were down ([`SlotHealth::went_down`]).
    pub slots: Vec<(SlotId, u32)>,
}
