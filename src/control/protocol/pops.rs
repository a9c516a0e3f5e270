//! PoPs: `GET /v1/pops` and `GET /v1/pops/{name}`.

use super::Word;
use crate::shared::override_entry::OverrideEntry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reply of `GET /v1/pops`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Pops {
    /// Sequence number of the snapshot that these PoPs belong to.
    pub(crate) sequence: u64,
    /// PoPs, sorted by name.
    pub(crate) pops: Vec<Pop>,
    /// Alarms.
    pub(crate) alarms: Vec<Alarm>,
}

/// PoP. Reply of `GET /v1/pops/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Pop {
    /// Name.
    pub(crate) name: Arc<str>,
    /// Tags.
    pub(crate) tags: Vec<Arc<str>>,
    /// Setting of the file.
    pub(crate) file: Setting,
    /// Setting in force, before probes.
    pub(crate) effective: EffectiveSetting,
    /// Gradual move under way.
    pub(crate) progress: Option<Progress>,
    /// Scheduled overrides that have not begun, oldest first.
    pub(crate) plans: Vec<OverrideEntry>,
    /// Override that decides the state.
    pub(crate) state_override: Option<OverrideEntry>,
    /// Override that decides the weight.
    pub(crate) weight_override: Option<OverrideEntry>,
    /// Result of probes: `no probe`, `unknown`, `up`, `partial`, `down`.
    pub(crate) health: Word,
    /// True while some target of it flaps.
    pub(crate) flaps: bool,
    /// Service of the PoP in the policies that answer with it: `yes`, `partly`, `last resort`,
    /// `no`, `unused`.
    pub(crate) in_service: Word,
    /// Reason why probes keep clients away from a PoP that is up: `flaps`, `on the way back`.
    pub(crate) in_service_why: Option<Word>,
    /// Moment since which `in_service` holds, the start of the server at the earliest.
    pub(crate) since: String,
    /// Settings to come by the ledger and the clock alone, in order.
    pub(crate) coming: Vec<Coming>,
    /// Safety rules that are broken while an override keeps the PoP out of service, one sentence
    /// each.
    pub(crate) breaks: Vec<String>,
    /// Share of the PoP's cells that a ramp has not brought back since the PoP came up.
    pub(crate) ramp_left: f64,
    /// Load feeds.
    pub(crate) feeds: Vec<Feed>,
    /// Targets of probes.
    pub(crate) targets: Vec<Target>,
}

/// State and weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Setting {
    /// `auto`, `up`, `down`, `drain`.
    pub(crate) state: Word,
    /// Weight.
    pub(crate) weight: u32,
}

/// State and weight in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct EffectiveSetting {
    /// State and weight.
    #[serde(flatten)]
    pub(crate) setting: Setting,
    /// Cells, of 256, that have left the PoP in a gradual override, or are not back yet.
    pub(crate) left: u16,
}

/// Gradual move under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Progress {
    /// All of it in one sentence.
    pub(crate) text: String,
    /// Part of the time that is over, per cent.
    pub(crate) done_percent: f64,
    /// Part of the move that happened within the longest TTL, per cent. Resolvers may still have
    /// the old answers for it.
    pub(crate) cached_percent: f64,
    /// Moment of the last step.
    pub(crate) end: String,
}

/// Setting to come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Coming {
    /// Moment from which it holds.
    pub(crate) at: String,
    /// State and weight.
    #[serde(flatten)]
    pub(crate) setting: Setting,
}

/// Load feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Feed {
    /// Service; `None` for the whole PoP.
    pub(crate) service: Option<Arc<str>>,
    /// Smoothed load, in the unit of `capacity`; `None` before the first reading.
    pub(crate) load: Option<f64>,
    /// Capacity, in a unit of the operator's choice.
    pub(crate) capacity: f64,
    /// Load above which cells begin to leave, as a share of the capacity.
    pub(crate) target: f64,
    /// Share of cells that may leave.
    pub(crate) shed_share: f64,
    /// Share of those cells that each PoP accepts, by its name.
    pub(crate) accept: BTreeMap<Arc<str>, f64>,
    /// True if the last reading is too old.
    pub(crate) stale: bool,
    /// True if `shed_share` has turned too often.
    pub(crate) oscillates: bool,
    /// True if cells should leave and no PoP has room for them.
    pub(crate) no_room: bool,
    /// Last failure; `None` once a reading has followed.
    pub(crate) last_error: Option<String>,
    /// Age of the last reading, seconds.
    pub(crate) age_secs: Option<u64>,
}

/// Target of probes: one address of a service, or the service as a whole. Each of the PoPs that
/// share a target lists it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Target {
    /// Name of the probe.
    pub(crate) probe: Arc<str>,
    /// Service.
    pub(crate) service: Arc<str>,
    /// Address. For a target that PoPs share, the destination of the check.
    pub(crate) address: Option<Arc<str>>,
    /// Verdict: `up`, `down`, `unknown`.
    pub(crate) verdict: Word,
    /// Good results in a row.
    pub(crate) good_streak: u32,
    /// Bad results in a row.
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
    /// Failures that count towards going down.
    pub(crate) failures: u16,
    /// True while results do not count, because all canaries of the family fail.
    pub(crate) frozen: bool,
    /// Changes of the verdict that count towards damping.
    pub(crate) turns: u16,
    /// Seconds for which it stays a last resort, because it flaps.
    pub(crate) damped_secs: Option<u64>,
    /// Age of the verdict, seconds.
    pub(crate) lasted_secs: u64,
    /// Fault of the last result; `None` once a good result has followed.
    pub(crate) last_error: Option<String>,
    /// Duration of the last good check, microseconds.
    pub(crate) latency_micros: Option<u64>,
    /// Days until its certificate expires; negative afterwards.
    pub(crate) certificate_days: Option<i64>,
    /// Flaw of a check that was good, in words.
    pub(crate) degraded: Option<String>,
    /// Age of the last result, seconds.
    pub(crate) result_age_secs: Option<u64>,
}

/// Alarm: a sentence that stands until its cause is gone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Alarm {
    /// Sentence.
    pub(crate) text: String,
    /// Moment at which it was raised.
    pub(crate) since: String,
}
