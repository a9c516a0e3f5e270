//! Operator view: PoPs, targets, feeds and alarms as the control pages show them. The writer
//! updates it; the pages read it.
//!
//! It shapes no answer; the status of the snapshot does.

use crate::shared::alarm::Alarm;
use crate::steer::ledger::Override;
use crate::steer::pop::AdminState;
use crate::steer::pop_status::Share256;
use std::sync::Arc;

/// Data of the control pages.
#[derive(Clone, Debug, Default)]
pub struct OperatorView {
    /// Sequence number of the snapshot that it describes.
    pub(crate) sequence: u64,
    /// PoPs, sorted by name.
    pub pops: Vec<PopView>,
    /// Alarms that stand.
    pub(crate) alarms: Vec<Alarm>,
    /// Number of targets whose last check had no result because of a fault of this node.
    pub(crate) without_result: usize,
    /// Families whose verdicts are frozen because all canaries fail: IPv4, IPv6.
    pub(crate) frozen: [bool; 2],
    /// Policies that the panic guard holds.
    pub(crate) held: Vec<Arc<str>>,
    /// Policies with a pool on its way back.
    pub(crate) returning: Vec<Arc<str>>,
    /// Number of targets that are damped, and so are last resorts.
    pub(crate) damped: usize,
}

/// State of a PoP.
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
    /// Override that decides the state.
    pub(crate) state_by: Option<Override>,
    /// Override that decides the weight.
    pub(crate) weight_by: Option<Override>,
    /// Cells that have left the PoP, or are not back yet, of 256.
    pub(crate) left: Share256,
    /// Scheduled overrides of this PoP that have not begun, oldest first.
    pub(crate) plans: Vec<Override>,
    /// Longest TTL of steered records, in seconds: after a change, resolvers may keep an earlier
    /// answer for so long.
    pub(crate) cached_secs: u32,
    /// Result of its probes.
    pub(crate) health: PopHealth,
    /// Part of its clients that it gets.
    pub in_service: InService,
    /// Reason for which probes keep clients from a PoP that is up; `None` if they do not.
    pub in_service_why: Option<ServiceLimit>,
    /// Start of this state of service, in seconds since 1970. For a state that the process has
    /// found at its start, the start of the override or of the verdicts behind it, else the start
    /// of the process.
    pub(crate) since_epoch_secs: u64,
    /// Future states and weights by the ledger and the clock, in order.
    pub(crate) coming: Vec<Coming>,
    /// Safety rules that are broken while an override keeps the PoP out of service: sentences.
    pub(crate) breaks: Vec<String>,
    /// Probed targets; empty without probes.
    pub(crate) targets: Vec<TargetView>,
    /// Load feeds; empty without feeds.
    pub(crate) feeds: Vec<FeedView>,
    /// Cells that a ramp has not yet brought back, in steps of 1/256.
    pub ramp_left: u16,
}

/// State of a load feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FeedView {
    /// Name of the service; `None` for the whole PoP.
    pub(crate) service: Option<Arc<str>>,
    /// Smoothed load, in the unit of the capacity; `None` before the first reading.
    pub(crate) load: Option<f64>,
    /// Capacity.
    pub(crate) capacity: f64,
    /// Load above which cells are shed, as a share of the capacity.
    pub(crate) target: f64,
    /// Share of cells that may be shed, in steps of 1/256.
    pub(crate) share: u16,
    /// PoPs that accept shed cells, by name, with their shares in steps of 1/256.
    pub(crate) accept: Vec<(Arc<str>, u16)>,
    /// True if the last reading is too old.
    pub(crate) is_stale: bool,
    /// True if the share changed direction too often.
    pub(crate) oscillates: bool,
    /// True if no PoP has headroom for the cells that should be shed.
    pub(crate) is_stuck: bool,
    /// Last failure; `None` once a reading has followed.
    pub(crate) last_error: Option<String>,
    /// Age of the last reading, in seconds.
    pub(crate) age_secs: Option<u64>,
}

/// Part of its clients that a PoP gets, over all policies that answer with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InService {
    /// No policy answers with it.
    #[default]
    Unused,
    /// Each policy gives the PoP all clients that preference lists and weights assign to the PoP.
    Yes,
    /// Some of its clients are answered with other PoPs: those of a policy or a family, or a share
    /// of cells; or some of its addresses are not answered.
    Partly,
    /// It gets clients only if no regular candidate is left: it is drained, of weight 0, without
    /// any cell because of a gradual drain or a ramp, or flapping.
    LastResort,
    /// It gets no clients, or only if all PoPs are down: switched off, or down by probes.
    No,
}

impl InService {
    /// Name in tables and pages.
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

/// Reason for which probes keep clients from a PoP that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceLimit {
    /// Its targets flap.
    Flaps,
    /// One of its pools is on its way back: its clients are answered as if all of the pool were
    /// still down.
    Returns,
}

impl ServiceLimit {
    /// Name in tables and pages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            ServiceLimit::Flaps => "flaps",
            ServiceLimit::Returns => "on the way back",
        }
    }
}

/// State and weight of a PoP from a future time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coming {
    /// Time, in seconds since 1970.
    pub(crate) epoch_secs: u64,
    /// State.
    pub(crate) state: AdminState,
    /// Weight.
    pub(crate) weight: u32,
}

closed_set! {
    /// Health of a PoP by its probes, over all its services. Its word stands in tables and metrics.
    #[derive(Default)]
    pub enum PopHealth {
        /// No target is probed.
        #[default]
        NoProbe = "no probe",
        /// Targets are probed, without a verdict yet.
        Unknown = "unknown",
        /// All targets with a verdict are up.
        Up = "up",
        /// Some addresses are down.
        Partial = "partial",
        /// Every address of every service is down.
        Down = "down",
    }
}

/// Target of probes: one address of a service, or the service as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetView {
    /// Name of the probe.
    pub(crate) probe: Arc<str>,
    /// Service.
    pub(crate) service: Arc<str>,
    /// Address, as text. For a target that PoPs share, the destination of the check.
    pub(crate) address: Option<Arc<str>>,
    /// Verdict: `up`, `down`, `unknown`.
    pub(crate) verdict: &'static str,
    /// Successful results in a row.
    pub(crate) good_streak: u32,
    /// Failed results in a row.
    pub(crate) bad_streak: u32,
    /// Results still needed to change the verdict; `None` if the last results do not point to a
    /// change.
    pub(crate) checks_to_flip: Option<u32>,
    /// Successes in a row until the target is up.
    pub(crate) up_after: u16,
    /// Failures until the target is down.
    pub(crate) down_after: u16,
    /// Successes in a row that clear the failures.
    pub(crate) ok_after: u16,
    /// Failures that count towards the verdict `down`.
    pub(crate) failures: u16,
    /// Fault of the last result, in words; `None` after a success.
    pub(crate) last_error: Option<String>,
    /// Duration of the last run, in microseconds; `None` if it was not measured.
    pub(crate) latency_micros: Option<u64>,
    /// Days until the certificate ends; negative once it has expired.
    pub(crate) certificate_days: Option<i64>,
    /// Oddity of a healthy target, in words.
    pub(crate) degraded: Option<String>,
    /// True if its results do not count because all canaries of its family fail.
    pub(crate) is_frozen: bool,
    /// Changes of the verdict that count towards damping.
    pub(crate) turns: u16,
    /// Remaining seconds of damping, in which the target is a last resort.
    pub(crate) damped_secs: Option<u64>,
    /// Age of the verdict, in seconds.
    pub(crate) lasted_secs: u64,
    /// Age of the last result, in seconds.
    pub(crate) result_age_secs: Option<u64>,
}
