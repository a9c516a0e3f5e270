//! The operator view: PoPs, targets, feeds and alarms as the control pages show them. The writer
//! writes it; the pages read it.
//!
//! Nothing here shapes an answer; the snapshot's status does.

use crate::steer::ledger::Override;
use crate::steer::pop::AdminState;
use crate::steer::status::Share256;
use std::sync::Arc;

/// Everything on show.
#[derive(Clone, Debug, Default)]
pub struct OperatorView {
    /// Sequence number of the snapshot to which this belongs.
    pub sequence: u64,
    /// PoPs, sorted by name.
    pub pops: Vec<PopView>,
    /// How many overrides are in force, those that hand back not counted.
    pub overrides: usize,
    /// What an operator must look at.
    pub alarms: Vec<Alarm>,
    /// Families whose verdicts are frozen, since all canaries fail: IPv4, IPv6.
    pub frozen: [bool; 2],
    /// Policies that the panic guard holds.
    pub held: Vec<Arc<str>>,
}

/// A sentence that stays until its cause is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The sentence.
    pub sentence: String,
    /// Since when, in seconds since 1970.
    pub since_epoch_secs: u64,
    /// Whether the node is not ready while it lasts; it serves all the same.
    pub unready: bool,
}

/// A PoP.
#[derive(Clone, Debug)]
pub struct PopView {
    /// Name.
    pub name: Arc<str>,
    /// Tags.
    pub tags: Vec<Arc<str>>,
    /// State in the file.
    pub file_state: AdminState,
    /// Weight in the file.
    pub file_weight: u32,
    /// State in force, before probes.
    pub state: AdminState,
    /// Weight in force.
    pub weight: u32,
    /// The override that decides the state.
    pub state_by: Option<Override>,
    /// The override that decides the weight.
    pub weight_by: Option<Override>,
    /// Cells that have left it, or are not back yet, of 256.
    pub left: Share256,
    /// Plans, the scheduled overrides of this PoP that have not begun, oldest first.
    pub plans: Vec<Override>,
    /// Longest TTL of answers given before now that resolvers may still hold, in seconds.
    pub cached_secs: u32,
    /// What probes make of it.
    pub health: PopHealth,
    /// What is probed of it; empty without probes.
    pub targets: Vec<TargetView>,
    /// Its load feeds; empty without.
    pub feeds: Vec<FeedView>,
    /// Cells that a ramp has not brought back since it came up, in steps of 1/256.
    pub ramp_left: u16,
}

/// A load feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedView {
    /// The service; `None` for the whole PoP.
    pub service: Option<Arc<str>>,
    /// Smoothed load, in the unit of the capacity; `None` before the first reading.
    pub load: Option<f64>,
    /// Capacity.
    pub capacity: f64,
    /// Load above which cells begin to leave, as a share of the capacity.
    pub target: f64,
    /// Share of cells that may leave, in steps of 1/256.
    pub share: u16,
    /// Who accepts how much of them, by name, in steps of 1/256.
    pub accept: Vec<(Arc<str>, u16)>,
    /// No reading for too long.
    pub is_stale: bool,
    /// The share turned too often.
    pub oscillates: bool,
    /// The last failure, also when readings followed.
    pub last_error: Option<String>,
    /// Age of the last reading, in seconds.
    pub age_secs: Option<u64>,
}

/// A PoP as probes see it, over all its services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PopHealth {
    /// Nothing of it is probed, or nothing is known yet.
    #[default]
    Unknown,
    /// Everything that is known of it is up.
    Up,
    /// Some addresses are down.
    Partial,
    /// Every address of every service is down.
    Down,
}

impl PopHealth {
    /// Every value, in order.
    pub const ALL: [PopHealth; 4] = [PopHealth::Unknown, PopHealth::Up, PopHealth::Partial, PopHealth::Down];

    /// The word in tables and metrics.
    pub fn word(self) -> &'static str {
        match self {
            PopHealth::Unknown => "unknown",
            PopHealth::Up => "up",
            PopHealth::Partial => "partial",
            PopHealth::Down => "down",
        }
    }
}

/// A target of probes: one address of a service, or the service as a whole.
#[derive(Clone, Debug, Default)]
pub struct TargetView {
    /// Name of the probe.
    pub probe: Arc<str>,
    /// Service.
    pub service: Arc<str>,
    /// Address, as text.
    pub address: Option<Arc<str>>,
    /// Verdict: `up`, `down`, `unknown`.
    pub verdict: &'static str,
    /// Good results in a row.
    pub good_streak: u32,
    /// Bad results in a row.
    pub bad_streak: u32,
    /// Results still needed until the verdict can change; `None` while nothing points that way.
    pub checks_to_flip: Option<u32>,
    /// Failures that count towards going down.
    pub failures: u16,
    /// The last fault, in words.
    pub last_error: Option<String>,
    /// How long the last good result took, in microseconds.
    pub latency_micros: Option<u64>,
    /// Days that the certificate is still valid; negative once it is not.
    pub certificate_days: Option<i64>,
    /// Well, but not as it should be: in words.
    pub degraded: Option<String>,
    /// Whether its results do not count now, since all canaries of its family fail.
    pub is_frozen: bool,
    /// For how long the verdict holds, in seconds.
    pub lasted_secs: u64,
    /// Age of the last result, in seconds.
    pub result_age_secs: Option<u64>,
}
