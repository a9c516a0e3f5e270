//! Zones: `GET /v1/zones` and `GET /v1/zones/{name}`.

use super::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Query of `GET /v1/zones`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ZonesQuery {
    /// Apex behind which the list begins: `next` of the page before.
    pub(crate) after: Option<String>,
    /// Most zones of the page; 1,000 unless given, and at most.
    #[schemars(range(min = 1))]
    pub(crate) limit: Option<u32>,
}

/// Reply of `GET /v1/zones`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ZoneList {
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// Number of all zones.
    pub(crate) total: usize,
    /// Zones, sorted as DNS sorts names (RFC 4034 section 6.1).
    pub(crate) zones: Vec<Zone>,
    /// Value of `after` for the next page; `None` at the end.
    pub(crate) next: Option<String>,
}

/// Zone. Reply of `GET /v1/zones/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Zone {
    /// Apex.
    pub(crate) zone: String,
    /// `current`, `kept`, `vanished`, `dead` (docs/operate.md).
    pub(crate) standing: Word,
    /// First fault with its place, or the zones that need this one; empty for a current zone.
    pub(crate) why: String,
    /// Digest of the texts that the zone is served from, hexadecimal; `None` if the zone is dead.
    pub(crate) digest: Option<String>,
}
