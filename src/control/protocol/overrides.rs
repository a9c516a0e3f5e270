//! Overrides: `POST /v1/overrides` and `POST /v1/ledger/acknowledge`.

use super::pops::Setting;
use super::{Failure, Word};
use crate::shared::override_entry::OverrideEntry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Reply of `GET /v1/overrides`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OverrideList {
    /// Sequence number of the snapshot that these overrides belong to.
    pub(crate) sequence: u64,
    /// Overrides that decide about a PoP, or will.
    pub(crate) overrides: Vec<OverrideEntry>,
}

/// Body of `POST /v1/overrides`: one of `state` and `weight`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideRequest {
    /// Selectors of PoPs: names, patterns such as `eu-*`, `tag:eu`.
    pub(crate) pops: Vec<String>,
    /// `up`, `down`, `drain`, `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<AskedWeight>,
    /// Claimed author, added to the user of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// Reason.
    #[serde(default)]
    pub(crate) reason: String,
    /// Seconds for which the override holds after its last step. Without a value, the override
    /// holds until it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) for_secs: Option<u64>,
    /// Seconds that a gradual move takes; 0 for a change at once.
    #[serde(default)]
    pub(crate) over_secs: u64,
    /// Moment at which it begins; now unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<String>,
    /// True to pass over broken safety rules.
    #[serde(default)]
    pub(crate) force: bool,
    /// True to predict the outcome and change nothing.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// True to apply it in memory before the disk has it.
    #[serde(default)]
    pub(crate) unsaved: bool,
}

/// Weight that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AskedWeight {
    /// Number from 0.
    Number(u64),
    /// `auto`: the weight of the file.
    Word(String),
    /// Anything else, which is refused.
    Wrong(Value),
}

/// Reply of `POST /v1/overrides`, in service, predicted or refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OverrideReply {
    /// True if it is in service, or would be.
    pub(crate) ok: bool,
    /// `done`, `dry_run`, `forbidden`, `refused`.
    pub(crate) ended: Word,
    /// Code, reason and way out of a refusal.
    #[serde(flatten)]
    pub(crate) failure: Option<Failure>,
    /// Reason of a refusal, one sentence.
    pub(crate) error: Option<String>,
    /// Safety rules that forbid it, one sentence each.
    pub(crate) broken: Vec<String>,
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// State digest of that snapshot, hexadecimal.
    pub(crate) digest: String,
    /// PoPs that it covers.
    pub(crate) pops: Vec<PopChange>,
    /// Warnings, one sentence each.
    pub(crate) warnings: Vec<String>,
    /// Prediction; with `dry_run` only.
    pub(crate) forecast: Option<Forecast>,
}

/// PoP before and after an override.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PopChange {
    /// Name.
    pub(crate) name: Arc<str>,
    /// Setting before.
    pub(crate) before: Setting,
    /// Setting after the last step.
    pub(crate) after: Setting,
}

/// Prediction of the clients and the load that an override moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Forecast {
    /// Moves over all policies, the largest first.
    pub(crate) moves: Vec<ForecastMove>,
    /// Moves of each policy that has some.
    pub(crate) policies: Vec<PolicyForecast>,
    /// PoPs that gain load, where feeds measure it.
    pub(crate) load: Vec<LoadGain>,
    /// Clients asked of each address family and policy.
    pub(crate) samples: u32,
}

/// Moves of one policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PolicyForecast {
    /// Name.
    pub(crate) policy: Arc<str>,
    /// Moves, the largest first.
    pub(crate) moves: Vec<ForecastMove>,
}

/// Clients that go from one answer to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ForecastMove {
    /// Answer before.
    pub(crate) from: String,
    /// Answer after.
    pub(crate) to: String,
    /// Share of all cells.
    pub(crate) cells: f64,
    /// Share of the counted queries; `None` where none was counted.
    pub(crate) queries: Option<f64>,
}

/// Load that a PoP gains.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LoadGain {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// Service; `None` for the whole PoP.
    pub(crate) service: Option<Arc<str>>,
    /// Load that is added, in the unit of `capacity`.
    pub(crate) added: f64,
    /// Load before, in the unit of `capacity`.
    pub(crate) load: f64,
    /// Capacity, in a unit of the operator's choice.
    pub(crate) capacity: f64,
}

/// Body of `POST /v1/ledger/acknowledge`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeRequest {
    /// Claimed author, added to the user of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
}

/// Reply of `POST /v1/ledger/acknowledge`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Acknowledged {
    /// Always true.
    pub(crate) ok: bool,
    /// Alarms that have ended, one sentence each.
    pub(crate) over: Vec<String>,
}
