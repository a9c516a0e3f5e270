//! Report on a target, for operators.

use super::health_state::Verdict;
use super::targets::Target;
use super::verdict::Thresholds;
use std::sync::Arc;

/// Current state of one target.
#[derive(Clone, Debug)]
pub struct TargetReport<'m> {
    /// The target.
    pub(crate) target: &'m Target,
    /// Current verdict.
    pub verdict: Verdict,
    /// Age of the verdict, in milliseconds.
    pub(crate) lasted_ms: u64,
    /// True if its results do not count because all canaries of its family fail.
    pub(crate) is_frozen: bool,
    /// Failures that count towards the verdict `down`.
    pub failures: u16,
    /// Successes that count towards the verdict `up`, or towards clearing the failures.
    pub successes: u16,
    /// Results still needed to change the verdict; `None` if the last results do not point to a
    /// change.
    pub(crate) checks_to_flip: Option<u16>,
    /// Numbers of results that change the verdict.
    pub(crate) thresholds: Thresholds,
    /// True if the last result was a success; `None` before the first since the start.
    pub(crate) was_well: Option<bool>,
    /// Number of results like the last one, in a row.
    pub(crate) streak: u32,
    /// Last failure, also if successes followed.
    pub(crate) last_error: Option<&'m Arc<str>>,
    /// Reason for a last run without a result, a fault of this node.
    pub(crate) own_fault: Option<&'m Arc<str>>,
    /// Latency of the last result, in microseconds.
    pub(crate) latency_us: Option<u32>,
    /// Whole days until the certificate ends, by the last result that had one.
    pub(crate) certificate_days: Option<i32>,
    /// Oddity of a healthy target, in words.
    pub(crate) degraded: Option<&'m Arc<str>>,
    /// Milliseconds since the last result, also of before a restart.
    pub(crate) seen_ago_ms: Option<u64>,
    /// Changes of its verdict that count towards damping.
    pub turns: u16,
    /// Remaining time of its damping, in milliseconds.
    pub damped_for_ms: Option<u64>,
}
