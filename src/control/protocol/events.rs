//! Events: `GET /v1/events`.

use super::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Query of `GET /v1/events`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// Identifier of the last event that the reader has, for readers that cannot send
    /// `Last-Event-ID`.
    pub(crate) after: Option<String>,
}

/// Data of an event: a line of the event log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct EventData {
    /// Moment of the event.
    pub(crate) time: String,
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// Kind (docs/operate.md).
    pub(crate) kind: Word,
    /// Event in one sentence.
    pub(crate) text: String,
    /// Fields of the kind.
    #[serde(flatten)]
    pub(crate) fields: Map<String, Value>,
}
