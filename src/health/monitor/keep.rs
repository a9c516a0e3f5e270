//! Over a restart: what is saved, and what is taken over from it.

use super::Monitor;
use super::watch::{Watch, clock_ms};
use crate::health::Moment;
use crate::health::condition::Verdict;
use crate::health::roster::Target;
use crate::health::saved::{Epoch, Saved};
use crate::health::verdict::Thresholds;
use std::collections::HashMap;

impl Monitor {
    /// Takes over what was saved before a restart, right after [`Monitor::new`]: kept verdicts stand until real
    /// results speak, and count as a result of the first round. None of it is a fall to the panic guard. Gives how
    /// many targets took it; the rest is unknown here, or too old.
    pub fn restore(&mut self, saved: &[Saved], now: Moment, now_epoch_secs: u64) -> usize {
        let index_of: HashMap<&str, usize> = self.roster.targets.iter().zip(0..).map(|(target, index)| (&*target.key, index)).collect();
        let epoch = Epoch::new(now, now_epoch_secs);
        let mut taken = 0;
        for saved in saved {
            let Some(&index) = index_of.get(&*saved.key) else { continue };
            let (target, watch) = (&self.roster.targets[index], &mut self.watches[index]);
            let Some(standing) = saved.standing() else { continue };
            if !saved.is_fresh(target.spec.every_ms, now_epoch_secs.saturating_mul(1000)) {
                continue;
            }
            watch.standing = standing.adapt(Thresholds::of(&target.spec));
            watch.since_ms = epoch.clock_ms(saved.since_epoch_ms).min(clock_ms(now));
            watch.seen_ms = Some(epoch.clock_ms(saved.seen_epoch_ms).min(clock_ms(now)));
            watch.awaited_until = None;
            taken += 1;
        }
        self.now = now;
        self.rebuild();
        taken
    }

    /// What is to be kept over a restart: every target with a verdict.
    pub fn save(&self, now: Moment, now_epoch_secs: u64) -> Vec<Saved> {
        let epoch = Epoch::new(now, now_epoch_secs);
        let keep = |(target, watch): (&Target, &Watch)| {
            let verdict = watch.standing.verdict();
            let limits = Thresholds::of(&target.spec);
            let standing = watch.standing.withdraw(limits);
            (verdict != Verdict::Unknown).then(|| Saved {
                key: target.key.clone(),
                verdict,
                failures: standing.failures(limits),
                successes: standing.successes(),
                seen_epoch_ms: epoch.stamp(watch.seen_ms.unwrap_or(watch.since_ms)),
                since_epoch_ms: epoch.stamp(watch.since_ms),
            })
        };
        self.roster.targets.iter().zip(&self.watches).filter_map(keep).collect()
    }
}
