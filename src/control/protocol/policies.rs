//! Policies: `GET /v1/policies` and `GET /v1/policies/{name}`.

use super::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Query of `GET /v1/policies`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PoliciesQuery {
    /// True for policies without candidates, rules and members.
    pub(crate) brief: bool,
    /// Name of a PoP: only policies with this member, without candidates, rules and other members.
    pub(crate) pop: Option<String>,
    /// With `pop`: true for the `expected` share of the member.
    pub(crate) expected: bool,
}

/// Query of `GET /v1/policies/{name}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicyQuery {
    /// True for the `expected` share of each member.
    pub(crate) expected: bool,
}

/// Reply of `GET /v1/policies`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Policies {
    /// Sequence number of the snapshot in service.
    pub(crate) sequence: u64,
    /// Policies.
    pub(crate) policies: Vec<Policy>,
    /// Answers of each PoP, over all policies.
    pub(crate) pops: Vec<PopAnswers>,
}

/// Answers of a PoP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PopAnswers {
    /// Name.
    pub(crate) pop: Arc<str>,
    /// Answers with its addresses since the start of the server, over all policies.
    pub(crate) answered: u64,
}

/// Policy: its settings as the file gives them, and the state of its PoPs. Reply of
/// `GET /v1/policies/{name}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Policy {
    /// Name; a policy of a zone file is `zone./name`.
    pub(crate) name: Arc<str>,
    /// Service whose addresses it answers with.
    pub(crate) service: Arc<str>,
    /// Candidates in bands, the preferred band first.
    pub(crate) candidates: Bands,
    /// Order, a word of [`Order`](crate::steer::policy::Order).
    pub(crate) order: Word,
    /// Width of a band of equals: `none`, or a percentage such as `10%`.
    pub(crate) band: String,
    /// Sharing among equals: `sticky`, `random`.
    pub(crate) share: Word,
    /// TTLs of its answers.
    pub(crate) ttl: TtlRange,
    /// PoPs in one answer.
    pub(crate) answers: u8,
    /// Answer where every candidate is down.
    pub(crate) when_all_down: WhenAllDown,
    /// Rules, the first that applies wins.
    pub(crate) rules: Vec<Rule>,
    /// PoPs that it can answer with.
    pub(crate) members: Vec<Member>,
    /// Answers with addresses of PoPs since the start of the server; `None` for a policy that is
    /// counted together with others, because there are too many pairs of policy and PoP.
    pub(crate) answered: Option<u64>,
    /// Distinct leaves of its routes.
    pub(crate) scopes: usize,
    /// Distinct preference lists.
    pub(crate) preference_lists: usize,
    /// True if HTTPS records are answered.
    pub(crate) https: bool,
    /// Panic guard.
    pub(crate) panic: PanicGuard,
    /// True while the guard holds the state from before many PoPs went down.
    pub(crate) held: bool,
    /// True while a pool of it is on its way back from all down.
    pub(crate) returning: bool,
}

/// Bands of candidates.
pub(crate) type Bands = Vec<Vec<Candidate>>;

/// Candidate of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Candidate {
    /// Name of a PoP.
    Pop(Arc<str>),
    /// Name outside, such as a partner CDN.
    Cname {
        /// Target of the CNAME record.
        cname: String,
    },
    /// Candidate of a newer server.
    Newer(Value),
}

/// TTLs of a policy's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct TtlRange {
    /// Shortest TTL, seconds.
    pub(crate) min: u32,
    /// Longest TTL, seconds.
    pub(crate) max: u32,
}

/// Answer where every candidate is down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum WhenAllDown {
    /// `as_if_up`, `nodata`, `servfail`, `last_good`.
    Word(Word),
    /// CNAME record.
    Cname {
        /// Its target.
        cname: String,
    },
    /// Setting of a newer server.
    Newer(Value),
}

impl Default for WhenAllDown {
    fn default() -> WhenAllDown {
        WhenAllDown::Word(Word::default())
    }
}

/// Rule of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Rule {
    /// Condition in words; empty for a rule that always applies.
    pub(crate) when: String,
    /// Answer of the rule.
    pub(crate) candidates: RuleTarget,
    /// Order of the rule's own candidates, such as `nearest`; `None` for the order of the policy.
    pub(crate) order: Option<Word>,
    /// True if only the rule's candidates are ever answered; else the policy's candidates follow
    /// them.
    pub(crate) fence: bool,
}

/// Answer of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RuleTarget {
    /// `policy`: the candidates of the policy.
    Word(Word),
    /// Candidates of its own.
    Candidates(Bands),
    /// CNAME record.
    Cname {
        /// Its target.
        cname: String,
    },
    /// Another policy.
    Use {
        /// Name of that policy.
        r#use: Arc<str>,
    },
    /// Answer of a newer server.
    Newer(Value),
}

impl Default for RuleTarget {
    fn default() -> RuleTarget {
        RuleTarget::Candidates(Bands::default())
    }
}

/// PoP of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Member {
    /// Name.
    pub(crate) pop: Arc<str>,
    /// State in force: `auto`, `up`, `down`, `drain`.
    pub(crate) state: Word,
    /// Weight in force.
    pub(crate) weight: u32,
    /// Types that it is answered for now: `A`, `AAAA`.
    pub(crate) serves: Vec<Word>,
    /// Share of its cells that have left by a gradual move.
    pub(crate) left: f64,
    /// Share of its cells that are shed.
    pub(crate) sheds: f64,
    /// Answers of the policy with its addresses since the start of the server; `None` for a policy
    /// without a count of its own.
    pub(crate) answered: Option<u64>,
    /// Share of the policy's clients that it gets in the present state, 0 to 1, from a sample of
    /// address space; `None` unless asked for.
    pub(crate) expected: Option<f64>,
}

/// Panic guard of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum PanicGuard {
    /// Setting of a guard.
    On(GuardSetting),
    /// `off`.
    Word(Word),
    /// Setting of a newer server.
    Newer(Value),
}

impl Default for PanicGuard {
    fn default() -> PanicGuard {
        PanicGuard::Word("off".into())
    }
}

/// Setting of a panic guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GuardSetting {
    /// Share of PoPs that must go down for the guard to hold.
    pub(crate) share: f64,
    /// Time within which they go down, seconds.
    pub(crate) window_secs: f64,
    /// Time for which it holds, seconds.
    pub(crate) hold_secs: f64,
}
