//! One target as the monitor watches it.

use crate::health::Moment;
use crate::health::outcome::Outcome;
use crate::health::roster::Target;
use crate::health::spec::Check;
use crate::health::verdict::{Standing, Thresholds};
use std::sync::Arc;

/// What is known of a target.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    pub standing: Standing,
    /// Since when its verdict holds, on the caller's clock; negative before the clock's zero (a
    /// restart).
    pub since_ms: i64,
    /// New, without a verdict, and to be waited for until then.
    pub awaited_until: Option<Moment>,
    /// The last result, on the caller's clock; also that of before a restart.
    pub seen_ms: Option<i64>,
    pub was_well: bool,
    /// Results like the last one, in a row.
    pub streak: u32,
    pub error: Option<Arc<str>>,
    pub latency_us: Option<u32>,
    pub certificate_days: Option<i32>,
    pub degraded: Option<Arc<str>>,
    /// Days that were told last.
    pub told_days: Option<i32>,
    /// When the next push is overdue.
    pub push_due: Option<Moment>,
}

impl Watch {
    /// Never seen. What is pushed is not waited for: nobody says when it comes.
    pub fn new(target: &Target, now: Moment, startup_wait_ms: u32) -> Watch {
        let mut watch = Watch { since_ms: now.clock_ms(), ..Watch::default() };
        match &target.spec.check {
            Check::Push(push) => {
                watch.push_due = (push.ttl_ms > 0).then(|| now.after_ms(u64::from(push.ttl_ms)))
            }
            _ if startup_wait_ms > 0 => watch.awaited_until = Some(now.after_ms(u64::from(startup_wait_ms))),
            _ => {}
        }
        watch
    }

    /// Goes on under another spec of the same check.
    pub fn adapt(&mut self, target: &Target) {
        self.standing = self.standing.adapt(Thresholds::of(&target.spec));
    }

    /// Notes a result; what follows for the verdict is another matter.
    pub fn note(&mut self, outcome: &Outcome, now: Moment) {
        let is_well = outcome.result.is_ok();
        self.streak = if self.was_well == is_well { self.streak.saturating_add(1) } else { 1 };
        self.was_well = is_well;
        self.seen_ms = Some(now.clock_ms());
        if let Err(why) = &outcome.result {
            self.error = Some(why.clone());
        }
        self.latency_us = outcome.latency_us;
        self.degraded.clone_from(&outcome.degraded);
        // A failed connection says nothing of the certificate.
        self.certificate_days = outcome.certificate_days.or(self.certificate_days);
    }

    /// Days to tell: within the target's warning, and not told yet.
    pub fn days_to_tell(&mut self, target: &Target) -> Option<i32> {
        let Check::Http(http) = &target.spec.check else { return None };
        let warn_days = i32::from(http.tls.as_ref()?.warn_days);
        let days = self.certificate_days.filter(|days| *days <= warn_days);
        if days == self.told_days {
            return None;
        }
        self.told_days = days;
        days
    }
}
