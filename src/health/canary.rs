//! Canaries: whether this node's own network works, for each address family.
//!
//! ```text
//!               all canaries fail                    freeze_max is over
//!   [Trusting] ───────────────────▶ [Frozen] ─────────────────────────────▶ [Spent]
//!       ▲                              │ one succeeds                          │ one succeeds
//!       └──────────────────────────────┴───────────────────────────────────────┘
//! ```
//!
//! Trusting: a target goes down only after a canary succeeded later than the failure that makes the
//! verdict, so a cut that hits targets first harms nobody; the verdict waits for the next canary,
//! which is asked at once. Frozen: counters and verdicts stay as they are. Spent: probes are
//! believed again, without any proof, until a canary answers: an outage of the canaries alone must
//! not hide real ones for ever.

use super::Moment;
use super::targets::TargetSet;
use std::net::SocketAddr;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpFamily {
    /// Both.
    pub(crate) const BOTH: [IpFamily; 2] = [IpFamily::V4, IpFamily::V6];

    /// That of a destination.
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

/// What became of a family's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreezeChange {
    /// They froze.
    Frozen,
    /// A canary answered, after this many milliseconds.
    Thawed(u64),
    /// The time is over, after this many milliseconds.
    Spent(u64),
}

/// The canaries of one family.
#[derive(Clone, Debug, Default)]
pub(crate) struct CanaryGroup {
    freeze_max_ms: u64,
    members: Vec<(u32, Option<bool>)>,
    phase: Phase,
    succeeded_at: Option<Moment>,
    /// The end of the last freeze.
    ended_at: Option<Moment>,
    /// Until this moment no proof was needed.
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
    /// Those of a family, without results.
    pub(crate) fn new(target_set: &TargetSet, family: IpFamily) -> CanaryGroup {
        let is_ours = |index: &&u32| IpFamily::of(target_set.targets[**index as usize].destination) == family;
        let members = target_set.canaries.iter().filter(is_ours).map(|index| (*index, None)).collect();
        CanaryGroup { freeze_max_ms: target_set.freeze_max_ms, members, ..CanaryGroup::default() }
    }

    /// Follows another target set: `last` knows the last result of a target that stays. A freeze
    /// lasts while there are canaries; where none is left it ends here, and its length in
    /// milliseconds is returned.
    #[must_use]
    pub(crate) fn follow(
        &self,
        target_set: &TargetSet,
        family: IpFamily,
        last: impl Fn(u32) -> Option<bool>,
        now: Moment,
    ) -> (CanaryGroup, Option<u64>) {
        let mut new = CanaryGroup::new(target_set, family);
        for (index, result) in &mut new.members {
            *result = last(*index);
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

    /// The result of a target, which may be a canary.
    pub(crate) fn handle(&mut self, index: u32, is_well: bool, now: Moment) -> Option<FreezeChange> {
        let member = self.members.iter_mut().find(|(member, _)| *member == index)?;
        member.1 = Some(is_well);
        if is_well {
            self.succeeded_at = Some(now);
            let change = match self.phase {
                Phase::Trusting => return None,
                Phase::Frozen { since } => {
                    // Within one moment the order is chance: such a freeze was none.
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

    /// Ends a freeze whose time is over.
    pub(crate) fn advance(&mut self, now: Moment) -> Option<FreezeChange> {
        let end = self.next_wake().filter(|end| *end <= now)?;
        let Phase::Frozen { since } = self.phase else { return None };
        self.phase = Phase::Spent { since };
        self.ended_at = Some(end);
        Some(FreezeChange::Spent(self.freeze_max_ms))
    }

    /// When the freeze ends by its time.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        match self.phase {
            Phase::Frozen { since } => Some(since.after_ms(self.freeze_max_ms)),
            Phase::Trusting | Phase::Spent { .. } => None,
        }
    }

    /// Whether a result counts. Results of the moment at which a freeze begins do, those of the
    /// moment at which it ends do not, so the order within a moment does not matter; failures of
    /// runs that began in a freeze are its own.
    pub(crate) fn counts(&self, is_well: bool, started: Moment, now: Moment) -> bool {
        if let Phase::Frozen { since } = self.phase
            && since < now
        {
            return false;
        }
        self.ended_at.is_none_or(|end| end < now && (is_well || started >= end))
    }

    /// Whether a failure of this moment is proved, or needs no proof.
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

    /// Whether verdicts are frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        matches!(self.phase, Phase::Frozen { .. })
    }

    /// Whether all canaries fail, also past the time of a freeze.
    pub(crate) fn is_failing(&self) -> bool {
        self.phase != Phase::Trusting
    }

    /// The canaries, as indexes of targets.
    pub(crate) fn members(&self) -> impl Iterator<Item = u32> + '_ {
        self.members.iter().map(|(index, _)| *index)
    }
}

#[cfg(test)]
mod tests;
