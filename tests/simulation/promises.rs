//! What must hold at every moment of a run.

use super::{DEPTH, Run, TICK_MS};
use crate::world::{DOWN_AFTER, EVERY_MS, NEAR, POPS, TIMEOUT_MS, UP_AFTER};
use meridian::snapshot::Snapshot;
use meridian::steer::choose::Resort;

impl Run<'_> {
    /// A target's verdict is the plain model's, and turns no faster than its damping allows.
    pub(super) fn check_verdict(&mut self, target: usize) {
        let verdict = self.monitor.targets(self.clock()).nth(target).unwrap().verdict;
        if !self.plain[target].agrees(verdict) {
            self.fail(&format!("target {target} is {verdict:?}, the plain model says {:?}", self.plain[target].verdict));
        }
        let pop = usize::from(self.world().roster.slots[target].pop);
        let is_up = self.plain[target].verdict;
        let site = &self.sites[pop];
        if is_up != site.was_up {
            if let (Some(turned), Some(was_up)) = (site.turned, site.was_up) {
                let needed = u64::from(if was_up { DOWN_AFTER } else { UP_AFTER } - 1) * EVERY_MS;
                if self.now_ms - turned + TIMEOUT_MS < needed {
                    self.fail(&format!("p{pop:02} turned after {} ms", self.now_ms - turned));
                }
            }
            self.tell(format!("p{pop:02} is {}", if is_up == Some(true) { "up" } else { "down" }));
            let now_ms = self.now_ms;
            let site = &mut self.sites[pop];
            (site.turned, site.was_up) = (site.was_up.and(Some(now_ms)).or(Some(now_ms)), is_up);
        }
    }

    /// Never more than the panic share of a policy out by probes alone, unless the guard has held that for its time.
    pub(super) fn check_guard(&mut self) {
        for (policy, roster) in self.world().roster.policies.iter().enumerate() {
            let view = self.snapshot.status.view(policy as u32);
            let out: Vec<u16> = roster.members.iter().filter(|(_, slot)| view.slot(*slot).up == 0).map(|(pop, _)| *pop).collect();
            let window = u64::from(roster.guard.window_ms);
            // What a guard holds is a state of before, of which this was asked then.
            let is_held = self.picture.held.iter().any(|(held, _)| *held as usize == policy);
            if is_held || self.released_ms.is_some_and(|released| self.now_ms - released < window) {
                continue;
            }
            let fresh = out.iter().filter(|pop| {
                let site = &self.sites[usize::from(**pop)];
                // What has no verdict yet is awaited, not taken out.
                let turned = site.turned.filter(|_| site.was_up == Some(false));
                turned.is_some_and(|turned| self.now_ms - turned < window && self.now_ms >= site.excused_until)
            });
            if fresh.clone().count() * 100 > roster.members.len() * usize::from(roster.guard.share_percent) {
                self.fail(&format!("policy {} loses {out:?} at once", roster.name));
            }
        }
    }

    /// By distance: the nearest that is up; another one only where that one sheds and this one accepts.
    pub(super) fn check_choice(&self, name: usize, cell: usize, pop: u16, resort: Resort) {
        if name != NEAR {
            return;
        }
        let (status, view) = (&self.snapshot.status, self.snapshot.status.view(policy_of(&self.snapshot, "near")));
        let slot = |pop: u16| self.snapshot.steering.slots.iter().position(|slot| slot.pop.0 == pop).unwrap() as u32;
        let is_up = |pop: u16| view.slot(slot(pop)).up != 0;
        // A list of the nearest, and behind it everybody as written.
        let nearest = &self.world().nearest[cell];
        match nearest.iter().copied().take(DEPTH).chain(0..POPS as u16).find(|pop| is_up(*pop)) {
            None if !resort.ignores_probes() || pop != nearest[0] => {
                self.fail(&format!("all are down, and cell {cell} is sent to p{pop:02} by {resort:?}"))
            }
            Some(first) if first != pop => {
                let shed = status.shed(slot(first)).is_some_and(|shed| shed.share > 0 && shed.accept[usize::from(pop)] > 0);
                if !shed || !is_up(pop) {
                    self.fail(&format!("cell {cell} is sent to p{pop:02}, p{first:02} is nearer and up"));
                }
            }
            _ => {}
        }
    }

    /// What fails is out of the answers after the time of detection and one second, where nothing holds it.
    pub(super) fn check_detection(&mut self) {
        let detection = EVERY_MS * u64::from(DOWN_AFTER) + TIMEOUT_MS;
        for pop in 0..POPS {
            let site = &self.sites[pop];
            let Some(since) = site.broken_since else { continue };
            if self.now_ms < since.max(site.excused_until) + detection + 1_000 + TICK_MS || !self.picture.held.is_empty() {
                continue;
            }
            let cell = self.dice.below(self.world().nearest.len());
            let (answered, resort, _) = self.answer(NEAR, cell);
            if usize::from(answered) == pop && !resort.ignores_probes() {
                self.fail(&format!("p{pop:02} is broken since {since} ms and still answered"));
            }
        }
    }
}

fn policy_of(snapshot: &Snapshot, name: &str) -> u32 {
    snapshot.steering.policies.iter().position(|policy| *policy.name == *name).unwrap() as u32
}
