//! Health in live state: the monitor, its health state, and the alarms that stand.

use super::Now;
use crate::health::Moment;
use crate::health::canary::IpFamily;
use crate::health::event::{HealthEvent, TargetName};
use crate::health::health_state::HealthState;
use crate::health::monitor::Monitor;
use crate::health::saved::SavedHealth;
use crate::health::targets::TargetSet;
use crate::shared::alarm::{Alarm, AlarmKey, HealthAlarm};
use crate::shared::event::Event;
use crate::snapshot::Snapshot;
use crate::steer::policy::PolicyId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Monitor with its results.
#[derive(Clone, Debug)]
pub(crate) struct LiveHealth {
    /// Monitor of the target set in force.
    pub(super) monitor: Monitor,
    /// Health state for the target set in force.
    pub(super) health_state: HealthState,
    /// Alarms that stand.
    pub(super) alarms: BTreeMap<HealthAlarm, Alarm>,
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
            match &event {
                HealthEvent::Frozen { family, .. } | HealthEvent::FreezeSpent { family, .. } => {
                    self.raise(HealthAlarm::CanariesFail(*family), event.to_string(), now_epoch_secs);
                }
                HealthEvent::Thawed { family, .. } => self.end(&HealthAlarm::CanariesFail(*family)),
                HealthEvent::Held { policy, .. } => {
                    self.raise(HealthAlarm::PolicyHeld(policy.clone()), event.to_string(), now_epoch_secs);
                }
                HealthEvent::Released { policy, .. } => self.end(&HealthAlarm::PolicyHeld(policy.clone())),
                HealthEvent::OwnFault { .. } => {
                    self.raise(HealthAlarm::NoResults, event.to_string(), now_epoch_secs);
                }
                HealthEvent::OwnFaultOver => self.end(&HealthAlarm::NoResults),
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

    /// Raises an alarm, also where one of the same cause stands.
    fn raise(&mut self, cause: HealthAlarm, sentence: String, since_epoch_secs: u64) {
        let key = AlarmKey::Health(cause.clone());
        self.alarms.insert(cause, Alarm { key, sentence, since_epoch_secs });
    }

    fn end(&mut self, cause: &HealthAlarm) {
        self.alarms.remove(cause);
    }

    /// The alarm of a cause that stands, raised now if its event was lost.
    fn standing(&mut self, cause: HealthAlarm, sentence: &str, now_epoch_secs: u64) -> &mut Alarm {
        let key = AlarmKey::Health(cause.clone());
        let alarm = || Alarm { key, sentence: sentence.to_owned(), since_epoch_secs: now_epoch_secs };
        self.alarms.entry(cause).or_insert_with(alarm)
    }

    /// Alarms that stand. Events give the time at which an alarm began. The present state decides
    /// if an alarm stands, because events may be lost if there are very many at once.
    pub(super) fn alarms(&mut self, snapshot: &Snapshot, now_epoch_secs: u64) -> Vec<Alarm> {
        let held = self.held(snapshot);
        for policy in &held {
            let sentence =
                format!("policy {policy} keeps the state before: too many PoPs went down together");
            self.standing(HealthAlarm::PolicyHeld(policy.clone()), &sentence, now_epoch_secs);
        }
        let own_fault = self.monitor.own_fault().cloned();
        if let Some(why) = &own_fault {
            let sentence = HealthEvent::OwnFault { why: why.clone() }.to_string();
            self.standing(HealthAlarm::NoResults, &sentence, now_epoch_secs);
        }
        let damped = self.damped_sentence();
        if let Some(sentence) = &damped {
            let alarm = self.standing(HealthAlarm::TargetsFlap, sentence, now_epoch_secs);
            alarm.sentence.clone_from(sentence);
        }
        let target_set = self.monitor.target_set();
        let has_canaries = |family: IpFamily| {
            let mut canaries =
                target_set.canaries.iter().filter_map(|canary| target_set.targets.get(canary.index()));
            canaries.any(|canary| canary.address.is_ipv4() == (family == IpFamily::V4))
        };
        self.alarms.retain(|key, _| match key {
            HealthAlarm::CanariesFail(family) => has_canaries(*family),
            HealthAlarm::TargetsFlap => damped.is_some(),
            HealthAlarm::NoResults => own_fault.is_some(),
            HealthAlarm::PolicyHeld(policy) => held.contains(policy),
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
        let policies = self.health_state.returning.iter().map(|pool| pool.policy.index());
        let mut names: Vec<Arc<str>> = policies
            .filter_map(|policy| Some(snapshot.steering.policies.get(policy)?.name.clone()))
            .collect();
        names.dedup();
        names
    }

    /// Policies that the panic guard holds, by name.
    pub(super) fn held(&self, snapshot: &Snapshot) -> Vec<Arc<str>> {
        let name = |(policy, _): &(PolicyId, _)| {
            snapshot.steering.policies.get(policy.index()).map(|p| p.name.clone())
        };
        self.health_state.held.iter().filter_map(name).collect()
    }
}
