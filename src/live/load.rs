//! Load in live state: values of load feeds, shed shares of PoPs, ramps of PoPs that come back, and
//! the alarms that stand.

use super::service::Service;
use super::{Now, SavedLoadAndRamps};
use crate::health::Moment;
use crate::health::load::event::{LoadEvent, LoadSubject};
use crate::health::load::report::FeedReport;
use crate::health::load::{LoadController, ShedRow};
use crate::health::ramp::{RampPop, Ramps};
use crate::impact::prediction::{FeedName, MeasuredLoad, MeasuredLoads};
use crate::shared::event::Event;
use crate::shared::operator_view::Alarm;
use crate::snapshot::Snapshot;
use crate::steer::pop::Pop;
use crate::steer::pop_status::{Share256, Shed};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Load and ramps with what they have come to.
#[derive(Clone, Debug)]
pub(crate) struct LiveLoad {
    /// Feeds and what they make PoPs shed.
    pub(super) loads: LoadController,
    /// PoPs that come back.
    pub(super) ramps: Ramps,
    /// What each slot sheds; empty while nothing is shed.
    pub(super) sheds: Vec<Shed>,
    /// Cells of each PoP that a ramp has not brought back.
    pub(super) left: Vec<Share256>,
    alarms: BTreeMap<String, Alarm>,
}

impl LiveLoad {
    /// Load of a snapshot, of which something may be remembered.
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

    /// Follows other files; feeds and PoPs of both keep their state.
    pub(super) fn follow(&mut self, snapshot: &Snapshot, now: Moment) {
        if !Arc::ptr_eq(self.loads.feed_set(), &snapshot.loads) {
            self.loads.handle_targets(Arc::clone(&snapshot.loads), now);
        }
        self.ramps.handle_pops(ramping(&snapshot.pops));
        self.sheds = rows(snapshot, &self.loads.sheds());
    }

    /// Hears who is up and who is in service.
    pub(super) fn serve(&mut self, service: &Service, now: Moment) {
        self.loads.handle_service(&service.serves);
        for (pop, is_up) in service.is_up.iter().enumerate() {
            self.ramps.handle_verdict(pop as u16, *is_up, now);
        }
    }

    /// Takes the shares of a moment; gives whether an answer would show a difference.
    pub(super) fn step(&mut self, snapshot: &Snapshot, now: Moment) -> bool {
        let left: Vec<Share256> =
            (0..snapshot.pops.len()).map(|pop| self.ramps.left(pop as u16, now)).collect();
        let mut has_moved = left != self.left;
        self.left = left;
        if let Some(sheds) = self.loads.poll_sheds(now) {
            let sheds = rows(snapshot, &sheds);
            has_moved |= sheds != self.sheds;
            self.sheds = sheds;
        }
        has_moved
    }

    /// What happened since the last call, oldest first.
    pub(super) fn events(&mut self, now_epoch_secs: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.loads.poll_event() {
            let alarm = || Alarm {
                sentence: event.to_string(),
                since_epoch_secs: now_epoch_secs,
                is_of_ledger: false,
            };
            match &event {
                LoadEvent::FeedLost { subject, .. } => {
                    drop(self.alarms.insert(format!("feed {subject}"), alarm()))
                }
                LoadEvent::FeedBack { subject } => drop(self.alarms.remove(&format!("feed {subject}"))),
                LoadEvent::Oscillates { subject } => {
                    drop(self.alarms.insert(format!("turns {subject}"), alarm()))
                }
                LoadEvent::Calm { subject } => drop(self.alarms.remove(&format!("turns {subject}"))),
                LoadEvent::NoRoom { subject, .. } => {
                    drop(self.alarms.insert(format!("full {subject}"), alarm()))
                }
                LoadEvent::HasRoom { subject } => drop(self.alarms.remove(&format!("full {subject}"))),
                LoadEvent::Began { .. } | LoadEvent::Ended { .. } | LoadEvent::Lost { .. } => {}
            }
            events.push(Event::Load(event));
        }
        events
    }

    /// Alarms that stand. Events say when they began; whether they stand is read from the feeds
    /// that there are.
    pub(super) fn alarms(&mut self, now: Moment) -> Vec<Alarm> {
        let mut standing = HashSet::new();
        for report in self.loads.report(now) {
            let subject = LoadSubject::of(report.feed, self.loads.feed_set());
            standing.extend(report.is_stale.then(|| format!("feed {subject}")));
            standing.extend(report.oscillates.then(|| format!("turns {subject}")));
            standing.extend(report.is_stuck.then(|| format!("full {subject}")));
        }
        self.alarms.retain(|about, _| standing.contains(about));
        self.alarms.values().cloned().collect()
    }

    /// Every feed for people.
    pub(super) fn report(&self, now: Moment) -> impl Iterator<Item = FeedReport<'_>> {
        self.loads.report(now)
    }

    /// What PoPs carry, where that is known.
    pub(super) fn measured(&self, now: Moment) -> MeasuredLoads {
        let carried = self.report(now).filter(|report| !report.is_stale).filter_map(|report| {
            let feed = FeedName { pop: report.pop.clone(), service: report.feed.service.clone() };
            Some((feed, MeasuredLoad { load: report.smoothed?, capacity: report.feed.capacity }))
        });
        carried.collect()
    }

    /// What is to be kept over a restart.
    pub(super) fn saved(&self, now: Now, told_until: u64) -> SavedLoadAndRamps {
        SavedLoadAndRamps {
            loads: self.loads.save(now.epoch_secs),
            ramps: self.ramps.save(now.moment, now.epoch_secs),
            told_until: Some(told_until),
        }
    }

    /// Whether there is anything to remember.
    pub(super) fn is_idle(&self) -> bool {
        self.loads.feed_set().feeds.is_empty() && self.left.iter().all(|left| *left == 0)
    }
}

fn ramping(pops: &[Pop]) -> Vec<RampPop> {
    pops.iter().map(|pop| RampPop { name: pop.name.clone(), ramp_ms: u64::from(pop.ramp_ms) }).collect()
}

/// One entry a slot; none at all where nothing is shed.
fn rows(snapshot: &Snapshot, rows: &[ShedRow]) -> Vec<Shed> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut sheds = vec![Shed::default(); snapshot.steering.slots.len()];
    for row in rows {
        if let Some(shed) = sheds.get_mut(row.slot as usize) {
            *shed = Shed { share: row.share, accept: Arc::clone(&row.accept) };
        }
    }
    sheds
}
