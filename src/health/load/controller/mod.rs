//! Load controller: all feeds of one feed set, and the shed shares that answers see.
//!
//! The caller owns clock and sockets. It reads the feeds of [`LoadController::poll_due`], passes
//! every number to [`LoadController::handle_reading`], and after each turn takes
//! [`LoadController::poll_sheds`] and the events. Then it sleeps until
//! [`LoadController::next_wake`]. Moments never go back.

mod allocate;
mod feed;
mod reload;

use super::event::{LoadEvent, LoadSubject};
use super::feeds::{FeedId, FeedSet, FeedTarget};
use super::headroom::TakerId;
use super::quantize::{Wanted, follow_row};
use super::report::FeedReport;
use super::shed::GainChange;
use crate::health::Moment;
use crate::health::schedule::spread;
use crate::health::targets::SlotId;
use crate::limits::{
    HEALTH_EVENTS_MAX, LOAD_CAPACITIES_MAX, LOAD_FEEDS_AT_ONCE, LOAD_PUBLISH_MS, LOAD_READING_MS_MAX,
};
use feed::FeedState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Ticket of one reading of one feed. Never used twice, also not across feed sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedTicket(pub u64);

/// Feed to read now.
#[derive(Clone, Debug)]
pub struct DueFeed {
    /// Feed set of the index.
    pub(crate) feed_set: Arc<FeedSet>,
    /// Index of the feed.
    pub(crate) id: FeedId,
    /// Ticket for its number.
    pub ticket: FeedTicket,
}

impl DueFeed {
    /// Feed to read.
    pub fn feed(&self) -> &FeedTarget {
        &self.feed_set.feeds[self.id.index()]
    }

    /// Name of the feed's PoP.
    pub(crate) fn pop(&self) -> &Arc<str> {
        &self.feed_set.pops[self.feed().pop.index()]
    }

    /// Timeout of the reading in milliseconds; a later number is ignored.
    pub(crate) fn timeout_ms(&self) -> u64 {
        timeout_ms(self.feed())
    }
}

/// Shed share of a slot, in steps of 1/256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShedRow {
    /// Index of the slot.
    pub slot: SlotId,
    /// Share of cells that may be shed; more than 0.
    pub share: u16,
    /// Share of shed cells that each PoP accepts, in the order of the feed set.
    pub accept: Arc<[u16]>,
}

/// State of all feeds, for one feed set at a time.
#[derive(Clone, Debug)]
pub struct LoadController {
    feed_set: Arc<FeedSet>,
    feed_states: Vec<FeedState>,
    /// For each slot, the taker of load that is shed to it: the index of a feed, or a number beyond
    /// the feeds for a PoP without a feed.
    taker_of: Vec<TakerId>,
    /// For each PoP, true if it takes clients; others get no shed cells.
    serves: Vec<bool>,
    seed: u64,
    /// Feeds by the moment of their next reading.
    due: BTreeSet<(Moment, FeedId)>,
    /// Feeds by the moment of their next event without a number: a reading times out, the feed is
    /// lost, or its share decays.
    alarms: BTreeSet<(Moment, FeedId)>,
    flights: BTreeMap<FeedTicket, FeedId>,
    tickets: u64,
    /// Feeds with a step since shares were last published.
    stepped: BTreeSet<FeedId>,
    published_at: Option<Moment>,
    /// True if shares must be published although they did not change: after a reload or a restart.
    is_new: bool,
    events: VecDeque<LoadEvent>,
    lost_events: u64,
}

impl LoadController {
    /// Starts without readings. The seed is the node's: it spreads the readings of several nodes
    /// over time.
    pub fn new(feed_set: Arc<FeedSet>, seed: u64, now: Moment) -> LoadController {
        let feed_states = feed_set.feeds.iter().map(|_| FeedState::new(now)).collect();
        let mut loads = LoadController {
            serves: vec![true; feed_set.pops.len()],
            taker_of: reload::takers(&feed_set),
            feed_states,
            seed,
            due: BTreeSet::new(),
            alarms: BTreeSet::new(),
            flights: BTreeMap::new(),
            tickets: 0,
            stepped: BTreeSet::new(),
            published_at: None,
            is_new: false,
            events: VecDeque::new(),
            lost_events: 0,
            feed_set,
        };
        loads.arrange(now);
        loads
    }

    /// Next feed to read, if one is due. Its number must be passed in with the ticket; a missing
    /// number counts as a failure.
    pub fn poll_due(&mut self, now: Moment) -> Option<DueFeed> {
        self.advance(now);
        if self.flights.len() >= LOAD_FEEDS_AT_ONCE {
            return None;
        }
        let (moment, id) = *self.due.first().filter(|(moment, _)| *moment <= now)?;
        self.due.remove(&(moment, id));
        self.tickets += 1;
        let ticket = FeedTicket(self.tickets);
        self.flights.insert(ticket, id);
        let feed_state = &mut self.feed_states[id.index()];
        (feed_state.due, feed_state.flight) = (None, Some((ticket, now)));
        self.watch(id);
        Some(DueFeed { feed_set: self.feed_set.clone(), id, ticket })
    }

    /// Handles the number of a feed, or one short line with the reason of its failure. Returns
    /// `false` if it is not awaited: its feed is gone, or the reading was given up.
    pub fn handle_reading(
        &mut self,
        ticket: FeedTicket,
        reading: Result<f64, Arc<str>>,
        now: Moment,
    ) -> bool {
        self.advance(now);
        let Some(id) = self.flights.remove(&ticket) else { return false };
        self.land(id, now);
        // Operators see the error beside the feed.
        let _ = self.read(id, reading, now);
        true
    }

    /// Handles a pushed number, for the feed of a PoP's service or, without a service, of the whole
    /// PoP. The error is one short line, or `None` if there is no pushed feed.
    pub fn handle_push(
        &mut self,
        pop: &str,
        service: Option<&str>,
        value: f64,
        now: Moment,
    ) -> Result<(), Option<Arc<str>>> {
        self.advance(now);
        let is_meant = |feed: &FeedTarget| {
            feed.spec.feed.is_pushed()
                && feed.service.as_deref() == service
                && self.feed_set.pops.get(feed.pop.index()).is_some_and(|name| **name == *pop)
        };
        let Some(id) = self.feed_set.feeds.iter().position(is_meant) else { return Err(None) };
        self.read(FeedId::at(id), Ok(value), now).map_err(Some)
    }

    /// Sets which PoPs take clients now, in the order of the feed set, by health and overrides.
    /// Other PoPs get no shed cells.
    pub fn handle_service(&mut self, serves: &[bool]) {
        self.serves =
            (0..self.feed_set.pops.len()).map(|pop| serves.get(pop).copied().unwrap_or(true)).collect();
    }

    /// Returns the shed shares of all slots that shed if a published value has changed: at most
    /// once a second. Always returns them after a reload, since slots are renumbered.
    pub fn poll_sheds(&mut self, now: Moment) -> Option<Vec<ShedRow>> {
        self.advance(now);
        let may = self.published_at.is_none_or(|last| now.since_ms(last) >= LOAD_PUBLISH_MS);
        if self.is_new {
            self.is_new = false;
            return Some(self.sheds());
        }
        if self.stepped.is_empty() || !may {
            return None;
        }
        self.published_at = Some(now);
        let wanted = self.allocate(now);
        let mut changed = false;
        for id in std::mem::take(&mut self.stepped) {
            changed |= self.publish(id, wanted.get(&id).map(Vec::as_slice), now);
        }
        self.settle();
        changed.then(|| self.sheds())
    }

    /// Published shed shares of all slots that shed.
    pub fn sheds(&self) -> Vec<ShedRow> {
        let mut rows = Vec::new();
        for (feed, feed_state) in self
            .feed_set
            .feeds
            .iter()
            .zip(&self.feed_states)
            .filter(|(_, feed_state)| feed_state.published.share > 0)
        {
            let accept: Arc<[u16]> = feed_state.row.as_slice().into();
            rows.extend(feed.slots.iter().map(|slot| ShedRow {
                slot: *slot,
                share: feed_state.published.share,
                accept: accept.clone(),
            }));
        }
        rows.sort_by_key(|row| row.slot);
        rows
    }

    /// Next event, oldest first.
    pub fn poll_event(&mut self) -> Option<LoadEvent> {
        match self.events.pop_front() {
            None if self.lost_events > 0 => {
                Some(LoadEvent::Lost { events: std::mem::take(&mut self.lost_events) })
            }
            event => event,
        }
    }

    /// Moment of the next call if nothing happens before. It may be too early, never too late.
    pub fn next_wake(&self) -> Option<Moment> {
        let due = self.due.first().filter(|_| self.flights.len() < LOAD_FEEDS_AT_ONCE);
        let published = (!self.stepped.is_empty())
            .then(|| self.published_at.unwrap_or_default().after_ms(LOAD_PUBLISH_MS));
        [
            due.map(|due| due.0),
            self.alarms.first().map(|alarm| alarm.0),
            published,
            self.is_new.then(Moment::default),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Reports all feeds for operators, in the order of the feed set.
    pub(crate) fn report(&self, now: Moment) -> impl Iterator<Item = FeedReport<'_>> {
        self.feed_set.feeds.iter().zip(&self.feed_states).map(move |(feed, feed_state)| FeedReport {
            feed,
            pop: &self.feed_set.pops[feed.pop.index()],
            smoothed: feed_state.smoothed,
            share: feed_state.published.share,
            accept: self
                .feed_set
                .pops
                .iter()
                .zip(feed_state.row.iter().copied())
                .filter(|(_, accept)| *accept > 0)
                .collect(),
            is_stale: feed_state.is_lost,
            oscillates: feed_state.shedding.oscillates(),
            is_stuck: feed_state.is_stuck,
            last_error: feed_state.error.as_ref(),
            read_ago_ms: feed_state.read_at.map(|read_at| now.since_ms(read_at)),
        })
    }

    /// Current feed set.
    pub(crate) fn feed_set(&self) -> &Arc<FeedSet> {
        &self.feed_set
    }

    /// Handles the passage of time.
    fn advance(&mut self, now: Moment) {
        while let Some((moment, id)) = self.alarms.first().copied().filter(|(moment, _)| *moment <= now) {
            self.alarms.remove(&(moment, id));
            let (feed, feed_state) = (&self.feed_set.feeds[id.index()], &mut self.feed_states[id.index()]);
            feed_state.alarm = None;
            if let Some((ticket, began)) = feed_state.flight
                && now.since_ms(began) >= timeout_ms(feed)
            {
                self.flights.remove(&ticket);
                self.land(id, now);
                let _ = self.read(id, Err("no number in time".into()), now);
                continue;
            }
            if !feed_state.is_lost && feed_state.is_stale(feed, now) {
                let was_stuck = feed_state.is_stuck;
                feed_state.lose();
                let (subject, reason) = (LoadSubject::of(feed, &self.feed_set), feed_state.error.clone());
                if was_stuck {
                    self.emit(LoadEvent::HasRoom { subject: subject.clone() });
                }
                self.emit(LoadEvent::FeedLost { subject, reason });
            }
            let (feed, feed_state) = (&self.feed_set.feeds[id.index()], &mut self.feed_states[id.index()]);
            if feed_state.is_lost && feed_state.shedding.share() > 0.0 && now >= feed_state.next_decay(feed) {
                feed_state.shedding.decay();
                feed_state.stepped_at = Some(now);
                self.stepped.insert(id);
            }
            self.watch(id);
        }
    }

    /// Ends a reading and schedules the next.
    fn land(&mut self, id: FeedId, now: Moment) {
        let feed = &self.feed_set.feeds[id.index()];
        let every_ms = u64::from(feed.spec.every_ms.max(1));
        // Each feed keeps a grid of its own.
        let phase_ms = spread(self.seed, &feed.key) % every_ms;
        let due = Moment(
            (now.0.saturating_sub(phase_ms) / every_ms + 1).saturating_mul(every_ms).saturating_add(phase_ms),
        );
        let feed_state = &mut self.feed_states[id.index()];
        (feed_state.flight, feed_state.due) = (None, Some(due));
        self.due.insert((due, id));
        self.watch(id);
    }

    /// Handles a number, with a step of the rule if the last one is long enough ago. The error says
    /// why there is no number, or why it is refused.
    fn read(&mut self, id: FeedId, reading: Result<f64, Arc<str>>, now: Moment) -> Result<(), Arc<str>> {
        let feed_set = self.feed_set.clone();
        let feed = &feed_set.feeds[id.index()];
        let feed_state = &mut self.feed_states[id.index()];
        let value = reading.and_then(|value| plausible(value, feed));
        feed_state.error = value.as_ref().err().cloned();
        let value = value?;
        let was_lost = feed_state.note(feed, value, now);
        let was_stuck = feed_state.is_stuck;
        let turn = feed_state.may_step(feed, now).then(|| feed_state.step(feed, now));
        if let Some(turn) = turn {
            self.stepped.insert(id);
            self.note_room(id);
            self.emit_stuck(id, was_stuck);
            match turn {
                Some(GainChange::Oscillates) => {
                    self.emit(LoadEvent::Oscillates { subject: LoadSubject::of(feed, &feed_set) })
                }
                Some(GainChange::Calm) => {
                    self.emit(LoadEvent::Calm { subject: LoadSubject::of(feed, &feed_set) })
                }
                None => {}
            }
        }
        if was_lost {
            self.emit(LoadEvent::FeedBack { subject: LoadSubject::of(feed, &feed_set) });
        }
        self.watch(id);
        Ok(())
    }

    /// Reports that cells have no place, and the end of that.
    fn emit_stuck(&mut self, id: FeedId, was_stuck: bool) {
        let (feed, feed_state) = (&self.feed_set.feeds[id.index()], &self.feed_states[id.index()]);
        let subject = LoadSubject::of(feed, &self.feed_set);
        let utilisation = feed_state.utilisation(feed).unwrap_or(0.0);
        match (was_stuck, feed_state.is_stuck) {
            (false, true) => {
                self.emit(LoadEvent::NoRoom { subject, utilisation_percent: (utilisation * 100.0) as u32 })
            }
            (true, false) => self.emit(LoadEvent::HasRoom { subject }),
            _ => {}
        }
    }

    /// Publishes the share and the acceptances of one feed. True if they changed.
    fn publish(&mut self, id: FeedId, wanted: Option<&[Wanted]>, now: Moment) -> bool {
        let feed = &self.feed_set.feeds[id.index()];
        let feed_state = &mut self.feed_states[id.index()];
        let published = feed_state.published;
        let mut changed = feed_state.published.follow(feed_state.shedding.share());
        feed_state.note_share(feed, published, now);
        let before = published.share;
        let share = feed_state.published.share;
        if share == 0 {
            feed_state.row.clear();
        } else if let Some(wanted) = wanted {
            feed_state.row.resize(wanted.len(), 0);
            // If some shed cells have no place, a lower acceptance would send more cells back to
            // the overloaded PoP.
            let may_fall = share > before && !feed_state.is_short;
            let is_told = follow_row(&mut feed_state.row, wanted, may_fall);
            // A small rise while quiet does not end the quiet time.
            if is_told && !feed_state.is_quiet(feed, now, allocate::QUIET_TTLS) {
                feed_state.changed_at = now;
            }
            changed |= is_told;
        }
        let utilisation = feed_state.utilisation(feed).unwrap_or(0.0);
        if (before > 0) != (share > 0) {
            let subject = LoadSubject::of(feed, &self.feed_set);
            self.emit(match share > 0 {
                true => LoadEvent::Began { subject, utilisation_percent: (utilisation * 100.0) as u32 },
                false => LoadEvent::Ended { subject },
            });
        }
        changed
    }

    /// Sets the alarm of a feed again.
    fn watch(&mut self, id: FeedId) {
        let (feed, feed_state) = (&self.feed_set.feeds[id.index()], &mut self.feed_states[id.index()]);
        if let Some(alarm) = feed_state.alarm.take() {
            self.alarms.remove(&(alarm, id));
        }
        let flight = feed_state.flight.map(|(_, began)| began.after_ms(timeout_ms(feed)));
        let lost = (!feed_state.is_lost).then(|| feed_state.stale_at(feed));
        let decay =
            (feed_state.is_lost && feed_state.shedding.share() > 0.0).then(|| feed_state.next_decay(feed));
        feed_state.alarm = [flight, lost, decay].into_iter().flatten().min();
        self.alarms.extend(feed_state.alarm.map(|alarm| (alarm, id)));
    }

    /// Rebuilds due moments and alarms from the feed states. A new feed is due at once.
    fn arrange(&mut self, now: Moment) {
        (self.due, self.alarms) = (BTreeSet::new(), BTreeSet::new());
        for id in FeedId::in_order().take(self.feed_states.len()) {
            let feed_state = &mut self.feed_states[id.index()];
            feed_state.alarm = None;
            if !self.feed_set.feeds[id.index()].spec.feed.is_pushed() && feed_state.flight.is_none() {
                let due = *feed_state.due.get_or_insert(now);
                self.due.insert((due, id));
            }
            self.watch(id);
        }
    }

    fn emit(&mut self, event: LoadEvent) {
        match self.events.len() < HEALTH_EVENTS_MAX {
            true => self.events.push_back(event),
            false => self.lost_events += 1,
        }
    }
}

/// Timeout of a reading: the feed's period, but at most [`LOAD_READING_MS_MAX`].
fn timeout_ms(feed: &FeedTarget) -> u64 {
    u64::from(feed.spec.every_ms).clamp(1, LOAD_READING_MS_MAX)
}

/// Accepts a number that can be the load of a feed.
fn plausible(value: f64, feed: &FeedTarget) -> Result<f64, Arc<str>> {
    if !(0.0..).contains(&value) {
        return Err(format!("{value} is no load").into());
    }
    if value > LOAD_CAPACITIES_MAX * feed.capacity {
        let why = "is it in another unit?";
        return Err(format!("{value:e} is more than {LOAD_CAPACITIES_MAX} times the capacity: {why}").into());
    }
    Ok(value)
}
