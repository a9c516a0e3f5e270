//! The health state: verdicts of addresses and slots. The monitor makes it, and a status reads it.

/// What probes say of an address, or of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verdict {
    /// Not probed, or no result yet; counts as up.
    #[default]
    Unknown,
    /// Well.
    Up,
    /// Not well.
    Down,
}

impl Verdict {
    /// The word in files, events and tables.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Unknown => "unknown",
            Verdict::Up => "up",
            Verdict::Down => "down",
        }
    }
}

/// A horizon that is out of sight: no change is pending.
pub(crate) const NO_HORIZON: u32 = u32::MAX;

/// One slot (a PoP's service) as probes see it. Bit `i` of a mask is address `i` of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotHealth {
    /// IPv4 addresses that are down.
    pub down_v4: u64,
    /// IPv6 addresses that are down.
    pub down_v6: u64,
    /// IPv4 addresses that are up, but flap: a last resort.
    pub damped_v4: u64,
    /// IPv6 addresses that are up, but flap: a last resort.
    pub damped_v6: u64,
    /// Seconds until the state can change, by the checks still needed; [`NO_HORIZON`] if none is
    /// pending.
    pub horizon_secs: u32,
    /// Order in which slots went wholly down, from 1; 0: it is not wholly down. What went down last
    /// has the highest number.
    pub went_down: u32,
    /// Takes no clients yet: new since a reload, and without a result.
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
    /// Wholly down, by its place in the order in which slots went.
    pub fn all_down(went_down: u32) -> SlotHealth {
        SlotHealth { down_v4: u64::MAX, down_v6: u64::MAX, went_down, ..SlotHealth::default() }
    }

    /// What is shown of a slot whose pool is on its way back: wholly down, for any moment from now.
    pub(crate) fn returning(went_down: u32) -> SlotHealth {
        SlotHealth { horizon_secs: 0, ..SlotHealth::all_down(went_down) }
    }
}

/// Health of every slot and policy of one target set, as probes show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthState {
    /// Each slot, in the order of the target set.
    pub slots: Vec<SlotHealth>,
    /// For each policy that the panic guard holds: the slots as they were before, whole. Sorted by
    /// policy.
    pub held: Vec<(u32, Vec<SlotHealth>)>,
    /// Pools on their way back from all down. Sorted by policy and pool.
    pub returning: Vec<ReturningPool>,
    /// For each policy with more damped PoPs than its share, the slots whose damping it ignores.
    /// Sorted by policy.
    pub undamped: Vec<(u32, Vec<u32>)>,
}

/// A pool on its way back from all down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturningPool {
    /// Its policy.
    pub policy: u32,
    /// Its number in the policy.
    pub pool: u16,
    /// Share of its PoPs, in per cent, past which it is back.
    pub share_percent: u8,
    /// Its slots, each with the order in which it went down when all were down
    /// ([`SlotHealth::went_down`]).
    pub slots: Vec<(u32, u32)>,
}
