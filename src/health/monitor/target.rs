//! One target as the monitor watches it.

use crate::health::Moment;
use crate::health::flap::Flap;
use crate::health::probe_result::ProbeResult;
use crate::health::spec::Check;
use crate::health::targets::Target;
use crate::health::verdict::{Thresholds, VerdictState};
use std::sync::Arc;

/// What is known of a target.
#[derive(Clone, Debug, Default)]
pub(super) struct WatchedTarget {
    /// Its verdict, and what counts towards the next.
    pub(crate) verdict_state: VerdictState,
    /// Since when its verdict holds, on the caller's clock; negative before the clock's zero (a
    /// restart).
    pub(crate) since_ms: i64,
    /// New, without a verdict, and to be waited for until then.
    pub(crate) awaited_until: Option<Moment>,
    /// The last result, on the caller's clock; also that of before a restart.
    pub(crate) seen_ms: Option<i64>,
    /// Whether the last result was a success.
    pub(crate) was_well: bool,
    /// Results like the last one, in a row.
    pub(crate) streak: u32,
    /// The last failure, also when successes followed.
    pub(crate) error: Option<Arc<str>>,
    /// Latency of the last result, in microseconds.
    pub(crate) latency_us: Option<u32>,
    /// Whole days until the certificate ends, as last seen.
    pub(crate) certificate_days: Option<i32>,
    /// Well, but not as it should be.
    pub(crate) degraded: Option<Arc<str>>,
    /// Days that were told last.
    pub(crate) told_days: Option<i32>,
    /// Why the last run had no result, by the node's own trouble.
    pub(crate) own_fault: Option<Arc<str>>,
    /// Its turns, and whether it is damped.
    pub(crate) flap: Flap,
    /// When the next push is overdue.
    pub(crate) push_due: Option<Moment>,
}

impl WatchedTarget {
    /// Never seen. What is pushed is not waited for: nobody says when it comes.
    pub(crate) fn new(target: &Target, now: Moment, startup_wait_ms: u32) -> WatchedTarget {
        let mut watched = WatchedTarget { since_ms: now.clock_ms(), ..WatchedTarget::default() };
        match &target.spec.check {
            Check::Push(push) => {
                watched.push_due = (push.ttl_ms > 0).then(|| now.after_ms(u64::from(push.ttl_ms)))
            }
            _ if startup_wait_ms > 0 => {
                watched.awaited_until = Some(now.after_ms(u64::from(startup_wait_ms)))
            }
            _ => {}
        }
        watched
    }

    /// Goes on under another spec of the same check.
    pub(crate) fn adapt(&mut self, target: &Target) {
        self.verdict_state = self.verdict_state.adapt(Thresholds::of(&target.spec));
        self.flap.adapt(target.spec.flap);
    }

    /// Notes a result; what follows for the verdict is another matter.
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
        // A failed connection says nothing of the certificate.
        self.certificate_days = probe_result.certificate_days.or(self.certificate_days);
    }

    /// Days to tell: within the target's warning, and not told yet.
    pub(crate) fn days_to_tell(&mut self, target: &Target) -> Option<i32> {
        let warn_days = i32::from(target.spec.check.tls()?.warn_days);
        let days = self.certificate_days.filter(|days| *days <= warn_days);
        if days == self.told_days {
            return None;
        }
        self.told_days = days;
        days
    }
}
