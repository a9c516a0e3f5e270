//! Load control: values of load feeds, shed shares of PoPs, and ramps of PoPs that come back.
//!
//! [`LoadController`] and [`Ramps`] are pure; here they get a clock, a prober and a saved state.
//! The writer owns load control, as it owns health control.

use crate::health::Moment;
use crate::health::load::event::{LoadEvent, LoadSubject};
use crate::health::load::report::FeedReport;
use crate::health::load::saved::SavedLoad;
use crate::health::load::{FeedTicket, LoadController, ShedRow};
use crate::health::ramp::{RampPop, Ramps, SavedRamp};
use crate::probe::Prober;
use crate::probe::load::FeedRequest;
use crate::probe::runner;
use crate::server::probe_queue::ProbeQueue;
use crate::shared::event::Event;
use crate::shared::operator_view::Alarm;
use crate::shared::prediction::{FeedName, MeasuredLoad};
use crate::snapshot::Snapshot;
use crate::state::remembered::SavedLoadAndRamps;
use crate::steer::pop::Pop;
use crate::steer::status::{Share256, Shed};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

type Answer = (u64, Result<f64, Arc<str>>);

/// What feeds tell, for predictions, which are made on other threads.
pub(crate) type Scales = Arc<Mutex<HashMap<FeedName, MeasuredLoad>>>;

/// Load and ramps at work.
pub(crate) struct LoadControl {
    loads: LoadController,
    ramps: Ramps,
    probe_queue: ProbeQueue<FeedRequest, Answer>,
    /// What each slot sheds; empty while nothing is shed.
    sheds: Vec<Shed>,
    /// Cells of each PoP that a ramp has not brought back.
    left: Vec<Share256>,
    alarms: BTreeMap<String, Alarm>,
    scales: Scales,
}

impl LoadControl {
    /// Begins to read the feeds of a snapshot. Must run inside a Tokio runtime.
    pub(crate) fn begin(
        snapshot: &Snapshot,
        saved: &SavedLoadAndRamps,
        now_epoch_secs: u64,
        prober: Arc<Prober>,
        stop: CancellationToken,
    ) -> LoadControl {
        let seed = crate::wire::hash::octets(snapshot.node_name().as_bytes());
        let mut loads = LoadController::new(Arc::clone(&snapshot.loads), seed, Moment(0));
        loads.restore(&saved.loads, Moment(0), now_epoch_secs);
        let mut ramps = Ramps::new(ramping(&snapshot.pops));
        ramps.restore(&saved.ramps, Moment(0), now_epoch_secs);
        let probe_queue = ProbeQueue::begin(|work, tell| {
            let done = move |ticket, reading| drop(tell.send((ticket, reading)));
            runner::read(prober, work, done, stop)
        });
        let mut load_control = LoadControl {
            loads,
            ramps,
            probe_queue,
            sheds: Vec::new(),
            left: vec![0; snapshot.pops.len()],
            alarms: BTreeMap::new(),
            scales: Scales::default(),
        };
        load_control.sheds = rows(snapshot, &load_control.loads.sheds());
        load_control
    }

    fn now(&self) -> Moment {
        self.probe_queue.now()
    }

    /// Waits for readings, or for the moment at which something is due. Safe to drop midway.
    pub(crate) async fn wait(&mut self) {
        let wake = self.loads.next_wake().into_iter().chain(self.ramps.next_wake(self.now())).min();
        if let Some(answer) = self.probe_queue.wait(wake).await {
            self.take(answer);
        }
    }

    fn take(&mut self, (ticket, reading): Answer) {
        let now = self.now();
        self.loads.handle_reading(FeedTicket(ticket), reading, now);
    }

    /// Follows a snapshot, of whose PoPs `is_up` tells who is not down by probes, and `serves` who
    /// takes regular clients.
    pub(crate) fn handle_pops(&mut self, snapshot: &Snapshot, is_up: &[bool], serves: &[bool]) {
        let now = self.now();
        if !Arc::ptr_eq(self.loads.feed_set(), &snapshot.loads) {
            self.loads.handle_targets(Arc::clone(&snapshot.loads), now);
            self.ramps.handle_pops(ramping(&snapshot.pops));
        }
        self.loads.handle_service(serves);
        for (pop, is_up) in is_up.iter().enumerate() {
            self.ramps.handle_verdict(pop as u16, *is_up, now);
        }
    }

    /// Takes results and hands out what is due, for the snapshot that it follows. Gives whether an
    /// answer would show a difference.
    pub(crate) fn poll(&mut self, snapshot: &Snapshot) -> bool {
        while let Some(answer) = self.probe_queue.result() {
            self.take(answer);
        }
        let now = self.now();
        let mut changed = false;
        let left: Vec<Share256> =
            (0..snapshot.pops.len()).map(|pop| self.ramps.left(pop as u16, now)).collect();
        if left != self.left {
            self.left = left;
            changed = true;
        }
        while self.probe_queue.has_room() {
            let Some(due) = self.loads.poll_due(now) else { break };
            let reading = FeedRequest {
                ticket: due.ticket.0,
                pop: due.pop().clone(),
                service: due.feed().service.clone(),
                spec: Arc::clone(&due.feed().spec),
                timeout_ms: u32::try_from(due.timeout_ms()).unwrap_or(u32::MAX),
            };
            self.probe_queue.hand_out(reading);
        }
        if let Some(sheds) = self.loads.poll_sheds(now) {
            let sheds = rows(snapshot, &sheds);
            changed |= sheds != self.sheds;
            self.sheds = sheds;
        }
        changed
    }

    /// What each slot sheds, for a status.
    pub(crate) fn sheds(&self) -> &[Shed] {
        &self.sheds
    }

    /// Cells of each PoP that a ramp has not brought back.
    pub(crate) fn left(&self) -> &[Share256] {
        &self.left
    }

    /// A load that somebody pushes; `false` if no feed waits for it.
    pub(crate) fn handle_push(&mut self, pop: &str, service: Option<&str>, value: f64) -> bool {
        let now = self.now();
        self.loads.handle_push(pop, service, value, now)
    }

    /// What happened since the last call, oldest first.
    pub(crate) fn events(&mut self, now_epoch_secs: u64) -> Vec<Event> {
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
                LoadEvent::Began { .. } | LoadEvent::Ended { .. } | LoadEvent::Lost { .. } => {}
            }
            events.push(Event::Load(event));
        }
        events
    }

    /// Alarms that stand. Events say when they began; whether they stand is read from the feeds
    /// that there are.
    pub(crate) fn alarms(&mut self) -> Vec<Alarm> {
        let mut standing = HashSet::new();
        for report in self.loads.report(self.probe_queue.now()) {
            let subject = LoadSubject::of(report.feed, self.loads.feed_set());
            standing.extend(report.is_stale.then(|| format!("feed {subject}")));
            standing.extend(report.oscillates.then(|| format!("turns {subject}")));
        }
        self.alarms.retain(|about, _| standing.contains(about));
        self.alarms.values().cloned().collect()
    }

    /// Every feed for people.
    pub(crate) fn report(&self) -> impl Iterator<Item = FeedReport<'_>> {
        self.loads.report(self.now())
    }

    /// Where predictions read what PoPs carry.
    pub(crate) fn scales(&self) -> Scales {
        Arc::clone(&self.scales)
    }

    /// Notes what PoPs carry, for predictions.
    pub(crate) fn weigh(&self) {
        let carried = self.report().filter(|report| !report.is_stale).filter_map(|report| {
            let meter = (report.pop.clone(), report.feed.service.clone());
            Some((meter, MeasuredLoad { load: report.smoothed?, capacity: report.feed.capacity }))
        });
        *self.scales.lock().unwrap_or_else(PoisonError::into_inner) = carried.collect();
    }

    /// What is to be kept over a restart, as lines.
    pub(crate) fn saved_lines(&self, now_epoch_secs: u64) -> Vec<String> {
        let loads = self.loads.save(now_epoch_secs);
        let ramps = self.ramps.save(self.now(), now_epoch_secs);
        loads.iter().map(SavedLoad::to_line).chain(ramps.iter().map(SavedRamp::to_line)).collect()
    }

    /// Whether there is anything to remember.
    pub(crate) fn is_idle(&self) -> bool {
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
