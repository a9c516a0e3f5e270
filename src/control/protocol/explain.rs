//! Explanation of an answer: `POST /v1/explain` and `GET /v1/explain`.

use super::names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

/// Body of `POST /v1/explain`: at least one of `client` and `ecs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    /// Name that is asked for.
    pub(crate) name: String,
    /// Record type, such as `AAAA`; `A` unless given.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) rtype: Option<String>,
    /// Address of the resolver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<IpAddr>,
    /// EDNS client subnet, `address/length`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ecs: Option<String>,
    /// PoPs supposed to be down by probes.
    #[serde(default)]
    pub(crate) down: Vec<String>,
    /// PoPs supposed to be up by probes.
    #[serde(default)]
    pub(crate) up: Vec<String>,
    /// PoPs supposed to be drained.
    #[serde(default)]
    pub(crate) drain: Vec<String>,
}

/// Query of `GET /v1/explain`: at least one of `client` and `ecs`. Lists of PoPs are separated by
/// commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExplainParameters {
    /// Name that is asked for.
    pub(crate) name: String,
    /// Record type, such as `AAAA`; `A` unless given.
    #[serde(rename = "type")]
    pub(crate) rtype: Option<String>,
    /// Address of the resolver.
    pub(crate) client: Option<IpAddr>,
    /// EDNS client subnet, `address/length`.
    pub(crate) ecs: Option<String>,
    /// PoPs supposed to be down by probes.
    pub(crate) down: String,
    /// PoPs supposed to be up by probes.
    pub(crate) up: String,
    /// PoPs supposed to be drained.
    pub(crate) drain: String,
}

impl From<ExplainParameters> for ExplainRequest {
    fn from(given: ExplainParameters) -> ExplainRequest {
        let ExplainParameters { name, rtype, client, ecs, down, up, drain } = given;
        let [down, up, drain] = [down, up, drain].map(|list| names(&list));
        ExplainRequest { name, rtype, client, ecs, down, up, drain }
    }
}

/// Reply of `POST /v1/explain`. `meridian explain --files --format json` prints the same with
/// `config` in place of the fields that only a server has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Explained {
    /// Always true.
    pub(crate) ok: bool,
    /// Server file that was read instead of asking a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    /// Snapshot that was asked.
    #[serde(flatten)]
    pub(crate) asked: Option<Asked>,
    /// Files digest, hexadecimal.
    pub(crate) files_digest: String,
    /// Lines of the explanation: head and words.
    pub(crate) lines: Vec<(String, String)>,
    /// Decision of the last policy, for a map; `None` if no policy decided.
    pub(crate) decision: Option<Decision>,
    /// Message as `dig` shows it; `None` where none is sent.
    pub(crate) answer: Option<String>,
    /// Lines as text.
    pub(crate) text: String,
}

/// Decision of a policy, for a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Decision {
    /// Name of the policy.
    pub(crate) policy: Arc<str>,
    /// Latitude in degrees, north positive, of the place from which PoPs were ranked; `None` if no
    /// place is known.
    pub(crate) lat: Option<f64>,
    /// Longitude in degrees, east positive.
    pub(crate) lon: Option<f64>,
    /// PoPs of the preference list, in order.
    pub(crate) candidates: Vec<Arc<str>>,
    /// Chosen PoP; `None` for another answer.
    pub(crate) chosen: Option<Arc<str>>,
}

/// Snapshot that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Asked {
    /// Name of the node.
    #[serde(default)]
    pub(crate) node: String,
    /// Sequence number of the snapshot.
    pub(crate) sequence: u64,
    /// State digest of the snapshot, hexadecimal.
    #[serde(default)]
    pub(crate) digest: String,
    /// Moment of the explanation.
    #[serde(default)]
    pub(crate) moment: String,
}
