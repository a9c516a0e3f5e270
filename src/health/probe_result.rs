//! Probe result: success or failure of one run of a check.

use std::sync::Arc;

/// Result of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// Success, or the reason of the failure: one short line, such as `status 503` or `connection
    /// refused`.
    pub result: Result<(), Arc<str>>,
    /// Duration of the run, in microseconds; `None` if nothing was measured (file, push).
    pub latency_us: Option<u32>,
    /// Whole days until the server's certificate ends, negative once it has ended; `None` without
    /// one.
    pub certificate_days: Option<i32>,
    /// Oddity of a success: one short line, such as `certificate expires in 5 days`.
    pub degraded: Option<Arc<str>>,
    /// True if the run failed because of this node: before its first octet left, or while it waited
    /// for other files or programs. It then says nothing about the target.
    pub is_own: bool,
}

impl ProbeResult {
    /// Plain success.
    pub fn well() -> ProbeResult {
        ProbeResult {
            result: Ok(()),
            latency_us: None,
            certificate_days: None,
            degraded: None,
            is_own: false,
        }
    }

    /// Plain failure.
    pub fn failed(why: impl Into<Arc<str>>) -> ProbeResult {
        ProbeResult { result: Err(why.into()), ..ProbeResult::well() }
    }

    /// No result, because of a fault of this node.
    pub(crate) fn without(why: impl Into<Arc<str>>) -> ProbeResult {
        ProbeResult { is_own: true, ..ProbeResult::failed(why) }
    }
}
