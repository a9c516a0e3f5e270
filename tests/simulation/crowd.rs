//! A plain world for load alone: cells with lists of PoPs by distance, resolvers that keep answers
//! for a TTL, feeds that are read late and with noise. The real load controller decides, and every
//! move of every cell is counted.

use meridian::testing::finding::{At, FileId};
use meridian::testing::health::Moment;
use meridian::testing::health::load::LoadController;
use meridian::testing::health::load::feeds::{FeedSet, FeedTarget};
use meridian::testing::health::load::spec::{Feed, LoadSpec};
use meridian::testing::health::targets::{PopId, SlotId};
use meridian::testing::steer::pop_status::Shed;
use meridian::testing::wire::hash;
use std::collections::VecDeque;
use std::sync::Arc;
use support::dice::Dice;

/// Readings are this old, in seconds.
const LAG_SECS: usize = 5;

/// A PoP, of a capacity of 100.
pub struct Site {
    seed: u64,
    /// Load that does not come by these answers.
    pub besides: f64,
    pub is_measured: bool,
    /// Its feed gives numbers.
    pub feed_works: bool,
    pub is_up: bool,
    /// It stands in the files.
    pub is_known: bool,
    /// Load of the last seconds, the oldest first.
    past: VecDeque<f64>,
}

/// Clients that move together.
pub struct Cell {
    key: u64,
    /// PoPs, the nearest first.
    pub list: Vec<u16>,
    pub demand: f64,
    /// Where answers lead now, and where its resolver still leads.
    pub at: u16,
    cached: u16,
    asks_at: u64,
    /// When load moved it since the world last changed, in seconds, and to which PoP; the first is
    /// where it was.
    path: Vec<(u64, u16)>,
}

pub struct Crowd {
    pub sites: Vec<Site>,
    pub cells: Vec<Cell>,
    pub ttl_secs: u32,
    /// Readings are wrong by up to this part.
    pub noise: f64,
    pub loads: LoadController,
    sheds: Vec<Shed>,
    pub now_secs: u64,
    zero_secs: u64,
    dice: Dice,
    pub story: Vec<String>,
    swings: Vec<String>,
}

impl Crowd {
    /// PoPs on a circle with their cells around them; each cell brings 0 until a test says more.
    pub fn new(seed: u64, pops: usize, cells_each: usize, depth: usize, ttl_secs: u32) -> Crowd {
        let mut dice = Dice(seed ^ 0x10ad);
        let places: Vec<f64> = (0..pops).map(|pop| pop as f64 + dice.between(0.0, 0.9)).collect();
        let around = |from: f64, to: f64| {
            let apart = (from - to).abs();
            apart.min(pops as f64 - apart)
        };
        let mut cells = Vec::new();
        for home in 0..pops {
            for _ in 0..cells_each {
                let place = places[home] + dice.between(-0.3, 0.3);
                let mut list: Vec<u16> = (0..pops as u16).collect();
                list.sort_by(|a, b| {
                    let far = |pop: &u16| around(place, places[usize::from(*pop)]);
                    (usize::from(*a) != home, far(a)).partial_cmp(&(usize::from(*b) != home, far(b))).unwrap()
                });
                list.truncate(depth);
                cells.push(Cell {
                    key: dice.roll(),
                    list,
                    demand: 0.0,
                    at: home as u16,
                    cached: home as u16,
                    asks_at: dice.below(ttl_secs as usize) as u64,
                    path: Vec::new(),
                });
            }
        }
        let site = |pop: usize| Site {
            seed: hash::octets(format!("p{pop}").as_bytes()),
            besides: 0.0,
            is_measured: true,
            feed_works: true,
            is_up: true,
            is_known: true,
            past: VecDeque::new(),
        };
        Crowd {
            sites: (0..pops).map(site).collect(),
            cells,
            ttl_secs,
            noise: 0.0,
            loads: LoadController::new(Arc::new(FeedSet::default()), 1, Moment(0)),
            sheds: vec![Shed::default(); pops],
            now_secs: 0,
            zero_secs: 0,
            dice,
            story: Vec::new(),
            swings: Vec::new(),
        }
    }

    /// Cells of a PoP bring so much in all, each as much as the next but for `skew`.
    pub fn bring(&mut self, home: u16, load: f64, skew: f64) {
        let cells = self.cells.iter_mut().filter(|cell| cell.list[0] == home);
        let mut shares: Vec<(f64, &mut Cell)> =
            cells.map(|cell| (1.0 + if cell.key & 1 == 0 { skew } else { -skew }, cell)).collect();
        let sum: f64 = shares.iter().map(|(share, _)| share).sum();
        shares.iter_mut().for_each(|(share, cell)| cell.demand = load * *share / sum);
    }

    fn feed_set(&self) -> Arc<FeedSet> {
        let known = |pop: &usize| self.sites[*pop].is_known;
        let feed = |pop: usize| {
            let mut followers: Vec<SlotId> = Vec::new();
            // In the order of the first of its cells, then of the others.
            for cell in self.cells.iter().filter(|cell| usize::from(cell.list[0]) == pop) {
                for to in cell.list[1..].iter().filter(|to| known(&usize::from(**to))) {
                    let slot = SlotId(u32::from(*to));
                    if !followers.contains(&slot) {
                        followers.push(slot);
                    }
                }
            }
            FeedTarget {
                key: format!("p{pop}").into(),
                pop: PopId::at(pop),
                service: None,
                slots: vec![SlotId::at(pop)],
                followers,
                capacity: 100.0,
                ttl_secs: self.ttl_secs,
                spec: Arc::new(LoadSpec::new(Feed::File { path: "load".into() }, At::whole(FileId(0)))),
            }
        };
        Arc::new(FeedSet {
            feeds: (0..self.sites.len())
                .filter(|pop| known(pop) && self.sites[*pop].is_measured)
                .map(feed)
                .collect(),
            slots: PopId::in_order().take(self.sites.len()).collect(),
            pops: (0..self.sites.len()).map(|pop| format!("p{pop}").into()).collect(),
        })
    }

    fn clock(&self) -> Moment {
        Moment((self.now_secs - self.zero_secs) * 1_000)
    }

    /// The node begins, and knows nothing.
    pub fn start(&mut self) {
        self.zero_secs = self.now_secs;
        self.loads = LoadController::new(self.feed_set(), self.dice.roll(), Moment(0));
        self.serve();
        self.follow();
        self.cells.iter_mut().for_each(|cell| cell.cached = cell.at);
    }

    /// The node begins again with what it kept.
    pub fn restart(&mut self) {
        let saved = self.loads.save(1_000_000);
        self.zero_secs = self.now_secs;
        self.loads = LoadController::new(self.feed_set(), self.dice.roll(), Moment(0));
        self.loads.restore(&saved, Moment(0), 1_000_000);
        self.serve();
        self.follow();
    }

    /// Files are read again.
    pub fn reload(&mut self) {
        self.loads.handle_targets(self.feed_set(), self.clock());
        self.serve();
        self.follow();
    }

    /// PoPs are up or down as the sites say.
    pub fn serve(&mut self) {
        let serves: Vec<bool> = self.sites.iter().map(|site| site.is_up && site.is_known).collect();
        self.loads.handle_service(&serves);
        self.decide(false);
    }

    /// One second.
    pub fn second(&mut self) {
        let now = self.clock();
        while let Some(due) = self.loads.poll_due(now) {
            let site = &self.sites[due.feed().pop.index()];
            let truth = site.past.front().copied().unwrap_or(0.0);
            let value = truth * (1.0 + self.dice.between(-1.0, 1.0) * self.noise);
            let reading = if site.feed_works { Ok(value) } else { Err("connection refused".into()) };
            self.loads.handle_reading(due.ticket, reading, now);
        }
        self.follow();
        while let Some(event) = self.loads.poll_event() {
            self.story.push(format!("{:>5} s  {event}", self.now_secs));
        }
        for cell in &mut self.cells {
            if (self.now_secs + cell.asks_at).is_multiple_of(u64::from(self.ttl_secs)) {
                cell.cached = cell.at;
            }
        }
        for pop in 0..self.sites.len() {
            let load = self.load(pop);
            let past = &mut self.sites[pop].past;
            past.push_back(load);
            if past.len() > LAG_SECS {
                past.pop_front();
            }
        }
        self.now_secs += 1;
    }

    /// What a PoP carries.
    pub fn load(&self, pop: usize) -> f64 {
        let cells = self.cells.iter().filter(|cell| usize::from(cell.cached) == pop);
        self.sites[pop].besides + cells.map(|cell| cell.demand).sum::<f64>()
    }

    /// Takes what the controller tells.
    fn follow(&mut self) {
        let Some(rows) = self.loads.poll_sheds(self.clock()) else { return };
        let mut sheds = vec![Shed::default(); self.sites.len()];
        for row in rows {
            sheds[row.slot.index()] = Shed { share: row.share, accept: row.accept };
        }
        if sheds != self.sheds {
            self.sheds = sheds;
            self.decide(true);
        }
    }

    /// Where each cell is sent now.
    fn decide(&mut self, counts: bool) {
        let (sites, sheds, now_secs) = (&self.sites, &self.sheds, self.now_secs);
        for cell in &mut self.cells {
            let serves = |pop: &&u16| sites[usize::from(**pop)].is_up && sites[usize::from(**pop)].is_known;
            let Some(home) = cell.list.iter().find(serves).copied() else { continue };
            let (shed, seed) = (&sheds[usize::from(home)], sites[usize::from(home)].seed);
            let takes = |to: &&u16| {
                let to_seed = sites[usize::from(**to)].seed;
                **to != home
                    && serves(to)
                    && !sheds[usize::from(**to)].sheds(|| cell.key, to_seed)
                    && shed.hands_to(|| cell.key, seed, PopId(**to), to_seed)
            };
            let at = match shed.sheds(|| cell.key, seed) {
                true => cell.list.iter().find(takes).copied().unwrap_or(home),
                false => home,
            };
            let before = std::mem::replace(&mut cell.at, at);
            if counts && before != at {
                if cell.path.is_empty() {
                    cell.path.push((0, before));
                }
                cell.path.push((now_secs, at));
            }
        }
    }

    /// Notes cells that made the same move twice within ten TTLs since the world last changed: they
    /// came back between, and that was for nothing.
    pub fn settle(&mut self) {
        for (cell, index) in self.cells.iter_mut().zip(0..) {
            let path = std::mem::take(&mut cell.path);
            let moves: Vec<(u64, [u16; 2])> =
                path.windows(2).map(|pair| (pair[1].0, [pair[0].1, pair[1].1])).collect();
            let quiet_secs = 10 * u64::from(self.ttl_secs);
            let is_again = |(at, (secs, way)): (usize, &(u64, [u16; 2]))| {
                moves[..at].iter().any(|(before, other)| other == way && secs - before < quiet_secs)
            };
            if moves.iter().enumerate().any(is_again) {
                self.swings.push(format!("cell {index} of p{}: {path:?}", cell.list[0]));
            }
        }
    }

    /// Such cells, and turns of a share that halved its gain.
    pub fn swings(&mut self) -> Vec<String> {
        self.settle();
        let mut swings = std::mem::take(&mut self.swings);
        swings.extend(self.story.iter().filter(|line| line.contains("turns too often")).cloned());
        swings
    }

    /// What each PoP sheds, for the story.
    pub fn shown(&self) -> String {
        let shown = (0..self.sites.len()).map(|pop| {
            let shed = &self.sheds[pop];
            let accept: Vec<String> = shed.accept.iter().map(ToString::to_string).collect();
            format!("p{pop} {:.0} % s{} [{}]", self.load(pop), shed.share, accept.join(" "))
        });
        shown.collect::<Vec<_>>().join("  ")
    }
}
