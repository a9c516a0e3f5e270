//! Health control: the health monitor with its clock, its prober, and the saved health of the last
//! run.
//!
//! ```text
//!            work (ticket, target)                 result
//!  monitor ───────────────────────▶ prober task ──────────▶ monitor ──▶ health state ──▶ writer
//!     ▲ moments since the start                                └──▶ events ──▶ log
//!     └── state/health: what was known before the restart
//! ```
//!
//! It belongs to the writer, so that a verdict and a reload never publish at once.

use crate::health::Moment;
use crate::health::event::HealthEvent;
use crate::health::health_state::HealthState;
use crate::health::monitor::Monitor;
use crate::health::probe_result::ProbeResult;
use crate::health::saved::SavedHealth;
use crate::health::schedule::Ticket;
use crate::health::targets::TargetSet;
use crate::probe::{Prober, runner};
use crate::server::probe_queue::ProbeQueue;
use crate::shared::event::Event;
use crate::shared::operator_view::Alarm;
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Key of the alarm of checks without a result.
const OWN_FAULT: &str = "own fault";

/// The monitor at work.
pub(crate) struct HealthControl {
    monitor: Monitor,
    probe_queue: ProbeQueue<runner::Work, (u64, ProbeResult)>,
    health_state: HealthState,
    /// Alarms that stand, by what they are about.
    alarms: BTreeMap<String, Alarm>,
}

impl HealthControl {
    /// Starts health control. `name` is the node's: it spreads the checks of a fleet over time.
    /// Must run inside a Tokio runtime.
    pub(crate) fn begin(
        target_set: Arc<TargetSet>,
        name: &str,
        kept: &SavedHealth,
        now_epoch_secs: u64,
        prober: Arc<Prober>,
        stop: CancellationToken,
    ) -> HealthControl {
        let seed = crate::wire::hash::octets(name.as_bytes());
        let mut monitor = Monitor::new(target_set, seed, Moment(0));
        monitor.restore(kept, Moment(0), now_epoch_secs);
        let probe_queue = ProbeQueue::begin(|work, tell| {
            let done = move |ticket, probe_result| drop(tell.send((ticket, probe_result)));
            runner::run(prober, work, done, stop)
        });
        HealthControl { monitor, probe_queue, health_state: HealthState::default(), alarms: BTreeMap::new() }
    }

    /// Milliseconds since health control started.
    pub(crate) fn now(&self) -> Moment {
        self.probe_queue.now()
    }

    /// Waits for results, or for the moment at which something is due. Safe to drop midway: nothing
    /// is lost.
    pub(crate) async fn wait(&mut self) {
        if let Some((ticket, probe_result)) = self.probe_queue.wait(self.monitor.next_wake()).await {
            self.take(ticket, &probe_result);
        }
    }

    fn take(&mut self, ticket: u64, probe_result: &ProbeResult) {
        let now = self.now();
        self.monitor.handle_result(Ticket(ticket), probe_result, now);
    }

    /// Takes every result, starts due checks, and gives the new health state if an answer would
    /// show it.
    pub(crate) fn poll(&mut self) -> Option<&HealthState> {
        while let Some((ticket, probe_result)) = self.probe_queue.result() {
            self.take(ticket, &probe_result);
        }
        let now = self.now();
        while self.probe_queue.has_room() {
            let Some(due) = self.monitor.poll_due(now) else { break };
            self.probe_queue.hand_out((due.ticket.0, due.target().clone()));
        }
        let health_state = self.monitor.poll_health_state(now)?;
        self.health_state = health_state;
        Some(&self.health_state)
    }

    /// Health state now, for the target set in force.
    pub(crate) fn health_state(&self) -> &HealthState {
        &self.health_state
    }

    /// Follows another target set; a target of both keeps its state. The caller must hand over the
    /// overrides next, because an overridden PoP must never count in a guard. The new health state
    /// follows from both.
    pub(crate) fn follow(&mut self, target_set: &Arc<TargetSet>) {
        if !Arc::ptr_eq(target_set, self.monitor.target_set()) {
            let now = self.now();
            self.monitor.handle_targets(Arc::clone(target_set), now);
        }
    }

    /// Sets which PoPs have an override, in the order of the target set. The health state shows the
    /// guards' decision at once.
    pub(crate) fn handle_overrides(&mut self, overridden: &[bool]) {
        self.monitor.handle_overrides(overridden);
        let now = self.now();
        if let Some(health_state) = self.monitor.poll_health_state(now) {
            self.health_state = health_state;
        }
    }

    /// A pushed result; gives how many targets took it.
    pub(crate) fn handle_push(
        &mut self,
        probe: &str,
        pop: &str,
        service: &str,
        address: Option<IpAddr>,
        probe_result: &ProbeResult,
    ) -> usize {
        let now = self.now();
        self.monitor.handle_push(probe, pop, service, address, probe_result, now)
    }

    /// Whether every target has a verdict, or the first answer has waited long enough.
    pub(crate) fn is_first_round_over(&self) -> bool {
        self.monitor.is_first_round_over(self.now())
    }

    /// What happened since the last call, oldest first.
    pub(crate) fn events(&mut self, now_epoch_secs: u64) -> Vec<Event> {
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
                HealthEvent::Turned { .. } | HealthEvent::Certificate { .. } | HealthEvent::Lost { .. } => {}
            }
            events.push(Event::Health(event));
        }
        events
    }

    /// Alarms that stand. Events say when they began; whether they stand is read from what is,
    /// since events may be lost in a storm of them.
    pub(crate) fn alarms(&mut self, snapshot: &Snapshot, now_epoch_secs: u64) -> Vec<Alarm> {
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
            None => has[usize::from(about.ends_with("IPv6"))],
        });
        self.alarms.values().cloned().collect()
    }

    /// Policies that the panic guard holds, by name.
    pub(crate) fn held(&self, snapshot: &Snapshot) -> Vec<Arc<str>> {
        let name =
            |(policy, _): &(u32, _)| snapshot.steering.policies.get(*policy as usize).map(|p| p.name.clone());
        self.health_state.held.iter().filter_map(name).collect()
    }

    /// Whether anything is watched at all.
    pub(crate) fn has_targets(&self) -> bool {
        !self.monitor.target_set().targets.is_empty()
    }

    /// The monitor, for those who show it.
    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// What is to be kept over a restart.
    pub(crate) fn saved(&self, now_epoch_secs: u64) -> SavedHealth {
        self.monitor.save(self.now(), now_epoch_secs)
    }
}
