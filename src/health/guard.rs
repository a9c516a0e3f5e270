//! The panic guard of one policy: too many PoPs that go down together are rather a fault of the
//! probes.
//!
//! ```text
//!              more than the share fell within the window
//!   [watching] ──────────────────────────────────────────▶ [holding]
//!       ▲        enough came back · the rest was confirmed      │
//!       │        by overrides · hold_ms is over                 │
//!       └───────────────────────────────────────────────────────┘
//! ```
//!
//! A PoP *falls* when it goes down while it served: what was down before, and what never took
//! clients, does not count. Three PoPs must count and two must fall: a smaller policy believes its
//! probes. PoPs with an override stand outside, above and below the line. A hold
//! begins with a fall, and never because an override leaves fewer PoPs to count: what was taken
//! over stays so. While holding, down is only who was down ever since the window's start, so that
//! of a PoP whose families went down one after the other neither is lost. When the hold ends by its
//! time, all of it is taken over, later falls too. When it ends because the share is no longer
//! exceeded, what is still down is taken over and keeps counting until it leaves the window.

use super::Moment;
use super::spec::PanicGuard;
use super::targets::{PolicyMembers, PopCapacity};
use super::way_back::COUNTING_MIN;
use std::collections::VecDeque;

/// Parts of the whole by which capacity is counted: integers, so that sums never drift.
const PARTS: f64 = 1e12;

/// PoPs that must fall: one alone is a fault of that PoP, however much of the capacity it has.
const FALLEN_MIN: u32 = 2;

/// The guard of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    rule: PanicGuard,
    members: Vec<Member>,
    /// Capacity counts: every member has one.
    is_weighed: bool,
    /// Of members that stand inside: how many, and their capacity.
    all: Sum,
    /// Of those, what fell.
    fallen: Sum,
    /// Falls in their order; one is true while its member says the same moment.
    falls: VecDeque<(Moment, u32)>,
    hold: Option<Hold>,
    /// Somebody fell since the last judgement.
    has_fallen: bool,
    /// When the last of those fell that came back under the guard since the last judgement.
    returned: Option<Moment>,
    /// When verdicts were last taken over, after a hold.
    taken_over_at: Moment,
}

/// What a guard holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Since when, in milliseconds on the caller's clock; negative before its zero (a restart).
    pub(crate) since_ms: i64,
    /// The slots as they were at this moment are served: at the window's start, or where a hold
    /// ended within it.
    pub(crate) from: Moment,
}

impl Hold {
    fn ends(self, rule: &PanicGuard) -> Moment {
        Moment(u64::try_from(self.since_ms.saturating_add(i64::from(rule.hold_ms))).unwrap_or(0))
    }
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Its time is over; the verdicts are taken over.
    Expired,
    /// PoPs came back, or were overridden: the share is no longer exceeded.
    Settled,
}

/// What a judgement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It holds from now.
    Held {
        /// PoPs that fell.
        fallen: u32,
        /// PoPs that count.
        of: u32,
        /// What is held.
        hold: Hold,
    },
    /// It no longer holds.
    Released(Release, Hold),
}

/// What a member is to its guard.
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
    /// Nothing is down, nothing is overridden.
    pub(crate) fn new(policy: &PolicyMembers, pops: &[PopCapacity]) -> Guard {
        let capacity = |pop: &u16| {
            pops[*pop as usize].capacity.filter(|capacity| capacity.is_finite() && *capacity >= 0.0)
        };
        let total: f64 = policy.members.iter().filter_map(|(pop, _)| capacity(pop)).sum();
        let is_weighed = total > 0.0 && policy.members.iter().all(|(pop, _)| capacity(pop).is_some());
        let member = |(pop, _): &(u16, u32)| Member {
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

    /// A member is down, or is not. `serves`: it took clients until now, so this is a fall.
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

    /// A member has an override, or has none.
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

    /// What all this comes to.
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

    /// What it holds.
    pub(crate) fn hold(&self) -> Option<Hold> {
        self.hold
    }

    /// When the hold ends by its time.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        self.hold.map(|hold| hold.ends(&self.rule))
    }

    /// Whether a member is down.
    pub(crate) fn is_down(&self, member: usize) -> bool {
        self.members[member].is_down
    }

    /// Whether a member fell, and is still down.
    pub(crate) fn has_fallen(&self, member: usize) -> bool {
        self.members[member].fell.is_some()
    }

    /// A member's part, for [`Guard::take_over`].
    pub(crate) fn member(&self, member: usize) -> Member {
        self.members[member]
    }

    /// Takes over what another guard knew of a member (a reload), but for its override.
    pub(crate) fn take_over(&mut self, member: usize, before: Member) {
        self.members[member].is_down = before.is_down;
        self.count(member, before.fell);
        if let Some(moment) = before.fell {
            let at = self.falls.partition_point(|(other, _)| *other <= moment);
            self.falls.insert(at, (moment, member as u32));
        }
    }

    /// Takes over when verdicts were taken over last (a reload): nothing before that is gone back
    /// to.
    pub(crate) fn follow(&mut self, before: &Guard) {
        self.taken_over_at = before.taken_over_at;
    }

    /// A member that is down fell while it served, as far as this guard is concerned (a restart
    /// amid a hold).
    pub(crate) fn handle_fall(&mut self, member: usize, now: Moment) {
        self.count(member, Some(now));
        self.falls.push_back((now, member as u32));
    }

    /// Goes on holding (a reload, a restart).
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

    /// Says when a member fell, and counts it if it stands inside.
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
