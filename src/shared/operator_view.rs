//! The operator view: PoPs, targets, feeds and alarms as the control pages show them. The writer
//! writes it; the pages read it.
//!
//! Nothing here shapes an answer; the snapshot's status does.

use crate::shared::alarm::Alarm;
use crate::steer::ledger::Override;
use crate::steer::pop::AdminState;
use crate::steer::pop_status::Share256;
use std::sync::Arc;

/// Everything on show.
#[derive(Clone, Debug, Default)]
pub struct OperatorView {
    /// Sequence number of the snapshot to which this belongs.
    pub(crate) sequence: u64,
    /// PoPs, sorted by name.
    pub pops: Vec<PopView>,
    /// What an operator must look at.
    pub(crate) alarms: Vec<Alarm>,
    /// Targets whose last check had no result, by the node's own trouble.
    pub(crate) without_result: usize,
    /// Families whose verdicts are frozen, since all canaries fail: IPv4, IPv6.
    pub(crate) frozen: [bool; 2],
    /// Policies that the panic guard holds.
    pub(crate) held: Vec<Arc<str>>,
    /// Policies with a pool on its way back from all down.
    pub(crate) returning: Vec<Arc<str>>,
    /// Targets that flap, and so are last resorts.
    pub(crate) damped: usize,
}

/// A PoP.
#[derive(Clone, Debug)]
pub struct PopView {
    /// Name.
    pub name: Arc<str>,
    /// Tags.
    pub(crate) tags: Vec<Arc<str>>,
    /// State in the file.
    pub(crate) file_state: AdminState,
    /// Weight in the file.
    pub(crate) file_weight: u32,
    /// State in force, before probes.
    pub(crate) state: AdminState,
    /// Weight in force.
    pub(crate) weight: u32,
    /// The override that decides the state.
    pub(crate) state_by: Option<Override>,
    /// The override that decides the weight.
    pub(crate) weight_by: Option<Override>,
    /// Cells that have left it, or are not back yet, of 256.
    pub(crate) left: Share256,
    /// Plans, the scheduled overrides of this PoP that have not begun, oldest first.
    pub(crate) plans: Vec<Override>,
    /// Longest TTL of answers given before now that resolvers may still hold, in seconds.
    pub(crate) cached_secs: u32,
    /// What probes make of it.
    pub(crate) health: PopHealth,
    /// Whether clients get it.
    pub in_service: InService,
    /// Why probes let fewer clients come than could; `None` where they do not.
    pub in_service_why: Option<ServiceLimit>,
    /// Since when that is so, in seconds since 1970; at the latest since the server began.
    pub(crate) since_epoch_secs: u64,
    /// States and weights to come by the ledger and the clock alone, in order.
    pub(crate) coming: Vec<Coming>,
    /// Safety rules that do not hold while an override keeps it out of service: sentences.
    pub(crate) breaks: Vec<String>,
    /// What is probed of it; empty without probes.
    pub(crate) targets: Vec<TargetView>,
    /// Its load feeds; empty without.
    pub(crate) feeds: Vec<FeedView>,
    /// Cells that a ramp has not brought back since it came up, in steps of 1/256.
    pub ramp_left: u16,
}

/// A load feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FeedView {
    /// The service; `None` for the whole PoP.
    pub(crate) service: Option<Arc<str>>,
    /// Smoothed load, in the unit of the capacity; `None` before the first reading.
    pub(crate) load: Option<f64>,
    /// Capacity.
    pub(crate) capacity: f64,
    /// Load above which cells begin to leave, as a share of the capacity.
    pub(crate) target: f64,
    /// Share of cells that may leave, in steps of 1/256.
    pub(crate) share: u16,
    /// Who accepts how much of them, by name, in steps of 1/256.
    pub(crate) accept: Vec<(Arc<str>, u16)>,
    /// No reading for too long.
    pub(crate) is_stale: bool,
    /// The share turned too often.
    pub(crate) oscillates: bool,
    /// Cells should leave and have nowhere to go.
    pub(crate) is_stuck: bool,
    /// The last failure; none once a reading has followed.
    pub(crate) last_error: Option<String>,
    /// Age of the last reading, in seconds.
    pub(crate) age_secs: Option<u64>,
}

/// Whether clients get a PoP, over all policies that answer with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InService {
    /// No policy answers with it.
    #[default]
    Unused,
    /// Each policy gives it the clients that its list, weights and equals say.
    Yes,
    /// Some policy, family, address or share of cells is without it.
    Partly,
    /// Only where nothing else passes: drained, of weight 0, left by all cells, or flapping.
    LastResort,
    /// Never, or only where everything is down: switched off, or down by probes.
    No,
}

impl InService {
    /// The word in tables and pages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            InService::Unused => "unused",
            InService::Yes => "yes",
            InService::Partly => "partly",
            InService::LastResort => "last resort",
            InService::No => "no",
        }
    }
}

/// Why probes let fewer clients come to a PoP that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceLimit {
    /// Targets of it turn too often.
    Flaps,
    /// A pool of it is on its way back: its clients are answered as if all of it were still down.
    Returns,
}

impl ServiceLimit {
    /// The word in tables and pages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ServiceLimit::Flaps => "flaps",
            ServiceLimit::Returns => "on the way back",
        }
    }
}

/// What a PoP will be from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coming {
    /// The moment, in seconds since 1970.
    pub(crate) epoch_secs: u64,
    /// State.
    pub(crate) state: AdminState,
    /// Weight.
    pub(crate) weight: u32,
}

/// A PoP as probes see it, over all its services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PopHealth {
    /// Nothing of it is probed.
    #[default]
    NoProbe,
    /// It is probed, and nothing is known yet.
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
    pub(crate) const ALL: [PopHealth; 5] =
        [PopHealth::NoProbe, PopHealth::Unknown, PopHealth::Up, PopHealth::Partial, PopHealth::Down];

    /// The word in tables and metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            PopHealth::NoProbe => "no probe",
            PopHealth::Unknown => "unknown",
            PopHealth::Up => "up",
            PopHealth::Partial => "partial",
            PopHealth::Down => "down",
        }
    }
}

/// A target of probes: one address of a service, or the service as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetView {
    /// Name of the probe.
    pub(crate) probe: Arc<str>,
    /// Service.
    pub(crate) service: Arc<str>,
    /// Address, as text; for a target that it shares with another PoP, where the check goes to.
    pub(crate) address: Option<Arc<str>>,
    /// Verdict: `up`, `down`, `unknown`.
    pub(crate) verdict: &'static str,
    /// Good results in a row.
    pub(crate) good_streak: u32,
    /// Bad results in a row.
    pub(crate) bad_streak: u32,
    /// Results still needed until the verdict can change; `None` while nothing points that way.
    pub(crate) checks_to_flip: Option<u32>,
    /// Failures that count towards going down.
    pub(crate) failures: u16,
    /// The fault of the last result, in words; none once a good one has followed.
    pub(crate) last_error: Option<String>,
    /// How long the last good result took, in microseconds.
    pub(crate) latency_micros: Option<u64>,
    /// Days that the certificate is still valid; negative once it is not.
    pub(crate) certificate_days: Option<i64>,
    /// Well, but not as it should be: in words.
    pub(crate) degraded: Option<String>,
    /// Whether its results do not count now, since all canaries of its family fail.
    pub(crate) is_frozen: bool,
    /// Turns of the verdict that count towards damping.
    pub(crate) turns: u16,
    /// It flaps, and is a last resort for so many seconds still.
    pub(crate) damped_secs: Option<u64>,
    /// For how long the verdict holds, in seconds.
    pub(crate) lasted_secs: u64,
    /// Age of the last result, in seconds.
    pub(crate) result_age_secs: Option<u64>,
}
