//! Health in live state: the monitor, its health state, and the alarms that stand.

use super::Now;
use crate::health::Moment;
use crate::health::event::{HealthEvent, TargetName};
use crate::health::health_state::HealthState;
use crate::health::monitor::Monitor;
use crate::health::saved::SavedHealth;
use crate::health::targets::TargetSet;
use crate::shared::event::Event;
use crate::shared::operator_view::Alarm;
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Key of the alarm about checks without a result.
const OWN_FAULT: &str = "own fault";

/// Key of the alarm about targets that flap.
const DAMPED: &str = "damped";

/// Monitor with its results.
#[derive(Clone, Debug)]
pub(crate) struct LiveHealth {
    /// Monitor of the target set in force.
    pub(super) monitor: Monitor,
    /// Health state for the target set in force.
    pub(super) health_state: HealthState,
    /// Alarms that stand, by subject.
    alarms: BTreeMap<String, Alarm>,
}

impl LiveHealth {
    /// Health of a target set, restored from `saved`. The name of the node seeds the schedule, so
    /// that the checks of a fleet spread over time.
    pub(super) fn new(target_set: Arc<TargetSet>, name: &str, saved: &SavedHealth, now: Now) -> LiveHealth {
        let seed = crate::wire::hash::octets(name.as_bytes());
        let mut monitor = Monitor::new(target_set, seed, now.moment);
        monitor.restore(saved, now.moment, now.epoch_secs);
        LiveHealth { monitor, health_state: HealthState::default(), alarms: BTreeMap::new() }
    }

    /// Changes to another target set; a target of both keeps its state.
    pub(super) fn follow(&mut self, target_set: &Arc<TargetSet>, now: Moment) {
        if !Arc::ptr_eq(target_set, self.monitor.target_set()) {
            self.monitor.handle_targets(Arc::clone(target_set), now);
        }
    }

    /// Takes the health state of a moment. True if an answer may change.
    pub(super) fn step(&mut self, now: Moment) -> bool {
        let mut has_turned = false;
        while let Some(health_state) = self.monitor.poll_health_state(now) {
            self.health_state = health_state;
            has_turned = true;
        }
        has_turned
    }

    /// Events since the last call, oldest first.
    pub(super) fn events(&mut self, now_epoch_secs: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.monitor.poll_event() {
            let alarm = || Alarm {
                sentence: event.to_string(),
                since_epoch_secs: now_epoch_secs,
                is_of_ledger: false,
            };
            match &event {
                HealthEvent::Frozen { family, .. } | HealthEvent::FreezeSpent { family, .. } => {
                    self.alarms.insert(format!("canaries {family}"), alarm());
                }
                HealthEvent::Thawed { family, .. } => drop(self.alarms.remove(&format!("canaries {family}"))),
                HealthEvent::Held { policy, .. } => {
                    drop(self.alarms.insert(format!("policy {policy}"), alarm()))
                }
                HealthEvent::Released { policy, .. } => drop(self.alarms.remove(&format!("policy {policy}"))),
                HealthEvent::OwnFault { .. } => drop(self.alarms.insert(OWN_FAULT.to_owned(), alarm())),
                HealthEvent::OwnFaultOver => drop(self.alarms.remove(OWN_FAULT)),
                HealthEvent::Turned { .. }
                | HealthEvent::Damped { .. }
                | HealthEvent::DampingOver { .. }
                | HealthEvent::Returning { .. }
                | HealthEvent::Returned { .. }
                | HealthEvent::Certificate { .. }
                | HealthEvent::Lost { .. } => {}
            }
            events.push(Event::Health(event));
        }
        events
    }

    /// Alarms that stand. Events give their start; their end is read from the present state,
    /// because events may be lost in a storm.
    pub(super) fn alarms(&mut self, snapshot: &Snapshot, now_epoch_secs: u64) -> Vec<Alarm> {
        let held = self.held(snapshot);
        for policy in &held {
            self.alarms.entry(format!("policy {policy}")).or_insert_with(|| Alarm {
                sentence: format!("policy {policy} keeps the state before: too many PoPs went down together"),
                since_epoch_secs: now_epoch_secs,
                is_of_ledger: false,
            });
        }
        let own_fault = self.monitor.own_fault().cloned();
        if let Some(why) = &own_fault {
            self.alarms.entry(OWN_FAULT.to_owned()).or_insert_with(|| Alarm {
                sentence: HealthEvent::OwnFault { why: why.clone() }.to_string(),
                since_epoch_secs: now_epoch_secs,
                is_of_ledger: false,
            });
        }
        let damped = self.damped_sentence();
        if let Some(sentence) = &damped {
            let alarm =
                Alarm { sentence: String::new(), since_epoch_secs: now_epoch_secs, is_of_ledger: false };
            self.alarms.entry(DAMPED.to_owned()).or_insert(alarm).sentence.clone_from(sentence);
        }
        let target_set = self.monitor.target_set();
        let has_canaries = |is_v4: bool| {
            let mut canaries =
                target_set.canaries.iter().filter_map(|canary| target_set.targets.get(*canary as usize));
            canaries.any(|canary| canary.address.is_ipv4() == is_v4)
        };
        let has = [has_canaries(true), has_canaries(false)];
        self.alarms.retain(|about, _| match about.strip_prefix("policy ") {
            Some(name) => held.iter().any(|policy| &**policy == name),
            None if about == OWN_FAULT => own_fault.is_some(),
            None if about == DAMPED => damped.is_some(),
            None => has[usize::from(about.ends_with("IPv6"))],
        });
        self.alarms.values().cloned().collect()
    }

    /// Sentence about targets that flap: one for all, because a broken path makes many flap.
    fn damped_sentence(&self) -> Option<String> {
        let mut damped = self.monitor.damped();
        let first = TargetName::of(damped.next()?);
        Some(match damped.count() {
            0 => format!("{first} flaps: it is a last resort until it is calm"),
            more => {
                format!("{first} and {more} more targets flap: they are last resorts until they are calm")
            }
        })
    }

    /// Policies with a pool on its way back, by name, each once.
    pub(super) fn returning(&self, snapshot: &Snapshot) -> Vec<Arc<str>> {
        let policies = self.health_state.returning.iter().map(|pool| pool.policy as usize);
        let mut names: Vec<Arc<str>> = policies
            .filter_map(|policy| Some(snapshot.steering.policies.get(policy)?.name.clone()))
            .collect();
        names.dedup();
        names
    }

    /// Policies that the panic guard holds, by name.
    pub(super) fn held(&self, snapshot: &Snapshot) -> Vec<Arc<str>> {
        let name =
            |(policy, _): &(u32, _)| snapshot.steering.policies.get(*policy as usize).map(|p| p.name.clone());
        self.health_state.held.iter().filter_map(name).collect()
    }
}
