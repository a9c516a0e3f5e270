//! Clients that other files move: `POST /v1/diff`, and the output of `meridian diff`.

use super::Failure;
use crate::finding::report::FindingReport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Reply of `POST /v1/diff`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ComparisonReply {
    /// State that both sides were given, in words.
    pub(crate) assumed: String,
    /// Clients that move at all, over all steered names.
    pub(crate) moved: MovedShare,
    /// Moves over all steered names, the largest first.
    pub(crate) moves: Vec<AnswerMove>,
    /// Names that have one policy before and one after, together.
    pub(crate) policies: Vec<PolicyMoves>,
    /// Names that lose an address family, at most 1,000.
    pub(crate) lost: Vec<Lost>,
    /// Number of all such names.
    pub(crate) lost_in_all: usize,
    /// Networks in which resolvers are steered otherwise than client subnets, over all policies.
    pub(crate) resolvers: ResolverMoves,
}

/// Networks of resolvers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ResolverMoves {
    /// Networks that either side steers for themselves.
    pub(crate) networks: usize,
    /// Networks whose resolvers get another PoP without a client subnet.
    pub(crate) moved: usize,
}

/// Shares of clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MovedShare {
    /// Share of IPv4 addresses.
    pub(crate) ipv4: f64,
    /// Share of IPv6 leaves.
    pub(crate) ipv6: f64,
    /// Share of counted queries; `None` where none was counted.
    pub(crate) queries: Option<f64>,
}

impl MovedShare {
    /// The largest of the shares.
    pub(crate) fn largest(&self) -> f64 {
        [self.ipv4, self.ipv6].into_iter().chain(self.queries).fold(0.0, f64::max)
    }
}

/// Clients that go from one answer to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct AnswerMove {
    /// Answer before.
    pub(crate) from: String,
    /// Answer after.
    pub(crate) to: String,
    /// Shares of clients.
    #[serde(flatten)]
    pub(crate) share: MovedShare,
}

/// Moves of the clients of all names with the same pair of policies: `policy` before, `then` after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PolicyMoves {
    /// Policy before.
    pub(crate) policy: Arc<str>,
    /// Policy after; `None` where the names are not steered any more.
    pub(crate) then: Option<Arc<str>>,
    /// Number of names.
    pub(crate) names: usize,
    /// Clients that move at all.
    #[serde(flatten)]
    pub(crate) share: MovedShare,
    /// Moves, the largest first.
    pub(crate) moves: Vec<AnswerMove>,
}

/// Name that had addresses of a family, and has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Lost {
    /// Name.
    pub(crate) name: String,
    /// Type: `A`, `AAAA`.
    #[serde(rename = "type")]
    pub(crate) rtype: String,
}

/// Reply of `POST /v1/diff` where a reload would refuse the files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ComparisonRefused {
    /// Always false.
    pub(crate) ok: bool,
    /// Code, reason and way out.
    #[serde(flatten)]
    pub(crate) failure: Failure,
    /// The same as `message`, for older commands.
    pub(crate) error: String,
    /// Faults of the files.
    pub(crate) findings: Vec<FindingReport>,
    /// Findings as drawn for a terminal.
    pub(crate) text: String,
}
