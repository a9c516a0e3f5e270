//! Panic guard of a policy: if too many PoPs go down together, the fault is probably in the probes.
//!
//! ```text
//!              more than the share fell within the window
//!   [watching] ──────────────────────────────────────────▶ [holding]
//!       ▲        enough came back · the rest was confirmed      │
//!       │        by overrides · hold_ms is over                 │
//!       └───────────────────────────────────────────────────────┘
//! ```
//!
//! A PoP *falls* when it goes down while it serves. PoPs that were down before, and those that
//! never took clients, do not count. At least three PoPs must count and two must fall; a smaller
//! policy believes its probes. PoPs with an override are left out of both numbers. A hold begins
//! with a fall, never because an override leaves fewer PoPs to count, so that verdicts once taken
//! over stay in force. During a hold a PoP is down only if it was down ever since the start of the
//! window. So a PoP whose families went down one after the other keeps both. A hold that reaches
//! its limit takes over all verdicts, later falls too. A hold that ends because the share is no
//! longer exceeded takes over the remaining verdicts; their falls still count until they leave the
//! window.

use super::Moment;
use super::spec::PanicGuard;
use super::targets::{PolicyMembers, PopCapacity, PopId, SlotId};
use super::way_back::COUNTING_MIN;
use std::collections::VecDeque;

/// Units in which capacity is summed: integers, so that sums never drift.
const PARTS: f64 = 1e12;

/// PoPs that must fall: a single fall is a fault of that PoP, however much capacity it has.
const FALLEN_MIN: u32 = 2;

/// Panic guard of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    rule: PanicGuard,
    members: Vec<Member>,
    /// True if every member has a capacity, so that capacity counts.
    is_weighed: bool,
    /// Members without an override: number and capacity.
    all: Sum,
    /// Fallen ones among them: number and capacity.
    fallen: Sum,
    /// Falls in order. An entry is valid while its member has the same moment.
    falls: VecDeque<(Moment, u32)>,
    hold: Option<Hold>,
    /// True if a member fell since the last judgement.
    has_fallen: bool,
    /// Latest fall among members whose override ended since the last judgement. Such a member
    /// counts again, so within the window its fall can begin a hold like a new one.
    returned: Option<Moment>,
    /// Moment of the last hold that reached its limit.
    taken_over_at: Moment,
}

/// Hold of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Start, in milliseconds on the caller's clock; negative before its zero (a restart).
    pub(crate) since_ms: i64,
    /// Answers use the slots as they were at this moment: the start of the window, or the end of an
    /// expired hold if that is later.
    pub(crate) from: Moment,
}

impl Hold {
    fn ends(self, rule: &PanicGuard) -> Moment {
        Moment(u64::try_from(self.since_ms.saturating_add(i64::from(rule.hold_ms))).unwrap_or(0))
    }
}

/// Reason for the end of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It reached its limit; the verdicts are taken over.
    Expired,
    /// PoPs came back or were overridden, so the share is no longer exceeded.
    Settled,
}

/// Decision of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// A hold begins.
    Held {
        /// PoPs that fell.
        fallen: u32,
        /// PoPs that count.
        of: u32,
        /// The hold.
        hold: Hold,
    },
    /// The hold has ended.
    Released(Release, Hold),
}

/// State of a PoP in its guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    capacity: u64,
    is_down: bool,
    is_overridden: bool,
    fell: Option<Moment>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    pops: u32,
    capacity: u64,
}

impl Sum {
    fn add(&mut self, member: &Member) {
        self.pops += 1;
        self.capacity += member.capacity;
    }

    fn remove(&mut self, member: &Member) {
        self.pops -= 1;
        self.capacity -= member.capacity;
    }
}

impl Guard {
    /// Starts with no PoP down and no override.
    pub(crate) fn new(policy: &PolicyMembers, pops: &[PopCapacity]) -> Guard {
        let capacity = |pop: &PopId| {
            pops[pop.index()].capacity.filter(|capacity| capacity.is_finite() && *capacity >= 0.0)
        };
        let total: f64 = policy.members.iter().filter_map(|(pop, _)| capacity(pop)).sum();
        let is_weighed = total > 0.0 && policy.members.iter().all(|(pop, _)| capacity(pop).is_some());
        let member = |(pop, _): &(PopId, SlotId)| Member {
            capacity: if is_weighed { (capacity(pop).unwrap_or(0.0) / total * PARTS) as u64 } else { 0 },
            ..Member::default()
        };
        let members: Vec<Member> = policy.members.iter().map(member).collect();
        let mut all = Sum::default();
        members.iter().for_each(|member| all.add(member));
        Guard {
            rule: policy.guard,
            members,
            is_weighed,
            all,
            fallen: Sum::default(),
            falls: VecDeque::new(),
            hold: None,
            has_fallen: false,
            returned: None,
            taken_over_at: Moment(0),
        }
    }

    /// Records that a member went down or came up. `serves` is true if it took clients until now;
    /// only then is going down a fall.
    pub(crate) fn handle(&mut self, member: usize, is_down: bool, serves: bool, now: Moment) {
        let before = self.members[member];
        if before.is_down == is_down {
            return;
        }
        self.members[member].is_down = is_down;
        if is_down && serves {
            self.count(member, Some(now));
            self.has_fallen = true;
            self.falls.push_back((now, member as u32));
            if self.falls.len() > 4 * self.members.len() {
                let members = &self.members;
                self.falls.retain(|(moment, member)| members[*member as usize].fell == Some(*moment));
            }
        } else {
            self.count(member, None);
        }
    }

    /// Notes that a member has an override, or no longer has one.
    pub(crate) fn handle_override(&mut self, member: usize, is_overridden: bool) {
        let before = self.members[member];
        if before.is_overridden == is_overridden {
            return;
        }
        let fell = before.fell;
        self.count(member, None);
        match is_overridden {
            true => self.all.remove(&before),
            false => self.all.add(&before),
        }
        self.members[member].is_overridden = is_overridden;
        if !is_overridden {
            self.returned = self.returned.max(fell);
        }
        self.count(member, fell);
    }

    /// Decides whether a hold begins or ends.
    pub(crate) fn judge(&mut self, now: Moment) -> Option<Judgement> {
        let window_ms = u64::from(self.rule.window_ms);
        let is_inside = |fell: Moment| fell.after_ms(window_ms) >= now;
        let has_fallen = std::mem::take(&mut self.has_fallen) | self.returned.take().is_some_and(is_inside);
        if let Some(hold) = self.hold {
            let release = match () {
                () if hold.ends(&self.rule) <= now => Release::Expired,
                () if !self.is_exceeded() => Release::Settled,
                () => return None,
            };
            if release == Release::Expired {
                (0..self.members.len()).for_each(|member| self.count(member, None));
                self.falls.clear();
                self.taken_over_at = now;
            }
            self.hold = None;
            return Some(Judgement::Released(release, hold));
        }
        while let Some((moment, member)) = self.falls.front().copied() {
            let is_true = self.members[member as usize].fell == Some(moment);
            if is_true && is_inside(moment) {
                break;
            }
            if is_true {
                self.count(member as usize, None);
            }
            self.falls.pop_front();
        }
        let is_small = self.all.pops < COUNTING_MIN || self.fallen.pops < FALLEN_MIN;
        if !has_fallen || is_small || !self.is_exceeded() {
            return None;
        }
        let window_start = Moment(now.0.saturating_sub(window_ms + 1));
        let hold = Hold { since_ms: now.clock_ms(), from: window_start.max(self.taken_over_at) };
        self.hold = Some(hold);
        Some(Judgement::Held { fallen: self.fallen.pops, of: self.all.pops, hold })
    }

    /// Current hold.
    pub(crate) fn hold(&self) -> Option<Hold> {
        self.hold
    }

    /// Moment at which the hold reaches its limit.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        self.hold.map(|hold| hold.ends(&self.rule))
    }

    /// Number of members without an override.
    pub(crate) fn counting(&self) -> u32 {
        self.all.pops
    }

    /// True if a member is down.
    pub(crate) fn is_down(&self, member: usize) -> bool {
        self.members[member].is_down
    }

    /// True if a member fell and is still down.
    pub(crate) fn has_fallen(&self, member: usize) -> bool {
        self.members[member].fell.is_some()
    }

    /// State of a member, for [`Guard::take_over`].
    pub(crate) fn member(&self, member: usize) -> Member {
        self.members[member]
    }

    /// Takes over the state of a member from another guard after a reload, except its override.
    pub(crate) fn take_over(&mut self, member: usize, before: Member) {
        self.members[member].is_down = before.is_down;
        self.count(member, before.fell);
        if let Some(moment) = before.fell {
            let at = self.falls.partition_point(|(other, _)| *other <= moment);
            self.falls.insert(at, (moment, member as u32));
        }
    }

    /// Takes over the end of the last hold after a reload, because no state before it is restored.
    pub(crate) fn follow(&mut self, before: &Guard) {
        self.taken_over_at = before.taken_over_at;
    }

    /// Counts a member that is down as fallen, after a restart during a hold.
    pub(crate) fn handle_fall(&mut self, member: usize, now: Moment) {
        self.count(member, Some(now));
        self.falls.push_back((now, member as u32));
    }

    /// Continues a hold after a reload or a restart.
    pub(crate) fn resume(&mut self, hold: Hold) {
        self.hold = Some(hold);
    }

    fn is_exceeded(&self) -> bool {
        let share = u64::from(self.rule.share_percent);
        let (fallen, all) = (self.fallen, self.all);
        share < 100
            && (u64::from(fallen.pops) * 100 > u64::from(all.pops) * share
                || self.is_weighed
                    && u128::from(fallen.capacity) * 100 > u128::from(all.capacity) * u128::from(share))
    }

    /// Sets or clears the moment at which a member fell, and updates the sums of fallen members.
    /// Members with an override are not in the sums.
    fn count(&mut self, member: usize, fell: Option<Moment>) {
        let member = &mut self.members[member];
        if !member.is_overridden {
            if member.fell.is_some() {
                self.fallen.remove(member);
            }
            if fell.is_some() {
                self.fallen.add(member);
            }
        }
        member.fell = fell;
    }
}

#[cfg(test)]
mod tests;
