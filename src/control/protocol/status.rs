//! State of the node: `GET /v1/status` and `GET /v1/readyz?format=json`.

use super::Word;
use super::reload::Zones;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Reply of `GET /v1/status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Status {
    /// Version of the program.
    pub(crate) version: Word,
    /// Name of the node.
    pub(crate) node: String,
    /// Phase: `starting`, `serving`, `draining`.
    pub(crate) phase: Word,
    /// Seconds since the start of the server.
    pub(crate) uptime_secs: u64,
    /// UDP engine: `fast`, `hickory`.
    pub(crate) engine: Word,
    /// Absolute path of the server file that the server was started with.
    pub(crate) config: Option<String>,
    /// DNS addresses as bound.
    pub(crate) dns: Vec<SocketAddr>,
    /// Transports with addresses of their own: `dot`, `doh`, `doq`.
    pub(crate) streams: Vec<StreamAddresses>,
    /// End of the certificate of encrypted transports, in seconds since 1970.
    pub(crate) certificate_not_after: Option<i64>,
    /// End of the certificate of the admin address, in seconds since 1970.
    pub(crate) admin_certificate_not_after: Option<i64>,
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// State digest of that snapshot, hexadecimal.
    pub(crate) digest: String,
    /// Files digest of that snapshot, hexadecimal.
    pub(crate) files_digest: String,
    /// Texts that zones are served from.
    pub(crate) zones: Zones,
    /// Summary of the snapshot, line by line.
    pub(crate) summary: Vec<String>,
    /// Quarantine of questions on which the program has panicked.
    pub(crate) quarantine: QuarantineTotals,
    /// Client prefixes with most answers past a rate limit in the last minutes, the first most.
    pub(crate) rate_limited: Vec<LimitedPrefix>,
    /// Overload of UDP; `null` while `overload` is off, and with an engine without it.
    pub(crate) overload: Option<OverloadStatus>,
    /// Counters by transport: `udp`, `tcp`, `dot`, `doh`, `doq`.
    pub(crate) lanes: BTreeMap<Word, LaneTotals>,
}

/// Addresses of one stream transport.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct StreamAddresses {
    /// Transport: `dot`, `doh`, `doq`.
    pub(crate) transport: Word,
    /// Addresses as bound.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Quarantine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct QuarantineTotals {
    /// Questions that are refused now.
    pub(crate) questions: u64,
    /// Questions put into quarantine since the start of the server.
    pub(crate) quarantined: u64,
    /// Messages refused since the start of the server.
    pub(crate) refused: u64,
    /// Messages without a file in `state/quarantine`, since the start of the server.
    pub(crate) files_lost: u64,
}

/// Overload of UDP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OverloadStatus {
    /// Known client prefixes.
    pub(crate) known_prefixes: u64,
    /// Known client prefixes that pass the filters now; 0 while nothing is shed.
    pub(crate) passing_prefixes: u64,
    /// Lowest share of the queries of other prefixes that passes at any socket, from 0 to 1.
    pub(crate) share: f64,
    /// True if the kernel took no filter when one was wanted last.
    pub(crate) refused: bool,
}

/// Client prefix with answers past a rate limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LimitedPrefix {
    /// Prefix: /24 (IPv4) or /56 (IPv6).
    pub(crate) prefix: String,
    /// Answers past a limit, halved every minute.
    pub(crate) answers: u64,
}

/// Counters of one transport since the start of the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LaneTotals {
    /// Messages received.
    pub(crate) received: u64,
    /// Connections admitted.
    pub(crate) connections: u64,
    /// Replies by response code, such as `NOERROR`; `other` for codes above 23.
    pub(crate) replies: BTreeMap<String, u64>,
    /// Messages and connections that got no reply, by reason (docs/metrics.md).
    pub(crate) dropped: BTreeMap<Word, u64>,
}

/// Query of `GET /v1/readyz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReadyQuery {
    /// `json` for a JSON body.
    pub(crate) format: String,
}

/// Reply of `GET /v1/readyz?format=json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Readiness {
    /// True while queries are answered.
    pub(crate) ready: bool,
    /// Phase: `starting`, `serving`, `draining`.
    pub(crate) phase: Word,
    /// Reasons why queries are not answered, one sentence each.
    pub(crate) reasons: Vec<Word>,
    /// Alarms, and a refused reload; they do not withdraw the node.
    pub(crate) notes: Vec<String>,
}
