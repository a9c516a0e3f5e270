//! One target, as the monitor watches it.

use crate::health::Moment;
use crate::health::flap::Flap;
use crate::health::probe_result::ProbeResult;
use crate::health::targets::Target;
use crate::health::verdict::{Thresholds, VerdictState};
use std::sync::Arc;

/// State of a target.
#[derive(Clone, Debug, Default)]
pub(super) struct WatchedTarget {
    /// Verdict, and the results that count towards the next.
    pub(crate) verdict_state: VerdictState,
    /// Start of the verdict, on the caller's clock; negative before the clock's zero (a restart).
    pub(crate) since_ms: i64,
    /// End of the wait for a first verdict, for a new target.
    pub(crate) awaited_until: Option<Moment>,
    /// Moment of the last result, on the caller's clock, also of before a restart.
    pub(crate) seen_ms: Option<i64>,
    /// True if the last result was a success.
    pub(crate) was_well: bool,
    /// Number of results like the last one, in a row.
    pub(crate) streak: u32,
    /// Last failure, also if successes followed.
    pub(crate) error: Option<Arc<str>>,
    /// Latency of the last result, in microseconds.
    pub(crate) latency_us: Option<u32>,
    /// Whole days until the certificate ends, by the last result that had one.
    pub(crate) certificate_days: Option<i32>,
    /// Oddity of a healthy target, in words.
    pub(crate) degraded: Option<Arc<str>>,
    /// Days that were last reported.
    pub(crate) told_days: Option<i32>,
    /// Reason for a last run without a result, a fault of this node.
    pub(crate) own_fault: Option<Arc<str>>,
    /// Turns, and damping.
    pub(crate) flap: Flap,
    /// Deadline of the next push.
    pub(crate) push_due: Option<Moment>,
}

impl WatchedTarget {
    /// Starts without a result. A pushed target is not waited for, because the time of its push is
    /// unknown.
    pub(crate) fn new(target: &Target, now: Moment, startup_wait_ms: u32) -> WatchedTarget {
        let mut watched = WatchedTarget { since_ms: now.clock_ms(), ..WatchedTarget::default() };
        let check = &target.spec.check;
        watched.push_due = check.push_ttl_ms().map(|ttl_ms| now.after_ms(u64::from(ttl_ms)));
        if !check.is_pushed() && startup_wait_ms > 0 {
            watched.awaited_until = Some(now.after_ms(u64::from(startup_wait_ms)));
        }
        watched
    }

    /// Adapts to another spec of the same check.
    pub(crate) fn adapt(&mut self, target: &Target) {
        self.verdict_state = self.verdict_state.adapt(Thresholds::of(&target.spec));
        self.flap.adapt(target.spec.flap);
    }

    /// Notes a result; the verdict is decided separately.
    pub(crate) fn note(&mut self, probe_result: &ProbeResult, now: Moment) {
        let is_well = probe_result.result.is_ok();
        self.own_fault = None;
        self.streak = if self.was_well == is_well { self.streak.saturating_add(1) } else { 1 };
        self.was_well = is_well;
        self.seen_ms = Some(now.clock_ms());
        if let Err(why) = &probe_result.result {
            self.error = Some(why.clone());
        }
        self.latency_us = probe_result.latency_us;
        self.degraded.clone_from(&probe_result.degraded);
        // A failed connection says nothing about the certificate.
        self.certificate_days = probe_result.certificate_days.or(self.certificate_days);
    }

    /// Days to report: within the warning of the target, and not reported yet.
    pub(crate) fn days_to_report(&mut self, target: &Target) -> Option<i32> {
        let warn_days = i32::from(target.spec.check.tls()?.warn_days);
        let days = self.certificate_days.filter(|days| *days <= warn_days);
        if days == self.told_days {
            return None;
        }
        self.told_days = days;
        days
    }
}
