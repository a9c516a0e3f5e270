//! Load in live state: load feeds, shed shares of PoPs, ramps of PoPs that come back, and the
//! alarms that stand.

use super::service::Service;
use super::{Now, SavedLoadAndRamps};
use crate::health::Moment;
use crate::health::load::event::{LoadEvent, LoadSubject};
use crate::health::load::report::FeedReport;
use crate::health::load::{LoadController, ShedRow};
use crate::health::ramp::{RampPop, Ramps};
use crate::impact::prediction::{FeedName, MeasuredLoad, MeasuredLoads};
use crate::shared::alarm::{Alarm, AlarmKey, AlarmOwner};
use crate::shared::event::Event;
use crate::snapshot::Snapshot;
use crate::steer::pop::{Pop, PopId};
use crate::steer::pop_status::{Share256, Shed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Load controller and ramps, with their results.
#[derive(Clone, Debug)]
pub(crate) struct LiveLoad {
    /// Load feeds, and the shares that their PoPs shed.
    pub(super) loads: LoadController,
    /// PoPs that come back.
    pub(super) ramps: Ramps,
    /// Shed share of each slot; empty while no slot sheds.
    pub(super) sheds: Vec<Shed>,
    /// Cells of each PoP that a ramp has not brought back.
    pub(super) left: Vec<Share256>,
    /// Alarms that stand.
    pub(super) alarms: BTreeMap<AlarmKey, Alarm>,
}

impl LiveLoad {
    /// Load of a snapshot, restored from `saved`.
    pub(super) fn new(snapshot: &Snapshot, saved: &SavedLoadAndRamps, now: Now) -> LiveLoad {
        let seed = crate::wire::hash::octets(snapshot.node_name().as_bytes());
        let mut loads = LoadController::new(Arc::clone(&snapshot.loads), seed, now.moment);
        loads.restore(&saved.loads, now.moment, now.epoch_secs);
        let mut ramps = Ramps::new(ramping(&snapshot.pops));
        ramps.restore(&saved.ramps, now.moment, now.epoch_secs);
        let left = vec![0; snapshot.pops.len()];
        let sheds = rows(snapshot, &loads.sheds());
        LiveLoad { loads, ramps, sheds, left, alarms: BTreeMap::new() }
    }

    /// Changes to other files; feeds and PoPs of both keep their state.
    pub(super) fn follow(&mut self, snapshot: &Snapshot, now: Moment) {
        if !Arc::ptr_eq(self.loads.feed_set(), &snapshot.loads) {
            self.loads.handle_targets(Arc::clone(&snapshot.loads), now);
        }
        self.ramps.handle_pops(ramping(&snapshot.pops));
        self.sheds = rows(snapshot, &self.loads.sheds());
    }

    /// Takes over which PoPs are up, and which are in service.
    pub(super) fn serve(&mut self, service: &Service, now: Moment) {
        self.loads.handle_service(&service.serves);
        for (pop, is_up) in PopId::in_order().zip(&service.is_up) {
            self.ramps.handle_verdict(pop, *is_up, now);
        }
    }

    /// Takes the shares of a moment. True if an answer may change.
    pub(super) fn step(&mut self, snapshot: &Snapshot, now: Moment) -> bool {
        let left: Vec<Share256> =
            (0..snapshot.pops.len()).map(|pop| self.ramps.left(PopId::at(pop), now)).collect();
        let mut has_moved = left != self.left;
        self.left = left;
        if let Some(sheds) = self.loads.poll_sheds(now) {
            let sheds = rows(snapshot, &sheds);
            has_moved |= sheds != self.sheds;
            self.sheds = sheds;
        }
        has_moved
    }

    /// Takes the events since the last call, oldest first, and raises or clears their alarms.
    pub(super) fn events(&mut self, now_epoch_secs: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.loads.poll_event() {
            let mut raise = |key: AlarmKey| {
                debug_assert_eq!(key.owner(), AlarmOwner::Load);
                let (sentence, since_epoch_secs) = (event.to_string(), now_epoch_secs);
                self.alarms.insert(key.clone(), Alarm { key, sentence, since_epoch_secs });
            };
            match &event {
                LoadEvent::FeedLost { subject, .. } => raise(AlarmKey::FeedLost(subject.clone())),
                LoadEvent::Oscillates { subject } => raise(AlarmKey::ShedOscillates(subject.clone())),
                LoadEvent::NoRoom { subject, .. } => raise(AlarmKey::NoRoom(subject.clone())),
                LoadEvent::FeedBack { subject } => {
                    self.alarms.remove(&AlarmKey::FeedLost(subject.clone()));
                }
                LoadEvent::Calm { subject } => {
                    self.alarms.remove(&AlarmKey::ShedOscillates(subject.clone()));
                }
                LoadEvent::HasRoom { subject } => {
                    self.alarms.remove(&AlarmKey::NoRoom(subject.clone()));
                }
                LoadEvent::Began { .. } | LoadEvent::Ended { .. } | LoadEvent::Lost { .. } => {}
            }
            events.push(Event::Load(event));
        }
        events
    }

    /// Alarms that stand. Events give their start; their end is read from the present feeds.
    pub(super) fn alarms(&mut self, now: Moment) -> Vec<Alarm> {
        let mut standing = BTreeSet::new();
        for report in self.loads.report(now) {
            let subject = LoadSubject::of(report.feed, self.loads.feed_set());
            standing.extend(report.is_stale.then(|| AlarmKey::FeedLost(subject.clone())));
            standing.extend(report.oscillates.then(|| AlarmKey::ShedOscillates(subject.clone())));
            standing.extend(report.is_stuck.then_some(AlarmKey::NoRoom(subject)));
        }
        self.alarms.retain(|key, _| standing.contains(key));
        self.alarms.values().cloned().collect()
    }

    /// Report on each feed, for operators.
    pub(super) fn report(&self, now: Moment) -> impl Iterator<Item = FeedReport<'_>> {
        self.loads.report(now)
    }

    /// Measured loads, of feeds that are not stale.
    pub(super) fn measured(&self, now: Moment) -> MeasuredLoads {
        let carried = self.report(now).filter(|report| !report.is_stale).filter_map(|report| {
            let feed = FeedName { pop: report.pop.clone(), service: report.feed.service.clone() };
            Some((feed, MeasuredLoad { load: report.smoothed?, capacity: report.feed.capacity }))
        });
        carried.collect()
    }

    /// State to save for a restart.
    pub(super) fn saved(&self, now: Now, reported_until: u64) -> SavedLoadAndRamps {
        // Sheds, ramped shares and alarms follow from feeds and ramps.
        let LiveLoad { loads, ramps, sheds: _, left: _, alarms: _ } = self;
        SavedLoadAndRamps {
            loads: loads.save(now.epoch_secs),
            ramps: ramps.save(now.moment, now.epoch_secs),
            reported_until: Some(reported_until),
        }
    }

    /// True if there is no load feed and no ramp.
    pub(super) fn is_idle(&self) -> bool {
        self.loads.feed_set().feeds.is_empty() && self.left.iter().all(|left| *left == 0)
    }
}

fn ramping(pops: &[Pop]) -> Vec<RampPop> {
    pops.iter().map(|pop| RampPop { name: pop.name.clone(), ramp_ms: u64::from(pop.ramp_ms) }).collect()
}

/// Shed entry of each slot; empty if no slot sheds.
fn rows(snapshot: &Snapshot, rows: &[ShedRow]) -> Vec<Shed> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut sheds = vec![Shed::default(); snapshot.steering.slots.len()];
    for row in rows {
        if let Some(shed) = sheds.get_mut(row.slot.index()) {
            *shed = Shed { share: row.share, accept: Arc::clone(&row.accept) };
        }
    }
    sheds
}
