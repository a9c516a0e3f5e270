//! Saved health: written while the server runs, restored after a restart.

use super::Monitor;
use super::target::WatchedTarget;
use crate::health::Moment;
use crate::health::guard::Hold;
use crate::health::health_state::Verdict;
use crate::health::saved::{
    Epoch, SavedFlap, SavedHealth, SavedHold, SavedRank, SavedReturn, SavedSlot, SavedTarget,
};
use crate::health::targets::Target;
use crate::health::verdict::Thresholds;
use std::collections::HashMap;

impl Monitor {
    /// Takes over what was saved before a restart, right after [`Monitor::new`]: kept verdicts
    /// stand until real results speak, and count as a result of the first round. None of it is a
    /// fall to the panic guard, but for what it held already: that it goes on holding for the rest
    /// of its time. Gives how many targets took their verdict; the rest is unknown here, or too
    /// old.
    pub fn restore(&mut self, kept: &SavedHealth, now: Moment, now_epoch_secs: u64) -> usize {
        let index_of: HashMap<&str, usize> =
            self.target_set.targets.iter().zip(0..).map(|(target, index)| (&*target.key, index)).collect();
        let epoch = Epoch::new(now, now_epoch_secs);
        let mut taken = 0;
        for saved in &kept.targets {
            let Some(&index) = index_of.get(&*saved.key) else { continue };
            let (target, watch) = (&self.target_set.targets[index], &mut self.watched[index]);
            let Some(verdict_state) = saved.verdict_state() else { continue };
            if !saved.is_fresh(&target.spec, now_epoch_secs.saturating_mul(1000)) {
                continue;
            }
            watch.verdict_state = verdict_state.adapt(Thresholds::of(&target.spec));
            watch.since_ms = epoch.clock_ms(saved.since_epoch_ms).min(now.clock_ms());
            watch.seen_ms = Some(epoch.clock_ms(saved.seen_epoch_ms).min(now.clock_ms()));
            watch.awaited_until = None;
            if let Some(ttl_ms) = target.spec.check.push_ttl_ms() {
                // The restart has not made it younger.
                let due_ms = epoch.clock_ms(saved.seen_epoch_ms).saturating_add(i64::from(ttl_ms));
                watch.push_due = Some(now.max(Moment(u64::try_from(due_ms).unwrap_or(0))));
            }
            taken += 1;
        }
        for saved in &kept.flaps {
            if let Some(&index) = index_of.get(&*saved.key) {
                let flap = &mut self.watched[index].flap;
                *flap = saved.flap(epoch, now);
                flap.adapt(self.target_set.targets[index].spec.flap);
            }
        }
        self.now = now;
        self.rebuild();
        self.restore_spared(&kept.spared);
        let target_set = self.target_set.clone();
        for saved in &kept.holds {
            let Some(policy) = target_set.policies.iter().position(|policy| policy.name == saved.policy)
            else {
                continue;
            };
            // To before the restart nothing goes back but what is saved.
            let hold = Hold { since_ms: epoch.clock_ms(saved.since_epoch_ms), from: now };
            // A stamp of the future is as wrong as one that is over.
            if hold.since_ms <= now.clock_ms()
                && now.since_clock_ms(hold.since_ms) < u64::from(target_set.policies[policy].guard.hold_ms)
            {
                self.slot_table.resume(&target_set, policy, hold, &saved.down, now);
            }
        }
        for saved in &kept.returns {
            let policy = target_set.policies.iter().position(|policy| policy.name == saved.policy);
            let since_ms = epoch.clock_ms(saved.since_epoch_ms);
            if let Some(policy) = policy {
                self.slot_table.pools_mut().resume(&target_set, policy as u32, saved, since_ms, now);
            }
        }
        taken
    }

    /// What is to be kept over a restart: every target with a verdict, and every hold.
    pub fn save(&self, now: Moment, now_epoch_secs: u64) -> SavedHealth {
        let epoch = Epoch::new(now, now_epoch_secs);
        let keep = |(target, watch): (&Target, &WatchedTarget)| {
            let verdict = watch.verdict_state.verdict();
            let limits = Thresholds::of(&target.spec);
            let verdict_state = watch.verdict_state.withdraw(limits);
            (verdict != Verdict::Unknown).then(|| SavedTarget {
                key: target.key.clone(),
                verdict,
                failures: verdict_state.failures(limits),
                successes: verdict_state.successes(),
                seen_epoch_ms: epoch.stamp(watch.seen_ms.unwrap_or(watch.since_ms)),
                since_epoch_ms: epoch.stamp(watch.since_ms),
            })
        };
        let hold = |(policy, hold, down): (u32, Hold, Vec<SavedSlot>)| {
            let policy = self.target_set.policies[policy as usize].name.clone();
            SavedHold { policy, since_epoch_ms: epoch.stamp(hold.since_ms), down }
        };
        let way_back = |(policy, since_ms, slots): (u32, i64, Vec<SavedRank>)| {
            let policy = self.target_set.policies[policy as usize].name.clone();
            SavedReturn { policy, since_epoch_ms: epoch.stamp(since_ms), slots }
        };
        let flap =
            |(target, watch): (&Target, &WatchedTarget)| SavedFlap::of(&target.key, &watch.flap, epoch);
        SavedHealth {
            spared: self.saved_spared(),
            flaps: self.target_set.targets.iter().zip(&self.watched).filter_map(flap).collect(),
            targets: self.target_set.targets.iter().zip(&self.watched).filter_map(keep).collect(),
            holds: self.slot_table.holds(&self.target_set).map(hold).collect(),
            returns: self.slot_table.pools().returns(&self.target_set).map(way_back).collect(),
        }
    }
}
