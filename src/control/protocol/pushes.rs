//! Pushes of outside monitors: `POST /v1/probes/push` and `POST /v1/load/push`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Body of `POST /v1/probes/push`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbePushRequest {
    /// Name of a probe of kind `push`.
    pub(crate) probe: String,
    /// Name of the PoP.
    pub(crate) pop: String,
    /// Service; all that the probe watches unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    /// Address; the service as a whole unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    /// True for a good check.
    pub(crate) up: bool,
    /// Reason, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Body of `POST /v1/load/push`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadPushRequest {
    /// Name of the PoP.
    pub(crate) pop: String,
    /// Service; the whole PoP unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    /// Load now, in the unit of the feed's `capacity`; 0 or more.
    pub(crate) value: f64,
}

/// Reply of both where the value was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Taken {
    /// Always true.
    pub(crate) ok: bool,
}
