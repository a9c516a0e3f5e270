//! Forecast of a supposition: `GET /v1/forecast`.

use super::overrides::Forecast;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Query of `GET /v1/forecast`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForecastQuery {
    /// PoPs supposed to be down by probes, separated by commas.
    pub(crate) down: String,
    /// PoPs supposed to be up by probes.
    pub(crate) up: String,
    /// PoPs supposed to be drained.
    pub(crate) drain: String,
}

/// Reply of `GET /v1/forecast`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct SupposedForecast {
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// Clients and load that the supposition moves.
    #[serde(flatten)]
    pub(crate) forecast: Forecast,
}
