//! What must hold at every moment of a run.

use super::{Answer, Run, TICK_MS};
use crate::plain::Plain;
use crate::world::{
    Compiled, DOWN_AFTER, EVERY_MS, NEAR, POPS, STRICT, TIMEOUT_MS, TYPES, UP_AFTER, has_v6, ramp_secs,
};
use meridian::testing::health::Moment;
use meridian::testing::health::health_state::Verdict;
use meridian::testing::health::monitor::Monitor;
use meridian::testing::health::targets::{ManualState, PolicyId, SlotId};
use meridian::testing::steer::choose::Resort;
use meridian::testing::steer::pop::{AdminState, PopId};
use meridian::testing::steer::pop_status::CandidateTier;
use std::collections::HashMap;
use std::sync::Arc;

/// PoPs of a preference list.
const DEPTH: usize = 8;

/// A target as the world knows it.
pub struct Target {
    key: Arc<str>,
    /// None for a canary.
    pub pop: Option<usize>,
    pub family: usize,
    pub plain: Plain,
    verdict: Verdict,
    /// When the verdict last turned.
    turned: Option<u64>,
}

/// What promises remember.
pub struct Watched {
    pub targets: Vec<Target>,
    /// For each policy, when its guard last took over what it had held.
    pub taken_over: HashMap<Arc<str>, u64>,
    held_since: HashMap<Arc<str>, u64>,
    /// For each policy, when it was last on its way back from all down.
    returned: HashMap<Arc<str>, u64>,
    /// How many PoPs count in each policy.
    counts: HashMap<Arc<str>, usize>,
    /// Who was out of each policy, by name, at the last look.
    out: HashMap<(Arc<str>, PopId), bool>,
    /// For each PoP, when all of it last went down while it served, and whether it is down, and
    /// awaited.
    fell: Vec<Option<u64>>,
    was: Vec<(bool, bool)>,
    /// For each PoP, before when nothing is promised of how soon a fault is seen.
    excused_until: Vec<u64>,
    /// For each PoP the cells that a ramp has not brought back, and since when it is up; none where
    /// a restart may have changed it.
    left: Vec<Option<(u16, u64)>>,
    was_frozen: [bool; 2],
}

impl Watched {
    pub fn new(world: &Compiled) -> Watched {
        let mut watched = Watched {
            targets: vec![],
            taken_over: HashMap::new(),
            held_since: HashMap::new(),
            returned: HashMap::new(),
            out: HashMap::new(),
            counts: HashMap::new(),
            fell: vec![None; POPS],
            was: vec![(false, true); POPS],
            excused_until: vec![0; POPS],
            left: vec![None; POPS],
            was_frozen: [false; 2],
        };
        watched.follow(world, 0);
        watched
    }

    /// Other files: what is known of a target goes with it.
    pub fn follow(&mut self, world: &Compiled, now_ms: u64) {
        let target_set = &world.world.snapshot.target_set;
        let mut known: HashMap<Arc<str>, Target> =
            self.targets.drain(..).map(|target| (target.key.clone(), target)).collect();
        let new = |target: &meridian::testing::health::targets::Target| Target {
            key: target.key.clone(),
            pop: target.pop.strip_prefix('p').and_then(|number| number.parse().ok()),
            family: usize::from(target.address.is_ipv6()),
            plain: Plain::default(),
            verdict: Verdict::Unknown,
            turned: None,
        };
        self.targets = target_set
            .targets
            .iter()
            .map(|target| known.remove(&target.key).unwrap_or_else(|| new(target)))
            .collect();
        for pop in world.pops..POPS {
            (self.fell[pop], self.was[pop], self.left[pop]) = (None, (false, true), None);
        }
        // What is new is cold, and is looked at quickly at first.
        let new: Vec<usize> = self
            .targets
            .iter()
            .filter(|target| target.verdict == Verdict::Unknown)
            .filter_map(|target| target.pop)
            .collect();
        new.into_iter().for_each(|pop| self.excuse(Some(pop), now_ms));
    }

    /// Nothing is promised of a PoP, or of all, until then.
    pub fn excuse(&mut self, pop: Option<usize>, until: u64) {
        for (_, excused) in
            self.excused_until.iter_mut().enumerate().filter(|(index, _)| pop.is_none_or(|pop| pop == *index))
        {
            *excused = until.max(*excused);
        }
    }

    /// Targets stand as they were remembered; none of it is a fall.
    pub fn restart(&mut self, monitor: &Monitor, now_ms: u64) {
        for (target, report) in self.targets.iter_mut().zip(monitor.targets(Moment(0))) {
            let is_up = match report.verdict {
                Verdict::Unknown => None,
                Verdict::Up => Some(true),
                Verdict::Down => Some(false),
            };
            target.plain = Plain { verdict: is_up, bad: report.failures, good: report.successes };
            (target.verdict, target.turned) = (report.verdict, None);
        }
        self.taken_over.clear();
        self.held_since.clear();
        self.out.clear();
        (self.fell, self.was, self.left) = (vec![None; POPS], vec![(false, true); POPS], vec![None; POPS]);
        self.was_frozen = [false; 2];
        self.excuse(None, now_ms + 60_000);
    }
}

impl Run<'_> {
    /// A target's verdict is the plain model's, and turns no faster than its damping allows. Where
    /// canaries have a say, it does not turn at all while they freeze it.
    pub(super) fn check_verdicts(&mut self) {
        let (has_canaries, frozen) = (self.world().kind.has_canaries, self.node.live.monitor().frozen());
        let mut told = Vec::new();
        let mut faults = Vec::new();
        for (target, report) in self
            .watched
            .targets
            .iter_mut()
            .zip(self.node.live.monitor().targets(Moment(self.now_ms - self.zero_ms)))
        {
            if !has_canaries && !target.plain.agrees(report.verdict) {
                faults.push(format!(
                    "{} is {:?}, the plain model says {:?}",
                    target.key, report.verdict, target.plain.verdict
                ));
            }
            if report.verdict == target.verdict {
                continue;
            }
            if self.watched.was_frozen[target.family] && frozen[target.family] {
                faults.push(format!("{} turned in a freeze", target.key));
            }
            // A canary is asked out of turn, so it may turn soon.
            if let Some(turned) = target.turned.filter(|_| target.pop.is_some()) {
                let needed = u64::from(if target.verdict == Verdict::Up { DOWN_AFTER } else { UP_AFTER } - 1)
                    * EVERY_MS;
                if self.now_ms - turned + TIMEOUT_MS < needed {
                    faults.push(format!("{} turned after {} ms", target.key, self.now_ms - turned));
                }
            }
            if let Some(pop) = target.pop {
                told.push(format!(
                    "p{pop:02} is {} in {}",
                    report.verdict.word(),
                    ["IPv4", "IPv6"][target.family]
                ));
            }
            // A first verdict is none that was turned to: a cold start is quicker.
            target.turned = (target.verdict != Verdict::Unknown).then_some(self.now_ms);
            target.verdict = report.verdict;
        }
        self.watched.was_frozen = frozen;
        told.into_iter().for_each(|line| self.tell(line));
        if let Some(fault) = faults.first() {
            self.fail(fault);
        }
    }

    /// Notes who went down, as far as probes say.
    pub(super) fn check_fallen(&mut self) {
        let slots = &self.world().world.snapshot.steering.slots;
        for (slot, health) in slots.iter().zip(&self.node.live.health_state().slots) {
            let pop = usize::from(slot.pop.0);
            let is_down = health.down_v4.count_ones() as usize == slot.v4.len()
                && health.down_v6.count_ones() as usize == slot.v6.len();
            let (was_down, was_awaited) =
                std::mem::replace(&mut self.watched.was[pop], (is_down, health.is_awaited));
            if is_down && !was_down && !was_awaited {
                self.watched.fell[pop] = Some(self.now_ms);
            }
        }
    }

    /// Never more than the panic share of a policy out by probes alone, unless the guard has held
    /// that for its time; and it holds no longer than that.
    pub(super) fn check_guards(&mut self) {
        let world = self.world();
        let target_set = &world.world.snapshot.target_set;
        let overridden = self.node.live.overridden(self.now());
        for (number, policy) in target_set.policies.iter().enumerate() {
            match self.node.live.health_state().held.iter().any(|(held, _)| held.index() == number) {
                false => drop(self.watched.held_since.remove(&policy.name)),
                true => {
                    let since = *self.watched.held_since.entry(policy.name.clone()).or_insert(self.now_ms);
                    if self.now_ms - since > u64::from(policy.guard.hold_ms) + 2 * TICK_MS {
                        self.fail(&format!("policy {} is held since {since} ms", policy.name));
                    }
                }
            }
            let view = self.node.snapshot.status.view(PolicyId::at(number));
            // Who falls on the way back did not serve by its verdict.
            let returned = self.watched.returned.get(&policy.name).copied();
            if self.node.live.health_state().returning.iter().any(|pool| pool.policy.index() == number) {
                self.watched.returned.insert(policy.name.clone(), self.now_ms);
            }
            let (window, taken_over) = (
                u64::from(policy.guard.window_ms),
                self.watched.taken_over.get(&policy.name).copied().max(returned.map(|at| at + TICK_MS)),
            );
            let members =
                policy.members.iter().filter(|(pop, _)| overridden[pop.index()] == ManualState::None);
            let is_out = |(pop, slot): &&(PopId, SlotId)| {
                let seen = view.slot(*slot);
                let fell = self.watched.fell[pop.index()]
                    .filter(|fell| self.now_ms - fell < window && Some(*fell) > taken_over);
                seen.up == 0 && seen.awaited == 0 && fell.is_some()
            };
            let out: Vec<PopId> = members.clone().filter(is_out).map(|(pop, _)| *pop).collect();
            // An override elsewhere leaves fewer to count, but takes nobody out.
            let mut has_new = false;
            for (pop, _) in &policy.members {
                let is_out = out.contains(pop);
                has_new |=
                    is_out && self.watched.out.insert((policy.name.clone(), *pop), is_out) != Some(true);
                if !is_out {
                    self.watched.out.remove(&(policy.name.clone(), *pop));
                }
            }
            // Nor does one that comes at the same moment, behind the judgement.
            let now_count = members.count();
            let count =
                self.watched.counts.insert(policy.name.clone(), now_count).unwrap_or(0).max(now_count);
            let is_guarded = count >= 3 && out.len() >= 2;
            if has_new && is_guarded && out.len() * 100 > count * usize::from(policy.guard.share_percent) {
                self.fail(&format!("policy {} loses {out:?} at once", policy.name));
            }
        }
    }

    /// A ramp brings cells back, never takes any away, and ends.
    pub(super) fn check_left(&mut self) {
        for pop in 0..self.world().pops {
            let (left, is_up) = (self.node.live.left()[pop], self.node.live.service().is_up[pop]);
            let before = self.watched.left[pop];
            if !is_up {
                self.watched.left[pop] = None;
                continue;
            }
            let since = before.map_or(self.now_ms, |(_, since)| since);
            if before.is_some_and(|(before, _)| left > before)
                || left > 0 && self.now_ms - since > ramp_secs(pop) * 1_000 + TICK_MS
            {
                self.fail(&format!(
                    "{left} of 256 cells of p{pop:02} are not back, up since {since} ms, {before:?}"
                ));
            }
            self.watched.left[pop] = Some((left, since));
        }
    }

    /// Nobody is answered who is switched off; the drained and those of weight 0 only as a last
    /// resort; nothing at all only where a policy says so. By distance, the answer is the plain
    /// model's.
    pub(super) fn check_answer(&self, name: usize, rtype: usize, cell: usize, answer: Answer) {
        let what = || format!("cell {cell} asks {} {}", crate::world::NAMES[name], TYPES[rtype]);
        let Some((pop, resort)) = answer.pop else {
            let (world, snapshot) = (self.world(), &self.node.snapshot);
            let number = world
                .world
                .snapshot
                .steering
                .policies
                .iter()
                .position(|policy| &*policy.name == "strict")
                .unwrap();
            let view = snapshot.status.view(PolicyId::at(number));
            let serves = |(pop, slot): &(PopId, SlotId)| {
                let seen = view.slot(*slot);
                seen.up | seen.awaited != 0 && snapshot.status.pop(*pop).state != AdminState::Down
            };
            if name != STRICT || world.world.snapshot.target_set.policies[number].members.iter().any(serves) {
                self.fail(&format!("{}, and is told nothing", what()));
            }
            return;
        };
        let status = self.node.snapshot.status.pop(PopId(pop));
        let is_last = status.state == AdminState::Drain || status.weight == 0;
        if status.state == AdminState::Down || is_last && resort == Resort::Regular {
            self.fail(&format!("{}, and is sent to p{pop:02}, which is off by hand, by {resort:?}", what()));
        }
        if name == NEAR {
            self.check_nearest(rtype, cell, pop, resort);
        }
    }

    /// The nearest that passes; for one type alone the next that has it; another only where that
    /// one sheds.
    fn check_nearest(&self, rtype: usize, cell: usize, pop: u16, resort: Resort) {
        let (world, status) = (self.world(), &self.node.snapshot.status);
        let steering = &self.node.snapshot.steering;
        let number = steering.policies.iter().position(|policy| &*policy.name == "near").unwrap();
        let table = &steering.policies[number];
        // All of its lists say the same of all down.
        let view = status.view(PolicyId::at(number)).of(&table.preference_lists[0]);
        // A list of the nearest, and behind it everybody as written.
        let order = || world.nearest[cell].iter().copied().take(DEPTH).chain(0..world.pops as u16);
        let families = |pop: u16, stage: Resort| {
            let seen = view.slot(table.slots[usize::from(pop)]);
            let standing = match stage {
                Resort::Regular | Resort::AsIfUp => CandidateTier::Regular,
                _ => CandidateTier::LastResort,
            };
            let stands = status.tier(
                PopId(pop),
                status.pop(PopId(pop)).weight,
                || world.keys[cell],
                steering.pops[usize::from(pop)].seed,
            );
            let is_last = standing == CandidateTier::LastResort;
            let stands_there = stands == Some(standing);
            match stands {
                None => 0,
                Some(_) if stage >= Resort::AsIfUp && stands_there => seen.has,
                Some(_) if stage >= Resort::AsIfUp => 0,
                Some(_) if stands_there && is_last => seen.last_resort,
                Some(_) if stands_there => seen.up,
                // In regular service, but it flaps.
                Some(CandidateTier::Regular) => seen.last_resort & !seen.up,
                Some(CandidateTier::LastResort) => 0,
            }
        };
        const STAGES: [Resort; 4] =
            [Resort::Regular, Resort::LastResort, Resort::AsIfUp, Resort::AsIfUpLastResort];
        let wanted = [meridian::testing::steer::table::V4, meridian::testing::steer::table::V6][rtype];
        let first_of = |stages: &[Resort], family: u8| {
            stages.iter().find_map(|stage| {
                order().find(|pop| families(*pop, *stage) & family != 0).map(|pop| (pop, *stage))
            })
        };
        // No check while a slot waits for its first verdict, as after a start, or after files that
        // add a PoP: such a slot follows another rule.
        if order().any(|pop| view.slot(table.slots[usize::from(pop)]).awaited != 0) {
            return;
        }
        let Some((best, stage)) = first_of(&STAGES, u8::MAX) else { return };
        let shed = status
            .shed(table.slots[usize::from(best)])
            .filter(|shed| stage == Resort::Regular && shed.share > 0);
        let expected = match families(best, stage) & wanted != 0 {
            true => (best, stage),
            false => {
                first_of(&STAGES[STAGES.iter().position(|other| *other == stage).unwrap()..], wanted).unwrap()
            }
        };
        if (pop, resort) == expected {
            return;
        }
        let is_handed = shed.is_some_and(|shed| {
            // To one that takes it, or for its type alone to one behind that.
            resort == Resort::Regular
                && families(pop, Resort::Regular) & wanted != 0
                && shed.accept.iter().any(|accept| *accept > 0)
        });
        if !is_handed {
            self.fail(&format!(
                "cell {cell} is sent to p{pop:02} by {resort:?}, but {} by {expected:?}",
                TYPES[rtype]
            ));
        }
    }

    /// What fails is out of the answers after the time of detection and one second, where nothing
    /// holds it and nobody forces it up.
    pub(super) fn check_detection(&mut self) {
        // A canary is asked out of turn, at most once a second, and may run into its time-out.
        let canary_ms = if self.world().kind.has_canaries { 2 * TIMEOUT_MS + 1_000 } else { 0 };
        let detection = EVERY_MS * u64::from(DOWN_AFTER) + TIMEOUT_MS + canary_ms;
        for pop in 0..self.world().pops {
            for family in 0..2 {
                let Some(since) = self.sites[pop].broken_since[family].filter(|_| family == 0 || has_v6(pop))
                else {
                    continue;
                };
                let begins = since.max(self.watched.excused_until[pop]);
                if self.now_ms < begins + detection + 1_000 + 2 * TICK_MS
                    || !self.node.live.health_state().held.is_empty()
                    || self.cut_since[family].is_some()
                {
                    continue;
                }
                let (name, cell) = (self.dice.below(4), self.dice.below(self.world().kind.cells));
                let is_forced = self.node.snapshot.status.pop(PopId(pop as u16)).state == AdminState::Up;
                if let Some((answered, resort)) = self.answer(name, family, cell).pop
                    && usize::from(answered) == pop
                    && !resort.ignores_probes()
                    && !is_forced
                {
                    self.fail(&format!(
                        "p{pop:02} is broken since {since} ms and still answered by {resort:?}"
                    ));
                }
            }
        }
    }
}
