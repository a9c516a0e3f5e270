//! One run: a fake clock, the node, probes and feeds of the world, and answers.

mod promises;
mod resolvers;
mod stir;

use crate::node::Node;
use crate::world::{Compiled, NAMES, NEAR, POPS, TIMEOUT_MS, TTL_SECS, TYPES, is_pushed};
use meridian::testing::answer::{self, Client, QueryContext as Draw, Transport};
use meridian::testing::health::Moment;
use meridian::testing::health::event::HealthEvent;
use meridian::testing::health::guard::Release;
use meridian::testing::health::load::{FeedTicket, ShedRow};
use meridian::testing::health::probe_result::ProbeResult;
use meridian::testing::health::schedule::Ticket;
use meridian::testing::health::targets::{SlotId, TargetId};
use meridian::testing::live::Now;
use meridian::testing::shared::command::LoadPush;
use meridian::testing::shared::event::Event;
use meridian::testing::snapshot::Digest;
use meridian::testing::steer::choose::Resort;
use promises::Watched;
use resolvers::Resolvers;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use support::dice::Dice;

/// The clock's grain, in milliseconds.
pub const TICK_MS: u64 = 250;
/// Readings are this old.
const LAG_SECS: usize = 15;
/// Somebody pushes a load so often, in seconds.
const PUSH_SECS: u64 = 10;

/// Who decides what is shed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The load controller.
    Integral,
    /// Full above the limit, no longer full below the target: what is usual elsewhere.
    OnOff,
}

/// How a feed fares.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FeedFate {
    Honest,
    Dead,
    /// It tells this many times the truth.
    Lies(f64),
}

/// A PoP of the world.
#[derive(Clone)]
pub struct Site {
    /// For each family, since when it is broken.
    pub broken_since: [Option<u64>; 2],
    pub feed: FeedFate,
    /// Load of each of the last seconds.
    past: VecDeque<f64>,
    pub load: f64,
    /// For the on/off control: a smoothed reading, and whether it is full.
    smoothed: Option<f64>,
    is_full: bool,
}

/// What a cell is answered; `None` for nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Answer {
    pub pop: Option<(u16, Resort)>,
    pub ttl_secs: u32,
}

/// Moves of one cell at one PoP: away from it, and to it.
pub type Moves = HashMap<(usize, u16), [u32; 2]>;

pub struct Run<'w> {
    seed: u64,
    pub dice: Dice,
    editions: [&'w Compiled; 2],
    pub edition: usize,
    control: Control,
    pub node: Node<'w>,
    watched: Watched,
    pub sites: Vec<Site>,
    /// For each family, since when this node's own network is cut.
    pub cut_since: [Option<u64>; 2],
    pub capacity: Vec<f64>,
    resolvers: Resolvers,
    probes: VecDeque<(u64, Ticket, TargetId, bool)>,
    feeds: VecDeque<(u64, FeedTicket, Result<f64, Arc<str>>)>,
    pub now_ms: u64,
    /// What the machines' clock shows when the world's shows 0; a restart begins it anew.
    zero_ms: u64,
    epoch_secs: u64,
    /// For each query, the answer of this publication.
    answers: Vec<Option<Answer>>,
    /// For each digest and query, which PoP answered, from 1; 255 for nothing.
    known: HashMap<Digest, Box<[u8]>>,
    known_now: (Digest, Box<[u8]>),
    /// Answers of `near` before this publication, for moves.
    before: Vec<Option<u16>>,
    pub moves: Moves,
    pub counts_moves: bool,
    story: Vec<String>,
    /// Overload in per cent of capacity, added up over seconds and PoPs.
    pub overload: f64,
    pub history: Vec<Vec<f32>>,
    pub last_over: u64,
    pub publications: u64,
    pub questions: u64,
}

impl<'w> Run<'w> {
    /// A world at 70 % of capacity: PoPs are built for what `near` brings them, and the quiet ones
    /// for the mean. `skew` is the error of "cells are equal in demand": half of them bring so much
    /// more, the others less.
    pub fn new(seed: u64, editions: [&'w Compiled; 2], control: Control, names: usize, skew: f64) -> Run<'w> {
        let mut dice = Dice(seed ^ 0x5eed);
        let world = editions[0];
        let (resolvers, capacity) = Resolvers::new(world, names, skew, &mut dice);
        let node = Node::new(world, &capacity);
        let site = Site {
            broken_since: [None; 2],
            feed: FeedFate::Honest,
            past: VecDeque::new(),
            load: 0.0,
            smoothed: None,
            is_full: false,
        };
        let queries = world.queries.len();
        Run {
            seed,
            editions,
            edition: 0,
            control,
            watched: Watched::new(world),
            known_now: (node.snapshot.digest(), vec![0; queries].into()),
            node,
            sites: vec![site; POPS],
            cut_since: [None; 2],
            capacity,
            resolvers,
            probes: VecDeque::new(),
            feeds: VecDeque::new(),
            now_ms: 0,
            zero_ms: 0,
            epoch_secs: 1_700_000_000,
            answers: vec![None; queries],
            known: HashMap::new(),
            before: vec![None; world.kind.cells],
            moves: HashMap::new(),
            counts_moves: false,
            story: vec![],
            overload: 0.0,
            history: vec![Vec::new(); POPS],
            last_over: 0,
            publications: 0,
            questions: 0,
            dice,
        }
    }

    fn clock(&self) -> Moment {
        Moment(self.now_ms - self.zero_ms)
    }

    /// The time by both.
    fn now(&self) -> Now {
        Now { moment: self.clock(), epoch_secs: self.epoch() }
    }

    /// The wall clock.
    fn epoch(&self) -> u64 {
        self.epoch_secs + self.now_ms / 1_000
    }

    pub fn tell(&mut self, what: impl Into<String>) {
        let line = format!("{:>7.2} s  {}", self.now_ms as f64 / 1000.0, what.into());
        self.story.push(line);
    }

    pub fn story(&self) -> String {
        self.story.join("\n")
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "\n{}\n{:>7.2} s  BROKEN: {what}\nrun it alone: MERIDIAN_SIM_SEED={} cargo test --test \
             simulation seeds -- --nocapture\n",
            self.story(),
            self.now_ms as f64 / 1000.0,
            self.seed
        );
    }

    fn world(&self) -> &'w Compiled {
        self.editions[self.edition]
    }

    /// One tick. Machines are only asked where something is due.
    pub fn tick(&mut self) {
        let (now, is_second) = (self.now(), self.now_ms.is_multiple_of(1_000));
        let has_results = [self.probes.front().map(|run| run.0), self.feeds.front().map(|run| run.0)];
        let is_due = self.node.live.next_wake(now) == Some(0);
        if is_due || is_second || has_results.into_iter().flatten().any(|at| at <= self.now_ms) {
            self.probe();
            self.read_feeds();
            self.look();
        }
        self.ask();
        if is_second {
            self.second();
        }
        self.now_ms += TICK_MS;
    }

    fn probe(&mut self) {
        let now = self.now();
        let mut has_heard = false;
        while self.probes.front().is_some_and(|(at, ..)| *at <= self.now_ms) {
            let (_, ticket, target, is_well) = self.probes.pop_front().unwrap();
            let outcome =
                if is_well { ProbeResult::well() } else { ProbeResult::failed("connection refused") };
            if self.node.live.handle_result(ticket, &outcome, now) {
                self.watched.targets[target.index()].plain.see(is_well);
                has_heard = true;
            }
        }
        // Of a family whose canaries speak, verdicts may turn without a result of the target.
        if has_heard {
            self.check_verdicts();
        }
        let mut has_begun = false;
        while let Some(due) = self.node.live.poll_check(now) {
            let target = &self.watched.targets[due.id.index()];
            let is_broken =
                target.pop.is_some_and(|pop| self.sites[pop].broken_since[target.family].is_some());
            let is_well = !is_broken && self.cut_since[target.family].is_none();
            // What is refused is refused at once, what hangs runs into the time-out.
            let takes_ms = if is_well || self.dice.once_in(2) { TICK_MS } else { TIMEOUT_MS };
            self.probes.push_back((self.now_ms + takes_ms, due.ticket, due.id, is_well));
            has_begun = true;
        }
        if has_begun {
            self.probes.make_contiguous().sort_by_key(|(at, ..)| *at);
        }
    }

    fn read_feeds(&mut self) {
        let now = self.now();
        while self.feeds.front().is_some_and(|(at, ..)| *at <= self.now_ms) {
            let (_, ticket, reading) = self.feeds.pop_front().unwrap();
            self.node.live.handle_reading(ticket, reading, now);
        }
        while let Some(due) = self.node.live.poll_feed(now) {
            let reading = self.reading(due.feed().pop.index());
            self.feeds.push_back((self.now_ms + TICK_MS, due.ticket, reading));
        }
    }

    /// What a PoP tells of its load.
    fn reading(&mut self, pop: usize) -> Result<f64, Arc<str>> {
        let site = &mut self.sites[pop];
        let truth = site.past.front().copied().unwrap_or(0.0);
        let value = match site.feed {
            FeedFate::Honest => truth,
            FeedFate::Lies(factor) => truth * factor,
            FeedFate::Dead => return Err("connection refused".into()),
        };
        let smoothed = site.smoothed.map_or(value, |before| before + (value - before) * 0.5);
        site.smoothed = Some(smoothed);
        let utilisation = smoothed / self.capacity[pop];
        site.is_full = utilisation > 0.95 || site.is_full && utilisation > 0.8;
        Ok(value)
    }

    /// The node's turn.
    fn look(&mut self) {
        let (now, is_on_off) = (self.now(), self.control == Control::OnOff);
        let mut is_new = self.node.look(now);
        if is_on_off {
            is_new |= self.switch();
        }
        self.hear();
        self.check_fallen();
        if is_new {
            self.swap();
        }
    }

    /// What machines tell.
    fn hear(&mut self) {
        for event in self.node.live.events(self.now()) {
            match &event {
                Event::Health(HealthEvent::Released { policy, release: Release::Expired, .. }) => {
                    self.watched.taken_over.insert(policy.clone(), self.now_ms);
                }
                Event::Health(HealthEvent::Turned { .. } | HealthEvent::Certificate { .. }) => continue,
                Event::Health(_) | Event::Load(_) => {}
                _ => continue,
            }
            self.tell(event.to_string());
        }
    }

    /// On and off by thresholds. Whether anything is another.
    fn switch(&mut self) -> bool {
        let full: Vec<u16> = (0..POPS as u16).filter(|pop| self.sites[usize::from(*pop)].is_full).collect();
        let accept: Arc<[u16]> =
            (0..POPS as u16).map(|pop| if full.contains(&pop) { 0 } else { 256 }).collect();
        let slots = &self.world().world.snapshot.steering.slots;
        let rows = slots.iter().zip(SlotId::in_order()).filter(|(slot, _)| full.contains(&slot.pop.0));
        let sheds: Vec<ShedRow> =
            rows.map(|(_, slot)| ShedRow { slot, share: 256, accept: accept.clone() }).collect();
        self.node.shed(sheds)
    }

    /// Everybody is answered by another status.
    fn swap(&mut self) {
        self.publications += 1;
        self.hear();
        let digest = self.node.snapshot.digest();
        if digest != self.known_now.0 {
            let next = self.known.remove(&digest).unwrap_or_else(|| vec![0; self.answers.len()].into());
            let (digest, before) = std::mem::replace(&mut self.known_now, (digest, next));
            self.known.insert(digest, before);
        }
        self.answers.fill(None);
        self.check_guards();
        self.check_left();
        if self.counts_moves {
            for cell in 0..self.world().kind.cells {
                let pop = self.answer(NEAR, 0, cell).pop.unwrap().0;
                if let Some(was) = self.before[cell].replace(pop).filter(|was| *was != pop) {
                    self.moves.entry((cell, was)).or_default()[0] += 1;
                    self.moves.entry((cell, pop)).or_default()[1] += 1;
                }
            }
        }
    }

    /// What a cell is answered now.
    fn answer(&mut self, name: usize, rtype: usize, cell: usize) -> Answer {
        let index = self.world().index(name, rtype, cell);
        if let Some(known) = self.answers[index] {
            return known;
        }
        self.questions += 1;
        let mut out = [0; 512];
        let client = Client { address: [192, 0, 2, 77].into(), transport: Transport::Udp };
        let outcome = answer::respond(
            &self.node.snapshot,
            &self.world().queries[index],
            &client,
            Draw { draw: self.questions, epoch_secs: 0 },
            &mut out,
        );
        let what = || format!("{} {} for cell {cell}", NAMES[name], TYPES[rtype]);
        if outcome.rcode.0 != 0 {
            self.fail(&format!("{} is refused: {outcome:?}", what()));
        }
        // Behind the question stands the owner as a pointer, type and class, TTL, length, address.
        let at = 12 + NAMES[name].len() + 1 + 4;
        let answer = match out[7] {
            0 => Answer { pop: None, ttl_secs: TTL_SECS },
            _ => {
                let ttl_secs = u32::from_be_bytes([out[at + 6], out[at + 7], out[at + 8], out[at + 9]]);
                let (pop, resort) = outcome.pop().unwrap();
                let number = pop.0 as u8;
                let wanted = match rtype {
                    0 => vec![203, 0, 113, number],
                    _ => vec![0x20, 1, 0xd, 0xb8, 0, 0xf, 0, 0, 0, 0, 0, 0, 0, 0, 0, number],
                };
                if !out[at + 12..].starts_with(&wanted) || out[7] != 1 || ttl_secs > TTL_SECS {
                    self.fail(&format!(
                        "{} with TTL {ttl_secs} is not of {pop:?}: {:?}",
                        what(),
                        &out[at..at + 28]
                    ));
                }
                Answer { pop: Some((pop.0, resort)), ttl_secs }
            }
        };
        let number = answer.pop.map_or(255, |(pop, _)| pop as u8 + 1);
        let known = std::mem::replace(&mut self.known_now.1[index], number);
        if known != 0 && known != number {
            self.fail(&format!("{}: {known} and {number} for one digest", what()));
        }
        self.check_answer(name, rtype, cell, answer);
        self.answers[index] = Some(answer);
        answer
    }

    /// Resolvers whose answer has ended ask again.
    fn ask(&mut self) {
        let due = self.resolvers.due(self.now_ms);
        if due.is_empty() {
            return;
        }
        if !self.node.live.is_first_round_over(self.now()) {
            // Nobody is answered yet: resolvers try again.
            return self.resolvers.wait(due, self.now_ms + 1_000);
        }
        for index in due {
            let (name, rtype, cell) = self.resolvers.question(index);
            let answer = self.answer(name, rtype, cell);
            let (demand, before) = self.resolvers.keep(index, answer, self.now_ms);
            if let Some(before) = before {
                self.sites[usize::from(before)].load -= demand;
            }
            if let Some((pop, _)) = answer.pop {
                self.sites[usize::from(pop)].load += demand;
            }
        }
    }

    fn second(&mut self) {
        for (pop, site) in self.sites.iter_mut().enumerate() {
            // Clients of a broken PoP get nothing there; it measures nothing.
            let load = if site.is_broken() { 0.0 } else { site.load.max(0.0) };
            site.past.push_back(load);
            if site.past.len() > LAG_SECS {
                site.past.pop_front();
            }
            let utilisation = load / self.capacity[pop];
            self.history[pop].push(utilisation as f32);
            if utilisation > 1.0 {
                self.overload += (utilisation - 1.0) * 100.0;
            }
            if utilisation > 0.95 {
                self.last_over = self.now_ms;
            }
        }
        if self.world().kind.has_ramps && (self.now_ms / 1_000).is_multiple_of(PUSH_SECS) {
            let (pops, now) = (self.world().pops, self.now());
            for pop in (0..pops).filter(|pop| is_pushed(*pop)) {
                if let Ok(value) = self.reading(pop) {
                    let push = LoadPush { pop: format!("p{pop:02}").into(), service: None, value };
                    let _ = self.node.live.handle_load_push(&push, now);
                }
            }
        }
        self.check_detection();
    }
}

impl Site {
    /// Whether nothing of it works.
    pub fn is_broken(&self) -> bool {
        self.broken_since.iter().all(Option::is_some)
    }
}
