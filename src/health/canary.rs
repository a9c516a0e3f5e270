//! Canaries: a test of this node's own network, for each address family.
//!
//! ```text
//!               all canaries fail                    freeze_max is over
//!   [Trusting] ───────────────────▶ [Frozen] ─────────────────────────────▶ [Spent]
//!       ▲                              │ one succeeds                          │ one succeeds
//!       └──────────────────────────────┴───────────────────────────────────────┘
//! ```
//!
//! Trusting: a target goes down only if a canary succeeded after the failure that makes the
//! verdict, so that a cut which hits targets first harms no verdict. The verdict waits for the next
//! canary, which is probed at once. Frozen: counters and verdicts stay as they are. Spent: probes
//! are believed again without such a proof until a canary answers, because an outage of the
//! canaries alone must not hide real outages for ever.

use super::Moment;
use super::targets::{TargetId, TargetSet};
use std::net::SocketAddr;

/// Address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpFamily {
    /// Both families.
    pub(crate) const BOTH: [IpFamily; 2] = [IpFamily::V4, IpFamily::V6];

    /// Family of a destination.
    pub(crate) fn of(destination: SocketAddr) -> IpFamily {
        if destination.is_ipv4() { IpFamily::V4 } else { IpFamily::V6 }
    }
}

impl std::fmt::Display for IpFamily {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            IpFamily::V4 => "IPv4",
            IpFamily::V6 => "IPv6",
        })
    }
}

/// Change of a family's freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreezeChange {
    /// Its verdicts froze.
    Frozen,
    /// A canary answered after this number of milliseconds.
    Thawed(u64),
    /// The freeze reached its limit after this number of milliseconds.
    Spent(u64),
}

/// Canaries of one family.
#[derive(Clone, Debug, Default)]
pub(crate) struct CanaryGroup {
    freeze_max_ms: u64,
    members: Vec<(TargetId, Option<bool>)>,
    phase: Phase,
    succeeded_at: Option<Moment>,
    /// End of the last freeze.
    ended_at: Option<Moment>,
    /// End of the last `Spent` phase: the moment at which a canary answered again. A failure at or
    /// before it counts without a later canary success.
    spent_until: Option<Moment>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Trusting,
    Frozen {
        since: Moment,
    },
    Spent {
        since: Moment,
    },
}

impl CanaryGroup {
    /// Canaries of a family, without results.
    pub(crate) fn new(target_set: &TargetSet, family: IpFamily) -> CanaryGroup {
        let is_ours = |id: &&TargetId| IpFamily::of(target_set.targets[id.index()].destination) == family;
        let members = target_set.canaries.iter().filter(is_ours).map(|id| (*id, None)).collect();
        CanaryGroup { freeze_max_ms: target_set.freeze_max_ms, members, ..CanaryGroup::default() }
    }

    /// Carries the state over to another target set. The last result of a target that stays is
    /// kept. A freeze lasts while there are canaries; without any it ends here, and its length in
    /// milliseconds is returned.
    #[must_use]
    pub(crate) fn follow(
        &self,
        target_set: &TargetSet,
        family: IpFamily,
        last: impl Fn(TargetId) -> Option<bool>,
        now: Moment,
    ) -> (CanaryGroup, Option<u64>) {
        let mut new = CanaryGroup::new(target_set, family);
        for (id, result) in &mut new.members {
            *result = last(*id);
        }
        (new.succeeded_at, new.ended_at, new.spent_until) =
            (self.succeeded_at, self.ended_at, self.spent_until);
        match self.phase {
            Phase::Frozen { since } if new.members.is_empty() => {
                new.ended_at = Some(now);
                return (new, Some(now.since_ms(since)));
            }
            _ if new.members.is_empty() => {}
            phase => new.phase = phase,
        }
        (new, None)
    }

    /// Handles the result of a target, which may be a canary.
    pub(crate) fn handle(&mut self, id: TargetId, is_well: bool, now: Moment) -> Option<FreezeChange> {
        let member = self.members.iter_mut().find(|(member, _)| *member == id)?;
        member.1 = Some(is_well);
        if is_well {
            self.succeeded_at = Some(now);
            let change = match self.phase {
                Phase::Trusting => return None,
                Phase::Frozen { since } => {
                    // Within one moment the order is arbitrary, so such a freeze does not count.
                    self.ended_at = if since < now { Some(now) } else { self.ended_at };
                    Some(FreezeChange::Thawed(now.since_ms(since)))
                }
                Phase::Spent { since } => {
                    self.spent_until = Some(now);
                    Some(FreezeChange::Thawed(now.since_ms(since)))
                }
            };
            self.phase = Phase::Trusting;
            return change;
        }
        if self.phase == Phase::Trusting && self.members.iter().all(|(_, last)| *last == Some(false)) {
            self.phase = Phase::Frozen { since: now };
            return Some(FreezeChange::Frozen);
        }
        None
    }

    /// Ends a freeze that has reached its limit.
    pub(crate) fn advance(&mut self, now: Moment) -> Option<FreezeChange> {
        let end = self.next_wake().filter(|end| *end <= now)?;
        let Phase::Frozen { since } = self.phase else { return None };
        self.phase = Phase::Spent { since };
        self.ended_at = Some(end);
        Some(FreezeChange::Spent(self.freeze_max_ms))
    }

    /// Moment at which the freeze reaches its limit.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        match self.phase {
            Phase::Frozen { since } => Some(since.after_ms(self.freeze_max_ms)),
            Phase::Trusting | Phase::Spent { .. } => None,
        }
    }

    /// True if a result counts. Results of the moment in which a freeze begins count, those of the
    /// moment in which it ends do not, so the order within a moment does not matter. A failure of a
    /// run that began during a freeze does not count.
    pub(crate) fn counts(&self, is_well: bool, started: Moment, now: Moment) -> bool {
        if let Phase::Frozen { since } = self.phase
            && since < now
        {
            return false;
        }
        self.ended_at.is_none_or(|end| end < now && (is_well || started >= end))
    }

    /// True if a failure of this moment is proved, or needs no proof.
    pub(crate) fn proves(&self, failed_at: Moment) -> bool {
        match self.phase {
            _ if self.members.is_empty() => true,
            Phase::Trusting => {
                self.succeeded_at.is_some_and(|success| success > failed_at)
                    || self.spent_until.is_some_and(|until| until >= failed_at)
            }
            Phase::Frozen { .. } => false,
            Phase::Spent { .. } => true,
        }
    }

    /// True if verdicts are frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        matches!(self.phase, Phase::Frozen { .. })
    }

    /// True if all canaries fail, also past the limit of a freeze.
    pub(crate) fn is_failing(&self) -> bool {
        self.phase != Phase::Trusting
    }

    /// Indexes of the targets that are canaries.
    pub(crate) fn members(&self) -> impl Iterator<Item = TargetId> + '_ {
        self.members.iter().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests;
