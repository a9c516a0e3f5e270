//! What people are shown of a target.

use super::health_state::Verdict;
use super::targets::Target;
use std::sync::Arc;

/// One target, as it is now.
#[derive(Clone, Debug)]
pub struct TargetReport<'m> {
    /// Which.
    pub(crate) target: &'m Target,
    /// What its results say.
    pub verdict: Verdict,
    /// For how long the verdict holds, in milliseconds.
    pub(crate) lasted_ms: u64,
    /// All canaries of its family fail: results do not count.
    pub(crate) is_frozen: bool,
    /// Failures that count towards going down.
    pub failures: u16,
    /// Successes that count towards coming up, or towards clearing the failures.
    pub successes: u16,
    /// Results still needed until the verdict can change; `None` while nothing points that way.
    pub(crate) checks_to_flip: Option<u16>,
    /// Whether the last result was a success; `None` before the first since the start.
    pub(crate) was_well: Option<bool>,
    /// Results like the last one, in a row.
    pub(crate) streak: u32,
    /// The last failure, also when successes followed.
    pub(crate) last_error: Option<&'m Arc<str>>,
    /// Why the last run had no result, by the node's own trouble.
    pub(crate) own_fault: Option<&'m Arc<str>>,
    /// Latency of the last result, in microseconds.
    pub(crate) latency_us: Option<u32>,
    /// Whole days until the certificate ends, as last seen.
    pub(crate) certificate_days: Option<i32>,
    /// Well, but not as it should be.
    pub(crate) degraded: Option<&'m Arc<str>>,
    /// Milliseconds since the last result, also one of before a restart.
    pub(crate) seen_ago_ms: Option<u64>,
    /// Turns of its verdict that count towards damping.
    pub turns: u16,
    /// It is damped for so long still, in milliseconds.
    pub damped_for_ms: Option<u64>,
}
