//! Override for programs: one shape for the event log and the control pages.

use crate::rfc3339;
use crate::steer::ledger::Override;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Override of the ledger. Moments are RFC 3339 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct OverrideEntry {
    /// Selector of its PoPs: a name, a pattern such as `eu-*`, or `tag:eu`.
    pub(crate) pops: String,
    /// State (`up`, `down`, `drain`, `auto`) or weight (`weight 20`, `weight auto`).
    pub(crate) action: String,
    /// User of the connection by which it was set, with the author that the request claimed.
    pub(crate) author: Arc<str>,
    /// Reason, as written by the author.
    pub(crate) reason: Arc<str>,
    /// Moment at which it was set.
    pub(crate) set: String,
    /// Moment at which a planned or gradual override begins; `None` for a change at once.
    pub(crate) start: Option<String>,
    /// Seconds that a gradual move takes; 0 for a change at once.
    pub(crate) over_secs: u64,
    /// Moment at which a planned or gradual override is complete; `None` for a change at once.
    pub(crate) done: Option<String>,
    /// Moment at which it ends; `None` if it holds until it is taken back.
    pub(crate) until: Option<String>,
}

impl OverrideEntry {
    /// Entry of the ledger.
    pub(crate) fn of(entry: &Override) -> OverrideEntry {
        let (start, end) = (entry.transition.start_epoch_secs, entry.transition.end());
        OverrideEntry {
            pops: entry.selector.to_string(),
            action: entry.action.to_string(),
            author: entry.author.clone(),
            reason: entry.reason.clone(),
            set: rfc3339::date_time(entry.set_epoch_secs),
            start: (start > 0).then(|| rfc3339::date_time(start)),
            over_secs: entry.transition.over_secs,
            done: (end > 0).then(|| rfc3339::date_time(end)),
            until: entry.until_epoch_secs.map(rfc3339::date_time),
        }
    }
}
