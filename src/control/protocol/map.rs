//! Map: `GET /v1/map`.

use super::Word;
use super::pops::EffectiveSetting;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Query of `GET /v1/map`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MapQuery {
    /// Name of a policy; without it the map has no countries.
    pub(crate) policy: Option<String>,
    /// PoPs supposed to be down by probes, separated by commas.
    pub(crate) down: String,
    /// PoPs supposed to be up by probes.
    pub(crate) up: String,
    /// PoPs supposed to be drained.
    pub(crate) drain: String,
}

/// Reply of `GET /v1/map`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Map {
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// PoPs, sorted by name.
    pub(crate) pops: Vec<MapPop>,
    /// Policy that the countries belong to.
    pub(crate) policy: Option<Arc<str>>,
    /// Countries by code, each ranked from its hub city, as a client with a known country
    /// and nothing else; empty without a policy.
    pub(crate) countries: Vec<MapCountry>,
}

/// PoP on the map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MapPop {
    /// Name.
    pub(crate) name: Arc<str>,
    /// Latitude in degrees, north positive; `None` for a PoP without a position.
    pub(crate) lat: Option<f64>,
    /// Longitude in degrees, east positive.
    pub(crate) lon: Option<f64>,
    /// Country, ISO 3166-1 alpha-2.
    pub(crate) country: Option<String>,
    /// Setting in force, before probes.
    pub(crate) effective: EffectiveSetting,
    /// Result of probes: `no probe`, `unknown`, `up`, `partial`, `down`.
    pub(crate) health: Word,
    /// Service of the PoP: `yes`, `partly`, `last resort`, `no`, `unused`.
    pub(crate) in_service: Word,
    /// Highest load of its feeds, divided by the capacity; `None` where no feed has a reading, or
    /// every reading is stale.
    pub(crate) utilisation: Option<f64>,
    /// Largest share of its cells that a feed sheds.
    pub(crate) shed_share: f64,
    /// Share of its cells that a ramp has not brought back.
    pub(crate) ramp_left: f64,
}

/// Country on the map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MapCountry {
    /// ISO 3166-1 alpha-2 code, or `XK`.
    pub(crate) country: String,
    /// Hub city.
    pub(crate) city: String,
    /// Latitude of the hub city in degrees, north positive.
    pub(crate) lat: f64,
    /// Longitude of the hub city in degrees, east positive.
    pub(crate) lon: f64,
    /// Answers of its clients, the largest share first.
    pub(crate) answers: Vec<MapAnswer>,
}

/// Answer of a share of the clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MapAnswer {
    /// Name of the PoP; `None` for another answer.
    pub(crate) pop: Option<Arc<str>>,
    /// Answer in words: the PoP, `CNAME` with its target, or `nothing`.
    pub(crate) answer: String,
    /// Share of the country's cells.
    pub(crate) share: f64,
}
