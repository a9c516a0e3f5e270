//! Overrides in force: the ledger, and the progress that was reported.
//!
//! The overrides in force depend on the ledger and the wall clock alone. An entry that has ended
//! stays in the ledger without effect until the next change is saved. So a clock that is set back
//! has the same effect on a running node as on a restarted one.

use crate::health::targets::ManualState;
use crate::shared::event::Event;
use crate::snapshot::Snapshot;
use crate::steer::ledger::{Effective, Ledger, Override};
use crate::steer::pop::{AdminState, Pop};
use std::collections::{BTreeMap, BTreeSet};

/// Overrides of a running server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    ledger: Ledger,
    /// For each planned or gradual entry, its last reported quarter; `None` before its start.
    reported: BTreeMap<u64, Option<u8>>,
    /// Entries whose end was reported.
    ended: BTreeSet<u64>,
}

impl Overrides {
    /// Overrides of a ledger; all progress up to `reported_until` counts as reported.
    pub(crate) fn new(ledger: Ledger, reported_until: u64) -> Overrides {
        let mut overrides = Overrides { ledger, ..Overrides::default() };
        overrides.reported = overrides
            .quarters(reported_until)
            .into_iter()
            .map(|(entry, quarter)| (entry.id, quarter))
            .collect();
        overrides.ended = overrides.ended_at(reported_until).map(|entry| entry.id).collect();
        overrides
    }

    fn ended_at(&self, now: u64) -> impl Iterator<Item = &Override> {
        self.ledger.entries().iter().filter(move |entry| entry.has_ended(now))
    }

    /// True if the clock alone ends an entry, or changes its effect.
    pub(crate) fn are_timed(&self) -> bool {
        self.ledger
            .entries()
            .iter()
            .any(|entry| entry.until_epoch_secs.is_some() || entry.transition.end() > 0)
    }

    /// Ledger in force.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Replaces the ledger.
    pub(crate) fn keep(&mut self, ledger: Ledger) {
        self.ledger = ledger;
    }

    /// Operators' decision about each PoP, by override or in the file. The panic guard leaves out
    /// PoPs with a decision.
    pub(crate) fn overridden(&self, pops: &[Pop], now: u64) -> Vec<ManualState> {
        let of = |is: &Effective| match is.state {
            AdminState::Up => ManualState::Up,
            AdminState::Down => ManualState::Down,
            AdminState::Drain => ManualState::Moved,
            AdminState::Auto if is.state_by.is_some() => ManualState::Moved,
            AdminState::Auto => ManualState::None,
        };
        self.ledger.effective(pops, now).iter().map(of).collect()
    }

    /// Events of overrides that the clock caused since the last call: planned entries that began,
    /// gradual entries that passed a quarter or are complete, and all entries that ended. An entry
    /// that begins as it is set has no event for its start, because the command was reported.
    pub(crate) fn progress(&mut self, now: u64) -> Vec<Event> {
        let (mut reported, mut events) = (BTreeMap::new(), Vec::new());
        for (entry, quarter) in self.quarters(now) {
            let is_plan = entry.transition.start_epoch_secs > entry.set_epoch_secs;
            let before =
                self.reported.get(&entry.id).copied().unwrap_or(if is_plan { None } else { Some(0) });
            // After a clock was set back, nothing is reported twice.
            let quarter = quarter.max(before);
            reported.insert(entry.id, quarter);
            if quarter > before && (entry.transition.over_secs > 0 || before.is_none()) {
                // An entry that is complete at its start is reported as begun.
                let is_whole = quarter == Some(4) && entry.transition.over_secs > 0;
                let percent = if is_whole {
                    100
                } else if before.is_none() {
                    0
                } else {
                    quarter.unwrap_or(0) * 25
                };
                events.push(Event::OverrideProgress { entry: entry.clone(), percent });
            }
        }
        self.reported = reported;
        let mut ended = BTreeSet::new();
        for entry in self.ended_at(now) {
            ended.insert(entry.id);
            if !self.ended.contains(&entry.id) {
                events.push(Event::OverrideExpired { entry: entry.clone() });
            }
        }
        self.ended = ended;
        events
    }

    /// Planned or gradual entries that have not ended, with their quarter.
    fn quarters(&self, now: u64) -> Vec<(&Override, Option<u8>)> {
        let gradual = self.ledger.entries().iter();
        let gradual = gradual.filter(|entry| entry.transition.end() > 0 && !entry.has_ended(now));
        gradual
            .map(|entry| {
                (
                    entry,
                    if entry.is_planned(now) {
                        None
                    } else {
                        entry.transition.quarter(now.max(entry.transition.start_epoch_secs))
                    },
                )
            })
            .collect()
    }
}

/// Longest TTL of steered records, in seconds, of any policy, rule or owner. This long before a
/// planned change, TTLs are at their minimum.
pub(crate) fn ahead_secs(snapshot: &Snapshot) -> u32 {
    let of_policies = snapshot.policies.iter().map(|scoped| &scoped.policy);
    let ttls =
        of_policies.flat_map(|policy| policy.rules.iter().filter_map(|rule| rule.ttl).chain([policy.ttl]));
    ttls.map(|ttl| ttl.max_secs).max().unwrap_or(0).max(snapshot.zones.owner_ttl_max_secs())
}
