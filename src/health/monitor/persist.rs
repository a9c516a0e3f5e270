//! Saved health: written while the server runs, restored after a restart.

use super::Monitor;
use super::target::WatchedTarget;
use crate::health::Moment;
use crate::health::guard::Hold;
use crate::health::health_state::Verdict;
use crate::health::saved::{
    Epoch, SavedFlap, SavedHealth, SavedHold, SavedRank, SavedReturn, SavedSlot, SavedTarget,
};
use crate::health::targets::{PolicyId, Target};
use crate::health::verdict::Thresholds;
use std::collections::HashMap;

impl Monitor {
    /// Restores saved health, right after [`Monitor::new`]. Saved verdicts stand until real results
    /// come, and count as results of the first round. For the panic guard they are no falls, except
    /// those of a saved hold, which continues for the rest of its time. Returns how many targets
    /// took a saved verdict; the others are unknown or too old.
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
                // The restart has not renewed the push.
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
            // No state before the restart is restored except the saved one.
            let hold = Hold { since_ms: epoch.clock_ms(saved.since_epoch_ms), from: now };
            // A start in the future is as invalid as one past the limit.
            if hold.since_ms <= now.clock_ms()
                && now.since_clock_ms(hold.since_ms) < u64::from(target_set.policies[policy].guard.hold_ms)
            {
                self.slot_table.resume(&target_set, PolicyId::at(policy), hold, &saved.down, now);
            }
        }
        for saved in &kept.returns {
            let policy = target_set.policies.iter().position(|policy| policy.name == saved.policy);
            let since_ms = epoch.clock_ms(saved.since_epoch_ms);
            if let Some(policy) = policy {
                self.slot_table.pools_mut().resume(&target_set, PolicyId::at(policy), saved, since_ms, now);
            }
        }
        taken
    }

    /// State to save for a restart: targets with a verdict, turns and dampings with their
    /// exemptions, holds, and pools on their way back.
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
        let hold = |(policy, hold, down): (PolicyId, Hold, Vec<SavedSlot>)| {
            let policy = self.target_set.policies[policy.index()].name.clone();
            SavedHold { policy, since_epoch_ms: epoch.stamp(hold.since_ms), down }
        };
        let way_back = |(policy, since_ms, slots): (PolicyId, i64, Vec<SavedRank>)| {
            let policy = self.target_set.policies[policy.index()].name.clone();
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
