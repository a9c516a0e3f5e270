//! One run: a fake clock, the real machines, resolvers that cache, and what must hold at every moment.

#[path = "promises.rs"]
mod promises;

use crate::dice::Dice;
use crate::plain::Plain;
use crate::world::{Compiled, NAMES, NEAR, POPS, TIMEOUT_MS};
use meridian::answer::{self, Client, Moment as Draw, Transport};
use meridian::health::Moment;
use meridian::health::condition::Picture;
use meridian::health::event::HealthEvent;
use meridian::health::load::{FeedTicket, Loads, ShedRow};
use meridian::health::monitor::Monitor;
use meridian::health::outcome::Outcome;
use meridian::health::schedule::Ticket;
use meridian::snapshot::{Digest, Snapshot};
use meridian::steer::choose::Resort;
use meridian::steer::status::{PopStatus, Shed, Status};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// The clock's grain, in milliseconds.
pub const TICK_MS: u64 = 250;
/// Readings are this old.
const LAG_SECS: usize = 15;
/// PoPs of a preference list.
const DEPTH: usize = 8;
/// Resolvers in all.
const RESOLVERS: usize = 2_000;

/// Who decides what is shed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The machine of load.
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

struct Resolver {
    cell: usize,
    name: usize,
    demand: f64,
    /// Keeps answers ten times longer than it may.
    is_slow: bool,
    pop: Option<u16>,
}

/// A PoP of the world.
#[derive(Clone)]
pub struct Site {
    pub broken_since: Option<u64>,
    pub feed: FeedFate,
    /// Load of each of the last seconds.
    past: VecDeque<f64>,
    pub load: f64,
    /// When its verdict last turned, and how it was then.
    turned: Option<u64>,
    was_up: Option<bool>,
    /// When the panic guard or a restart last had a say.
    excused_until: u64,
    /// For the on/off control: a smoothed reading, and whether it is full.
    smoothed: Option<f64>,
    is_full: bool,
}

/// Moves of one cell at one PoP: away from it, and to it.
pub type Moves = HashMap<(usize, u16), [u32; 2]>;

pub struct Run<'w> {
    seed: u64,
    pub dice: Dice,
    editions: [&'w Compiled; 2],
    pub edition: usize,
    control: Control,
    monitor: Monitor,
    loads: Loads,
    snapshot: Arc<Snapshot>,
    picture: Picture,
    sheds: Vec<ShedRow>,
    plain: Vec<Plain>,
    pub sites: Vec<Site>,
    pub capacity: Vec<f64>,
    resolvers: Vec<Resolver>,
    wheel: Vec<Vec<u32>>,
    probes: VecDeque<(u64, Ticket, u32, bool)>,
    feeds: VecDeque<(u64, FeedTicket, Result<f64, Arc<str>>)>,
    pub now_ms: u64,
    /// What the machines' clock shows when the world's shows 0; a restart begins it anew.
    zero_ms: u64,
    epoch_secs: u64,
    /// For each name and cell, the answer of this publication: PoP and TTL.
    answers: Vec<Option<(u16, Resort, u32)>>,
    known: HashMap<(Digest, usize, usize), [u8; 4]>,
    /// Answers of `near` before this publication, for moves.
    before: Vec<Option<u16>>,
    pub moves: Moves,
    pub counts_moves: bool,
    /// When a guard last took over what it had held.
    released_ms: Option<u64>,
    story: Vec<String>,
    /// Overload in per cent of capacity, added up over seconds and PoPs.
    pub overload: f64,
    pub history: Vec<Vec<f32>>,
    pub last_over: u64,
    pub publications: u32,
    pub questions: u64,
}

impl<'w> Run<'w> {
    /// A world at 70 % of capacity: PoPs are built for what `near` brings them, and the quiet ones for the mean. `skew`
    /// is the error of "cells are equal in demand": half of them bring so much more, the others less.
    pub fn new(seed: u64, editions: [&'w Compiled; 2], control: Control, names: usize, skew: f64) -> Run<'w> {
        let mut dice = Dice(seed ^ 0x5eed);
        let world = editions[0];
        let (roster, snapshot) = (world.roster.clone(), world.world.snapshot.clone());
        let mut capacity = vec![0.0; POPS];
        let mut resolvers = Vec::new();
        let resolvers_each = RESOLVERS / world.nearest.len();
        let cells = world.nearest.len();
        for cell in 0..cells {
            let owner = usize::from(world.nearest[cell][0]);
            for _ in 0..resolvers_each {
                let name = if names == 1 { NEAR } else { dice.below(names) };
                let is_more = crate::dice::Dice(cell as u64).once_in(2);
                let demand = (0.5 + dice.between(0.0, 1.0)) * if is_more { 1.0 + skew } else { 1.0 - skew };
                capacity[owner] += demand / 0.7;
                resolvers.push(Resolver { cell, name, demand, is_slow: dice.below(100) < 9, pop: None });
            }
        }
        let mean = capacity.iter().sum::<f64>() / POPS as f64;
        capacity.iter_mut().for_each(|capacity| *capacity = capacity.max(mean / 2.0));
        let site = Site {
            broken_since: None,
            feed: FeedFate::Honest,
            past: VecDeque::new(),
            load: 0.0,
            turned: None,
            was_up: None,
            excused_until: 0,
            smoothed: None,
            is_full: false,
        };
        let wheel_len = 4 * 1_024;
        let mut run = Run {
            seed,
            editions,
            edition: 0,
            control,
            plain: vec![Plain::default(); roster.targets.len()],
            monitor: Monitor::new(roster.clone(), seed, Moment(0)),
            loads: Loads::new(world.loads(&capacity), seed, Moment(0)),
            picture: Picture { slots: vec![Default::default(); roster.slots.len()], held: vec![] },
            sheds: vec![],
            snapshot,
            sites: vec![site; POPS],
            capacity,
            wheel: vec![Vec::new(); wheel_len],
            probes: VecDeque::new(),
            feeds: VecDeque::new(),
            now_ms: 0,
            zero_ms: 0,
            epoch_secs: 1_700_000_000,
            answers: vec![None; NAMES.len() * cells],
            known: HashMap::new(),
            before: vec![None; cells],
            moves: HashMap::new(),
            counts_moves: false,
            released_ms: None,
            story: vec![],
            overload: 0.0,
            history: vec![Vec::new(); POPS],
            last_over: 0,
            publications: 0,
            questions: 0,
            dice,
            resolvers,
        };
        for resolver in 0..run.resolvers.len() as u32 {
            let first = run.dice.below(30 * 4);
            run.wheel[first].push(resolver);
        }
        run
    }

    fn clock(&self) -> Moment {
        Moment(self.now_ms - self.zero_ms)
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
            "\n{}\n{:>7.2} s  BROKEN: {what}\nrun it alone: MERIDIAN_SIM_SEED={} cargo test --test simulation seeds -- --nocapture\n",
            self.story(),
            self.now_ms as f64 / 1000.0,
            self.seed
        );
    }

    fn world(&self) -> &'w Compiled {
        self.editions[self.edition]
    }

    fn cells(&self) -> usize {
        self.world().nearest.len()
    }

    /// One tick.
    pub fn tick(&mut self) {
        self.probe();
        self.read_feeds();
        self.publish();
        self.ask();
        if self.now_ms.is_multiple_of(1_000) {
            self.second();
        }
        self.now_ms += TICK_MS;
    }

    fn probe(&mut self) {
        let now = self.clock();
        while self.probes.front().is_some_and(|(at, ..)| *at <= self.now_ms) {
            let (_, ticket, target, is_well) = self.probes.pop_front().unwrap();
            let outcome = if is_well { Outcome::well() } else { Outcome::failed("connection refused") };
            if self.monitor.handle_result(ticket, &outcome, now) {
                self.plain[target as usize].see(is_well);
                self.check_verdict(target as usize);
            }
        }
        let mut slow = Vec::new();
        while let Some(due) = self.monitor.poll_due(now) {
            let site = &self.sites[usize::from(self.world().roster.slots[due.index as usize].pop)];
            let is_well = site.broken_since.is_none();
            // What is refused is refused at once, what hangs runs into the time-out.
            let takes_ms = if is_well || self.dice.once_in(2) { TICK_MS } else { TIMEOUT_MS };
            slow.push((self.now_ms + takes_ms, due.ticket, due.index, is_well));
        }
        self.probes.extend(slow);
        self.probes.make_contiguous().sort_by_key(|(at, ..)| *at);
    }

    fn read_feeds(&mut self) {
        let now = self.clock();
        while self.feeds.front().is_some_and(|(at, ..)| *at <= self.now_ms) {
            let (_, ticket, reading) = self.feeds.pop_front().unwrap();
            self.loads.handle_reading(ticket, reading, now);
        }
        while let Some(due) = self.loads.poll_due(now) {
            let pop = usize::from(due.feed().pop);
            let site = &mut self.sites[pop];
            let truth = site.past.front().copied().unwrap_or(0.0);
            let reading = match site.feed {
                FeedFate::Honest => Ok(truth),
                FeedFate::Lies(factor) => Ok(truth * factor),
                FeedFate::Dead => Err("connection refused".into()),
            };
            if let Ok(value) = reading {
                let smoothed = site.smoothed.map_or(value, |before| before + (value - before) * 0.5);
                site.smoothed = Some(smoothed);
                let utilisation = smoothed / self.capacity[pop];
                site.is_full = utilisation > 0.95 || site.is_full && utilisation > 0.8;
            }
            self.feeds.push_back((self.now_ms + TICK_MS, due.ticket, reading));
        }
    }

    fn publish(&mut self) {
        let now = self.clock();
        let mut is_new = false;
        while let Some(picture) = self.monitor.poll_picture(now) {
            self.picture = picture;
            is_new = true;
        }
        while let Some(event) = self.monitor.poll_event() {
            match event {
                HealthEvent::Held { .. } => {}
                HealthEvent::Released { .. } => self.released_ms = Some(self.now_ms),
                _ => continue,
            }
            self.tell(event.to_string());
        }
        let serves: Vec<bool> = self.sites.iter().map(|site| site.was_up != Some(false)).collect();
        self.loads.handle_service(&serves);
        if let Some(sheds) = self.loads.poll_sheds(now) {
            is_new |= self.control == Control::Integral;
            self.sheds = sheds;
        }
        while let Some(event) = self.loads.poll_event() {
            self.tell(event.to_string());
        }
        if self.control == Control::OnOff {
            let full: Vec<u16> = (0..POPS as u16).filter(|pop| self.sites[usize::from(*pop)].is_full).collect();
            let accept: Arc<[u16]> = (0..POPS as u16).map(|pop| if full.contains(&pop) { 0 } else { 256 }).collect();
            let slots = &self.world().world.snapshot.steering.slots;
            let rows = slots.iter().zip(0..).filter(|(slot, _)| full.contains(&slot.pop.0));
            let sheds: Vec<ShedRow> = rows.map(|(_, slot)| ShedRow { slot, share: 256, accept: accept.clone() }).collect();
            is_new |= sheds != self.sheds;
            self.sheds = sheds;
        }
        if is_new {
            self.swap();
        }
    }

    /// A new status for everybody.
    fn swap(&mut self) {
        self.publications += 1;
        let world = &self.world().world;
        let steering = &world.snapshot.steering;
        let mut sheds = vec![Shed::default(); steering.slots.len()];
        for row in &self.sheds {
            sheds[row.slot as usize] = Shed { share: row.share, accept: row.accept.clone() };
        }
        let pops = world.deployment.pops.iter().map(PopStatus::of).collect();
        let status = Status::new(pops, &steering.slots, &steering.policies, &self.picture, sheds);
        self.snapshot = Arc::new(world.snapshot.with_status(status, self.snapshot.sequence() + 1));
        self.answers.fill(None);
        self.check_guard();
        if self.counts_moves {
            for cell in 0..self.cells() {
                let (pop, ..) = self.answer(NEAR, cell);
                if let Some(was) = self.before[cell].replace(pop).filter(|was| *was != pop) {
                    self.moves.entry((cell, was)).or_default()[0] += 1;
                    self.moves.entry((cell, pop)).or_default()[1] += 1;
                }
            }
        }
    }

    /// What a cell is answered now.
    fn answer(&mut self, name: usize, cell: usize) -> (u16, Resort, u32) {
        let index = name * self.cells() + cell;
        if let Some(known) = self.answers[index] {
            return known;
        }
        self.questions += 1;
        let mut out = [0; 512];
        let query = &self.world().queries[name][cell];
        let client = Client { address: [192, 0, 2, 77].into(), transport: Transport::Udp };
        let outcome = answer::respond(&self.snapshot, query, &client, Draw { draw: self.questions, epoch_secs: 0 }, &mut out);
        if outcome.rcode.0 != 0 || out[7] == 0 {
            self.fail(&format!("{} for cell {cell} is empty: {outcome:?}", NAMES[name]));
        }
        // Behind the question stands the owner as a pointer, type and class, TTL, length, address.
        let at = 12 + NAMES[name].len() + 1 + 4;
        let field = |from: usize| [out[from], out[from + 1], out[from + 2], out[from + 3]];
        let (ttl_secs, address) = (u32::from_be_bytes(field(at + 6)), field(at + 12));
        let (pop, resort) = outcome.pop.unwrap();
        if address != [203, 0, 113, pop.0 as u8] || ttl_secs > 30 {
            self.fail(&format!("{} for cell {cell}: {address:?} with TTL {ttl_secs} is not of {pop:?}", NAMES[name]));
        }
        let set = *self.known.entry((self.snapshot.digest(), name, cell)).or_insert(address);
        if set != address {
            self.fail(&format!("{} for cell {cell}: {set:?} and {address:?} for one digest", NAMES[name]));
        }
        self.check_choice(name, cell, pop.0, resort);
        self.answers[index] = Some((pop.0, resort, ttl_secs));
        (pop.0, resort, ttl_secs)
    }

    fn ask(&mut self) {
        let at = (self.now_ms / TICK_MS) as usize % self.wheel.len();
        if !self.monitor.is_first_round_over(self.clock()) {
            // Nobody is answered yet: resolvers try again.
            let again = std::mem::take(&mut self.wheel[at]);
            let next = (at + 4) % self.wheel.len();
            return self.wheel[next].extend(again);
        }
        for index in std::mem::take(&mut self.wheel[at]) {
            let (cell, name) = (self.resolvers[index as usize].cell, self.resolvers[index as usize].name);
            let (pop, _, ttl_secs) = self.answer(name, cell);
            let resolver = &mut self.resolvers[index as usize];
            if let Some(before) = resolver.pop.replace(pop) {
                self.sites[usize::from(before)].load -= resolver.demand;
            }
            self.sites[usize::from(pop)].load += resolver.demand;
            let ticks = (ttl_secs.max(1) * if resolver.is_slow { 10 } else { 1 }) as usize * (1_000 / TICK_MS) as usize;
            let next = (at + ticks) % self.wheel.len();
            self.wheel[next].push(index);
        }
    }

    fn second(&mut self) {
        for (pop, site) in self.sites.iter_mut().enumerate() {
            // Clients of a broken PoP get nothing there; it measures nothing.
            let load = if site.broken_since.is_some() { 0.0 } else { site.load.max(0.0) };
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
        self.check_detection();
    }

    pub fn break_pop(&mut self, pop: usize) {
        if self.sites[pop].broken_since.is_none() {
            self.sites[pop].broken_since = Some(self.now_ms);
            self.tell(format!("p{pop:02} breaks"));
        }
    }

    pub fn mend_pop(&mut self, pop: usize) {
        if self.sites[pop].broken_since.take().is_some() {
            self.tell(format!("p{pop:02} is mended"));
        }
    }

    /// Other files: weights differ, everything else is carried over.
    pub fn change_files(&mut self) {
        self.edition = 1 - self.edition;
        self.tell(format!("files of edition {}", self.edition));
        let (world, now) = (self.world(), self.clock());
        self.monitor.handle_roster(world.roster.clone(), now);
        self.loads.handle_roster(world.loads(&self.capacity), now);
        self.swap();
    }

    /// The process ends and begins again; its clock begins anew, and the world's clock may have stepped.
    pub fn restart(&mut self, step_secs: i64) {
        self.tell(format!("restart, the clock steps by {step_secs} s"));
        let (now, epoch) = (self.clock(), self.epoch_secs + self.now_ms / 1_000);
        let (verdicts, shares) = (self.monitor.save(now, epoch), self.loads.save(epoch));
        self.epoch_secs = self.epoch_secs.saturating_add_signed(step_secs);
        let epoch = epoch.saturating_add_signed(step_secs);
        self.zero_ms = self.now_ms;
        let world = self.world();
        self.monitor = Monitor::new(world.roster.clone(), self.seed, Moment(0));
        self.monitor.restore(&verdicts, Moment(0), epoch);
        self.loads = Loads::new(world.loads(&self.capacity), self.seed, Moment(0));
        self.loads.restore(&shares, Moment(0), epoch);
        self.probes.clear();
        self.feeds.clear();
        self.picture = Picture { slots: vec![Default::default(); world.roster.slots.len()], held: vec![] };
        let known: Vec<_> = self.monitor.targets(Moment(0)).map(|r| (r.verdict, r.failures, r.successes)).collect();
        for (target, (verdict, failures, successes)) in known.into_iter().enumerate() {
            use meridian::health::condition::Verdict::{Down, Unknown, Up};
            let is_up = match verdict {
                Unknown => None,
                Up => Some(true),
                Down => Some(false),
            };
            self.plain[target] = Plain { verdict: is_up, bad: failures, good: successes };
            let excused_until = self.now_ms + 60_000;
            let site = &mut self.sites[usize::from(world.roster.slots[target].pop)];
            (site.was_up, site.turned, site.excused_until) = (is_up, None, excused_until);
        }
        self.sheds = self.loads.sheds();
        self.swap();
    }
}
