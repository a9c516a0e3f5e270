//! Reloads: `POST`, `GET` and `DELETE /v1/reload`.

use super::{Failure, Word};
use crate::finding::report::FindingReport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Query of `POST /v1/reload`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReloadQuery {
    /// True for terminal colours in `text` of the reply.
    pub(crate) colour: bool,
    /// True to remove zones whose files are gone, however many they are, and even if other zones
    /// need them.
    pub(crate) allow_loss: bool,
}

impl ReloadQuery {
    /// Path with this query.
    pub(crate) fn path(self) -> String {
        let flags = [("colour=true", self.colour), ("allow_loss=true", self.allow_loss)];
        let set: Vec<&str> = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag).collect();
        let path = "/v1/reload";
        if set.is_empty() { path.to_owned() } else { format!("{path}?{}", set.join("&")) }
    }
}

/// Reply of `POST /v1/reload`, published or refused. A server that takes no reload leaves out
/// everything but `ok`, `findings` and `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReloadReply {
    /// True if a new snapshot was published.
    pub(crate) ok: bool,
    /// Result of the reload; `None` if the server took none.
    #[serde(flatten)]
    pub(crate) result: Option<ReloadResult>,
    /// Faults and warnings of the files.
    pub(crate) findings: Vec<FindingReport>,
    /// Findings as drawn for a terminal.
    pub(crate) text: String,
    /// Code, reason and way out of a refusal.
    #[serde(flatten)]
    pub(crate) failure: Option<Failure>,
    /// Reason of a refusal before the reload, one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// Result of a reload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ReloadResult {
    /// Sequence number of the snapshot in service after the reload.
    pub(crate) sequence: u64,
    /// State digest of that snapshot, hexadecimal.
    #[serde(default)]
    pub(crate) digest: String,
    /// Files digest of that snapshot, hexadecimal.
    #[serde(default)]
    pub(crate) files_digest: String,
    /// Differences from the snapshot before, line by line; empty after a refusal.
    #[serde(default)]
    pub(crate) difference: Vec<String>,
    /// Texts that zones are served from after the reload.
    #[serde(default)]
    pub(crate) zones: Zones,
}

/// Reply of `GET /v1/reload`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReloadStatus {
    /// Running reload.
    pub(crate) running: Option<RunningReload>,
    /// Requests that the next reload will answer.
    pub(crate) waiting: usize,
    /// Reloads that were given up and whose threads still wait for the disk.
    pub(crate) hung: usize,
    /// Texts that zones are served from.
    pub(crate) zones: Zones,
}

/// Reload that runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RunningReload {
    /// First requester: `SIGHUP`, or the user of the request.
    pub(crate) origin: String,
    /// Seconds since it began.
    pub(crate) age_secs: u64,
    /// Current step, in words.
    pub(crate) does: String,
}

/// Reply of `DELETE /v1/reload`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Cancelled {
    /// Step at which the reload was given up, in words.
    pub(crate) cancelled: String,
}

/// Texts that zones are served from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Zones {
    /// Number of zones that are served by their files as they are.
    pub(crate) current: usize,
    /// All other zones.
    pub(crate) others: Vec<OtherZone>,
    /// Files that are not in force and cost no zone, such as copies.
    pub(crate) stray_files: Vec<StrayFile>,
}

/// Zone that is not served by its files as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OtherZone {
    /// Apex.
    pub(crate) zone: String,
    /// `kept`, `vanished`, `dead` (docs/operate.md).
    pub(crate) standing: Word,
    /// First fault with its place, or the zones that need this one.
    pub(crate) why: String,
    /// Digest of the texts that the zone is served from, hexadecimal; `None` if the zone is dead.
    pub(crate) digest: Option<String>,
}

/// File that is not in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct StrayFile {
    /// Path.
    pub(crate) file: String,
    /// Reason, in words.
    pub(crate) why: String,
}
