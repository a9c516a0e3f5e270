//! Events of health, each displayed as one line of English.

use super::canary::IpFamily;
use super::guard::Release;
use super::health_state::Verdict;
use super::targets::Target;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Names of a target in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetName {
    /// Name of the probe.
    pub(crate) probe: Arc<str>,
    /// Name of the PoP; empty for a canary.
    pub(crate) pop: Arc<str>,
    /// Name of the service.
    pub(crate) service: Arc<str>,
    /// Judged address.
    pub(crate) address: IpAddr,
}

impl TargetName {
    /// Names of a target.
    pub(crate) fn of(target: &Target) -> TargetName {
        TargetName {
            probe: target.probe.clone(),
            pop: target.pop.clone(),
            service: target.service.clone(),
            address: target.address,
        }
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TargetName { probe, pop, service, address } = self;
        write!(out, "probe {probe} of {pop} ({service}, {address})")
    }
}

/// Event of health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthEvent {
    /// The verdict of a target has changed.
    Turned {
        /// Names of the target.
        subject: TargetName,
        /// Verdict before.
        before: Verdict,
        /// Verdict now.
        now: Verdict,
        /// Duration of the verdict before, in milliseconds.
        lasted_ms: u64,
        /// Last failure, if the target went down.
        reason: Option<Arc<str>>,
    },
    /// Alarm: all canaries of a family fail, so its verdicts are frozen.
    Frozen {
        /// Address family.
        family: IpFamily,
        /// Number of canaries.
        canaries: u32,
        /// Limit of the freeze, in milliseconds.
        at_most_ms: u64,
    },
    /// End of the freeze: a canary answers.
    Thawed {
        /// Address family.
        family: IpFamily,
        /// Time for which all canaries failed, in milliseconds.
        lasted_ms: u64,
    },
    /// The freeze has reached its limit while canaries still fail: verdicts move again, without
    /// proof.
    FreezeSpent {
        /// Address family.
        family: IpFamily,
        /// Duration of the freeze, in milliseconds.
        lasted_ms: u64,
    },
    /// Alarm: the panic guard holds a policy.
    Held {
        /// Name of the policy.
        policy: Arc<str>,
        /// PoPs that went down together.
        fallen: u32,
        /// PoPs that count for the guard.
        of: u32,
        /// Limit of the hold, in milliseconds.
        at_most_ms: u64,
    },
    /// End of the hold.
    Released {
        /// Name of the policy.
        policy: Arc<str>,
        /// Reason of the end.
        release: Release,
        /// Duration of the hold, in milliseconds.
        lasted_ms: u64,
    },
    /// Alarm: a target flaps and is damped, so it is a last resort.
    Damped {
        /// Names of the target.
        subject: TargetName,
        /// Changes of its verdict
        turns: u16,
        /// within this time, in milliseconds.
        window_ms: u64,
        /// Duration of the damping from now, in milliseconds.
        for_ms: u64,
    },
    /// End of the damping.
    DampingOver {
        /// Names of the target.
        subject: TargetName,
        /// Duration of the damping, in milliseconds.
        lasted_ms: u64,
    },
    /// The first PoPs of a pool that was all down are back: answers stay as before for a while.
    Returning {
        /// Name of the policy.
        policy: Arc<str>,
        /// Names of the fence's PoPs; empty outside fences.
        pool: Arc<str>,
        /// PoPs that are up.
        up: u32,
        /// PoPs that count for the pool.
        of: u32,
        /// Limit of the way back, in milliseconds.
        at_most_ms: u64,
    },
    /// End of the way back: enough PoPs are up, its limit is reached, or all are down again.
    Returned {
        /// Name of the policy.
        policy: Arc<str>,
        /// Names of the fence's PoPs; empty outside fences.
        pool: Arc<str>,
        /// Duration of the way back, in milliseconds.
        lasted_ms: u64,
    },
    /// A certificate ends soon, or has ended. Reported once a day.
    Certificate {
        /// Names of the target.
        subject: TargetName,
        /// Whole days until its end; negative once it has ended.
        days: i32,
    },
    /// Alarm: checks have no result because of this node. It lacks descriptors, memory, a
    /// permission, a route or a program, or too many other files or programs are in progress.
    /// Verdicts stay as they are.
    OwnFault {
        /// Error of the check.
        why: Arc<str>,
    },
    /// End of that alarm: every check has a result again.
    OwnFaultOver,
    /// Events were dropped because they were not fetched in time.
    Lost {
        /// Number of dropped events.
        events: u64,
    },
}

/// Gravity of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gravity {
    /// The state is not worse than before.
    Note,
    /// The state is worse than before.
    Worse,
    /// An operator must act now.
    Alarm,
}

impl HealthEvent {
    /// True for an event that needs an operator now.
    pub(crate) fn is_alarm(&self) -> bool {
        self.gravity() == Gravity::Alarm
    }

    /// True if the state is worse than before.
    pub(crate) fn is_bad(&self) -> bool {
        self.gravity() != Gravity::Note
    }

    fn gravity(&self) -> Gravity {
        match self {
            HealthEvent::Frozen { .. }
            | HealthEvent::FreezeSpent { .. }
            | HealthEvent::Held { .. }
            | HealthEvent::Damped { .. }
            | HealthEvent::OwnFault { .. } => Gravity::Alarm,
            HealthEvent::Turned { now: Verdict::Down, .. }
            | HealthEvent::Certificate { .. }
            | HealthEvent::Lost { .. } => Gravity::Worse,
            HealthEvent::Turned { now: Verdict::Up | Verdict::Unknown, .. }
            | HealthEvent::Thawed { .. }
            | HealthEvent::Released { .. }
            | HealthEvent::DampingOver { .. }
            | HealthEvent::Returning { .. }
            | HealthEvent::Returned { .. }
            | HealthEvent::OwnFaultOver => Gravity::Note,
        }
    }

    /// Duration or limit in the sentence of the event, in milliseconds; 0 for a sentence without.
    fn span_ms(&self) -> u64 {
        match self {
            HealthEvent::Turned { lasted_ms, .. }
            | HealthEvent::Thawed { lasted_ms, .. }
            | HealthEvent::FreezeSpent { lasted_ms, .. }
            | HealthEvent::Released { lasted_ms, .. }
            | HealthEvent::DampingOver { lasted_ms, .. }
            | HealthEvent::Returned { lasted_ms, .. } => *lasted_ms,
            HealthEvent::Frozen { at_most_ms, .. }
            | HealthEvent::Held { at_most_ms, .. }
            | HealthEvent::Returning { at_most_ms, .. } => *at_most_ms,
            HealthEvent::Damped { for_ms, .. } => *for_ms,
            HealthEvent::Certificate { .. }
            | HealthEvent::OwnFault { .. }
            | HealthEvent::OwnFaultOver
            | HealthEvent::Lost { .. } => 0,
        }
    }
}

impl fmt::Display for HealthEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = Span(self.span_ms());
        match self {
            HealthEvent::Turned { subject, before, now, reason, .. } => {
                write!(out, "{subject} is {}, was {} for {span}", now.word(), before.word())?;
                reason.as_ref().map_or(Ok(()), |reason| write!(out, ": {reason}"))
            }
            HealthEvent::Frozen { family, canaries, .. } => write!(
                out,
                "all {canaries} canaries of {family} fail: its verdicts are frozen for at most {span}"
            ),
            HealthEvent::Thawed { family, .. } => {
                write!(out, "a canary of {family} answers after {span}: its verdicts move again")
            }
            HealthEvent::FreezeSpent { family, .. } => write!(
                out,
                "canaries of {family} still fail after {span}: its verdicts move again, without proof"
            ),
            HealthEvent::Held { policy, fallen, of, .. } => write!(
                out,
                "policy {policy}: {fallen} of {of} PoPs went down together: it keeps the state before for at \
                 most {span}"
            ),
            HealthEvent::Released { policy, release: Release::Expired, .. } => {
                write!(out, "policy {policy} takes over the verdicts after {span}")
            }
            HealthEvent::Released { policy, release: Release::Settled, .. } => {
                write!(out, "policy {policy} is released after {span}: PoPs came back or were overridden")
            }
            HealthEvent::Damped { subject, turns, window_ms, .. } => {
                let window = Span(*window_ms);
                write!(out, "{subject} flaps, {turns} turns within {window}: it is a last resort for {span}")
            }
            HealthEvent::DampingOver { subject, .. } => {
                write!(out, "{subject} is no last resort any more, after {span}")
            }
            HealthEvent::Returning { policy, pool, up, of, .. } => write!(
                out,
                "policy {policy}{}: all {of} PoPs were down and {up} came back: clients are answered as \
                 before until enough are up, for at most {span}",
                Fenced(pool)
            ),
            HealthEvent::Returned { policy, pool, .. } => {
                write!(out, "policy {policy}{}: the way back is over after {span}", Fenced(pool))
            }
            HealthEvent::Certificate { subject, days } => {
                write!(out, "{subject}: the certificate {}", expiry(*days))
            }
            HealthEvent::OwnFault { why } => write!(
                out,
                "this node cannot run its checks: {why}; verdicts stay as they are where a check has no \
                 result"
            ),
            HealthEvent::OwnFaultOver => out.write_str("every check of this node has a result again"),
            HealthEvent::Lost { events } => {
                write!(out, "the server dropped {events} health events, because its event queue was full")
            }
        }
    }
}

/// End of a certificate, in whole days from now.
fn expiry(days: i32) -> String {
    if days < 0 { "has expired".to_owned() } else { format!("expires in {days} days") }
}

/// Displays a fence of a policy; empty outside fences.
struct Fenced<'n>(&'n str);

impl fmt::Display for Fenced<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(out, ", fence {}", self.0) }
    }
}

/// Displays a duration: `850 ms`, `12 s`, `3 min 20 s`, `5 h 2 min`.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0 / 1000;
        match secs {
            0 => write!(out, "{} ms", self.0),
            1..60 => write!(out, "{secs} s"),
            60..3600 => write!(out, "{} min {} s", secs / 60, secs % 60),
            _ => write!(out, "{} h {} min", secs / 3600, secs / 60 % 60),
        }
    }
}

#[cfg(test)]
mod tests;
