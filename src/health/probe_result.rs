//! Probe result: success or failure of one run of a check.

use std::sync::Arc;

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// Nothing, or why it failed: one short line, such as `status 503` or `connection refused`.
    pub result: Result<(), Arc<str>>,
    /// From the start to the verdict, in microseconds; `None` where nothing was measured (file,
    /// push).
    pub latency_us: Option<u32>,
    /// Whole days until the server's certificate ends, negative if it has; `None` without one.
    pub certificate_days: Option<i32>,
    /// Well, but not as it should be: one short line, such as `certificate ends in 5 days`.
    pub degraded: Option<Arc<str>>,
    /// It failed by the node's own trouble before an octet left: no result of the target.
    pub is_own: bool,
}

impl ProbeResult {
    /// A plain success.
    pub fn well() -> ProbeResult {
        ProbeResult {
            result: Ok(()),
            latency_us: None,
            certificate_days: None,
            degraded: None,
            is_own: false,
        }
    }

    /// A plain failure.
    pub fn failed(why: impl Into<Arc<str>>) -> ProbeResult {
        ProbeResult { result: Err(why.into()), ..ProbeResult::well() }
    }

    /// No result, by the node's own trouble.
    pub(crate) fn without(why: impl Into<Arc<str>>) -> ProbeResult {
        ProbeResult { is_own: true, ..ProbeResult::failed(why) }
    }
}
